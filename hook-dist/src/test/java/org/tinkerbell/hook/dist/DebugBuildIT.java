package org.tinkerbell.hook.dist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.container.EngineStore;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.linuxkit.DebugKeys;
import org.tinkerbell.hook.linuxkit.EmbeddedEngine;
import org.tinkerbell.hook.linuxkit.Engine;
import org.tinkerbell.hook.linuxkit.Images;
import org.tinkerbell.hook.linuxkit.LinuxKitConfig;
import org.tinkerbell.hook.linuxkit.StoreImages;
import org.tinkerbell.hook.linuxkit.Template;
import org.tinkerbell.hook.linuxkit.TemplateVariables;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageArchive;
import org.tinkerbell.hook.oci.ImageBuilder;
import org.tinkerbell.hook.oci.ImageConfig;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.qemu.Machine;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;
import org.tinkerbell.hook.tree.TarWriter;

/**
 * Boots a debug build of the flavor that was just built, with the worker embedded in it, on a small machine whose registry does not exist, and
 * logs in by SSH.
 */
@EnabledOnOs(OS.LINUX)
class DebugBuildIT {
    private static final String HOST = "10.0.2.2";
    private static final String MAC = "52:54:00:ab:cd:f0";
    /** Nobody listens on this port of the host. */
    private static final String REGISTRY = HOST + ":1";
    private static final String EMBEDDED = "hook.test/embedded:1";

    @TempDir
    static Path directory;

    private static StandInWorker worker;
    private static Guest guest;
    private static int port;

