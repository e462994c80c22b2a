package org.tinkerbell.hook.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.debian.TestDeb;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.FakeRegistry;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.oci.Registry;
import org.tinkerbell.hook.oci.RegistrySettings;
import org.tinkerbell.hook.tree.Entry;

class ArmbianKernelTest {
    private static final NetworkSettings QUICK = NetworkSettings.defaults()
            .withRetries(2, Duration.ofMillis(5), Duration.ofMillis(50), Duration.ofSeconds(30));
    private static final String RELEASE = "6.12.9-edge-board";
    private static final Flavor BOARD = TestFlavors.armbian("b", Optional.empty(), Arch.AARCH64);

    @TempDir
    Path directory;

    private final List<String> said = Collections.synchronizedList(new ArrayList<>());
    private FakeRegistry registry;
    private Cache cache;
    private Path lock;
    private Path record;

    @BeforeEach
    void start() throws IOException {
        registry = new FakeRegistry();
        cache = new Cache(directory.resolve("cache"));
        lock = directory.resolve("module").resolve(ArmbianLock.FILE);
        record = directory.resolve("module/target").resolve(ArmbianLock.FILE);
    }

    @AfterEach
    void stop() {
        registry.close();
    }

    private final class Said implements Progress {
        @Override
        public Task start(String what, long total, Unit unit) {
            return amount -> {};
        }

        @Override
        public void info(String message) {
            said.add("info " + message);
        }

        @Override
        public void warn(String message) {
            said.add("warn " + message);
        }
    }

    private ArmbianKernel armbian(LockMode mode, String version, NetworkSettings network) {
        RegistrySettings settings = RegistrySettings.of(network, Map.of("DOCKER_CONFIG", directory.resolve("docker").toString()));
        return new ArmbianKernel(new Registry(ImageStore.of(cache), settings, new Said()), cache, new ArmbianKernel.Settings(
                registry.host() + "/a", lock, record, mode, Optional.ofNullable(version)), new Said());
    }

    private KernelFiles kernel() throws IOException {
        return armbian(LockMode.LENIENT, null, QUICK).kernel(BOARD);
    }

    private KernelFiles kernel(String version) throws IOException {
        return armbian(LockMode.LENIENT, version, QUICK).kernel(BOARD);
    }

    private KernelFiles strict(String version) throws IOException {
        return armbian(LockMode.STRICT, version, QUICK).kernel(BOARD);
    }

    private interface Action {
        void run() throws Exception;
    }

    private static String fails(Action action) {
        return assertThrows(HookException.class, action::run).getMessage();
    }

    private static String text(KernelFiles files) throws IOException {
        return new String(files.kernel().bytes(), StandardCharsets.UTF_8);
    }

    private boolean warned(String text) {
        return said.stream().anyMatch(line -> line.startsWith("warn ") && line.contains(text));
    }

    private void lock(String tag, Digest digest) throws IOException {
        String version = ArmbianTag.parse(tag).orElseThrow().version();
        ArmbianLock.of(List.of(new ArmbianLock.Block(BOARD.id(), "b", tag, version, digest))).write(lock);
    }

    private long blobsFetched() {
        return registry.requests.stream().filter(request -> request.contains("/blobs/")).count();
    }

    @Test
    void unpacksTheKernelWithModulesAndDeviceTrees() throws Exception {
        Digest digest = TestArtifact.of(RELEASE, "kernel").push(registry, "6.12.9-S1-D1");
        KernelFiles files = kernel();
        assertEquals("kernel", text(files));
        assertEquals(RELEASE, files.release());
        assertEquals("6.12.9", files.version());
        assertEquals(Arch.AARCH64, files.arch());
        assertEquals("Armbian's b 6.12.9-S1-D1", files.source());
        assertTrue(files.modules().stream().map(Entry::path).toList().containsAll(List.of("kernel/drivers/net/board.ko", "modules.order")));
        assertEquals(List.of("tree of kernel"), trees(files));
        // What was taken is said, and can be kept.
        assertTrue(said.stream().anyMatch(line -> line.contains("b:6.12.9-S1-D1@" + digest) && line.contains("hook:lock")),
                said.toString());
        assertEquals(digest, ArmbianLock.read(record).find(BOARD.id()).orElseThrow().digest());
    }

    private static List<String> trees(KernelFiles files) throws IOException {
        List<String> texts = new ArrayList<>();
        for (Entry entry : files.deviceTrees()) {
            if (entry.path().equals("vendor/board.dtb")) {
                texts.add(new String(entry.content().bytes(), StandardCharsets.UTF_8));
            }
        }
        return texts;
    }

