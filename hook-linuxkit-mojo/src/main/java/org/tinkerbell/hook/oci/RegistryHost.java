package org.tinkerbell.hook.oci;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import land.oras.ContainerRef;
import land.oras.auth.AuthProvider;
import land.oras.auth.AuthScheme;
import land.oras.auth.HttpClient;
import land.oras.auth.Scopes;
import land.oras.exception.OrasException;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.ProxySettings;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * One registry host over HTTP: the ORAS SDK's client, and around it what the SDK (0.7) lacks: retries, identity tokens, tokens for
 * several threads, Maven's proxies, and failures in words for people.
 */
final class RegistryHost {
    private static final JsonMapper JSON = new JsonMapper();
    private static final Pattern PARAMETER = Pattern.compile("(\\w+)=\"([^\"]*)\"");
    private static final int OK_UP_TO = 399;

    private final String registry;
    private final String host;
    private final URI base;
    private final NetworkSettings network;
    private final DockerCredentials credentials;
    private final HttpClient client;
    private final java.net.http.HttpClient plain;
    private volatile Map<String, String> challenge;
    // Access tokens by repository and what is to be done there.
    private final Map<String, String> tokens = new ConcurrentHashMap<>();

    static {
        // The SDK logs each failed request with its stack trace; what failed is said once here, and only if no retry helped.
        // Maven's SLF4J provider reads the level from this property when the SDK asks for its loggers.
        String level = "org.slf4j.simpleLogger.log.land.oras";
        if (System.getProperty(level) == null) {
            System.setProperty(level, "off");
        }
    }

    RegistryHost(String registry, RegistrySettings settings, DockerCredentials credentials) {
        this.registry = registry;
        // Docker Hub's API is on another host than its name says.
        this.host = registry.equals(ImageReference.DOCKER_HUB) ? "registry-1.docker.io" : registry;
        this.base = URI.create((settings.isInsecure(registry) ? "http://" : "https://") + host);
        this.network = settings.network();
        this.credentials = credentials;
        if (network.offline()) {
            throw new HookException("Maven is offline (-o), and " + registry + " would be needed. Build once online, or import the image "
                    + "from an archive");
        }
        this.client = client(network);
        java.net.http.HttpClient.Builder builder = java.net.http.HttpClient.newBuilder().connectTimeout(network.timeout());
        if (!network.proxies().isEmpty()) {
            builder.proxy(new MavenProxies(network.proxies()));
        }
        this.plain = builder.build();
    }

    /** What is said to a registry. */
    interface Call<T> {
        HttpClient.ResponseWrapper<T> send(HttpClient client, Scopes scopes, AuthProvider auth, Map<String, String> headers);
    }

    /** The registry of which this is the host. */
    String registry() {
        return registry;
    }

    /** An address below {@code /v2/} of a repository. */
    URI uri(String repository, String rest) {
        return base.resolve("/v2/" + repository + "/" + rest);
    }

    /** An address that the registry gave, which may be relative. */
    URI resolve(URI of, String location) {
        return of.resolve(location);
    }

    // The SDK has no setting for proxies; its client takes the JVM's selector of the moment in which it is made.
    private static HttpClient client(NetworkSettings network) {
        synchronized (RegistryHost.class) {
            ProxySelector before = ProxySelector.getDefault();
            if (!network.proxies().isEmpty()) {
                ProxySelector.setDefault(new MavenProxies(network.proxies()));
            }
            try {
                return HttpClient.Builder.builder().withTimeout(Math.max(1, (int) network.timeout().toSeconds())).build();
            } finally {
                ProxySelector.setDefault(before);
            }
        }
    }

    /** Chooses as Maven does: the proxy of the address's scheme, else for https the one of http. */
    private static final class MavenProxies extends ProxySelector {
        private final List<ProxySettings> proxies;

        MavenProxies(List<ProxySettings> proxies) {
            this.proxies = proxies;
        }

        Optional<ProxySettings> proxy(URI uri) {
            return proxies.stream().filter(p -> p.protocol().equalsIgnoreCase(uri.getScheme())).findFirst()
                    .or(() -> proxies.stream().filter(p -> p.protocol().equals("http")).findFirst())
                    .filter(p -> !p.excludes(uri.getHost()));
        }

