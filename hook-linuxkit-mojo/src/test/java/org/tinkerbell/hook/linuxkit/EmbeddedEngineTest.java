package org.tinkerbell.hook.linuxkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.initramfs.Listing;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.linuxkit.Layout.Tar;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class EmbeddedEngineTest {
    @TempDir
    Path work;

    private Layout images;
    private final List<String> warnings = new ArrayList<>();

    @BeforeEach
    void setUp() throws IOException {
        images = new Layout(work.resolve("store"));
        images.image("docker.io/library/kernel:1", "{}", new Tar().file("kernel", "KERNEL".getBytes(StandardCharsets.UTF_8))
                .file("kernel.tar", new Tar().dir("lib", 0755).file("lib/m.ko", 0644, "module").bytes()));
        images.image("docker.io/library/init:1", "{}", new Tar().dir("usr", 0755).dir("usr/bin", 0755).symlink("bin", "usr/bin")
                .file("usr/bin/busybox", 0755, "busybox").link("usr/bin/sh", "usr/bin/busybox").symlink("init", "bin/busybox"));
        images.image("docker.io/library/app:1",
                "{\"Cmd\": [\"/app\"], \"Labels\": {\"org.mobyproject.config\": \"{\\\"readonly\\\": true}\"}}",
                new Tar().file("app", 0755, "busybox"));
        images.image("docker.io/library/label:1", "{\"Labels\": {\"org.mobyproject.config\": \"{\\\"colour\\\": true}\"}}", new Tar());
        images.image("docker.io/library/label:2", "{\"Labels\": {\"org.mobyproject.config\": \"{\\\"capabilities\\\": [\\\"X\\\"]}\"}}", new Tar());
        images.image("docker.io/library/label:3", "{\"Labels\": {\"org.mobyproject.config\": \"{\\\"name\\\": \\\"x\\\"}\"}}", new Tar());
        images.image("docker.io/library/label:4", "{\"Labels\": {\"org.mobyproject.config\": \"[]\"}}", new Tar());
        images.image("docker.io/library/label:5", "{\"Labels\": {\"org.mobyproject.config\": \"{\"}}", new Tar());
    }

    private Engine.Result build(String yaml) throws IOException {
        Progress progress = new Progress() {
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
        return new EmbeddedEngine(images, new Cache(work.resolve("cache")), progress).build(new Engine.Request(
                LinuxKitConfig.parse("x.yaml", yaml), Arch.X86_64, "hook", work.resolve("out"), work, Compression.parse("none"), 0));
    }

    private Listing listing(String yaml) throws IOException {
        try (InputStream in = Files.newInputStream(build(yaml).initrd())) {
            return Listing.ofCpio(in);
        }
    }

    @Test
    void buildsASmallSystem() throws IOException {
        String text = listing("""
                kernel: {image: "kernel:1", cmdline: console=ttyS0}
                init: ["init:1"]
                services: [{name: app, image: "app:1"}]
                files: [{path: etc/motd, contents: "hello", mode: "0644"}]
                """).text().replaceAll("(config|runtime)\\.json (.* )\\d+ .*", "$1.json $2");
        assertEquals("""
                /bin l 0777 0:0 usr/bin
                /boot d 0755 0:0\s
                /containers d 0755 0:0\s
                /containers/services d 0755 0:0\s
                /containers/services/app d 0755 0:0\s
                /containers/services/app/config.json f 0644 0:0\s
                /containers/services/app/rootfs d 0755 0:0\s
                /containers/services/app/rootfs/app f 0755 0:0 7 BUSYBOX
                /containers/services/app/rootfs/dev d 0755 0:0\s
                /containers/services/app/rootfs/dev/pts d 0755 0:0\s
                /containers/services/app/rootfs/dev/shm d 0755 0:0\s
                /containers/services/app/rootfs/etc d 0755 0:0\s
                /containers/services/app/rootfs/etc/hosts f 0644 0:0 160 43037ff87af87fda
                /containers/services/app/rootfs/etc/mtab l 0755 0:0 /proc/mounts
                /containers/services/app/rootfs/etc/resolv.conf f 0644 0:0 29 e4e2bb7255b53821
                /containers/services/app/rootfs/proc d 0755 0:0\s
                /containers/services/app/rootfs/sys d 0755 0:0\s
                /containers/services/app/runtime.json f 0644 0:0\s
                /dev d 0755 0:0\s
                /dev/pts d 0755 0:0\s
                /dev/shm d 0755 0:0\s
                /etc d 0755 0:0\s
                /etc/hosts f 0644 0:0 160 43037ff87af87fda
                /etc/motd f 0644 0:0 5 HELLO
                /etc/mtab l 0755 0:0 /proc/mounts
                /etc/resolv.conf l 0644 0:0 /run/resolvconf/resolv.conf
                /init l 0777 0:0 bin/busybox
                /lib d 0755 0:0\s
                /lib/m.ko f 0644 0:0 6 MODULE
                /proc d 0755 0:0\s
                /sys d 0755 0:0\s
                /usr d 0755 0:0\s
                /usr/bin d 0755 0:0\s
                /usr/bin/busybox f 0755 0:0 7 BUSYBOX
                /usr/bin/sh f 0755 0:0 7 BUSYBOX
                """.replace("BUSYBOX", abbreviated("busybox")).replace("HELLO", abbreviated("hello")).replace("MODULE", abbreviated("module")),
                text);
        assertEquals("KERNEL", Files.readString(work.resolve("out/hook-kernel")));
        assertEquals("console=ttyS0", Files.readString(work.resolve("out/hook-cmdline")));
    }

    private static String abbreviated(String text) {
        return Digest.of(text).abbreviated(16);
    }

    @Test
    void putsFilesThroughTheLinksOfTheTree() throws IOException {
        images.image("docker.io/library/more:1", "{}", new Tar().file("bin/more", 0755, "more").symlink("usr/bin/abs", "/bin/more"));
        Listing listing = listing("init: [\"init:1\", \"more:1\"]\n");
        assertTrue(listing.lines().containsKey("usr/bin/more"));
        assertFalse(listing.lines().containsKey("bin/more"));
    }

    @Test
    void reports() throws IOException {
        Engine.Result result = build("kernel: {image: \"kernel:1\"}\ninit: [\"init:1\"]\nservices: [{name: app, image: \"app:1\"}]\n");
        JsonNode report = new JsonMapper().readTree(Files.readAllBytes(result.reportFile()));
        assertEquals("amd64", report.get("arch").asString());
        assertEquals(6, report.get("kernel").asLong());
        assertEquals(Files.size(result.initrd()), report.get("initramfs").asLong());
        assertEquals(3, report.get("images").size());
        assertEquals(2, report.get("sharedFiles").asInt(), "busybox has two names, and app is the same file");
        assertEquals(14, report.get("unpacked").asLong() - report.get("stored").asLong()
                - result.report().shared().stream().filter(s -> !s.path().endsWith("app")).mapToLong(Report.Shared::saved).sum());
        assertTrue(result.report().lines().get(0).startsWith("hook (amd64): kernel 0.0 MB, initramfs "), result.report().lines().toString());
        assertTrue(result.report().lines().stream().anyMatch(line -> line.endsWith("containers/services/app")));
        byte[] before = Files.readAllBytes(result.reportFile());
        build("kernel: {image: \"kernel:1\"}\ninit: [\"init:1\"]\nservices: [{name: app, image: \"app:1\"}]\n");
        assertArrayEquals(before, Files.readAllBytes(result.reportFile()));
    }

    @Test
    void takesAwayWhatAnEarlierBuildLeft() throws IOException {
        build("kernel: {image: \"kernel:1\", cmdline: a}\n");
        Files.writeString(work.resolve("out/.hook-initrd.img.123.part"), "of a killed build");
        Engine.Result result = build("init: [\"init:1\"]\n");
        assertEquals(Optional.empty(), result.kernel());
        try (Stream<Path> files = Files.list(work.resolve("out"))) {
            assertEquals(List.of("hook-initrd.img", "hook-report.json"), files.map(f -> f.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void saysThatTrustDoesNothing() throws IOException {
        build("init: []\ntrust: {org: [linuxkit]}\n");
        assertTrue(warnings.get(0).startsWith("x.yaml:2: trust: has no effect"), warnings.toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "init: ['none:1']|x.yaml:1: init[0]: There is no image docker.io/library/none:1 for amd64",
        "services: [{name: a, image: 'label:1'}]|label org.mobyproject.config of label:1:1: colour: there is no such key here; allowed: ",
        "services: [{name: a, image: 'label:2'}]|label org.mobyproject.config of label:2: capabilities: 'X' is not allowed; allowed: all or none",
        "services: [{name: a, image: 'label:3'}]|label org.mobyproject.config of label:3: name: a label cannot set it",
        "services: [{name: a, image: 'label:4'}]|label org.mobyproject.config of label:4: it is not a mapping of settings",
        "services: [{name: a, image: 'label:5'}]|label org.mobyproject.config of label:5:1: this is not valid YAML",
        "volumes: [{name: v, image: 'app:1', format: oci, platforms: [linux/s390x]}]|x.yaml:1: volumes[0]: The image docker.io/library/app:1 is not for the platform linux/s390x",
        "{init: ['init:1'], files: [{path: usr, contents: x}]}|x.yaml:1: files[0].path: /usr is a directory with files in it",
        "{init: ['init:1'], files: [{path: usr/bin/sh/x, contents: x}, {path: usr/bin/sh/x/y, contents: y}]}|x.yaml:1: files[1].path: ",
        "files: [{path: a/../b, contents: x}]|x.yaml:1: files[0].path: 'a/../b' has '..' in it",
        "files: [{path: /, contents: x}]|x.yaml:1: files[0].path: '/' is no path of a file",
    })
    void namesThePlaceOfAProblem(String yaml, String expected) {
        String message = assertThrows(HookException.class, () -> build(yaml)).getMessage();
        assertTrue(message.startsWith(expected), message);
        assertFalse(Files.exists(work.resolve("out")), "nothing may be left");
    }
}