    @Test
    void takesTheDeviceTreesOfTheirOwnPackageWhereTheKernelsHasNone() throws Exception {
        TestArtifact.of(RELEASE, "kernel").member("global/linux-image-edge-board_1_arm64.deb",
                TestArtifact.withoutTrees(RELEASE, "kernel", "arm64").bytes()).push(registry, "6.12.9-S1");
        assertEquals(List.of("packaged tree of kernel"), trees(kernel()));
    }

    @Test
    void takesAKernelForPcsWithoutDeviceTrees() throws Exception {
        new TestArtifact().member("global/linux-image-edge-x86_1_amd64.deb", TestArtifact.withoutTrees(RELEASE, "kernel", "amd64")
                .compression(".zst").bytes()).push(registry, "6.12.9-S1");
        KernelFiles files = armbian(LockMode.LENIENT, null, QUICK).kernel(TestFlavors.armbian("b", Optional.empty(), Arch.X86_64));
        assertEquals("kernel", text(files));
        assertEquals(List.of(), files.deviceTrees());
    }

    @Test
    void takesTheNewestVersionFromWhicheverPageOfTheList() throws Exception {
        for (String version : List.of("6.9.12", "6.12.9", "6.12.10", "6.12.2", "6.1.115", "5.15.0", "6.12.10-rc1")) {
            TestArtifact.of(RELEASE, version).push(registry, version + "-S1-D1");
        }
        TestArtifact.of(RELEASE, "latest").push(registry, "latest");
        assertEquals("6.12.10", text(kernel()));
        // The fake gives two tags a page.
        assertEquals(4, registry.requests.stream().filter(request -> request.contains("/tags/list")).count());
        assertEquals(1, registry.requests.stream().filter(request -> request.contains("/manifests/")).count(),
                registry.requests.toString());
    }

    @Test
    void takesTheLastBuildOfTheNewestVersion() throws Exception {
        TestArtifact.of(RELEASE, "older").created("2026-11-01T10:00:00Z").push(registry, "6.12.9-Sz");
        TestArtifact.of(RELEASE, "newer").created("2026-11-02T08:00:00Z").push(registry, "6.12.9-Sb");
        TestArtifact.of(RELEASE, "undated").push(registry, "6.12.9-Sy");
        TestArtifact.of(RELEASE, "wrongly dated").created("yesterday").push(registry, "6.12.9-Sx");
        TestArtifact.of(RELEASE, "old version").created("2026-11-20T08:00:00Z").push(registry, "6.12.8-Sa");
        assertEquals("newer", text(kernel()));
        assertFalse(registry.requests.stream().anyMatch(request -> request.contains("6.12.8")),
                "only the newest version's manifests are looked at");
    }

    @Test
    void takesTheSameOneWhereNoneHasADate() throws Exception {
        for (String tag : List.of("6.12.9-Sb-D2", "6.12.9-Sc-D1", "6.12.9-Sa-D3")) {
            TestArtifact.of(RELEASE, tag).push(registry, tag);
        }
        assertEquals("6.12.9-Sc-D1", text(kernel()));
    }

    @Test
    void looksAtABoundedNumberOfManifests() throws Exception {
        for (int i = 0; i < 150; i++) {
            new TestArtifact().push(registry, String.format("6.12.9-S%03d", i));
        }
        TestArtifact.of(RELEASE, "last").created("2026-11-02T08:00:00Z").push(registry, "6.12.9-S140");
        assertEquals("last", text(kernel()));
        assertEquals(64, registry.requests.stream().filter(request -> request.contains("/manifests/")).count());
        assertTrue(warned("150 builds of 6.12.9"), said.toString());
    }

    @Test
    void takesWhatSomebodyFixes() throws Exception {
        TestArtifact.of(RELEASE, "wanted").push(registry, "6.12.9-Sa");
        TestArtifact.of(RELEASE, "new").push(registry, "6.13.0-Sa");
        assertEquals("wanted", text(kernel("6.12.9-Sa")));
        assertEquals("wanted", text(kernel("6.12.9")));
        Flavor fixed = TestFlavors.armbian("b", Optional.of("6.12.9-Sa"), Arch.AARCH64);
        assertEquals("wanted", text(armbian(LockMode.LENIENT, null, QUICK).kernel(fixed)));
        assertEquals("new", text(armbian(LockMode.LENIENT, "6.13.0", QUICK).kernel(fixed)));
        String message = fails(() -> kernel("6.12.8-Sa"));
        assertTrue(message.contains("6.12.8-Sa") && message.contains("the newest: 6.13.0-Sa"), message);
        assertTrue(fails(() -> kernel("6.12.8")).contains("of version 6.12.8"));
    }

