package org.tinkerbell.hook.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.container.ContainerImages.Built;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.debian.Mirrors;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.tree.TarFile;

/** Builds real images from Debian's archive, for this machine and for the other architecture. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ContainerImagesIT {
    @TempDir
    static Path temporary;

    private Path images;
    private Path agents;
    private Cache cache;
    private List<ImageDefinition> definitions;

    @BeforeAll
    void lock() throws IOException {
        images = Files.createDirectories(temporary.resolve("images"));
        write("java-box/image.yaml", "description: a shell and Java\npackages: [busybox-static]\njava: true\ncaBundle: true\n"
                + "links: [{path: usr/bin/sh, target: busybox}]\nfiles: [{path: etc/own, source: own}]\n");
        write("java-box/own", "one\n");
        write("init/image.yaml", "description: runc, dynamically linked, on a split layout\nlayout: split\npackages: [runc]\nremove: [usr/lib/*/gconv]\n");
        agents = Files.writeString(temporary.resolve("agents.jar"), "not run here");
        definitions = ContainerImages.definitions(images);
        cache = new Cache(temporary.resolve("cache"));
        for (Arch arch : Arch.values()) {
            PackageSource.Renewal renewal = source(cache, false).renew(arch, PackageGroups.of(definitions, arch));
            renewal.lock().write(renewal.file());
        }
    }

    @Test
    void everyArchitectureIsBuiltOnceAndTheSameBytesAgainElsewhere() throws IOException {
        Cache other = new Cache(temporary.resolve("other"));
        Files.createDirectories(other.root());
        for (Arch arch : Arch.values()) {
            List<Built> built = images(cache, false, arch).build(definitions);
            assertTrue(built.stream().allMatch(Built::made), arch + " is made");

            // Without network and packages: what is there is found by its inputs.
            PackageSource none = source(new Cache(temporary.resolve("empty")), true);
            List<Built> again = new ContainerImages(cache, ImageStore.of(cache), none, arch, "example.org/x/", Map.of(), Optional.of(agents), Progress.SILENT)
                    .build(definitions);
            assertTrue(again.stream().noneMatch(Built::made), arch + " is as it was");
            assertEquals(digests(built), digests(again));

            // The packages are shared, all that is made is made anew.
            if (!Files.exists(other.root().resolve("debian"))) {
                Files.createSymbolicLink(other.root().resolve("debian"), cache.root().resolve("debian"));
            }
            List<Built> elsewhere = images(other, true, arch).build(definitions);
            assertTrue(elsewhere.stream().allMatch(Built::made));
            assertEquals(digests(built), digests(elsewhere), "the same bytes twice, the Java runtime's among them");
        }
        runs();
        changes();
    }

    /** What is in the image really runs: by its own loader and libraries in a root of its own. */
    private void runs() throws IOException {
        assumeTrue(Files.isExecutable(Path.of("/usr/sbin/chroot")) && "root".equals(System.getProperty("user.name")), "needs root for chroot");
        Arch host = Arch.host();
        String java = "/" + JavaRuntime.PATH + "/bin/java";
        Path box = unpacked("java-box", host);
        assertTrue(chroot(box, java, "-Xshare:auto", "-version").contains("OpenJDK"));
        assertTrue(chroot(box, java, "--list-modules").contains("jdk.crypto.ec"));
        assertTrue(chroot(box, "/bin/sh", "-c", "grep -c BEGIN.CERT /etc/ssl/certs/ca-certificates.crt").strip().length() >= 3);
        assertTrue(chroot(unpacked("init", host), "/usr/sbin/runc", "--version").contains("runc version"));

        Arch foreign = host == Arch.X86_64 ? Arch.AARCH64 : Arch.X86_64;
        Path emulator = Path.of("/usr/bin/qemu-" + foreign.qemuName() + "-static");
        if (Files.isExecutable(emulator)) {
            Path foreignBox = unpacked("java-box", foreign);
            Files.copy(emulator, foreignBox.resolve("emulator"));
            assertTrue(chroot(foreignBox, "/emulator", java, "-version").contains("OpenJDK"));
        }
    }

    /** Each input changes the tag, and that of no other image. */
    private void changes() throws IOException {
        Arch arch = Arch.host();
        List<String> before = references(images(cache, true, arch).build(definitions));
        write("java-box/own", "two\n");
        List<String> file = references(images(cache, true, arch).build(definitions));
        Files.writeString(agents, "another jar");
        List<String> jar = references(images(cache, true, arch).build(definitions));
        write("java-box/own", "one\n");
        Files.writeString(agents, "not run here");

        assertEquals(before.get(0), file.get(0), "init has nothing of it");
        assertEquals(before.get(0), jar.get(0));
        assertNotEquals(before.get(1), file.get(1));
        assertNotEquals(file.get(1), jar.get(1));
        assertEquals(before, references(images(cache, true, arch).build(definitions)));
    }

    @Test
    void whatIsMissingIsNamed() throws IOException {
        ContainerImages noJar = new ContainerImages(cache, ImageStore.of(cache), source(cache, true), Arch.X86_64, "example.org/x/", Map.of(), Optional.empty(),
                Progress.SILENT);
        assertTrue(assertThrows(HookException.class, () -> noJar.build(definitions)).getMessage().contains("hook-agents"));

        Path wrong = Files.createDirectories(temporary.resolve("wrong/x"));
        Files.writeString(wrong.resolve("image.yaml"), "description: x\nincludeList: nowhere\n");
        ContainerImages empty = images(cache, true, Arch.X86_64);
        String message = assertThrows(HookException.class, () -> empty.build(ContainerImages.definitions(wrong.getParent()))).getMessage();
        assertTrue(message.contains("no list 'nowhere'"), message);

        Files.writeString(wrong.resolve("image.yaml"), "description: x\npackages: [hello]\n");
        message = assertThrows(HookException.class, () -> images(cache, true, Arch.X86_64).build(ContainerImages.definitions(wrong.getParent()))).getMessage();
        assertTrue(message.contains("no group 'x'"), message);
    }

    private ContainerImages images(Cache in, boolean offline, Arch arch) throws IOException {
        return new ContainerImages(in, ImageStore.of(in), source(in, offline), arch, "example.org/x/", Map.of(), Optional.of(agents), Progress.SILENT);
    }

    private PackageSource source(Cache in, boolean offline) throws IOException {
        NetworkSettings network = NetworkSettings.defaults().withOffline(offline);
        return new PackageSource(in, new Downloader(in, network, Progress.SILENT), Mirrors.of(null, null, null, Path.of("/etc/apt")), "trixie", images,
                LockMode.STRICT, Progress.SILENT);
    }

    private void write(String name, String text) throws IOException {
        Path file = images.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private static List<String> digests(List<Built> built) {
        return built.stream().map(b -> b.reference() + "@" + b.image().digest()).toList();
    }

    private static List<String> references(List<Built> built) {
        return built.stream().map(b -> b.reference().toString()).toList();
    }

    private Path unpacked(String name, Arch arch) throws IOException {
        Built built = images(cache, true, arch).build(definitions).stream().filter(b -> b.name().equals(name)).findFirst().orElseThrow();
        assertFalse(built.made());
        Path root = Files.createDirectories(temporary.resolve("root-" + name + "-" + arch));
        for (TarFile layer : ImageStore.of(cache).layers(built.image())) {
            run(List.of("tar", "-xf", layer.path().toString(), "-C", root.toString()));
        }
        return root;
    }

    private static String chroot(Path root, String... command) throws IOException {
        // The loader finds a program's directory ($ORIGIN) by /proc; the mount ends with its name space.
        List<String> all = new ArrayList<>(List.of("unshare", "--mount", "sh", "-c",
                "mkdir -p \"$0/proc\" && mount --bind /proc \"$0/proc\" && exec /usr/sbin/chroot \"$0\" \"$@\"", root.toString()));
        all.addAll(List.of(command));
        return run(all);
    }

    private static String run(List<String> command) throws IOException {
        File output = File.createTempFile("run", ".log");
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output).start();
            assertTrue(process.waitFor(120, TimeUnit.SECONDS), () -> command + " does not end");
            String text = Files.readString(output.toPath(), StandardCharsets.UTF_8);
            assertEquals(0, process.exitValue(), () -> command + ": " + text);
            return text;
        } catch (InterruptedException e) {
            throw new IOException(e);
        } finally {
            Files.delete(output.toPath());
        }
    }
}
