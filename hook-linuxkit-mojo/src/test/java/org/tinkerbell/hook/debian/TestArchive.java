package org.tinkerbell.hook.debian;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.io.TestServer;
import org.tinkerbell.hook.openpgp.Keyring;
import org.tinkerbell.hook.openpgp.TestKey;

/** A mirror of an archive that a test makes up: signed indices, packages, and a snapshot service beside it. */
final class TestArchive implements AutoCloseable {
    static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");
    static final Instant DATE = Instant.parse("2026-11-21T02:10:46Z");
    static final List<Suite> SUITES = List.of(
            new Suite("debian", "test", List.of("main"), false),
            new Suite("debian-security", "test-security", List.of("main"), false),
            new Suite("debian", "test-backports", List.of("main"), true));

    final TestServer server;
    final TestKey key = new TestKey(NOW.minus(Duration.ofDays(100)), 0);
    final List<String> warnings = Collections.synchronizedList(new ArrayList<>());
    private final Map<String, List<TestDeb>> packages = new LinkedHashMap<>();

    private final Progress progress = new Progress() {
        @Override
        public Task start(String what, long total, Unit unit) {
            return amount -> {};
        }

        @Override
        public void info(String message) {}

        @Override
        public void warn(String message) {
            warnings.add(message);
        }
    };

    TestArchive() throws IOException {
        server = new TestServer();
        SUITES.forEach(suite -> packages.put(suite.codename(), new ArrayList<>()));
    }

    TestArchive add(String codename, TestDeb... debs) {
        packages.get(codename).addAll(List.of(debs));
        return this;
    }

    TestArchive remove(String codename, String name) {
        packages.get(codename).removeIf(deb -> deb.name().equals(name));
        return this;
    }

    static String directory(String codename) {
        return SUITES.stream().filter(s -> s.codename().equals(codename)).map(s -> "/" + s.archive() + "/").findFirst().orElseThrow();
    }

    /** Signs and uploads it all. */
    TestArchive publish() {
        SUITES.forEach(suite -> publish(suite.codename(), release(suite.codename(), DATE, DATE.plus(Duration.ofDays(7))), key));
        return this;
    }

    void publish(String codename, String release, TestKey... keys) {
        server.put(directory(codename) + "dists/" + codename + "/InRelease", TestKey.clearSign(release, keys));
    }

    /** Uploads packages and index files and gives the text that names them. */
    String release(String codename, Instant date, Instant until) {
        String directory = directory(codename);
        StringBuilder files = new StringBuilder();
        for (String architecture : List.of("amd64", "arm64")) {
            StringBuilder index = new StringBuilder();
            for (TestDeb deb : packages.get(codename)) {
                if (!deb.architecture().equals(architecture) && !deb.architecture().equals("all")) {
                    continue;
                }
                byte[] bytes = deb.bytes();
                server.put(directory + deb.fileName(), bytes);
                index.append(deb.controlText()).append("Filename: ").append(deb.fileName()).append("\nSize: ").append(bytes.length)
                        .append("\nSHA256: ").append(Digest.of(bytes).hex()).append("\nDescription: a package\n with a text\n\n");
            }
            byte[] compressed = TestDeb.compressed(index.toString().getBytes(StandardCharsets.UTF_8), ".xz");
            String path = "main/binary-" + architecture + "/";
            server.put(directory + "dists/" + codename + "/" + path + "by-hash/SHA256/" + Digest.of(compressed).hex(), compressed);
            files.append(' ').append(Digest.of(compressed).hex()).append(' ').append(compressed.length).append(' ').append(path)
                    .append("Packages.xz\n");
        }
        return "Origin: Test\nSuite: role-of-" + codename + "\nCodename: " + codename + "\nDate: " + time(date)
                + (until == null ? "" : "\nValid-Until: " + time(until))
                + "\nAcquire-By-Hash: yes\nNo-Support-for-Architecture-all: Packages\n"
                + "Architectures: all amd64 arm64\nComponents: main\nSHA256:\n"
                + files;
    }

    private static String time(Instant time) {
        return DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'UTC'", Locale.ROOT).withZone(ZoneOffset.UTC).format(time);
    }

    /** The paths of index files of a suite. */
    List<String> indices(String codename) {
        return server.paths().stream().filter(p -> p.contains("/dists/" + codename + "/") && p.contains("by-hash")).toList();
    }

    Mirrors mirrors() {
        return new Mirrors(List.of(server.uri("/debian/")), List.of(server.uri("/debian-security/")), server.uri("/snapshot/"));
    }

    PackageSource source(Path directory, LockMode mode) {
        return source(directory, mode, false, NOW);
    }

    PackageSource source(Path directory, LockMode mode, boolean offline, Instant now) {
        return source(directory, mode, offline, now, mirrors(), key.keyring());
    }

    PackageSource source(Path directory, LockMode mode, boolean offline, Instant now, Mirrors mirrors, Keyring keyring) {
        Cache cache = new Cache(directory.resolve("cache"));
        NetworkSettings network = NetworkSettings.defaults().withOffline(offline)
                .withRetries(2, Duration.ofMillis(10), Duration.ofSeconds(2), Duration.ofSeconds(2));
        return new PackageSource(cache, new Downloader(cache, network, progress), mirrors, keyring, Clock.fixed(now, ZoneOffset.UTC),
                SUITES, directory.resolve("locks"), mode, progress);
    }

    /** Requests for package files. */
    List<String> fetched() {
        return server.requests().stream().filter(r -> r.contains(".deb")).collect(Collectors.toList());
    }

    URI snapshot(String path) {
        return server.uri("/snapshot/archive" + path);
    }

    @Override
    public void close() {
        server.close();
    }
}
