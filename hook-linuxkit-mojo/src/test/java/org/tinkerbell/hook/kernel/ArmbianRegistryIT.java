package org.tinkerbell.hook.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.ZstdOutputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import land.oras.Annotations;
import land.oras.ArtifactType;
import land.oras.Config;
import land.oras.ContainerRef;
import land.oras.LocalPath;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.debian.LockedPackage;
import org.tinkerbell.hook.debian.Mirrors;
import org.tinkerbell.hook.debian.PackageLock;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.debian.TestDeb;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.DockerRegistry;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.oci.Registry;
import org.tinkerbell.hook.oci.RegistrySettings;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;
import org.tinkerbell.hook.tree.TarWriter;

/**
 * A real registry (Debian's {@code docker-registry}), filled as Armbian fills its own: by an ORAS client, one tar of packages for each tag.
 * {@code .ci/armbian} has this fill a registry for it, with packages made of Debian's real kernels, and builds flavors from there.
 */
class ArmbianRegistryIT {
    private static final String REST = "-S5f27-D0000-P1b2c-Ca3d1H5678-HK01ba-Vc222-B6a41-R448a";
    private static final String BROKEN = "-S5f27-D0000-P0000-Ca3d1H5678-HK01ba-Vc222-B6a41-R448a";

    @TempDir
    Path directory;

    /** Pushes a file as an artifact with an ORAS client; the manifest's digest. */
    private Digest push(String name, String tag, Path file, String created) {
        ContainerRef reference = ContainerRef.parse(name + ":" + tag);
        land.oras.Manifest manifest = land.oras.Registry.builder().insecure().build().pushArtifact(reference,
                ArtifactType.from("application/vnd.unknown.artifact.v1"),
                Annotations.ofManifest(Map.of("org.opencontainers.image.created", created)),
                Config.empty(), LocalPath.of(file, "application/vnd.unknown.layer.v1+tar"));
        return Digest.parse(manifest.getDescriptor().getDigest());
    }

    /** Gives the manifest of one tag other tags as well. */
    private void copy(String name, String tag, List<String> others) throws IOException, InterruptedException {
        HttpClient client = HttpClient.newHttpClient();
        String base = "http://" + name.replaceFirst("/", "/v2/") + "/manifests/";
        String type = "application/vnd.oci.image.manifest.v1+json";
        HttpResponse<byte[]> manifest = client.send(HttpRequest.newBuilder(URI.create(base + tag)).header("Accept", type).build(),
                HttpResponse.BodyHandlers.ofByteArray());
        assertEquals(200, manifest.statusCode());
        for (String other : others) {
            HttpRequest put = HttpRequest.newBuilder(URI.create(base + other)).header("Content-Type", type)
                    .PUT(HttpRequest.BodyPublishers.ofByteArray(manifest.body())).build();
            assertEquals(201, client.send(put, HttpResponse.BodyHandlers.discarding()).statusCode());
        }
    }

    private static List<String> olderTags() {
        List<String> tags = new ArrayList<>(List.of("latest", "6.13.0-rc5", "main"));
        for (int minor = 1; minor < 12; minor++) {
            for (int point = 0; point < 12; point++) {
                tags.add("6." + minor + "." + point + REST);
            }
        }
        return tags;
    }

    private Path tar(Map<String, Path> members) throws IOException {
        Path file = Files.createTempFile(directory, "kernel-", ".tar");
        try (TarArchiveOutputStream out = new TarArchiveOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
            out.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
            for (Map.Entry<String, Path> member : members.entrySet()) {
                TarArchiveEntry entry = new TarArchiveEntry(member.getKey(), true);
                entry.setSize(Files.size(member.getValue()));
                out.putArchiveEntry(entry);
                Files.copy(member.getValue(), out);
                out.closeArchiveEntry();
            }
        }
        return file;
    }

    private Path written(byte[] bytes) throws IOException {
        return Files.write(Files.createTempFile(directory, "package-", ".deb"), bytes);
    }