        @Override
        public List<Proxy> select(URI uri) {
            return List.of(proxy(uri).map(p -> new Proxy(Proxy.Type.HTTP, new InetSocketAddress(p.host(), p.port()))).orElse(Proxy.NO_PROXY));
        }

        @Override
        public void connectFailed(URI uri, SocketAddress address, IOException failure) {
            // The request fails with the same exception.
        }
    }

    /**
     * Sends something until there is an answer that stands: failures of the line, 429 and 5xx are tried again with growing pauses.
     *
     * @param accepted also of the failures, what the caller deals with himself
     * @param push whether it needs the right to write
     * @throws HookException for every other answer of 400 or above, and for lines that stay dead
     */
    <T> Answer<T> send(String repository, boolean push, List<Integer> accepted, Call<T> call) throws IOException {
        Failure failure = null;
        for (int attempt = 1; attempt <= network.attempts(); attempt++) {
            failure = null;
            try {
                Answer<T> answer = new Answer<>(once(repository, push, call));
                if (answer.status() <= OK_UP_TO || accepted.contains(answer.status())) {
                    return answer;
                }
                failure = new Failure(answer.status(), detail(answer), answer.header("Retry-After").orElse(""), null);
            } catch (OrasException e) {
                failure = Failure.of(e);
                if (accepted.contains(failure.status())) {
                    return new Answer<>(new HttpClient.ResponseWrapper<>(null, failure.status(), Map.of(), null));
                }
            }
            // Tokens end after some minutes; a new one shows whether that was it.
            boolean ended = failure.status() == 401 && attempt == 1 && challenge != null && challenge.containsKey("realm");
            if (ended) {
                tokens.remove(scope(repository, push));
            }
            if (!ended && !failure.passing() || attempt == network.attempts()) {
                break;
            }
            if (!ended) {
                pause(attempt, failure.retryAfter());
            }
        }
        throw explained(repository, push, failure);
    }

    private <T> HttpClient.ResponseWrapper<T> once(String repository, boolean push, Call<T> call) throws IOException {
        Map<String, String> headers = new HashMap<>();
        proxyPassword().ifPresent(value -> headers.put("Proxy-Authorization", value));
        // The SDK keeps tokens by what it calls a service. With a name of our own it finds none and takes what it is given.
        Scopes scopes = Scopes.of("hook", ContainerRef.parse(host + "/" + repository));
        AuthProvider auth = auth(repository, push);
        // An upload may take its time before there is an answer; everything else is answered soon or not at all.
        return push ? call.send(client, scopes, auth, headers) : intime(() -> call.send(client, scopes, auth, headers));
    }

