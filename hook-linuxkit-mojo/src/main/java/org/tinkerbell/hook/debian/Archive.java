package org.tinkerbell.hook.debian;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Parallel;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.openpgp.Keyring;
import org.tukaani.xz.XZInputStream;

/**
 * A Debian archive as its signed indices describe it. The signed index of each suite is asked for anew each time (offline,
 * the last one serves as long as it is valid); index files are kept in the cache by digest.
 */
final class Archive {
    private static final int RELEASE_LIMIT = 16 << 20;
    // The dictionary of Debian's index files is 8 to 64 MB; XZ for Java counts in KiB.
    private static final int XZ_MEMORY = 256 << 10;
    private static final String DIRECTORY = "debian/indices";

    private final Cache cache;
    private final Downloader downloader;
    private final Mirrors mirrors;
    private final Keyring keyring;
    private final Clock clock;
    private final Progress progress;

    Archive(Cache cache, Downloader downloader, Mirrors mirrors, Keyring keyring, Clock clock, Progress progress) {
        this.cache = cache;
        this.downloader = downloader;
        this.mirrors = mirrors;
        this.keyring = keyring;
        this.clock = clock;
        this.progress = progress;
    }

    /** An index file of a suite, to be fetched and read. */
    private record Part(Suite suite, InRelease release, String component, String path, InRelease.IndexFile file, Path target) {}

    /**
     * The packages of some suites for an architecture, those of architecture {@code all} included.
     *
     * @throws HookException if a suite's signature, date, name or an index file's digest is not right, or nothing can be fetched
     */
    PackageIndex index(List<Suite> suites, String architecture) throws IOException {
        List<InRelease> releases = Parallel.map(suites.size(), suites, this::release);
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < suites.size(); i++) {
            parts.addAll(parts(suites.get(i), releases.get(i), architecture));
        }
        downloader.fetchAll("package indices", parts.stream().map(this::request).toList());
        int threads = Math.min(Runtime.getRuntime().availableProcessors(), parts.size());
        List<List<BinaryPackage>> packages = Parallel.map(threads, parts, this::read);
        return new PackageIndex(packages.stream().flatMap(List::stream).toList());
    }

    private InRelease release(Suite suite) throws IOException {
        String path = "dists/" + suite.codename() + "/InRelease";
        List<URI> addresses = mirrors.of(suite.archive(), path);
        Path kept = cache.root().resolve("debian/releases").resolve(
                suite.codename() + "-" + Digest.of(addresses.toString()).abbreviated(16));
        Optional<InRelease> old = kept(kept, suite);
        if (downloader.settings().offline() && addresses.stream().noneMatch(a -> "file".equals(a.getScheme()))) {
            if (Files.exists(kept)) {
                return InRelease.verify(Files.readAllBytes(kept), kept.toString(), keyring, clock, suite.codename());
            }
            throw new HookException("The signed index of " + suite.codename() + " is not in the cache (" + cache.root()
                    + "), and Maven is offline. Build once without -o.");
        }
        List<HookException> failures = new ArrayList<>();
        for (URI address : addresses) {
            try {
                byte[] bytes = downloader.read("the signed index of " + suite.codename(), List.of(address), RELEASE_LIMIT);
                InRelease release = InRelease.verify(bytes, address.toString(), keyring, clock, suite.codename());
                if (old.isPresent() && release.date().isBefore(old.get().date())) {
                    progress.warn(address + " is of " + release.date() + ", older than the one of " + old.get().date()
                            + " that was here before; the newer one is used");
                    return old.get();
                }
                AtomicFile.write(kept, bytes);
                return release;
            } catch (HookException e) {
                failures.add(e);
            }
        }
        throw new HookException(failures.stream().map(HookException::getMessage).collect(Collectors.joining("\n")), failures.get(0));
    }

    /** The last signed index that was good, if it still is. */
    private Optional<InRelease> kept(Path kept, Suite suite) throws IOException {
        if (!Files.exists(kept)) {
            return Optional.empty();
        }
        try {
            return Optional.of(InRelease.verify(Files.readAllBytes(kept), kept.toString(), keyring, clock, suite.codename()));
        } catch (HookException e) {
            return Optional.empty();
        }
    }

    private List<Part> parts(Suite suite, InRelease release, String architecture) throws IOException {
        if (!release.architectures().contains(architecture)) {
            throw new HookException(suite.codename() + " has no packages for " + architecture + ", only for "
                    + release.architectures().stream().sorted().collect(Collectors.joining(", ")));
        }
        Path directory = cache.directory(DIRECTORY);
        List<Part> parts = new ArrayList<>();
        for (String component : suite.components()) {
            for (String of : release.packagesOfAll() ? List.of(architecture, "all") : List.of(architecture)) {
                String base = component + "/binary-" + of + "/Packages";
                Stream<String> names = Stream.of(".xz", ".gz", "").map(suffix -> base + suffix);
                names.filter(release.files()::containsKey).findFirst().ifPresent(path -> {
                    InRelease.IndexFile file = release.files().get(path);
                    Path target = directory.resolve(file.digest().hex() + path.substring(base.length()));
                    parts.add(new Part(suite, release, component, path, file, target));
                });
            }
        }
        return parts;
    }

    private Downloader.Request request(Part part) {
        String directory = "dists/" + part.suite().codename() + "/";
        List<URI> addresses = new ArrayList<>();
        if (part.release().byHash()) {
            String byHash = part.path().substring(0, part.path().lastIndexOf('/')) + "/by-hash/SHA256/" + part.file().digest().hex();
            addresses.addAll(mirrors.of(part.suite().archive(), directory + byHash));
        }
        addresses.addAll(mirrors.of(part.suite().archive(), directory + part.path()));
        return new Downloader.Request("the index " + part.suite().codename() + "/" + part.path(), addresses, part.file().size(),
                part.file().digest(), part.target());
    }

    private List<BinaryPackage> read(Part part) throws IOException {
        String source = part.suite().codename() + "/" + part.path();
        try (InputStream file = Files.newInputStream(part.target())) {
            InputStream in = part.path().endsWith(".xz") ? new XZInputStream(file, XZ_MEMORY)
                    : part.path().endsWith(".gz") ? new GZIPInputStream(file, 1 << 16) : file;
            return PackageIndex.read(in, source, part.suite(), part.component(), part.release().date());
        }
    }
}