    @Test
    void saysWhatIsMissing() throws Exception {
        String message = fails(this::kernel);
        assertTrue(message.contains(registry.host() + "/a/b") && message.contains("no tags"), message);
        TestArtifact.of(RELEASE, "x").push(registry, "latest");
        assertTrue(fails(this::kernel).contains("none of the form <version>-S"));
    }

    @Test
    void takesWhatIsLockedThoughTheTagHasMoved() throws Exception {
        Digest digest = TestArtifact.of(RELEASE, "locked").push(registry, "6.12.9-Sa");
        lock("6.12.9-Sa", digest);
        Digest moved = TestArtifact.of(RELEASE, "moved").push(registry, "6.12.9-Sa");
        TestArtifact.of(RELEASE, "newer").push(registry, "6.13.0-Sa");
        assertNotEquals(digest, moved);
        assertEquals("locked", text(kernel()));
        assertEquals("locked", text(strict(null)));
        assertEquals("locked", text(strict("6.12.9-Sa")));
        assertEquals("locked", text(strict("6.12.9")));
        assertFalse(registry.requests.stream().anyMatch(request -> request.contains("/tags/list")), "nothing is chosen");
        // And without the lock the tag is what it is now, which is said.
        Files.delete(lock);
        assertEquals("moved", text(kernel("6.12.9-Sa")));
        assertTrue(warned("6.12.9-Sa stood for " + digest), said.toString());
    }

    @Test
    void goesOnWithoutWhatIsLockedAndGone() throws Exception {
        Digest digest = Digest.of("gone");
        lock("6.12.9-Sa", digest);
        Digest moved = TestArtifact.of(RELEASE, "moved").push(registry, "6.12.9-Sa");
        TestArtifact.of(RELEASE, "newer").push(registry, "6.13.0-Sa");
        String message = fails(() -> strict(null));
        assertTrue(message.contains(digest.toString()) && message.contains("stands for " + moved) && message.contains("hook.lock=strict"),
                message);
        assertEquals(0, blobsFetched());
        assertEquals("newer", text(kernel()));
        assertTrue(warned("no longer has the kernel " + digest), said.toString());
    }

    @Test
    void strictlyTakesNothingButWhatIsLocked() throws Exception {
        Digest digest = TestArtifact.of(RELEASE, "locked").push(registry, "6.12.9-Sa");
        TestArtifact.of(RELEASE, "newer").push(registry, "6.13.0-Sa");
        String message = fails(() -> strict(null));
        assertTrue(message.contains(lock.toString()) && message.contains(BOARD.id()) && message.contains("mvn hook:lock"), message);
        assertEquals(List.of(), registry.requests);
        lock("6.12.9-Sa", digest);
        message = fails(() -> strict("6.13.0-Sa"));
        assertTrue(message.contains("6.13.0-Sa is asked for") && message.contains("hook.lock=strict"), message);
        assertEquals("newer", text(kernel("6.13.0-Sa")));
        Flavor other = TestFlavors.armbian("c", Optional.empty(), Arch.AARCH64);
        assertTrue(fails(() -> armbian(LockMode.STRICT, null, QUICK).kernel(other)).contains("names the artifact b"));
        Files.writeString(lock, Files.readString(lock).replace("Kernels: 1", "Kernels: 2"));
        assertTrue(fails(this::kernel).contains("cut or edited"), "a damaged lock is no lock, in no mode");
    }