    /** The SDK waits for ever for a server that says nothing. */
    private <T> T intime(Supplier<T> request) {
        FutureTask<T> task = new FutureTask<>(request::get);
        Thread thread = new Thread(task, "hook-registry");
        thread.setDaemon(true);
        thread.start();
        try {
            return task.get(network.timeout().toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new OrasException("No answer", new HttpTimeoutException("no answer within " + network.timeout().toSeconds() + " seconds"));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HookException("Interrupted", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        } finally {
            task.cancel(true);
        }
    }

    private Optional<String> proxyPassword() {
        return network.proxies().stream().filter(p -> p.user() != null).findFirst().map(p ->
                new DockerCredentials.Account(p.user(), p.password() == null ? "" : p.password(), false).basic());
    }

    private AuthProvider auth(String repository, boolean push) throws IOException {
        Optional<DockerCredentials.Account> account = credentials.find(registry);
        Map<String, String> asked = challenge();
        if (asked.containsKey("realm")) {
            String scope = scope(repository, push);
            String token = tokens.get(scope);
            if (token == null) {
                token = token(asked, account, scope);
                tokens.put(scope, token);
            }
            return new Header("Bearer " + token, AuthScheme.BEARER);
        }
        return account.isPresent() ? new Header(account.get().basic(), AuthScheme.BASIC) : new Header(null, AuthScheme.NONE);
    }

    private static String scope(String repository, boolean push) {
        return "repository:" + repository + (push ? ":pull,push" : ":pull");
    }

    private record Header(String value, AuthScheme scheme) implements AuthProvider {
        @Override
        public String getAuthHeader(ContainerRef ref) {
            return value;
        }

        @Override
        public AuthScheme getAuthScheme() {
            return scheme;
        }
    }

    /** What the registry wants tokens from ({@code realm}, {@code service}); empty if it wants none. */
    private synchronized Map<String, String> challenge() throws IOException {
        if (challenge == null) {
            HttpResponse<String> ping = plainly(HttpRequest.newBuilder(base.resolve("/v2/")));
            Map<String, String> asked = new HashMap<>();
            String header = ping.headers().firstValue("WWW-Authenticate").orElse("");
            if (ping.statusCode() == 401 && header.toLowerCase(Locale.ROOT).startsWith("bearer ")) {
                Matcher matcher = PARAMETER.matcher(header);
                while (matcher.find()) {
                    asked.put(matcher.group(1).toLowerCase(Locale.ROOT), matcher.group(2));
                }
            }
            challenge = asked;
        }
        return challenge;
    }

    /**
     * Gets an access token, for an account or for anybody
     * (<a href="https://distribution.github.io/distribution/spec/auth/token/">distribution, token authentication</a>), or for an identity
     * token (<a href="https://distribution.github.io/distribution/spec/auth/oauth/">OAuth 2</a>), which the SDK cannot; where there are
     * several threads, it also shows the token service a token instead of the account.
     */
    private String token(Map<String, String> asked, Optional<DockerCredentials.Account> account, String scope) throws IOException {
        Map<String, String> form = new TreeMap<>(Map.of("service", asked.getOrDefault("service", ""), "scope", scope));
        HttpRequest.Builder request;
        if (account.isPresent() && account.get().identityToken()) {
            form.putAll(Map.of("grant_type", "refresh_token", "client_id", "hook", "refresh_token", account.get().secret()));
            request = HttpRequest.newBuilder(URI.create(asked.get("realm"))).header("Content-Type", "application/x-www-form-urlencoded")
                    .POST(HttpRequest.BodyPublishers.ofString(encoded(form)));
        } else {
            String realm = asked.get("realm");
            request = HttpRequest.newBuilder(URI.create(realm + (realm.contains("?") ? "&" : "?") + encoded(form)));
            account.ifPresent(known -> request(request, known));
        }
        HttpResponse<String> answer = plainly(request);
        if (answer.statusCode() != 200) {
            throw new Refused(answer.statusCode(), detail(answer.body()));
        }
        try {
            JsonNode json = JSON.readTree(answer.body());
            return json.path("access_token").asString(json.path("token").asString(""));
        } catch (JacksonException e) {
            throw new HookException("The token service of " + registry + " does not answer in JSON", e);
        }
    }

    private static void request(HttpRequest.Builder request, DockerCredentials.Account account) {
        request.header("Authorization", account.basic());
    }

    private static String encoded(Map<String, String> form) {
        List<String> fields = new ArrayList<>();
        form.forEach((key, value) -> fields.add(key + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8)));
        return String.join("&", fields);
    }

    /** Sends something that belongs to no repository; trouble that may pass is an exception. */
    private HttpResponse<String> plainly(HttpRequest.Builder request) throws IOException {
        proxyPassword().ifPresent(value -> request.header("Proxy-Authorization", value));
        try {
            HttpResponse<String> answer = plain.send(request.timeout(network.timeout()).build(), HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() == 429 || answer.statusCode() >= 500) {
                throw new Refused(answer.statusCode(), detail(answer.body()));
            }
            return answer;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HookException("Interrupted", e);
        } catch (IOException e) {
            throw new OrasException("No answer from " + request.build().uri().getHost(), e);
        }
    }

    /** Waits before the next attempt. */
    void pause(int attempt, String retryAfter) throws IOException {
        Duration pause = network.backOff().multipliedBy(1L << Math.min(attempt - 1, 16));
        if (retryAfter.matches("\\d{1,6}")) {
            Duration asked = Duration.ofSeconds(Long.parseLong(retryAfter));
            pause = asked.compareTo(pause) > 0 ? asked : pause;
        }
        pause = pause.compareTo(network.maxBackOff()) > 0 ? network.maxBackOff() : pause;
        try {
            Thread.sleep(pause.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for " + registry);
        }
    }

    private HookException explained(String repository, boolean push, Failure failure) {
        String detail = failure.detail().isEmpty() ? "" : " It says: " + failure.detail();
        Function<String, HookException> say = text -> new HookException(registry + " " + text + detail, failure.cause());
        boolean account = credentials.find(registry).isPresent();
        return switch (failure.status()) {
            case 401 -> say.apply(account
                    ? "does not accept the account of " + credentials.file() + " for " + repository + " (401). Log in again: docker login " + registry
                    : "wants a login for " + repository + " (401), or has no such image. Log in: docker login " + registry + " (" + credentials.file()
                            + " is read)");
            case 403 -> say.apply("does not let " + (account ? "the account of " + credentials.file() : "anybody") + " "
                    + (push ? "write" : "read") + " " + repository + " (403).");
            case 404 -> say.apply("has no " + repository + " (404). Check the name and the tag.");
            case 429 -> say.apply("has been asked too often (429), also after " + network.attempts() + " attempts. Wait, log in, or use a mirror.");
            case 0 -> unreachable(failure.cause());
            default -> say.apply("failed (" + failure.status() + ") " + (failure.passing() ? network.attempts() + " times" : "") + " over "
                    + repository + ".");
        };
    }

    private HookException unreachable(Throwable cause) {
        String why = "";
        for (Throwable t = cause; t != null; t = t.getCause()) {
            // Java's client has no words for these two.
            why = t instanceof ConnectException && t.getMessage() == null ? "connection refused"
                    : t instanceof UnresolvedAddressException ? "the host is not known"
                    : t instanceof ClosedChannelException && !why.isEmpty() ? why
                    : t.getMessage() == null ? t.getClass().getSimpleName() : t.getMessage();
            if (t instanceof SSLException) {
                return new HookException(registry + " cannot be talked to in safety (TLS): " + t.getMessage()
                        + ". If its certificate is from an authority of your own, add that to Java's trust store; if it speaks plain HTTP, say so "
                        + "(-Dhook.registry.insecure=" + registry + ")", cause);
            }
        }
        return new HookException(registry + " cannot be reached, tried " + network.attempts() + " times: " + why
                + ". Check the name, the network and the proxy", cause);
    }

    /** What the body says of a failure (distribution-spec, error codes). */
    private static String detail(Answer<?> answer) throws IOException {
        String body = "";
        if (answer.body() instanceof String text) {
            body = text;
        } else if (answer.body() instanceof InputStream in) {
            try (in) {
                body = new String(in.readNBytes(4096), StandardCharsets.UTF_8);
            }
        }
        return detail(body);
    }

    private static String detail(String body) {
        try {
            JsonNode first = JSON.readTree(body).path("errors").path(0);
            return first.path("message").asString(first.path("code").asString(""));
        } catch (JacksonException e) {
            return "";
        }
    }

    /** An answer outside the SDK that is no good. */
    private static final class Refused extends OrasException {
        private static final long serialVersionUID = 1L;

        private final String detail;

        Refused(int status, String detail) {
            super(status, detail);
            this.detail = detail;
        }
    }

    /** An answer. */
    record Answer<T>(HttpClient.ResponseWrapper<T> response) {
        int status() {
            return response.statusCode();
        }

        T body() {
            return response.response();
        }

        Optional<String> header(String name) {
            return response.headers().entrySet().stream().filter(e -> e.getKey().equalsIgnoreCase(name)).map(Map.Entry::getValue).findFirst();
        }
    }

    /**
     * Why there was no good answer.
     *
     * @param status of HTTP; 0 if there was no answer at all
     */
    private record Failure(int status, String detail, String retryAfter, Throwable cause) {
        static Failure of(OrasException e) {
            int status = Math.max(0, e.getStatusCode());
            for (Throwable t = e; t != null; t = t.getCause()) {
                if (t instanceof InterruptedException) {
                    Thread.currentThread().interrupt();
                    throw new HookException("Interrupted", e);
                }
                if (t instanceof OrasException inner && inner.getStatusCode() > 0) {
                    status = inner.getStatusCode();
                }
            }
            return new Failure(status, e instanceof Refused refused ? refused.detail : "", "", e);
        }

        /** Whether another attempt may do better. */
        boolean passing() {
            if (status != 0) {
                return status == 429 || status >= 500;
            }
            for (Throwable t = cause; t != null; t = t.getCause()) {
                if (t instanceof SSLException) {
                    return false;
                }
            }
            return true;
        }
    }
}
