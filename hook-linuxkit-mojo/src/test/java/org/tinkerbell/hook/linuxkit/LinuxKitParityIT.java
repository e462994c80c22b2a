package org.tinkerbell.hook.linuxkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.initramfs.Listing;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.linuxkit.Layout.Tar;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageBuilder;
import org.tinkerbell.hook.oci.ImageConfig;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import tools.jackson.databind.json.JsonMapper;

/**
 * Builds the same YAML from the same images with the real linuxkit command and with both engines, and compares what comes
 * out. The command is that of HOOK_LINUXKIT, or of the PATH. What both engines make has to be the same to the last byte.
 *
 * <p>Allowed to differ from LinuxKit: times, PAX records, the order of entries; hard links are hard links, where LinuxKit makes symbolic
 * links of them in an initramfs (the comparison is with its tar); directories that an image lacks on the way to its files are made.
 */
class LinuxKitParityIT {
    private static final String LABEL = """
            {"Entrypoint": ["/bin/sh"], "Cmd": ["-c", "true <&>"], "Env": ["PATH=/bin", "A=b c"], "WorkingDir": "/work", "Labels": {
            "org.mobyproject.config": "{\\"binds\\": [\\"/etc/resolv.conf:/etc/resolv.conf\\"], \\"capabilities\\": [\\"CAP_CHOWN\\"], \\"net\\": \\"host\\",
            \\"pid\\": \\"host\\", \\"oomScoreAdj\\": -100, \\"tmpfs\\": [\\"/tmp:mode=1777\\"], \\"readonly\\": true, \\"uid\\": 7,
            \\"runtime\\": {\\"mkdir\\": [\\"/var/lib/x\\"], \\"namespace\\": \\"ns\\", \\"bindNS\\": {\\"net\\": \\"/run/netns/l\\"}}}"}}""".replace("\n", " ");

    private static final byte[] MICROCODE = "MICROCODE".getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path work;

    private String command;
    private Layout images;

    @BeforeEach
    void setUp() throws IOException {
        String named = System.getenv("HOOK_LINUXKIT");
        command = named != null ? named : Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .map(directory -> Path.of(directory, "linuxkit"))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst()
                .orElse(null);
        assumeTrue(command != null, "no linuxkit command: HOOK_LINUXKIT does not name one, and the PATH has none");
        images = new Layout(work.resolve("store"));
        byte[] modules = new Tar().dir("lib", 0755).dir("lib/modules", 0755).dir("lib/modules/6.1", 0750)
                .file("lib/modules/6.1/a.ko", 0644, "module a").file("./lib/modules/6.1/b.ko", 0600, 3, 4, "module b").bytes();
        images.image("docker.io/hook/kernel:1", "{}", new Tar().file("kernel", "KERNEL".repeat(100).getBytes(StandardCharsets.UTF_8))
                .file("kernel.tar", modules).file("other.tar", new Tar().file("other", 0644, "x").bytes())
                .file("vmlinuz", 0600, "OTHER KERNEL").file("intel-ucode.cpio", MICROCODE).file("dtbs.tar.gz", 0644, "no"));
        images.image("docker.io/hook/init:1", "{}", new Tar().dir("bin", 0755).file("init", 0755, "init").dir("etc", 0750).dir("sbin", 0755)
                .symlink("bin/sh", "busybox").file("bin/busybox", 0755, "busybox").link("sbin/init", "bin/busybox")
                .file("etc/hosts", 0600, 5, 6, "hosts of the image").file("etc/mtab", 0644, "mtab of the image").dir("dev", 0700)
                .device("dev/null", 1, 3).device("dev/console", 5, 1).dir("run", 01777).file("etc/hostname", 0644, "name")
                .dir("lib", 0755).dir("lib/apk", 0755).dir("lib/apk/db", 0755).file("lib/apk/db/installed", 0600, "P:first\n"));
        images.image("docker.io/library/runc:1", "{}", new Tar().dir("usr", 0755).dir("usr/bin", 0755).file("usr/bin/runc", 0755, "runc")
                .dir("lib", 0755).dir("lib/apk", 0700).dir("lib/apk/db", 0755).file("lib/apk/db/installed", 0644, "P:second\n")
                .file("Dockerfile", 0644, "FROM scratch").file(".dockerenv", 0644, ""));
        images.image("registry.example/app:1", LABEL, new Tar().dir("bin", 0755).file("bin/app", 04755, 1, 2, "app").dir("proc", 0555)
                .dir("gone", 0755).file("gone/a", 0644, "a").file("kept", 0644, "kept").file("kept2", 0644, "kept 2").dir("opaque", 0755)
                .file("opaque/old", 0644, "old").dir("d", 0755).file("d/f", 0644, "f").symlink("l", "d"),
                new Tar().file(".wh.gone", 0644, "").file(".wh.kept2", 0644, "").dir("opaque", 0711).file("opaque/.wh..wh..opq", 0644, "")
                        .file("opaque/new", 0644, "new").file("d", 0644, "d is a file now").dir("l", 0755).file("l/x", 0644, "x"));
        images.image("registry.example/links:1", "{\"Entrypoint\": [\"/usr/bin/a\"]}", new Tar().dir("usr", 0755).dir("usr/bin", 0755)
                .file("usr/bin/a", 0755, 3, 4, "linked").link("usr/bin/b", "usr/bin/a").link("c", "usr/bin/b").symlink("d", "usr/bin/a")
                .file("e", 0644, "e"), new Tar().file("usr/bin/y", 06711, "y").link("usr/bin/z", "usr/bin/y").file(".wh.e", 0644, ""));
        images.image("registry.example/label:1", "{\"Cmd\": [\"/not-this\"], \"Env\": [\"NOT=this\"], \"Labels\": {\"org.mobyproject.config\": "
                + new JsonMapper().writeValueAsString(ParityInputs.LABEL) + "}}", new Tar().dir("bin", 0755).file("bin/x", 0755, "x"));
        images.image("registry.example/plain:1", "{\"Cmd\": [\"/x\"]}", new Tar().dir("bin", 0755).file("bin/app", 0755, "app")
                .dir("a".repeat(99), 0755).file("a".repeat(99) + "/" + "b".repeat(120), 0644, "long").file("bin/ä", 0644, "ä").file("x", 0755, 70000, 80000, "x"));
    }

