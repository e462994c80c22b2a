package org.tinkerbell.hook.io;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Authenticator;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Fetches files over HTTP(S) or from {@code file:} addresses, so that a final name only ever stands for a complete,
 * verified file.
 *
 * <p>A file's addresses are tried in order. Cut lines, silence, 5xx and 429 are tried again with growing pauses
 * ({@code Retry-After} is honoured); what came already is kept under a {@code .part} name beside the target and is
 * continued by a range request (RFC 9110, section 14), by this build or a later one. A target is fetched by one process at a time.
 */
public final class Downloader {
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d+)-(\\d+)/(\\d+|\\*)");
    private static final int REDIRECTS = 10;
    // With bytes coming each time, a line may break often; an endless loop it must not be.
    private static final int MOST_ATTEMPTS = 100;
    private static final int UNKNOWN_HOST_ATTEMPTS = 2;

    private final Cache cache;
    private final NetworkSettings settings;
    private final Progress progress;
    private HttpClient client;

    /**
     * A file that is wanted.
     *
     * @param what name for messages, such as {@code "package bash 5.2"}
     * @param urls its addresses, the first one that has it is taken
     * @param size its length in bytes, or -1 if that is not known
     * @param digest its SHA-256, or null if that is not known; then only the caller can tell whether it is genuine
     * @param target where it goes
     */
    public record Request(String what, List<URI> urls, long size, Digest digest, Path target) {
        public Request {
            Objects.requireNonNull(what, "what");
            urls = List.copyOf(urls);
            target = target.toAbsolutePath().normalize();
        }
    }

    /**
     * @param cache whose locks keep two processes from fetching the same target
     */
    public Downloader(Cache cache, NetworkSettings settings, Progress progress) {
        this.cache = cache;
        this.settings = settings;
        this.progress = progress;
        if (settings.proxies().stream().anyMatch(proxy -> proxy.user() != null)) {
            allowPasswordsInTunnels();
        }
    }

    /** How the network is used. */
    public NetworkSettings settings() {
        return settings;
    }

    /**
     * Fetches a file unless its target is there already, and says how far it is.
     *
     * @return the target
     * @throws DownloadException if no address had the file, or not the right one
     * @throws HookException if it is missing and the build is offline, or the disk is full
     */
    public Path fetch(Request request) throws IOException {
        if (isComplete(request)) {
            return request.target();
        }
        try (Progress.Task task = progress.start("Fetching " + request.what(), request.size(), Progress.Unit.BYTES)) {
            return fetch(request, task);
        }
    }

    /**
     * Fetches several files at once, of which those with a present target are skipped.
     *
     * @param what for the progress, such as {@code "packages"}
     */
    public void fetchAll(String what, List<Request> requests) throws IOException {
        List<Request> missing = requests.stream().filter(request -> !isComplete(request)).toList();
        if (missing.isEmpty()) {
            return;
        }
        long total = missing.stream().anyMatch(r -> r.size() < 0) ? -1 : missing.stream().mapToLong(Request::size).sum();
        try (Progress.Task task = progress.start("Fetching " + missing.size() + " " + what, total, Progress.Unit.BYTES)) {
            Parallel.forEach(settings.connections(), missing, request -> fetch(request, task));
        }
    }

    /** Fetches a file as {@link #fetch(Request)} does, as part of a larger task that counts bytes. */
    public Path fetch(Request request, Progress.Task task) throws IOException {
        if (isComplete(request)) {
            return request.target();
        }
        try (Cache.Held held = cache.lock("download " + request.target())) {
            if (!isComplete(request)) {
                Files.createDirectories(request.target().getParent());
                new Transfer(request, request.size() < 0 ? Long.MAX_VALUE : request.size(), task).run();
            }
        } catch (IOException e) {
            throw FullDisk.check(e, request.target().getParent());
        }
        return request.target();
    }

    /**
     * The present content of a small file that changes under its name, such as a signed index. It is not kept.
     *
     * @param limit most bytes that are taken
     * @throws DownloadException if it cannot be had
     */
    public byte[] read(String what, List<URI> urls, int limit) throws IOException {
        Path directory = cache.directory("tmp");
        Path temporary = Files.createTempFile(directory, "read", AtomicFile.SUFFIX);
        Files.delete(temporary);
        try {
            Request request = new Request(what, urls, -1, null, temporary);
            new Transfer(request, limit, amount -> {}).run();
            return Files.readAllBytes(temporary);
        } catch (IOException e) {
            throw FullDisk.check(e, directory);
        } finally {
            Files.deleteIfExists(temporary);
            Files.deleteIfExists(partial(temporary));
            Files.deleteIfExists(validator(temporary));
        }
    }

    private static boolean isComplete(Request request) {
        try {
            long size = Files.size(request.target());
            return request.size() < 0 || size == request.size();
        } catch (IOException e) {
            return false;
        }
    }

    private static Path partial(Path target) {
        return target.resolveSibling("." + target.getFileName() + AtomicFile.SUFFIX);
    }

    private static Path validator(Path target) {
        return target.resolveSibling("." + target.getFileName() + ".from");
    }

    /** What went wrong with one address. */
    private static final class Failure extends IOException {
        private static final long serialVersionUID = 1L;

        private enum Kind {
            MISSING,
            REFUSED,
            CORRUPT,
            UNKNOWN_HOST,
            PASSING
        }

        private final Kind kind;
        private final transient Duration wait;

        Failure(Kind kind, String message, Duration wait, Throwable cause) {
            super(message, cause);
            this.kind = kind;
            this.wait = wait;
        }

        boolean mayPass() {
            return kind == Kind.PASSING || kind == Kind.UNKNOWN_HOST;
        }
    }

    /** The way of one file from its addresses to its target. */
    private final class Transfer {
        private final Request request;
        private final Progress.Task task;
        private final Path part;
        private final Path from;
        private final long most;
        private long reported;
        // Whether what is in the partial file came in more than one piece.
        private volatile boolean resumed;

        Transfer(Request request, long most, Progress.Task task) {
            this.request = request;
            this.task = task;
            this.part = partial(request.target());
            this.from = validator(request.target());
            this.most = most;
        }

        void run() throws IOException {
            List<URI> usable = request.urls().stream().filter(url -> !settings.offline() || isFile(url)).toList();
            if (usable.isEmpty()) {
                throw new DownloadException(settings.offline()
                        ? request.what() + " is not in the cache (" + cache.root() + "), and Maven is offline. Build once without -o."
                        : "There is no address to fetch " + request.what() + " from", false, null);
            }
            Map<URI, Failure> failures = new LinkedHashMap<>();
            int fruitless = 0;
            for (int attempt = 1; ; attempt++) {
                long before = length();
                Duration wait = Duration.ZERO;
                boolean again = false;
                for (URI url : usable) {
                    Failure last = failures.get(url);
                    if (last != null && !last.mayPass()) {
                        continue;
                    }
                    try {
                        if (isFile(url)) {
                            copy(url);
                        } else {
                            get(url);
                        }
                        finish(url);
                        return;
                    } catch (Failure e) {
                        failures.put(url, e);
                        if (e.mayPass()) {
                            again |= e.kind == Failure.Kind.PASSING || attempt < UNKNOWN_HOST_ATTEMPTS;
                            wait = e.wait != null && e.wait.compareTo(wait) > 0 ? e.wait : wait;
                        }
                    }
                }
                fruitless = length() > before ? 0 : fruitless + 1;
                if (!again || fruitless >= settings.attempts() || attempt >= MOST_ATTEMPTS
                        || wait.compareTo(settings.maxBackOff()) > 0) {
                    throw failed(failures);
                }
                pause(fruitless, wait);
            }
        }

        private DownloadException failed(Map<URI, Failure> failures) {
            String reasons = failures.entrySet().stream()
                    .map(failure -> shown(failure.getKey()) + ": " + failure.getValue().getMessage())
                    .collect(Collectors.joining("; "));
            // A server with other bytes under that name is a reason to stop, not to look for another package.
            boolean missing = failures.values().stream().anyMatch(failure -> failure.kind == Failure.Kind.MISSING)
                    && failures.values().stream().noneMatch(failure -> failure.kind == Failure.Kind.CORRUPT);
            Failure first = failures.values().iterator().next();
            return new DownloadException("Cannot fetch " + request.what() + ": " + reasons, missing, first);
        }

        private void pause(int fruitless, Duration asked) {
            long most = settings.maxBackOff().toMillis();
            long longest = Math.min(most, settings.backOff().toMillis() << Math.min(Math.max(fruitless - 1, 0), 16));
            // Between half and all of it, so that builds that failed together do not come back together.
            long millis = Math.max(asked.toMillis(), longest / 2 + ThreadLocalRandom.current().nextLong(longest / 2 + 1));
            try {
                Thread.sleep(millis);
            } catch (InterruptedException e) {
                throw interrupted(e);
            }
        }

        private HookException interrupted(InterruptedException e) {
            Thread.currentThread().interrupt();
            return new HookException("Interrupted while fetching " + request.what(), e);
        }

        private long length() throws IOException {
            try {
                return Files.size(part);
            } catch (NoSuchFileException e) {
                return 0;
            }
        }

        private void report(long bytes) {
            if (bytes > reported) {
                task.advance(bytes - reported);
                reported = bytes;
            }
        }

        private void copy(URI url) throws IOException {
            Path source = Path.of(url);
            if (!Files.isRegularFile(source)) {
                throw new Failure(Failure.Kind.MISSING, "no such file", null, null);
            }
            resumed = false;
            try (InputStream in = Files.newInputStream(source); OutputStream out = Files.newOutputStream(part)) {
                in.transferTo(out);
            }
        }

        private void get(URI url) throws IOException {
            String key = shown(url);
            long offset = length();
            String known = "";
            if (offset > 0 && request.digest() == null) {
                // Without a digest only the server can say that the rest belongs to the same file.
                known = savedValidator(key);
                if (known.isEmpty()) {
                    offset = 0;
                }
            }
            if (request.size() >= 0 && offset >= request.size()) {
                if (offset == request.size()) {
                    return;
                }
                offset = 0;
            }
            if (offset == 0) {
                Files.deleteIfExists(part);
            }
            URI current = url;
            for (int redirects = 0; ; redirects++) {
                Map<String, String> headers = new LinkedHashMap<>();
                if (offset > 0) {
                    headers.put("Range", "bytes=" + offset + "-");
                    if (!known.isEmpty()) {
                        headers.put("If-Range", known);
                    }
                }
                HttpResponse<Sink> response = exchange(current, url, headers, offset);
                int status = response.statusCode();
                if (status / 100 == 3 && status != 304 && response.headers().firstValue("Location").isPresent()) {
                    URI next = current.resolve(response.headers().firstValue("Location").get());
                    if (redirects == REDIRECTS || "https".equals(current.getScheme()) && !"https".equals(next.getScheme())) {
                        throw new Failure(Failure.Kind.REFUSED, "redirected to " + shown(next), null, null);
                    }
                    current = next;
                    continue;
                }
                if (status == 416) {
                    Files.deleteIfExists(part);
                    throw new Failure(Failure.Kind.PASSING, "the partial file does not fit what the server has", null, null);
                }
                if (status != 200 && status != 206) {
                    throw refusal(status, response);
                }
                Sink sink = response.body();
                if (request.size() >= 0 && sink.position < request.size()) {
                    throw new Failure(Failure.Kind.PASSING, "the line was cut after " + sink.position + " of " + request.size()
                            + " bytes", null, null);
                }
                return;
            }
        }

        private Failure refusal(int status, HttpResponse<?> response) {
            String text = status + switch (status) {
                case 401 -> " (it asks for a password)";
                case 403 -> " (forbidden)";
                case 404 -> " (not found)";
                case 407 -> " (the proxy asks for a password: see <proxies> in Maven's settings.xml)";
                case 410 -> " (gone)";
                case 429 -> " (too many requests)";
                default -> "";
            };
            if (status == 404 || status == 410) {
                return new Failure(Failure.Kind.MISSING, text, null, null);
            }
            if (status / 100 == 5 || status == 408 || status == 425 || status == 429) {
                return new Failure(Failure.Kind.PASSING, text, retryAfter(response), null);
            }
            return new Failure(Failure.Kind.REFUSED, text, null, null);
        }

        private HttpResponse<Sink> exchange(URI url, URI first, Map<String, String> headers, long offset) throws IOException {
            HttpRequest.Builder builder;
            try {
                builder = HttpRequest.newBuilder(withoutUser(url)).timeout(settings.timeout()).version(HttpClient.Version.HTTP_1_1);
            } catch (IllegalArgumentException e) {
                throw new Failure(Failure.Kind.REFUSED, "not an address that can be fetched: " + e.getMessage(), null, e);
            }
            builder.header("User-Agent", "hook-linuxkit-mojo");
            headers.forEach(builder::header);
            String user = url.getRawUserInfo() != null ? url.getUserInfo()
                    : sameServer(url, first) ? first.getUserInfo() : null;
            if (user != null) {
                builder.header("Authorization",
                        "Basic " + Base64.getEncoder().encodeToString(user.getBytes(StandardCharsets.UTF_8)));
            }
            Sink sink = new Sink(offset);
            CompletableFuture<HttpResponse<Sink>> future = client().sendAsync(builder.build(), info -> sink.take(url, info));
            try {
                return await(future, sink);
            } finally {
                sink.close();
            }
        }

        private HttpResponse<Sink> await(CompletableFuture<HttpResponse<Sink>> future, Sink sink) throws IOException {
            long poll = Math.max(10, Math.min(1000, settings.timeout().toMillis() / 4));
            while (true) {
                try {
                    return future.get(poll, TimeUnit.MILLISECONDS);
                } catch (TimeoutException e) {
                    // The client's own time limit ends with the headers; a body that stops coming is noticed here.
                    if (System.nanoTime() - sink.lastSign > settings.timeout().toNanos() + TimeUnit.MILLISECONDS.toNanos(poll)) {
                        future.cancel(true);
                        throw new Failure(Failure.Kind.PASSING, "silent for " + settings.timeout().toSeconds() + " s", null, e);
                    }
                } catch (InterruptedException e) {
                    future.cancel(true);
                    throw interrupted(e);
                } catch (ExecutionException e) {
                    throw failure(e.getCause(), sink);
                }
            }
        }

        private IOException failure(Throwable cause, Sink sink) {
            if (sink.failure != null) {
                return sink.failure;
            }
            for (Throwable t = cause; t != null; t = t.getCause()) {
                if (t instanceof UnresolvedAddressException) {
                    return new Failure(Failure.Kind.UNKNOWN_HOST, "the host is not known (is there a network, or a proxy?)", null, cause);
                }
            }
            if (cause instanceof HttpTimeoutException) {
                return new Failure(Failure.Kind.PASSING, "no answer within " + settings.timeout().toSeconds() + " s", null, cause);
            }
            if (cause instanceof ConnectException) {
                return new Failure(Failure.Kind.PASSING, "connection refused", null, cause);
            }
            String text = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
            return new Failure(Failure.Kind.PASSING, "the line was cut (" + text + ")", null, cause);
        }

        private String savedValidator(String url) throws IOException {
            try {
                List<String> lines = Files.readAllLines(from);
                return lines.size() == 2 && lines.get(0).equals(url) ? lines.get(1) : "";
            } catch (NoSuchFileException e) {
                return "";
            }
        }

        private void finish(URI url) throws IOException {
            long size = Files.size(part);
            if (request.size() >= 0 && size != request.size()) {
                Files.deleteIfExists(part);
                throw new Failure(Failure.Kind.CORRUPT, "it has " + size + " bytes instead of " + request.size(), null, null);
            }
            if (request.digest() != null) {
                Digest actual = Digest.of(part);
                if (!actual.equals(request.digest())) {
                    Files.deleteIfExists(part);
                    boolean pieced = resumed;
                    resumed = false;
                    throw new Failure(pieced ? Failure.Kind.PASSING : Failure.Kind.CORRUPT,
                            "its SHA-256 is " + actual.hex() + " instead of " + request.digest().hex(), null, null);
                }
            }
            report(size);
            Files.move(part, request.target(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            Files.deleteIfExists(from);
        }

        /** The body of a response on its way into the partial file; the client calls it from its own threads. */
        private final class Sink implements HttpResponse.BodySubscriber<Sink> {
            private final CompletableFuture<Sink> done = new CompletableFuture<>();
            private volatile long lastSign = System.nanoTime();
            private volatile long position;
            private volatile IOException failure;
            private Flow.Subscription subscription;
            private FileChannel channel;

            Sink(long offset) {
                this.position = offset;
            }

            /** Looks at the headers: whether the body is the file, and from where on. */
            HttpResponse.BodySubscriber<Sink> take(URI url, HttpResponse.ResponseInfo info) {
                lastSign = System.nanoTime();
                int status = info.statusCode();
                if (status != 200 && status != 206) {
                    return HttpResponse.BodySubscribers.replacing(this);
                }
                try {
                    long length = info.headers().firstValueAsLong("Content-Length").orElse(-1);
                    if (status == 206) {
                        Matcher range = CONTENT_RANGE.matcher(info.headers().firstValue("Content-Range").orElse(""));
                        if (!range.matches() || Long.parseLong(range.group(1)) != position) {
                            throw new Failure(Failure.Kind.REFUSED, "it answered another range than was asked for", null, null);
                        }
                        length = range.group(3).equals("*") ? -1 : Long.parseLong(range.group(3));
                        resumed = true;
                    } else {
                        position = 0;
                        resumed = false;
                    }
                    if (request.size() >= 0 && length >= 0 && length != request.size()) {
                        throw new Failure(Failure.Kind.CORRUPT, "it has " + length + " bytes instead of " + request.size(), null, null);
                    }
                    if (request.digest() == null && position == 0) {
                        save(url, info);
                    }
                    channel = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    channel.truncate(position);
                    channel.position(position);
                    report(position);
                } catch (IOException e) {
                    failure = e;
                    done.completeExceptionally(e);
                }
                return this;
            }

            private void save(URI url, HttpResponse.ResponseInfo info) throws IOException {
                // A weak entity tag does not stand for the same bytes (RFC 9110, 13.1.5).
                String tag = info.headers().firstValue("ETag").filter(t -> !t.startsWith("W/"))
                        .or(() -> info.headers().firstValue("Last-Modified")).orElse("");
                if (tag.isEmpty()) {
                    Files.deleteIfExists(from);
                } else {
                    Files.writeString(from, shown(url) + "\n" + tag + "\n");
                }
            }

            @Override
            public CompletionStage<Sink> getBody() {
                return done;
            }

            @Override
            public void onSubscribe(Flow.Subscription newSubscription) {
                subscription = newSubscription;
                if (failure == null) {
                    subscription.request(1);
                } else {
                    subscription.cancel();
                }
            }

            @Override
            public synchronized void onNext(List<ByteBuffer> buffers) {
                lastSign = System.nanoTime();
                if (channel == null || !channel.isOpen()) {
                    return;
                }
                try {
                    for (ByteBuffer buffer : buffers) {
                        position += buffer.remaining();
                        if (position > most) {
                            throw new Failure(Failure.Kind.CORRUPT, "it has more than " + most + " bytes", null, null);
                        }
                        while (buffer.hasRemaining()) {
                            channel.write(buffer);
                        }
                    }
                    report(position);
                    subscription.request(1);
                } catch (IOException e) {
                    failure = e;
                    subscription.cancel();
                    done.completeExceptionally(e);
                }
            }

            @Override
            public void onError(Throwable throwable) {
                done.completeExceptionally(throwable);
            }

            @Override
            public void onComplete() {
                done.complete(this);
            }

            /** After this nothing is written any more, even if the client's threads still bring something. */
            synchronized void close() throws IOException {
                if (channel != null) {
                    channel.close();
                }
            }
        }
    }

    private static boolean isFile(URI url) {
        return "file".equalsIgnoreCase(url.getScheme());
    }

    private static boolean sameServer(URI a, URI b) {
        return Objects.equals(a.getScheme(), b.getScheme()) && Objects.equals(a.getHost(), b.getHost()) && a.getPort() == b.getPort();
    }

    private static URI withoutUser(URI url) {
        return url.getRawUserInfo() == null ? url : URI.create(url.toString().replaceFirst("//[^/@]*@", "//"));
    }

    /** An address as it may be shown: without a password. */
    private static String shown(URI url) {
        return withoutUser(url).toString();
    }

    /** Seconds or a date (RFC 9110, 10.2.3); what cannot be read counts as nothing. */
    private static Duration retryAfter(HttpResponse<?> response) {
        String value = response.headers().firstValue("Retry-After").orElse("").trim();
        try {
            if (value.matches("\\d{1,9}")) {
                return Duration.ofSeconds(Long.parseLong(value));
            }
            Duration until = value.isEmpty() ? Duration.ZERO : Duration.between(Instant.now(),
                    ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME.withLocale(Locale.ROOT)).toInstant());
            return until.isNegative() ? Duration.ZERO : until;
        } catch (DateTimeParseException e) {
            return Duration.ZERO;
        }
    }

    private synchronized HttpClient client() {
        if (client == null) {
            HttpClient.Builder builder = HttpClient.newBuilder()
                    .followRedirects(HttpClient.Redirect.NEVER)
                    .connectTimeout(settings.timeout())
                    .executor(Executors.newCachedThreadPool(runnable -> {
                        Thread thread = new Thread(runnable, "hook-download");
                        thread.setDaemon(true);
                        return thread;
                    }));
            if (settings.proxies().isEmpty()) {
                ProxySelector system = ProxySelector.getDefault();
                if (system != null) {
                    builder.proxy(system);
                }
            } else {
                builder.proxy(new Proxies(settings.proxies()));
                if (settings.proxies().stream().anyMatch(proxy -> proxy.user() != null)) {
                    builder.authenticator(new ProxyPasswords(settings.proxies()));
                }
            }
            client = builder.build();
        }
        return client;
    }

    // Java refuses Basic authentication on the way to https addresses unless told otherwise; Maven's settings are the user's will. The
    // client reads this once, with the first of its classes.
    private static void allowPasswordsInTunnels() {
        String property = "jdk.http.auth.tunneling.disabledSchemes";
        if (System.getProperty(property) == null) {
            System.setProperty(property, "");
        }
    }

    /** Chooses as Maven does: the proxy of the address's scheme, else for https the one of http. */
    private static final class Proxies extends ProxySelector {
        private final List<ProxySettings> proxies;

        Proxies(List<ProxySettings> proxies) {
            this.proxies = proxies;
        }

        @Override
        public List<Proxy> select(URI uri) {
            List<ProxySettings> fitting = new ArrayList<>();
            proxies.stream().filter(p -> p.protocol().equalsIgnoreCase(uri.getScheme())).forEach(fitting::add);
            proxies.stream().filter(p -> p.protocol().equals("http") && "https".equalsIgnoreCase(uri.getScheme())).forEach(fitting::add);
            if (fitting.isEmpty() || fitting.get(0).excludes(uri.getHost())) {
                return List.of(Proxy.NO_PROXY);
            }
            ProxySettings proxy = fitting.get(0);
            return List.of(new Proxy(Proxy.Type.HTTP, new InetSocketAddress(proxy.host(), proxy.port())));
        }

        @Override
        public void connectFailed(URI uri, SocketAddress address, IOException failure) {
            // The request fails with the same exception.
        }
    }

    private static final class ProxyPasswords extends Authenticator {
        private final List<ProxySettings> proxies;

        ProxyPasswords(List<ProxySettings> proxies) {
            this.proxies = proxies;
        }

        @Override
        protected PasswordAuthentication getPasswordAuthentication() {
            if (getRequestorType() != RequestorType.PROXY) {
                return null;
            }
            return proxies.stream()
                    .filter(p -> p.user() != null && p.host().equalsIgnoreCase(getRequestingHost()) && p.port() == getRequestingPort())
                    .findFirst()
                    .map(p -> new PasswordAuthentication(p.user(), p.password() == null ? new char[0] : p.password().toCharArray()))
                    .orElse(null);
        }
    }
}
