package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.DownloadException;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.openpgp.ClearSigned;
import org.tinkerbell.hook.openpgp.Keyring;
import org.tinkerbell.hook.openpgp.SignatureCheck;
import org.tinkerbell.hook.tree.Content;

/**
 * The source as kernel.org publishes it, or a server with the same files, or one tarball of somebody's own.
 *
 * <p>A release's tarball counts once two signatures are good (<a href="https://www.kernel.org/signature.html">kernel.org, Linux kernel
 * releases PGP signatures</a>): the checksum autosigner's of {@code sha256sums.asc}, which names the digest of the compressed file, and the
 * developer's of {@code linux-<version>.tar.sign}, which is of the <em>uncompressed</em> tar. Only then does it get its name in the cache;
 * there its digest is compared with the one that was verified each time it is used.
 */
public final class KernelOrg {
    /** kernel.org's own servers; the second has the files, but not the list of releases. */
    public static final List<URI> SERVERS = List.of(URI.create("https://www.kernel.org/"), URI.create("https://cdn.kernel.org/"));

    private static final String CACHED = "kernel-source";
    private static final String UNVERIFIED = ".unverified";
    private static final int SUMS_LIMIT = 32 << 20;
    private static final int SIGNATURE_LIMIT = 1 << 20;
    private static final Pattern TARBALL = Pattern.compile("linux-(?<version>\\d+\\.\\d+(?:\\.\\d+)?)\\.tar(?:\\.(?:xz|gz|zst))?");
    private static final Pattern SUM = Pattern.compile("(?<digest>[0-9a-f]{64}) [ *](?<name>\\S+)");
    private static final String ADVICE = "The server, a proxy on the way, or this machine's clock is wrong; another server is named with "
            + "-Dhook.kernel.mirror, keys besides the pinned ones with -Dhook.kernel.keyring.";

    private final Cache cache;
    private final Downloader downloader;
    private final List<URI> servers;
    private final Signers signers;
    private final Clock clock;
    private final Progress progress;
    private final KernelReleases releases;

    /**
     * Whose signatures are good.
     *
     * @param sums keys that sign {@code sha256sums.asc}
     * @param developers keys that sign releases
     */
    public record Signers(Keyring sums, Keyring developers) {
        /**
         * The pinned ones: the checksum autosigner (B8868C80BA62A1FFFAF5FDA9632D3A06589DA6B1) for sums; Greg Kroah-Hartman
         * (647F28654894E3BD457199BE38DBBDC86092693E) and Linus Torvalds (ABAF11C65A2970B130ABE3C479BE3E4300411886) for releases.
         */
        public static Signers pinned() {
            return new Signers(Keyring.ofResource(KernelOrg.class, "kernel-org-checksum-keys.asc"),
                    Keyring.ofResource(KernelOrg.class, "kernel-org-release-keys.asc"));
        }

        /**
         * These and more for either.
         *
         * @param file ASCII-armored public keys
         * @throws HookException if there are none in it
         */
        public Signers with(Path file) throws IOException {
            if (!Files.isRegularFile(file)) {
                throw new HookException("There is no keyring " + file.toAbsolutePath() + " (hook.kernel.keyring).");
            }
            Keyring more = Keyring.of(Files.readString(file, StandardCharsets.ISO_8859_1), file.toString());
            return new Signers(sums.with(more), developers.with(more));
        }
    }

    /**
     * @param servers addresses below which {@code releases.json} and {@code pub/linux/kernel/} lie; the second is asked what the first does
     *     not have
     * @param clock by which keys expire, and lists of releases grow old
     */
    public KernelOrg(Cache cache, Downloader downloader, List<URI> servers, Signers signers, Clock clock, Progress progress) {
        this.cache = cache;
        this.downloader = downloader;
        this.servers = servers.stream().map(KernelOrg::directory).toList();
        this.signers = signers;
        this.clock = clock;
        this.progress = progress;
        this.releases = new KernelReleases(cache, downloader, this.servers, clock, progress);
    }

    /**
     * The addresses that a person wrote.
     *
     * @param setting parted by blanks or commas; null or blank for kernel.org's own
     * @throws HookException if one is no address
     */
    public static List<URI> servers(String setting) {
        if (setting == null || setting.isBlank()) {
            return SERVERS;
        }
        List<URI> servers = new ArrayList<>();
        for (String text : setting.trim().split("[\\s,]+")) {
            servers.add(address(text, "hook.kernel.mirror"));
        }
        return servers;
    }