    private Path yaml(String text) throws IOException {
        Path file = work.resolve("test.yaml");
        Files.writeString(file, text);
        return file;
    }

    /** Runs the command; gives what it said. */
    private String linuxkit(Path yaml, String format, int expectedStatus) throws IOException, InterruptedException {
        return linuxkit(yaml, format, expectedStatus, work.resolve("store"));
    }

    private String linuxkit(Path yaml, String format, int expectedStatus, Path store) throws IOException, InterruptedException {
        Path out = Files.createDirectories(work.resolve("theirs"));
        Path log = work.resolve("log");
        Process process = new ProcessBuilder(command, "build", "--format", format, "--arch", "amd64", "--name", "test", "--cache",
                store.toString(), "--dir", out.toString(), "--no-sbom", yaml.toString())
                .directory(work.toFile()).redirectErrorStream(true).redirectOutput(log.toFile()).start();
        process.getOutputStream().close();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        assertEquals(expectedStatus, process.waitFor(), Files.readString(log));
        return Files.readString(log);
    }

    private Engine.Result embedded(Path yaml) throws IOException {
        return new EmbeddedEngine(images, new Cache(work.resolve("cache")), Progress.SILENT).build(new Engine.Request(
                LinuxKitConfig.read(yaml), Arch.X86_64, "test", work.resolve("ours"), work, Compression.parse("none"), 0));
    }

    private Engine.Result command(Path yaml) throws IOException {
        Cache cache = new Cache(work.resolve("cache"));
        StoreImages stored = new StoreImages(new ImageStore(work.resolve("store"), cache), (reference, arch) -> {
            throw new HookException("there is no " + reference);
        });
        return new CommandEngine(new LinuxKitCommand(Path.of(command)), stored, cache, Progress.SILENT, false).build(new Engine.Request(
                LinuxKitConfig.read(yaml), Arch.X86_64, "test", work.resolve("commanded"), work, Compression.parse("none"), 0));
    }

    private void compare(String text) throws IOException, InterruptedException {
        Path yaml = yaml(text);
        linuxkit(yaml, "tar", 0);
        Engine.Result commanded = command(yaml);
        Engine.Result embedded = embedded(yaml);
        assertEquals(-1, Files.mismatch(commanded.initrd(), embedded.initrd()), "the engines' initramfs");
        assertEquals(-1, Files.mismatch(commanded.reportFile(), embedded.reportFile()), "the engines' report");
        Listing theirs = Listing.ofTar(work.resolve("theirs/test.tar")).without("boot");
        Listing ours;
        try (InputStream in = Files.newInputStream(embedded.initrd())) {
            in.skipNBytes(text.contains("ucode") ? MICROCODE.length : 0);
            ours = Listing.ofCpio(in);
        }
        for (String path : new TreeSet<>(theirs.lines().keySet())) {
            if (path.endsWith(".json") || path.contains("metadata")) {
                assertEquals(theirs.text(path), ours.text(path), path);
            }
        }
        assertEquals(theirs.text(), ours.text());
    }

    static List<Path> inputs() {
        return ParityInputs.files();
    }

