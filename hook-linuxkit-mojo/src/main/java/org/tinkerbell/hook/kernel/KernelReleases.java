package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The newest releases of the kernel, as <a href="https://www.kernel.org/releases.json">releases.json</a> of kernel.org lists them. An
 * answer serves for two hours; an older one serves where the servers cannot be asked.
 *
 * <p>The list is not signed. What it can do at worst is to name an older release, whose tarball is signed like any other.
 */
final class KernelReleases {
    private static final Duration SERVES = Duration.ofHours(2);
    private static final int LIMIT = 4 << 20;
    private static final String FILE = "releases.json";
    private static final String FIXED = "A fixed version needs no such list: -Dhook.kernel.series=6.12 -Dhook.kernel.pointRelease=58, say.";
    private static final JsonMapper JSON = new JsonMapper();

    private final Cache cache;
    private final Downloader downloader;
    private final List<URI> servers;
    private final Clock clock;
    private final Progress progress;
    private List<Release> known;

    /** A release of the list, with what kernel.org calls it: {@code mainline}, {@code stable}, {@code longterm}. */
    private record Release(KernelVersion version, String moniker, boolean endOfLife) {}

    /**
     * @param servers below whose addresses {@code releases.json} lies, asked in that order
     * @param clock by which an answer grows old
     */
    KernelReleases(Cache cache, Downloader downloader, List<URI> servers, Clock clock, Progress progress) {
        this.cache = cache;
        this.downloader = downloader;
        this.servers = servers;
        this.clock = clock;
        this.progress = progress;
    }

    /**
     * The newest release of a series.
     *
     * @param series such as {@code 6.12}
     * @throws HookException if the list cannot be had or has no such series
     */
    KernelVersion newest(String series) throws IOException {
        return list().stream().map(Release::version).filter(version -> version.series().equals(series)).max(Comparator.naturalOrder())
                .orElseThrow(() -> new HookException("kernel.org lists no release of Linux " + series + ", only of "
                        + known.stream().map(release -> release.version().series()).distinct().collect(Collectors.joining(", "))
                        + ". Series that have ended are not listed; fix a release with -Dhook.kernel.pointRelease."));
    }

    /**
     * The newest release of the newest longterm series.
     *
     * @throws HookException if the list cannot be had
     */
    KernelVersion newestLongterm() throws IOException {
        return list().stream().filter(release -> release.moniker().equals("longterm") && !release.endOfLife()).map(Release::version)
                .max(Comparator.naturalOrder())
                .orElseThrow(() -> new HookException("kernel.org lists no longterm release. Name a series with -Dhook.kernel.series."));
    }

    private synchronized List<Release> list() throws IOException {
        if (known == null) {
            known = read();
        }
        return known;
    }

    private List<Release> read() throws IOException {
        // Each set of servers has its own: a mirror's answer is no answer of kernel.org's.
        Path kept = cache.root().resolve("kernel-releases").resolve(Digest.of(servers.toString()).abbreviated(16) + ".json");
        Optional<List<Release>> old = kept(kept);
        if (old.isPresent() && age(kept).compareTo(SERVES) < 0) {
            return old.get();
        }
        boolean askable = !downloader.settings().offline() || servers.stream().anyMatch(server -> "file".equals(server.getScheme()));
        if (!askable) {
            return old.orElseThrow(() -> new HookException("Which release of the kernel is the newest is not in the cache (" + cache.root()
                    + "), and Maven is offline. Build once without -o. " + FIXED));
        }
        List<String> failures = new ArrayList<>();
        for (URI server : servers) {
            URI address = server.resolve(FILE);
            try {
                byte[] bytes = downloader.read("the list of the kernel's releases", List.of(address), LIMIT);
                List<Release> releases = parse(new String(bytes, StandardCharsets.UTF_8), address.toString());
                AtomicFile.write(kept, bytes);
                Files.setLastModifiedTime(kept, FileTime.from(clock.instant()));
                return releases;
            } catch (HookException e) {
                failures.add(e.getMessage());
            }
        }
        if (old.isPresent()) {
            progress.warn(String.join("\n", failures) + "\nThe list of the kernel's releases of "
                    + Files.getLastModifiedTime(kept).toInstant() + " is used; there may be a newer one.");
            return old.get();
        }
        throw new HookException(String.join("\n", failures) + "\n" + FIXED);
    }

    private Duration age(Path kept) throws IOException {
        Instant asked = Files.getLastModifiedTime(kept).toInstant();
        Instant now = clock.instant();
        // From the future is what a wrong clock wrote: as good as old.
        return asked.isAfter(now) ? SERVES : Duration.between(asked, now);
    }

    private static Optional<List<Release>> kept(Path file) throws IOException {
        try {
            return Optional.of(parse(Files.readString(file), file.toString()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (HookException e) {
            // Damaged: it is asked for again.
            return Optional.empty();
        }
    }

    private static List<Release> parse(String json, String source) {
        try {
            List<Release> releases = new ArrayList<>();
            for (JsonNode node : JSON.readTree(json).path("releases")) {
                KernelVersion.of(node.path("version").asString("")).ifPresent(version -> releases.add(
                        new Release(version, node.path("moniker").asString(""), node.path("iseol").asBoolean(false))));
            }
            if (releases.isEmpty()) {
                throw new HookException(source + " lists no release of the kernel: it is not the file that kernel.org has there.");
            }
            return releases;
        } catch (JacksonException e) {
            throw new HookException(source + " is no JSON: is there a login page or a proxy's error on the way?", e);
        }
    }
}
