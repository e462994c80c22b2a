package org.tinkerbell.hook.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.io.TestServer;

/** Builds in processes of their own: two at once on one cache, killed ones, and a disk that is full. */
class SharedCacheIT {
    private static final String GROUP = "image";
    private static final int PACKAGES = 20;

    @TempDir
    Path directory;

    private TestArchive archive;

    @BeforeEach
    void publish() throws IOException {
        archive = new TestArchive();
        Random random = new Random(5);
        for (int i = 0; i < PACKAGES; i++) {
            byte[] noise = new byte[200_000];
            random.nextBytes(noise);
            archive.add("test", new TestDeb("p" + i, "1").file("./noise", new String(noise, StandardCharsets.ISO_8859_1)));
        }
        archive.publish();
        PackageSource.Renewal renewal = archive.source(directory, LockMode.LENIENT)
                .renew(Arch.X86_64, List.of(PackageLock.Group.of(GROUP, requested(), List.of())));
        renewal.lock().write(renewal.file());
    }

    @AfterEach
    void close() {
        archive.close();
    }

    private static List<String> requested() {
        List<String> requested = new ArrayList<>();
        for (int i = 0; i < PACKAGES; i++) {
            requested.add("p" + i);
        }
        return requested;
    }

    /** A build: arguments are the cache, the directory of the locks, and the server's address. */
    public static void main(String[] arguments) throws IOException {
        Cache cache = new Cache(Path.of(arguments[0]));
        URI server = URI.create(arguments[2]);
        Mirrors mirrors = new Mirrors(
                List.of(server.resolve("/debian/")), List.of(server.resolve("/debian-security/")), server.resolve("/snapshot/"));
        PackageSource source = new PackageSource(cache, new Downloader(cache, NetworkSettings.defaults(), Progress.SILENT), mirrors,
                DebianKeys.keyring(), Clock.system(ZoneOffset.UTC), TestArchive.SUITES, Path.of(arguments[1]), LockMode.STRICT,
                        Progress.SILENT);
        List<LockedPackage> packages = source.packages(GROUP, Arch.X86_64, requested());
        long size = 0;
        for (LockedPackage locked : packages) {
            size += source.entries(locked).stream().filter(e -> e.content() != null).mapToLong(e -> e.content().size()).sum();
        }
        System.out.println(packages.size() + " " + size);
    }

    private Process build() throws IOException {
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")), SharedCacheIT.class.getName(),
                directory.resolve("cache").toString(), directory.resolve("locks").toString(), archive.server.uri("/").toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    private static String result(Process process) throws Exception {
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertEquals(0, process.waitFor());
        return output;
    }

    @Test
    void twoProcessesFetchEverythingOnce() throws Exception {
        Process one = build();
        Process other = build();
        String result = result(one);
        assertTrue(result.startsWith(PACKAGES + " "), result);
        assertEquals(result, result(other));
        assertEquals(PACKAGES, archive.fetched().size(), archive.fetched()::toString);
    }

    @Test
    void aBuildThatIsKilledIsGoneOnWith() throws Exception {
        String slow = "/debian/pool/main/p/p7/p7_1_amd64.deb";
        for (int kill = 0; kill < 4; kill++) {
            archive.server.next(slow, TestServer.silentAfter(50_000, 1500));
            Process build = build();
            // At another moment each time: while it starts, while it fetches, while it unpacks.
            if (!build.waitFor(300 + 250L * kill, TimeUnit.MILLISECONDS)) {
                build.destroyForcibly().waitFor();
            }
        }
        archive.server.next(slow, (exchange, file) -> TestServer.cutAfter(file.length).answer(exchange, file));
        assertTrue(result(build()).startsWith(PACKAGES + " "));
        try (var files = Files.walk(directory.resolve("cache/debian/packages"))) {
            List<Path> whole = files.filter(f -> f.getFileName().toString().equals("data.tar")).collect(Collectors.toList());
            assertEquals(PACKAGES, whole.size());
        }
        try (var files = Files.walk(directory.resolve("cache/debian/packages"))) {
            List<Path> left = files.filter(f -> f.toString().endsWith(".part") || f.toString().endsWith(".deb"))
                    .collect(Collectors.toList());
            assertEquals(List.of(), left);
        }
    }

    @Test
    void aFullDiskIsSaidAndNothingHalfIsLeft() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "only root can mount a small disk");
        Path mount = Files.createDirectory(directory.resolve("small"));
        run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", mount.toString());
        try {
            Cache cache = new Cache(mount);
            Downloader downloader = new Downloader(cache, NetworkSettings.defaults(), Progress.SILENT);
            PackageSource source = new PackageSource(cache, downloader, archive.mirrors(), archive.key.keyring(),
                    Clock.fixed(TestArchive.NOW, ZoneOffset.UTC), TestArchive.SUITES, directory.resolve("locks"), LockMode.STRICT,
                            Progress.SILENT);
            String message = assertThrows(HookException.class, () -> source.packages(GROUP, Arch.X86_64, requested())).getMessage();
            assertTrue(message.contains("disk is full") && message.contains("hook.cacheDir"), message);
            run("mount", "-o", "remount,size=200m", mount.toString());
            assertEquals(PACKAGES, source.packages(GROUP, Arch.X86_64, requested()).size(), "with room it goes on");
        } finally {
            run("umount", mount.toString());
        }
    }

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        assumeTrue(status == 0 || !command[0].equals("mount"), () -> "mount does not work here: " + output);
        assertEquals(0, status, output);
    }
}