    @ParameterizedTest
    @MethodSource("inputs")
    void sameTree(Path input) throws Exception {
        Files.writeString(work.resolve("source.txt"), "from the host\n");
        compare(Files.readString(input));
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", ""})
    void kernelWithoutTar(String tar) throws Exception {
        compare("kernel: {image: \"hook/kernel:1\", tar: \"" + tar + "\"}\n");
    }

    @Test
    void theFilesOfKernelAndInitrd() throws Exception {
        Path yaml = yaml("kernel: {image: \"hook/kernel:1\", cmdline: \"a=b c\", ucode: intel-ucode.cpio}\ninit: [\"hook/init:1\"]\n");
        linuxkit(yaml, "kernel+initrd", 0);
        Engine.Result ours = embedded(yaml);
        for (String name : List.of("test-kernel", "test-cmdline")) {
            assertArrayEquals(Files.readAllBytes(work.resolve("theirs").resolve(name)), Files.readAllBytes(work.resolve("ours").resolve(name)), name);
        }
        for (Path initrd : List.of(work.resolve("theirs/test-initrd.img"), ours.initrd())) {
            try (InputStream in = Files.newInputStream(initrd)) {
                assertArrayEquals(MICROCODE, in.readNBytes(MICROCODE.length));
            }
        }
        assertEquals(Optional.of(work.resolve("ours/test-kernel")), ours.kernel());
    }

    @Test
    void oneStoreForBoth() throws Exception {
        Cache cache = new Cache(work.resolve("cache"));
        ImageStore store = new ImageStore(work.resolve("store2"), cache);
        ImageBuilder builder = new ImageBuilder(store);
        for (Arch arch : Arch.values()) {
            List<Entry> tree = List.of(Entry.directory("bin", 0755), Entry.file("bin/app", 04755, Content.of("app for " + arch)).withOwner(3, 4));
            builder.build(ImageReference.parse("hook/app:1"), ImageConfig.of(arch), tree, 0);
        }
        Path yaml = yaml("""
                services: [{name: app, image: "hook/app:1"}]
                volumes: [{name: all, image: "hook/app:1", format: oci}, {name: one, image: "hook/app:1", format: oci, platforms: [linux/arm64]}]
                """);
        linuxkit(yaml, "tar", 0, store.layout());
        StoreImages both = new StoreImages(store, (reference, arch) -> {
            throw new HookException("there is no " + reference);
        });
        Engine.Result ours = new EmbeddedEngine(both, cache, Progress.SILENT).build(new Engine.Request(
                LinuxKitConfig.read(yaml), Arch.X86_64, "test", work.resolve("ours"), work, Compression.parse("none"), 0));
        try (InputStream in = Files.newInputStream(ours.initrd())) {
            assertEquals(Listing.ofTar(work.resolve("theirs/test.tar")).text(), Listing.ofCpio(in).text());
        }
    }

    @Test
    void imagesByDigest() throws Exception {
        Cache cache = new Cache(work.resolve("cache"));
        ImageStore store = new ImageStore(work.resolve("store"), cache);
        Image built = new ImageBuilder(store).build(ImageReference.parse("hook/pinned:1"), ImageConfig.of(Arch.X86_64),
                List.of(Entry.file("app", 0755, Content.of("app"))), 0);
        String pinned = "hook/pinned:1@" + built.digest();
        store.tag(ImageReference.parse(pinned), built);
        Path yaml = yaml("""
                init: ["%1$s"]
                services: [{name: app, image: "%1$s"}]
                volumes: [{name: all, image: "%1$s"}]
                files: [{path: meta, metadata: json}]
                """.formatted(pinned));
        linuxkit(yaml, "tar", 0);
        StoreImages both = new StoreImages(store, (reference, arch) -> {
            throw new HookException("there is no " + reference);
        });
        Engine.Result ours = new EmbeddedEngine(both, cache, Progress.SILENT).build(new Engine.Request(
                LinuxKitConfig.read(yaml), Arch.X86_64, "test", work.resolve("ours"), work, Compression.parse("none"), 0));
        try (InputStream in = Files.newInputStream(ours.initrd())) {
            assertEquals(Listing.ofTar(work.resolve("theirs/test.tar")).text(), Listing.ofCpio(in).text());
        }
        assertEquals(-1, Files.mismatch(command(yaml).initrd(), ours.initrd()));
    }

    @Test
    void formatsThatOnlyTheCommandKnowsPassThrough() throws Exception {
        Path yaml = yaml("kernel: {image: \"hook/kernel:1\", cmdline: a}\ninit: [\"hook/init:1\"]\n");
        linuxkit(yaml, "tar-kernel-initrd", 0);
        linuxkit(yaml, "docker", 0);
        Cache cache = new Cache(work.resolve("cache"));
        StoreImages stored = new StoreImages(new ImageStore(work.resolve("store"), cache), (reference, arch) -> {
            throw new HookException("there is no " + reference);
        });
        CommandEngine engine = new CommandEngine(new LinuxKitCommand(Path.of(command)), stored, cache, Progress.SILENT, true);
        Map<String, List<Path>> others = engine.build(new Engine.Request(LinuxKitConfig.read(yaml), Arch.X86_64, "test", work.resolve("commanded"), work,
                Compression.parse("none"), 0, Formats.parse("docker,tar-kernel-initrd", Map.of()))).others();
        assertEquals(Map.of("docker", List.of(work.resolve("commanded/test.docker")),
                "tar-kernel-initrd", List.of(work.resolve("commanded/test-initrd.tar"))), others);
        for (String name : List.of("test.docker", "test-initrd.tar")) {
            assertEquals(-1, Files.mismatch(work.resolve("theirs").resolve(name), work.resolve("commanded").resolve(name)), name);
        }
    }

    @Test
    void theCommandsComplaintNamesThePlace() throws Exception {
        Path yaml = yaml("""
                init: ["hook/init:1"]
                services:
                  - name: good
                    image: registry.example/app:1
                  - name: bad
                    image: registry.example/app:1
                    rlimits: ["nofile,many,1"]
                """);
        String message = assertThrows(HookException.class, () -> command(yaml)).getMessage();
        assertTrue(message.startsWith(yaml + ":5: services[1]: linuxkit says: failed to create OCI spec for registry.example/app:1: cannot parse many"),
                message);
        assertTrue(message.contains("To repeat it:\n  cd " + work + " && " + command + " build --format tar --arch amd64 --cache "), message);
        assertFalse(Files.exists(work.resolve("commanded/.test-linuxkit.tar.part")));
    }

    @Test
    void theCommandIsNotStartedForAnImageThatCannotBeHad() throws Exception {
        Path yaml = yaml("services:\n  - name: a\n    image: registry.example/none:1\n");
        String message = assertThrows(HookException.class, () -> command(yaml)).getMessage();
        assertEquals(yaml + ":3: services[0].image: there is no registry.example/none:1", message);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "services: [{name: a, image: x, colour: red}]",
        "services: [{name: a}]",
        "services: [{name: a, image: 'registry.example/app:1'}, {name: a, image: 'registry.example/app:1'}]",
        "services: [{name: a, image: 'registry.example/app:1', capabilities: [CAP_NONE]}]",
        "services: [{name: a, image: 'registry.example/app:1', rlimits: ['x,1,2']}]",
        "services: [{name: a, image: 'registry.example/app:1', rlimits: ['nofile,1']}]",
        "services: [{name: a, image: 'registry.example/app:1', uid: nobody}]",
        "services: [{name: a, image: 'registry.example/app:1', binds: ['/a']}]",
        "services: [{name: a, image: 'registry.example/app:1', binds: ['/a:/b:ro:x']}]",
        "services: [{name: a, image: 'registry.example/app:1', binds: ['v:/b']}]",
        "services: [{name: a, image: 'registry.example/app:1', tmpfs: ['/a:b:c']}]",
        "services: [{name: a, image: 'registry.example/app:1', mounts: [{destination: /a}]}]",
        "services: [{name: a, image: 'registry.example/app:1', devices: [{path: /dev/a, type: c}]}]",
        "services: [{name: a, image: 'registry.example/app:1', command: null}]",
        "services: [{name: a, image: 'registry.example/app:1', command: [1]}]",
        "{volumes: [{name: v, readonly: true}], services: [{name: a, image: 'registry.example/app:1', binds: ['v:/b']}]}",
        "volumes: [{name: V}]",
        "volumes: [{name: v}, {name: v}]",
        "volumes: [{name: v, format: tar}]",
        "kernel: {image: 'hook/kernel:1', binary: none}",
        "kernel: {image: 'registry.example/app:1'}",
        "files: [{path: a}]",
        "files: [{contents: a}]",
        "files: [{path: a, contents: b, source: c}]",
        "files: [{path: a, source: not-there}]",
        "files: [{path: a, source: b, metadata: yaml}]",
        "files: [{path: a, directory: true, contents: b}]",
        "files: [{path: a, contents: b, mode: '999'}]",
        "files: [{path: a, contents: b, mode: 644}]",
        "files: [{path: a, contents: b, uid: nobody}]",
        "files: [{path: a, metadata: toml}]",
    })
    void refusesWhatLinuxKitRefuses(String text) throws Exception {
        Path yaml = yaml(text + "\n");
        linuxkit(yaml, "tar", 1);
        List<String> problems = new ArrayList<>();
        try {
            embedded(yaml);
        } catch (HookException e) {
            problems.add(e.getMessage());
        }
        assertEquals(1, problems.size(), "the embedded engine built it");
        assertTrue(problems.get(0).startsWith(yaml + ":1"), problems.get(0));
        String message = assertThrows(HookException.class, () -> command(yaml)).getMessage();
        assertTrue(message.startsWith(yaml + ":1"), message);
    }
}