    private static URI address(String text, String property) {
        try {
            URI uri = new URI(text);
            if (!List.of("http", "https", "file").contains(String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT))) {
                throw new HookException(property + " is '" + text + "': write an address that begins with http://, https:// or file:///");
            }
            return uri;
        } catch (URISyntaxException e) {
            throw new HookException(property + " is '" + text + "', which is not an address: " + e.getReason(), e);
        }
    }

    private static boolean isFile(URI uri) {
        return "file".equalsIgnoreCase(uri.getScheme());
    }

    private static URI directory(URI uri) {
        return uri.toString().endsWith("/") ? uri : URI.create(uri + "/");
    }

    /**
     * The source of a release. It is fetched, and its signature checked, when it is unpacked.
     *
     * @param series such as {@code 6.12}, or {@code longterm} for the newest longterm series
     * @param pointRelease of the series; empty for the newest
     * @throws HookException if it cannot be told which one that is, or the signature of the checksums is missing or not good
     */
    public KernelSource release(String series, Optional<String> pointRelease) throws IOException {
        return release(version(series, pointRelease));
    }

    private KernelVersion version(String series, Optional<String> pointRelease) throws IOException {
        if (!series.equals("longterm")) {
            return pointRelease.isPresent() ? KernelVersion.of(series + "." + pointRelease.get()).orElseThrow() : releases.newest(series);
        }
        if (pointRelease.isPresent()) {
            throw new HookException("The point release " + pointRelease.get() + " is fixed, but the series is 'longterm', which changes: name the "
                    + "series, too, with -Dhook.kernel.series.");
        }
        return releases.newestLongterm();
    }

    private KernelSource release(KernelVersion version) throws IOException {
        String name = "linux-" + version.fileForm() + ".tar.xz";
        Path target = cache.root().resolve(CACHED).resolve(name);
        String directory = "pub/linux/kernel/v" + version.major() + ".x/";
        Digest digest;
        try (Cache.Held held = cache.lock(CACHED + "/" + name)) {
            digest = digest(name, directory, target.resolveSibling(name + ".sum-" + keys()));
        }
        return new KernelSource(name + " of kernel.org", version.toString(), digest, () -> {
            try (Cache.Held held = cache.lock(CACHED + "/" + name)) {
                if (!verified(target).equals(Optional.of(digest))) {
                    fromAnyServer(server -> accepted(name + " of " + server, server.resolve(directory + name), target, Optional.of(digest),
                            Optional.of(signature(server.resolve(directory + unpackedName(name) + ".sign")))));
                }
                return Content.of(target);
            }
        });
    }

    /** The digest that the signed list has for a tarball; releases do not change, so it is asked for once. */
    private Digest digest(String name, String directory, Path kept) throws IOException {
        if (Files.exists(kept)) {
            String text = Files.readString(kept).strip();
            if (text.matches("sha256:[0-9a-f]{64}")) {
                return Digest.parse(text);
            }
        }
        Digest digest = fromAnyServer(server -> {
            URI sums = server.resolve(directory + "sha256sums.asc");
            String text = ClearSigned.text(downloader.read("the signed checksums of the kernel's releases", List.of(sums), SUMS_LIMIT),
                    sums.toString(), "signed list of checksums", signers.sums(), ADVICE, clock.instant());
            return sum(text, name, sums);
        });
        AtomicFile.write(kept, digest + "\n");
        return digest;
    }

    private interface Request<T> {
        T to(URI server) throws IOException;
    }

    /** What the first server gives that has it right. */
    private <T> T fromAnyServer(Request<T> request) throws IOException {
        List<HookException> failures = new ArrayList<>();
        for (URI server : servers) {
            try {
                T result = request.to(server);
                failures.forEach(failure -> progress.warn(failure.getMessage()));
                return result;
            } catch (HookException e) {
                failures.add(e);
            }
        }
        throw new HookException(failures.stream().map(HookException::getMessage).distinct().collect(Collectors.joining("\n")), failures.get(0));
    }

    private static Digest sum(String sums, String name, URI source) {
        for (String line : sums.split("\n")) {
            Matcher matcher = SUM.matcher(line);
            if (matcher.matches() && matcher.group("name").equals(name)) {
                return Digest.parse(matcher.group("digest"));
            }
        }
        throw new HookException(source + " has no checksum of " + name + ": there is no such release, or not yet on this server.");
    }

    private byte[] signature(URI address) throws IOException {
        try {
            return downloader.read("the signature " + address, List.of(address), SIGNATURE_LIMIT);
        } catch (DownloadException e) {
            throw e.missing() ? new HookException("There is no signature " + address + ", and without it nothing says that the source is genuine. "
                    + ADVICE, e) : e;
        }
    }

    /**
     * One tarball, which is not a release of kernel.org's: its signature by one of the developers' keys lies beside it, or its digest is
     * known.
     *
     * @param address whose last part is {@code linux-<version>.tar}, with {@code .xz}, {@code .gz} or {@code .zst} if it is compressed
     * @param expected the file's digest; where it is given, no signature is looked for
     * @throws HookException if it cannot be had, or is not what it should be
     */
    public KernelSource tarball(String address, Optional<Digest> expected) throws IOException {
        URI uri = address(address, "hook.kernel.source");
        String path = String.valueOf(uri.getPath());
        String name = path.substring(path.lastIndexOf('/') + 1);
        Matcher matcher = TARBALL.matcher(name);
        if (!matcher.matches()) {
            throw new HookException("hook.kernel.source is '" + address + "'; allowed: kernel.org, debian, or an address that ends with "
                    + "linux-<version>.tar.xz (or .gz, or .zst), from which the version is taken. A server with the files of kernel.org is named "
                    + "with -Dhook.kernel.mirror.");
        }
        KernelVersion version = KernelVersion.of(matcher.group("version")).orElseThrow();
        Path target = cache.root().resolve(CACHED).resolve(Digest.of(uri.toString()).abbreviated(16)).resolve(name);
        try (Cache.Held held = cache.lock(CACHED + "/" + uri)) {
            Optional<Digest> there = verified(target);
            // A local file may be another one by now, which costs little to find out.
            Optional<Digest> wanted = expected.isEmpty() && isFile(uri) ? Optional.of(Digest.of(Path.of(uri))) : expected;
            if (there.isPresent() && (wanted.isEmpty() || wanted.equals(there))) {
                return source(uri.toString(), version, target, there.get());
            }
            Optional<byte[]> signature = expected.isPresent() ? Optional.empty()
                    : Optional.of(ownSignature(uri.resolve(unpackedName(name) + ".sign")));
            return source(uri.toString(), version, target, accepted(uri.toString(), uri, target, expected, signature));
        }
    }

    private byte[] ownSignature(URI address) throws IOException {
        try {
            return downloader.read("the signature " + address, List.of(address), SIGNATURE_LIMIT);
        } catch (DownloadException e) {
            throw e.missing() ? new HookException("There is no signature " + address + ". A tarball without one is taken if its digest is given: "
                    + "-Dhook.kernel.sha256=<64 hexadecimal digits>.", e) : e;
        }
    }

    private static String unpackedName(String tarball) {
        return tarball.replaceFirst("(\\.tar)\\..*$", "$1");
    }

    /** Fetches a file, checks it, and gives it its name. */
    private Digest accepted(String what, URI address, Path target, Optional<Digest> expected, Optional<byte[]> signature) throws IOException {
        Path fetched = target.resolveSibling(target.getFileName() + UNVERIFIED);
        // A killed build's; it would count as fetched.
        Files.deleteIfExists(fetched);
        try {
            downloader.fetch(new Downloader.Request(target.getFileName().toString(), List.of(address), -1, expected.orElse(null), fetched));
            Digest digest = Digest.of(fetched);
            if (signature.isPresent()) {
                check(what, fetched, signature.get());
            }
            // The digest last: a tarball counts with it, and nothing counts without it.
            Files.move(fetched, target, StandardCopyOption.REPLACE_EXISTING);
            AtomicFile.write(verification(target), digest + "\n");
            return digest;
        } finally {
            Files.deleteIfExists(fetched);
        }
    }

    private void check(String what, Path fetched, byte[] signature) throws IOException {
        SignatureCheck check = signers.developers().check(signature, SignatureCheck.Kind.FILE, what, ADVICE, clock.instant());
        try (Progress.Task task = progress.start("Checking the signature of " + what, -1,
                        Progress.Unit.BYTES);
                InputStream in = KernelSource.uncompressed(Content.of(fetched))) {
            byte[] buffer = new byte[1 << 16];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                check.write(buffer, 0, n);
                task.advance(n);
            }
        } catch (IOException e) {
            throw new HookException(what + " cannot be decompressed: " + e.getMessage(), e);
        }
        check.finish();
    }

    /** Where the digest of a file is kept that was verified by these keys: with others it has to be verified anew. */
    private Path verification(Path target) {
        return target.resolveSibling(target.getFileName() + ".verified-" + keys());
    }

    private String keys() {
        return Digest.of(signers.toString()).abbreviated(8);
    }

    /** The digest of a file of the cache that was verified when it came; nothing, and no file, if it is another one by now. */
    private Optional<Digest> verified(Path target) throws IOException {
        Path verification = verification(target);
        if (!Files.exists(target) || !Files.exists(verification)) {
            return Optional.empty();
        }
        Digest digest = Digest.of(target);
        if (Files.readString(verification).strip().equals(digest.toString())) {
            return Optional.of(digest);
        }
        progress.warn(target + " was damaged; it is fetched again");
        Files.delete(verification);
        Files.delete(target);
        return Optional.empty();
    }

    private static KernelSource source(String origin, KernelVersion version, Path tarball, Digest digest) throws IOException {
        Content content = Content.of(tarball);
        return new KernelSource(origin, version.toString(), digest, () -> content);
    }
}