    @Test
    void fetchesNothingTwiceAndBuildsWithoutARegistry() throws Exception {
        Digest digest = TestArtifact.of(RELEASE, "kernel").push(registry, "6.12.9-Sa");
        NetworkSettings offline = QUICK.withOffline(true);
        String message = fails(() -> armbian(LockMode.LENIENT, null, offline).kernel(BOARD));
        assertTrue(message.contains("offline") && message.contains("has no kernel of b"), message);
        KernelFiles first = kernel();
        assertEquals(1, blobsFetched());
        KernelFiles second = kernel();
        assertEquals(1, blobsFetched());
        assertEquals(first.inputs(), second.inputs());
        TestArtifact.of(RELEASE, "newer, but never fetched").push(registry, "6.13.0-Sa");
        registry.requests.clear();
        for (String version : new String[] {null, "6.12.9", "6.12.9-Sa"}) {
            assertEquals("kernel", text(armbian(LockMode.LENIENT, version, offline).kernel(BOARD)));
        }
        assertTrue(fails(() -> armbian(LockMode.LENIENT, "6.13.0", offline).kernel(BOARD)).contains("has no kernel 6.13.0 of b"));
        lock("6.12.9-Sa", digest);
        assertEquals("kernel", text(armbian(LockMode.STRICT, null, offline).kernel(BOARD)));
        assertEquals(List.of(), registry.requests, "what is locked and in the cache needs no registry");
        Files.delete(lock);
        registry.close();
        assertEquals("kernel", text(kernel()));
        assertTrue(warned("cannot be reached"), said.toString());
    }

    @Test
    void takesNoFileOfAnotherDigest() throws Exception {
        TestArtifact artifact = TestArtifact.of(RELEASE, "kernel");
        artifact.push(registry, "6.12.9-Sa");
        byte[] right = registry.blobs.get(artifact.layer());
        byte[] wrong = right.clone();
        wrong[wrong.length / 2] ^= 1;
        for (byte[] bytes : List.of(wrong, Arrays.copyOf(right, right.length + 512))) {
            registry.blobs.put(artifact.layer(), bytes);
            String message = fails(this::kernel);
            assertTrue(message.contains("should be " + artifact.layer()) && message.contains("damaged or replaced"), message);
        }
        assertEquals(List.of(), leftovers());
        registry.blobs.put(artifact.layer(), right);
        assertEquals("kernel", text(kernel()));
        assertEquals(List.of("dtb.tar", "image.tar"), leftovers().stream().filter(name -> !name.endsWith(".index")).sorted().toList());
    }

    @Test
    void takesNoManifestOrConfigurationOfAnotherDigest() throws Exception {
        TestArtifact.of(RELEASE, "kernel").config("{\"a\":1}").push(registry, "6.12.9-Sa");
        registry.blobs.put(Digest.of("{\"a\":1}").toString(), "{\"a\":2}".getBytes(StandardCharsets.UTF_8));
        assertTrue(fails(this::kernel).contains("damaged or replaced"));
        registry.blobs.put(Digest.of("{\"a\":1}").toString(), "{\"a\":1}".getBytes(StandardCharsets.UTF_8));
        assertEquals("kernel", text(kernel()));
        Digest other = TestArtifact.of(RELEASE, "other").push(registry, "6.12.10-Sa");
        lock("6.12.10-Sa", other);
        registry.manifests.put(other.toString(), registry.manifests.get("6.12.9-Sa"));
        assertTrue(fails(() -> strict(null)).contains("should be " + other));
    }

    private List<String> leftovers() throws IOException {
        Path packages = cache.root().resolve("armbian/packages");
        if (!Files.exists(packages)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(packages)) {
            return files.filter(Files::isRegularFile).map(file -> file.getFileName().toString()).toList();
        }
    }

    private String refused(TestArtifact artifact) throws IOException {
        Digest digest = artifact.push(registry, "6.12.9-Sa");
        String message = fails(this::kernel);
        assertTrue(message.contains(registry.host() + "/a/b@" + digest), message);
        assertTrue(leftovers().stream().noneMatch(name -> name.startsWith(".") || name.endsWith(AtomicFile.SUFFIX)),
                leftovers().toString());
        return message;
    }

    private static TestArtifact with(TestDeb image) {
        return TestArtifact.of(RELEASE, "kernel").member("global/linux-image-edge-board_1_arm64.deb", image.bytes());
    }