    /** What looks like a kernel's artifact and has no kernel: whoever takes it by mistake fails. */
    private Path withoutKernel() throws IOException {
        return tar(Map.of("global/linux-headers-edge-board_1_arm64.deb",
                written(new TestDeb("linux-headers-edge-board", "1", "arm64").bytes())));
    }

    @Test
    void takesTheNewestOfARealRegistryAndWhatIsLocked() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start(directory)) {
            check(registry.host());
        }
    }

    private void check(String host) throws Exception {
        String name = host + "/armbian/os/kernel-board-edge";
        push(name, "6.12.9" + BROKEN, withoutKernel(), "2026-11-01T00:00:00Z");
        copy(name, "6.12.9" + BROKEN, olderTags());
        Digest good = push(name, "6.12.9" + REST, board("first"), "2026-11-02T00:00:00Z");

        Flavor flavor = TestFlavors.armbian("kernel-board-edge", Optional.empty(), Arch.AARCH64);
        Path lock = directory.resolve(ArmbianLock.FILE);
        ArmbianKernel lenient = armbian(host, "cache", lock, LockMode.LENIENT);
        assertEquals("first", text(lenient.kernel(flavor)));
        ArmbianKernel.Renewal renewal = lenient.renew(List.of(flavor));
        assertEquals(good, renewal.lock().find(flavor.id()).orElseThrow().digest());
        renewal.lock().write(lock);

        // The tag moves; the lock does not, not even in a build that has nothing in its cache.
        assertTrue(!good.equals(push(name, "6.12.9" + REST, board("second"), "2026-11-03T00:00:00Z")));
        assertEquals("first", text(armbian(host, "empty", lock, LockMode.STRICT).kernel(flavor)));
        assertEquals("second", text(armbian(host, "other", directory.resolve("none.lock"), LockMode.LENIENT).kernel(flavor)));
        String message = assertThrows(HookException.class, () -> armbian(host, "other", directory.resolve("none.lock"), LockMode.LENIENT)
                .kernel(TestFlavors.armbian("kernel-board-edge", Optional.of("6.12.9" + BROKEN), Arch.AARCH64))).getMessage();
        assertTrue(message.contains("no package global/linux-image-*.deb"), message);
    }

    private Path board(String kernel) throws IOException {
        return tar(Map.of("global/linux-image-edge-board_1_arm64.deb",
                written(TestArtifact.image("6.12.9-edge-board", kernel, "arm64").bytes())));
    }

    private ArmbianKernel armbian(String host, String cacheName, Path lock, LockMode mode) {
        Cache cache = new Cache(directory.resolve(cacheName));
        RegistrySettings settings = RegistrySettings.of(NetworkSettings.defaults(), Map.of("DOCKER_CONFIG", directory.toString()));
        return new ArmbianKernel(new Registry(ImageStore.of(cache), settings, Progress.SILENT), cache, new ArmbianKernel.Settings(
                host + "/armbian/os", lock, directory.resolve("record.lock"), mode, Optional.empty()), Progress.SILENT);
    }

    private static String text(KernelFiles files) throws IOException {
        return new String(files.kernel().bytes(), StandardCharsets.UTF_8);
    }

    /** Not a test of its own: the stage for the build that {@code .ci/armbian} starts afterwards. */
    @Test
    @EnabledIfSystemProperty(named = "hook.armbian.fill", matches = ".+:\\d+")
    void fillsARegistryWithRealKernels() throws Exception {
        String host = System.getProperty("hook.armbian.fill");
        fill(host + "/armbian/os/kernel-rockchip64-edge", "linux-image-arm64", Arch.AARCH64, "edge-rockchip64");
        fill(host + "/armbian/os/kernel-x86-edge", "linux-image-amd64", Arch.X86_64, "edge-x86");
    }

    private void fill(String name, String debian, Arch arch, String family) throws Exception {
        Cache cache = new Cache(Path.of(Optional.ofNullable(System.getProperty("hook.cacheDir"))
                .or(() -> Optional.ofNullable(System.getenv("CACHE_DIR"))).orElse(System.getProperty("user.home") + "/.cache/hook")));
        Mirrors mirrors = Mirrors.of(System.getProperty("hook.debian.mirror"), System.getProperty("hook.debian.securityMirror"),
                System.getProperty("hook.debian.snapshot"), Path.of("/etc/apt"));
        PackageSource packages = new PackageSource(cache, new Downloader(cache, NetworkSettings.defaults(), Progress.SILENT),
                mirrors, "trixie", Path.of("..", "hook-kernel-debian").toAbsolutePath().normalize(), LockMode.LENIENT, Progress.SILENT);
        PackageLock.Group group = DebianKernel.group(debian);
        LockedPackage locked = packages.packages(group.name(), arch, group.requested(), group.without()).stream()
                .filter(candidate -> candidate.name().matches("linux-image-\\d.*")).findFirst().orElseThrow();
        String version = locked.name().replaceFirst("linux-image-(\\d+\\.\\d+\\.\\d+).*", "$1");
        String architecture = arch.debianName();
        Map<String, Path> members = new LinkedHashMap<>();
        String end = "-" + family + "_26.11.0-trunk_" + architecture + "__" + version + REST + ".deb";
        members.put("global/linux-headers" + end, written(new TestDeb("linux-headers-" + family, "26.11.0-trunk", architecture).bytes()));
        members.put("global/linux-image" + end, deb("linux-image-" + family, architecture, packages.entries(locked)));
        if (arch == Arch.AARCH64) {
            List<Entry> trees = new ArrayList<>();
            for (Entry entry : packages.entries(locked)) {
                if (entry.path().matches("usr/lib/linux-image-[^/]+/rockchip/.*")) {
                    trees.add(entry.withPath(entry.path().replaceFirst("usr/lib/linux-image-", "boot/dtb-")));
                }
            }
            members.put("global/linux-dtb" + end, deb("linux-dtb-" + family, architecture, trees));
        }
        push(name, version + BROKEN, withoutKernel(), "2026-11-01T00:00:00Z");
        copy(name, version + BROKEN, olderTags());
        push(name, version + REST, tar(members), "2026-11-02T00:00:00Z");
    }

    private Path deb(String name, String architecture, List<Entry> entries) throws IOException {
        Path data = Files.createTempFile(directory, "data-", ".tar.zst");
        try (OutputStream out = new ZstdOutputStream(new BufferedOutputStream(Files.newOutputStream(data)), 1)) {
            FileTree tree = new FileTree();
            entries.stream().filter(entry -> !entry.path().isEmpty()).forEach(tree::put);
            TarWriter.write(tree, out, 0);
        }
        ByteArrayOutputStream control = new ByteArrayOutputStream();
        TarWriter.write(List.of(Entry.file("control", 0644, Content.of(
                "Package: " + name + "\nVersion: 26.11.0-trunk\nArchitecture: " + architecture + "\n"))), control, 0);
        Path file = Files.createTempFile(directory, "package-", ".deb");
        try (ArArchiveOutputStream out = new ArArchiveOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
            member(out, "debian-binary", "2.0\n".getBytes(StandardCharsets.US_ASCII));
            member(out, "control.tar", control.toByteArray());
            out.putArchiveEntry(new ArArchiveEntry("data.tar.zst", Files.size(data), 0, 0, 0100644, 0));
            Files.copy(data, out);
            out.closeArchiveEntry();
        }
        Files.delete(data);
        return file;
    }

    private static void member(ArArchiveOutputStream out, String name, byte[] bytes) throws IOException {
        out.putArchiveEntry(new ArArchiveEntry(name, bytes.length, 0, 0, 0100644, 0));
        out.write(bytes);
        out.closeArchiveEntry();
    }
}
