package org.tinkerbell.hook.linuxkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
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
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.initramfs.Listing;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.linuxkit.Layout.Tar;
import org.tinkerbell.hook.oci.ImageBuilder;
import org.tinkerbell.hook.oci.ImageConfig;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

/**
 * Builds the same YAML from the same images with the real linuxkit command and with the embedded engine, and compares what comes
 * out. The command is that of HOOK_LINUXKIT, or of the PATH.
 *
 * <p>Allowed to differ: times, the order of entries; hard links are hard links, where LinuxKit makes symbolic links of them in an
 * initramfs (the comparison is with its tar); directories that an image lacks on the way to its files are made.
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

    private void compare(String text) throws IOException, InterruptedException {
        Path yaml = yaml(text);
        linuxkit(yaml, "tar", 0);
        Listing theirs = Listing.ofTar(work.resolve("theirs/test.tar")).without("boot");
        Listing ours;
        try (InputStream in = Files.newInputStream(embedded(yaml).initrd())) {
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

    @Test
    void everySection() throws Exception {
        compare("""
                kernel:
                  image: hook/kernel:1
                  cmdline: "console=ttyS0 quiet"
                init:
                  - hook/init:1
                  - runc:1
                onboot:
                  - name: first
                    image: registry.example/app:1
                  - name: first
                    image: registry.example/plain:1
                onshutdown:
                  - name: last
                    image: registry.example/plain:1
                services:
                  - name: app
                    image: registry.example/app:1
                    readonly: false
                  - name: app2
                    image: registry.example/app:1
                trust:
                  org: [linuxkit]
                """);
    }

    @Test
    void noSections() throws Exception {
        compare("init: []\n");
    }

    @Test
    void everySettingOfAContainer() throws Exception {
        compare("""
                services:
                  - name: full
                    image: registry.example/plain:1
                    capabilities: [CAP_SYS_ADMIN, CAP_CHOWN, CAP_CHOWN]
                    ambient: [CAP_NET_RAW]
                    mounts:
                      - {type: cgroup, options: [rw]}
                      - {source: mqueue}
                      - {destination: /dev, options: [nosuid]}
                      - {type: bind, source: /a, destination: /b, options: [rbind, ro]}
                      - {type: tmpfs, destination: /t}
                    binds: ["/x:/y", "/z:/z:ro", "/proc:/proc"]
                    devices:
                      - {path: /dev/console, type: c, major: 5, minor: 1, mode: "0666"}
                      - {path: all, type: b}
                      - {path: /dev/x, type: c, mode: "640"}
                    tmpfs: ["/run", "/tmp:mode=1777,size=1m"]
                    command: ["/bin/sh", "-c", "echo \\"<&>\\" \\u00e4\\u2028 \\t"]
                    env: [A=b, C=d]
                    cwd: /cwd
                    net: new
                    pid: host
                    ipc: new
                    uts: /run/uts
                    userns: new
                    hostname: name
                    readonly: true
                    maskedPaths: [/proc/kcore]
                    readonlyPaths: [/proc/sys, /proc/irq]
                    uid: full
                    gid: 4294967295
                    additionalGids: [1, other, root]
                    noNewPrivileges: true
                    oomScoreAdj: -500
                    rootfsPropagation: shared
                    cgroupsPath: /a/b
                    resources:
                      devices: [{allow: false, access: rwm}, {allow: true, type: c, major: 1, minor: 3, access: r}]
                      memory: {limit: 1, reservation: 2, swap: -1, kernel: 4, kernelTCP: 5, swappiness: 6, disableOOMKiller: true}
                      cpu: {shares: 1, quota: 2, period: 3, realtimeRuntime: 4, realtimePeriod: 5, cpus: 0-1, mems: "0"}
                      pids: {limit: 10}
                      blockio:
                        weight: 10
                        leafWeight: 11
                        weightDevice: [{major: 8, minor: 0, weight: 12, leafWeight: 13}]
                        throttleReadBpsDevice: [{major: 8, minor: 0, rate: 14}]
                      hugepageLimits: [{pageSize: 2, limit: 3}]
                      network: {classID: 1, priorities: [{name: eth0, priority: 5}]}
                    sysctl: {net.ipv4.ip_forward: "1", a.b: "x"}
                    rlimits: ["nofile,100,unlimited", "RLIMIT_core, 0, 0"]
                    uidMappings: [{hostID: 1, containerID: 2, size: 3}]
                    gidMappings: [{hostID: 4, containerID: 5, size: 6}]
                    annotations: {z: "1", a.b/c: "2"}
                    runtime:
                      cgroups: [a, b]
                      mounts: [{type: tmpfs, source: tmpfs, destination: /m, options: [ro], uidmappings: [{hostID: 1, size: 2}]}]
                      mkdir: [/var/a]
                      interfaces: [{name: eth0}, {name: wg0, add: wireguard, createInRoot: true}, {name: v, peer: w}]
                      bindNS: {cgroup: /a, ipc: /b, mnt: /c, net: /d, pid: /e, user: /f, uts: /g}
                      namespace: other
                  - name: other
                    image: registry.example/plain:1
                    capabilities: [all]
                    ambient: [ALL]
                    resources: {memory: {}, cpu: {}, pids: {}, blockio: {}, network: {}}
                    runtime: {}
                """);
    }

    @Test
    void theLabelAndItsOverrides() throws Exception {
        compare("""
                onboot:
                  - {name: defaults, image: "registry.example/app:1"}
                  - name: added
                    image: registry.example/app:1
                    binds.add: ["/a:/b", "/a:/b", "/etc/resolv.conf:/etc/resolv.conf:ro"]
                    capabilities.add: [CAP_SYS_TIME, CAP_CHOWN]
                  - name: replaced
                    image: registry.example/app:1
                    binds: []
                    binds.add: ["/lost:/lost"]
                    capabilities: [none]
                    command: []
                    env: []
                    net: none
                    pid: new
                    tmpfs: []
                    readonly: false
                    uid: 0
                    oomScoreAdj: 0
                    runtime: {mkdir: [], namespace: "", bindNS: {pid: /p}}
                """);
    }

    @Test
    void kernelWithOtherNames() throws Exception {
        compare("""
                kernel: {image: "hook/kernel:1", binary: vmlinuz, tar: other.tar, ucode: intel-ucode.cpio}
                """);
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", ""})
    void kernelWithoutTar(String tar) throws Exception {
        compare("kernel: {image: \"hook/kernel:1\", tar: \"" + tar + "\"}\n");
    }

    @Test
    void volumes() throws Exception {
        compare("""
                volumes:
                  - name: empty
                  - {name: ro, readonly: true}
                  - {name: full, image: "registry.example/app:1"}
                  - {name: layout, image: "registry.example/plain:1", format: oci, readonly: true}
                  - {name: limited, image: "registry.example/plain:1", format: oci, platforms: [linux/amd64]}
                  - {name: explicit, image: "registry.example/plain:1", format: filesystem, readonly: false}
                services:
                  - name: user
                    image: registry.example/plain:1
                    binds: ["full:/full", "ro:/ro:ro", "/x:/x"]
                    mounts: [{type: bind, source: layout, destination: /layout, options: [ro, bind]}]
                  - name: adder
                    image: registry.example/app:1
                    binds.add: ["empty:/empty", "explicit:/e:ro"]
                """);
    }

    @Test
    void files() throws Exception {
        Files.writeString(work.resolve("source.txt"), "from the host\n");
        compare("""
                init: [hook/init:1]
                services:
                  - {name: app, image: "registry.example/plain:1"}
                files:
                  - {path: dir, directory: true}
                  - {path: dir/with/mode, directory: true, mode: "0750"}
                  - {path: /etc/name1, contents: "orange"}
                  - {path: a/b/c, contents: "", mode: "0644", uid: app, gid: app}
                  - {path: a/b/d, contents: "x", mode: "0400", uid: 5, gid: 6}
                  - {path: bin/link, symlink: ../x, mode: "0777"}
                  - {path: etc/copied, source: source.txt, mode: "640"}
                  - {path: etc/missing, source: not-there, optional: true}
                  - {path: etc/name1, contents: "again", mode: "4755"}
                  - {path: boot/extra, contents: "not in the initramfs"}
                """);
    }

    @Test
    void metadata() throws Exception {
        compare("""
                kernel: {image: "hook/kernel:1", cmdline: "a b", tar: none}
                init: [hook/init:1]
                onboot:
                  - name: one
                    image: registry.example/app:1
                    command: ["yes", "0x10", "12:30:45", "2001-01-01", "plain text", "", "# no comment", "a: b", "two\\nlines\\n", "it's", "ä", "1e3", "<<",
                      "a very long line of words that is longer than the eighty columns after which the emitter begins to look for a place to break", "tab\\there"]
                    mounts: [{type: tmpfs, destination: /x}]
                    devices: [{path: all, type: b}]
                    readonly: true
                    uid: one
                    additionalGids: [1, one]
                    oomScoreAdj: 3
                    resources: {memory: {limit: 1, kernelTCP: 3}, devices: [{allow: true, major: 1}]}
                    sysctl: {b: "1", a: "2"}
                    uidMappings: [{size: 1}]
                    runtime: {mounts: [{type: bind, source: /a, destination: /b}], interfaces: [{name: x}], bindNS: {net: /n}, namespace: n}
                services:
                  - {name: two, image: "registry.example/plain:1", runtime: {mkdir: [/x]}}
                files:
                  - {path: etc/metadata.yaml, metadata: yaml}
                  - {path: etc/metadata.json, metadata: json}
                  - {path: etc/file, contents: "two\\nlines, no end", mode: "0644", uid: 3, optional: false}
                volumes:
                  - {name: v, image: "registry.example/plain:1", readonly: true, format: filesystem, platforms: [linux/amd64]}
                """);
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

    }
}