    @BeforeAll
    static void switchOn() throws Exception {
        assumeTrue(onPath("ssh") && onPath("ssh-keygen"), "ssh and ssh-keygen are not installed");
        FlavorUnderTest flavor = new FlavorUnderTest();
        Arch arch = flavor.arch();

        worker = new StandInWorker();
        ImageReference name = ImageReference.parse(REGISTRY + "/tinkerbell/tink-worker:embedded");
        Cache ours = new Cache(directory.resolve("cache"));
        ImageStore store = ImageStore.of(ours);
        Image image = layered(flavor.build(worker, store, ImageReference.parse("hook.test/worker:1")), store, ours, name, arch);
        EngineStore engine = new EngineStore(store);
        engine.add(image, List.of(name));
        FileTree tree = new FileTree();
        engine.entries().forEach(entry -> tree.put(entry.withPath("etc/embedded-images/" + entry.path())));
        new ImageBuilder(store).build(ImageReference.parse(EMBEDDED), ImageConfig.of(arch), tree, 0);

        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "hook test", "-f", directory.resolve("key").toString());
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "somebody else", "-f", directory.resolve("other").toString());
        Path initrd = debugBuild(Path.of(System.getProperty("hook.buildDirectory"), "linuxkit"), flavor.cache(), store, arch);

        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        // The kernel's own limit, half of what the compressed system leaves, is too little for this one on a machine of this size.
        String commandLine = String.join(" ", "console=" + Machine.serialConsole(arch), "panic=-1", "initramfs_options=size=90%",
                "grpc_authority=" + HOST + ":42113", "tinkerbell_tls=false", "docker_registry=" + REGISTRY, "insecure_registries=" + REGISTRY,
                "tink_worker_image=" + name, "worker_id=" + MAC, "hw_addr=" + MAC);
        Machine hardware = new Machine(arch, Integer.getInteger("hook.qemu.debugMemory", 768), 2, MAC,
                new Machine.Start.Kernel(flavor.kernel(), initrd, commandLine), Optional.empty(), Optional.empty(), new TreeMap<>(Map.of(port, 22)), false);
        guest = new Guest(flavor.start(flavor.qemu(), hardware, "console-debug"));
    }

    /** The image with one more layer, which hides a file and all of a directory. */
    private static Image layered(Image image, ImageStore store, Cache cache, ImageReference name, Arch arch) throws IOException {
        List<List<Entry>> layers = List.of(
                List.of(Entry.directory("opt", 0755), file("opt/gone"), file("opt/stays"), Entry.directory("opt/old", 0755), file("opt/old/one"),
                        Entry.directory("opt/old/sub", 0755), file("opt/old/sub/two")),
                List.of(empty("opt/.wh.gone"), Entry.directory("opt/old", 0700), empty("opt/old/.wh..wh..opq"), file("opt/old/new"),
                        Entry.directory("opt/old/sub", 0755), file("opt/old/sub/three")));
        List<Entry> archive = new ArrayList<>();
        archive.add(Entry.file("0.tar", 0644, Content.of(store.layers(image).get(0).path())));
        StringBuilder diffIds = new StringBuilder("\"" + image.config().diffIds().get(0) + "\"");
        for (List<Entry> layer : layers) {
            ByteArrayOutputStream tar = new ByteArrayOutputStream();
            TarWriter.write(layer, tar, 0);
            archive.add(Entry.file(archive.size() + ".tar", 0644, Content.of(tar.toByteArray())));
            diffIds.append(",\"").append(Digest.of(tar.toByteArray())).append('"');
        }
        archive.add(Entry.file("config.json", 0644, Content.of("{\"architecture\":\"" + arch.ociName() + "\",\"os\":\"linux\",\"config\":{\"Entrypoint\":"
                + "[\"/usr/bin/tink-worker\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" + diffIds + "]}}")));
        archive.add(Entry.file("manifest.json", 0644, Content.of("[{\"Config\":\"config.json\",\"RepoTags\":[\"" + name
                + "\"],\"Layers\":[\"0.tar\",\"1.tar\",\"2.tar\"]}]")));
        Path file = directory.resolve("layered.tar");
        try (OutputStream out = Files.newOutputStream(file)) {
            TarWriter.write(archive, out, 0);
        }
        new ImageArchive(store, cache).read(file, Optional.of(name));
        return store.find(name, arch).orElseThrow();
    }

    private static Entry file(String path) {
        return Entry.file(path, 0644, Content.of("content of " + path));
    }

    private static Entry empty(String path) {
        return Entry.file(path, 0644, Content.of(""));
    }

    /**
     * Builds the system of the flavor's YAML once more, its lines of debug builds in force, with the embedded images on top.
     *
     * @param linuxkit where the flavor's YAML and the files that it takes are
     */
    private static Path debugBuild(Path linuxkit, Cache cache, ImageStore embedded, Arch arch) throws IOException {
        TemplateVariables variables = TemplateVariables.of("", "", "", "", Map.of()).with(DebugKeys.of(Optional.of(directory.resolve("key.pub")), directory));
        String yaml = Template.read(linuxkit.resolve("hook.yaml")).render(variables.names(), variables.values(), true);
        String both = yaml.replaceFirst("(?m)^  - \".*/hook-embedded:.*\"$", "$0\n  - \"" + EMBEDDED + "\"");
        assertNotEquals(yaml, both, "hook-embedded is among the images");
        Images flavors = new StoreImages(ImageStore.of(cache), DebugBuildIT::noPull);
        Images ours = new StoreImages(embedded, DebugBuildIT::noPull);
        Images all = new Images() {
            @Override
            public Layered image(String name, Arch of) throws IOException {
                return (name.equals(EMBEDDED) ? ours : flavors).image(name, of);
            }

            @Override
            public List<Entry> layout(String name, List<String> platforms) throws IOException {
                return flavors.layout(name, platforms);
            }
        };
        return new EmbeddedEngine(all, cache, Progress.SILENT).build(new Engine.Request(LinuxKitConfig.parse("debug.yaml", both), arch, "debug",
                Files.createDirectories(directory.resolve("debug")), linuxkit, Compression.DEFAULT, 0)).initrd();
    }

    private static void noPull(ImageReference reference, Arch arch) {
        throw new HookException(reference + " is not in the store, though the flavor was built from it");
    }

    @AfterAll
    static void switchOff() throws IOException {
        if (guest != null) {
            guest.machine().close();
        }
        if (worker != null) {
            worker.close();
        }
    }

    @Test
    void runsTheEmbeddedWorkerAndLetsTheBuilderIn() throws Exception {
        assertEquals(MAC, guest.await(worker.report()).get("WORKER_ID"));

        String status = ssh("key", 0, "HOOK_PATIENCE=90 hook-status");
        assertTrue(status.contains("Worker    running") && status.contains("tink-worker:embedded"), status);
        assertTrue(ssh("key", 0, "docker images --format '{{.Repository}}:{{.Tag}}'").contains(REGISTRY + "/tinkerbell/tink-worker:embedded"));
        // Whiteouts and opaque directories went through the initramfs and have their effect.
        assertEquals("/opt /opt/old /opt/old/new /opt/old/sub /opt/old/sub/three /opt/stays",
                ssh("key", 0, "docker exec tink-worker busybox find /opt | sort").strip().replaceAll("\\s+", " "));
        assertTrue(ssh("key", 0, "docker save " + REGISTRY + "/tinkerbell/tink-worker:embedded | tar -t").contains("manifest.json"));
        assertTrue(ssh("key", 0, "cat /var/log/containerd.log").contains("level=debug"), "logs are verbose");
        System.out.print(ssh("key", 0, "free -m; df -m / /host_root | tail -n 2; " + MEMORY));
        ssh("other", 255, "true");
        assertFalse(guest.machine().console().text().contains("PRIVATE"));
    }

    /** Each process with what it has in memory, and what of that is its own. */
    private static final String MEMORY = "for p in /proc/[0-9]*; do awk '/^Name|^RssAnon|^VmRSS/ {printf \"%s \", $2} END {print \"\"}' $p/status; done"
            + " | awk 'NF == 3 {print $2, $3, $1}' | sort -rn | head -n 20";

    private static String ssh(String key, int status, String command) throws Exception {
        // The first connection may come before the server.
        for (int tries = 0; ; tries++) {
            List<String> words = List.of("ssh", "-i", directory.resolve(key).toString(), "-p", Integer.toString(port), "-F", "none", "-o", "BatchMode=yes", "-o",
                    "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=" + directory.resolve("hosts"), "-o", "ConnectTimeout=60",
                    "-o", "LogLevel=ERROR", "root@127.0.0.1", command);
            Process process = new ProcessBuilder(words).redirectErrorStream(true).redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile())).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int ended = process.waitFor();
            if (ended == status && (status != 255 || said.contains("Permission denied"))) {
                return said;
            }
            assertTrue(ended == 255 && tries < 60 && !said.contains("Permission denied"), () -> command + " ended with " + ended + ": " + said);
            Thread.sleep(1000);
        }
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
    }

    private static boolean onPath(String program) {
        return Arrays.stream(System.getenv("PATH").split(":")).anyMatch(d -> Files.isExecutable(Path.of(d, program)));
    }
}