    @Test
    void refusesWhatIsNoKernelPackage() throws Exception {
        String message = refused(with(new TestDeb("linux-image-edge-board", "1", "arm64").file("./lib/modules/6.12.9/modules.order", "")));
        assertTrue(message.contains("no kernel (boot/vmlinu*)"), message);
        message = refused(with(new TestDeb("linux-image-edge-board", "1", "arm64").file("./boot/vmlinuz-6.12.9", "kernel")));
        assertTrue(message.contains("no lib/modules/<release>"), message);
        message = refused(with(TestArtifact.image(RELEASE, "kernel", "arm64").file("./lib/modules/6.13.0/modules.order", "")));
        assertTrue(message.contains("6.12.9-edge-board, 6.13.0"), message);
        message = refused(with(new TestDeb("linux-image-edge-board", "1", "arm64").file("./boot/vmlinuz-a", "a")
                .file("./boot/vmlinuz-b", "b")                .file("./lib/modules/6.12.9/modules.order", "")));
        assertTrue(message.contains("boot/vmlinuz-a, boot/vmlinuz-b"), message);
        message = refused(TestArtifact.of("edge", "kernel"));
        assertTrue(message.contains("begins with no version"), message);
        message = refused(TestArtifact.of(RELEASE, "kernel").without("global/linux-image"));
        assertTrue(message.contains("no package global/linux-image-*.deb") && message.contains("linux-dtb-edge-board"), message);
        message = refused(TestArtifact.of(RELEASE, "kernel").member("global/linux-image-other_1_arm64.deb", new byte[0]));
        assertTrue(message.contains("several packages"), message);
        message = refused(with(TestArtifact.image(RELEASE, "kernel", "amd64")));
        assertTrue(message.contains("is for amd64, and the flavor for arm64"), message);
    }

    @Test
    void refusesWhatIsDamagedOrHostile() throws Exception {
        TestArtifact whole = TestArtifact.of(RELEASE, "kernel");
        // In the middle of the last package, and of the one before.
        for (int cut : List.of(1_100, 1_700, 3_001)) {
            assertTrue(refused(TestArtifact.of(RELEASE, "kernel").cut(cut)).contains("not a sound tar archive"));
        }
        assertTrue(refused(TestArtifact.of(RELEASE, "kernel").member("global/../../etc/passwd", new byte[1]))
                .contains("leaves the root with '..'"));
        assertTrue(refused(TestArtifact.of(RELEASE, "kernel").member("/etc/passwd", new byte[1])).contains("its path is absolute"));
        assertTrue(refused(with(TestArtifact.image(RELEASE, "kernel", "arm64").file("./boot/../../../etc/passwd", "x"))).contains("'..'"));
        assertTrue(refused(with(TestArtifact.image(RELEASE, "kernel", "arm64").link("./lib/modules/x", "/etc", (byte) '2')
                .file("./lib/modules/x/passwd", "x"))).contains("symbolic link"));
        byte[] deb = TestArtifact.image(RELEASE, "kernel", "arm64").bytes();
        assertTrue(refused(whole.member("global/linux-image-edge-board_1_arm64.deb", Arrays.copyOf(deb, deb.length - 100)))
                .contains("linux-image"));
        assertTrue(refused(TestArtifact.of(RELEASE, "kernel").member("global/linux-image-edge-board_1_arm64.deb", new byte[10]))
                .contains("linux-image"));
        assertTrue(refused(TestArtifact.of(RELEASE, "kernel").layers(2)).contains("has 2 files"));
        assertTrue(refused(TestArtifact.of(RELEASE, "kernel").layers(0)).contains("has 0 files"));
    }

    @Test
    void locksWhatTheRegistryHasAndKeepsWhatItHasNot() throws Exception {
        lock("6.1.0-Sa", Digest.of("old"));
        Digest digest = TestArtifact.of(RELEASE, "kernel").push(registry, "6.12.9-Sa");
        ArmbianKernel.Renewal renewal = armbian(LockMode.LENIENT, null, QUICK).renew(List.of(BOARD));
        assertEquals(lock, renewal.file());
        assertEquals(List.of(BOARD.id() + " 6.1.0-Sa → 6.12.9-Sa"), renewal.changes());
        assertEquals(new ArmbianLock.Block(BOARD.id(), "b", "6.12.9-Sa", "6.12.9", digest), renewal.lock().find(BOARD.id()).orElseThrow());
        assertEquals(0, blobsFetched(), "a lock needs no more than manifests");
        renewal.lock().write(lock);
        assertEquals(List.of(), armbian(LockMode.LENIENT, null, QUICK).renew(List.of(BOARD)).changes());
        registry.close();
        ArmbianKernel.Renewal away = armbian(LockMode.LENIENT, null, QUICK).renew(List.of(BOARD));
        assertEquals(renewal.lock(), away.lock());
        assertEquals(List.of(), away.changes());
        assertTrue(warned("stays locked as it is"), said.toString());
        Files.delete(lock);
        assertEquals(0, armbian(LockMode.LENIENT, null, QUICK).renew(List.of(BOARD)).lock().blocks().size());
        assertTrue(warned("is not locked"), said.toString());
    }
}
