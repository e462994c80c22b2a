package org.tinkerbell.hook.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageArchive;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;
import org.tinkerbell.hook.tree.TarFile;
import org.tinkerbell.hook.tree.TarWriter;

/** What a real engine makes of a store that was made without one: an engine of its own, with nothing else in it. */
class EngineStoreIT {
    private static final ImageReference NAME = ImageReference.parse("example.org/embedded/app:1");

    @TempDir
    Path directory;

    private Process engine;
    private String host;

    @AfterEach
    void end() throws InterruptedException {
        if (engine != null) {
            engine.destroy();
            engine.waitFor(30, TimeUnit.SECONDS);
            engine.destroyForcibly().waitFor();
        }
    }

    @Test
    void anEngineHasTheImagesAsIfItHadPulledThem() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "an engine can only be started by root");
        assumeTrue(onPath("dockerd") && onPath("docker") && onPath("tar"), "dockerd, docker and tar are not all installed");
        Cache cache = new Cache(directory.resolve("cache"));
        ImageStore store = ImageStore.of(cache);
        Content shared = Content.of("shared");
        String longName = "opt/" + "d".repeat(90) + "/" + "e".repeat(120);
        Image image = LayeredImage.of(store, cache, directory, NAME,
                List.of(Entry.directory("etc", 0755), file("etc/a"), file("etc/b"), Entry.directory("opt", 0750).withOwner(7, 8), file("opt/x"),
                        Entry.directory("opt/sub", 0755), file("opt/sub/y"), file(longName), Entry.file("hard1", 0600, shared),
                        Entry.file("hard2", 0600, shared), Entry.symlink("link", "etc/a")),
                List.of(file("etc/.wh.b"), Entry.directory("opt", 0700), file("opt/.wh..wh..opq"), Entry.directory("opt/sub", 0711), file("opt/sub/z")),
                List.of(file("etc/c"), Entry.file("hard1", 0600, Content.of("now on its own"))));
        EngineStore made = new EngineStore(store);
        made.add(image, List.of(NAME, ImageReference.parse("also:2")));
        Path data = Files.createDirectories(directory.resolve("data"));
        Path tar = directory.resolve("data.tar");
        try (var out = Files.newOutputStream(tar)) {
            TarWriter.write(made.entries(), out, 0);
        }
        run("tar", "-xpf", tar.toString(), "--numeric-owner", "-C", data.toString());
        start(data);

        assertEquals("also:2\nexample.org/embedded/app:1\n", sorted(docker("images", "--format", "{{.Repository}}:{{.Tag}}")));
        docker("create", "--name", "probe", NAME.toString());
        Path exported = directory.resolve("exported.tar");
        docker("export", "-o", exported.toString(), "probe");
        FileTree seen = new FileTree();
        seen.putAll(TarFile.open(exported, "what the engine exports").entries(), FileTree.Clash.REPLACE);
        // The engine adds what it mounts things on.
        assertEquals(listing(store.tree(image)), listing(seen));
        Path saved = directory.resolve("saved.tar");
        docker("save", "-o", saved.toString(), NAME.toString());
        ImageStore other = ImageStore.of(new Cache(directory.resolve("other")));
        new ImageArchive(other, new Cache(directory.resolve("other"))).read(saved, Optional.of(NAME));
        Image back = other.find(NAME, Arch.host()).orElseThrow();
        assertEquals(image.config().diffIds(), back.config().diffIds());
        assertEquals(other.layers(back).stream().map(TarFile::digest).toList(), image.config().diffIds(), "byte by byte as they were");
        docker("rm", "probe");
        docker("rmi", NAME.toString(), "also:2");
        assertEquals("", docker("images", "-aq"));
        try (Stream<Path> left = Files.list(data.resolve("overlay2"))) {
            assertEquals(List.of("l"), left.map(path -> path.getFileName().toString()).filter(name -> !name.equals("backingFsBlockDev")).toList());
        }
    }

    private static Entry file(String path) {
        return Entry.file(path, 0644, Content.of("content of " + path));
    }

    private static String listing(FileTree tree) throws IOException {
        TreeMap<String, String> lines = new TreeMap<>();
        for (Entry entry : tree) {
            boolean ofEngine = List.of("", ".dockerenv", "dev", "proc", "sys", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab").contains(entry.path())
                    || entry.path().startsWith("dev/");
            if (!ofEngine) {
                lines.put(entry.path(), entry.type() + " " + Integer.toOctalString(entry.mode()) + " " + entry.uid() + ":" + entry.gid() + " " + entry.link()
                        + (entry.content() == null ? "" : new String(entry.content().bytes(), StandardCharsets.UTF_8)));
            }
        }
        return lines.toString().replace(", ", "\n");
    }

    private static String sorted(String lines) {
        return lines.lines().sorted().reduce("", (all, line) -> all + line + "\n");
    }

    private void start(Path data) throws Exception {
        Path log = directory.resolve("dockerd.log");
        // A socket's path may have 107 bytes.
        Path socket = Files.createTempDirectory("hook").resolve("d.sock");
        host = "unix://" + socket;
        engine = new ProcessBuilder("dockerd", "--data-root", data.toString(), "--exec-root", socket.resolveSibling("exec").toString(), "--host", host,
                "--pidfile", directory.resolve("pid").toString(), "--storage-driver", "overlay2", "--bridge", "none", "--iptables=false",
                "--ip-forward=false", "--config-file", Files.writeString(directory.resolve("daemon.json"), "{}").toString())
                .redirectErrorStream(true).redirectOutput(log.toFile()).start();
        for (int i = 0; i < 600; i++) {
            assertTrue(engine.isAlive(), () -> read(log));
            if (Files.exists(socket) && attempt("docker", "-H", host, "version") == 0) {
                return;
            }
            Thread.sleep(100);
        }
        throw new AssertionError("dockerd does not answer:\n" + read(log));
    }

    private String docker(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("docker", "-H", host));
        command.addAll(Arrays.asList(arguments));
        return run(command.toArray(String[]::new));
    }

    private static int attempt(String... command) throws Exception {
        return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor();
    }

    private static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), () -> String.join(" ", command) + "\n" + said);
        return said;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static boolean onPath(String program) {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator)).anyMatch(d -> Files.isExecutable(Path.of(d, program)));
    }
}
