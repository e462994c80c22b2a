package org.tinkerbell.hook.oci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;
import org.tinkerbell.hook.tree.TarFile;
import org.tinkerbell.hook.tree.TarWriter;

class ImageStoreTest {
    private static final ImageReference NAME = ImageReference.parse("quay.io/x/y:1");

    @TempDir
    Path directory;

    private ImageStore store;

    @BeforeEach
    void open() {
        store = ImageStore.of(new Cache(directory.resolve("cache")));
    }

    static FileTree tree(String text) {
        FileTree tree = new FileTree();
        tree.put(Entry.file("etc/motd", 0644, Content.of(text)).withMtime(99));
        tree.put(Entry.symlink("bin", "usr/bin"));
        Entry shared = Entry.file("usr/bin/a", 0755, Content.of("#!/bin/sh\n".repeat(1000)));
        tree.put(shared);
        tree.put(shared.withPath("usr/bin/b"));
        return tree;
    }

    static ImageConfig config(Arch arch) {
        return ImageConfig.of(arch).withEntrypoint(List.of("/bin/a")).withCmd(List.of("-x")).withEnv(List.of("A=b")).withWorkingDir("/w")
                .withUser("1:2").withLabels(Map.of("org.mobyproject.config", "{\"net\":\"host\"}"));
    }

    private Image build(ImageReference name, Arch arch, String text) throws IOException {
        return new ImageBuilder(store).build(name, config(arch), tree(text), 50);
    }

    @Test
    void whatIsBuiltIsFoundAndOpened() throws Exception {
        assertTrue(store.find(NAME, Arch.X86_64).isEmpty());
        Image built = build(NAME, Arch.X86_64, "hello");
        Image found = ImageStore.of(new Cache(directory.resolve("cache"))).find(NAME, Arch.X86_64).orElseThrow();
        assertEquals(built, found);
        assertEquals(config(Arch.X86_64).withDiffIds(found.config().diffIds()), found.config());
        assertEquals("{\"org.mobyproject.config\":\"{\\\"net\\\":\\\"host\\\"}\"}", found.configJson().path("config").path("Labels").toString());
        TarFile layer = store.layers(found).get(0);
        assertEquals(found.config().diffIds().get(0), layer.digest());
        assertEquals(Digest.of(layer.path()), layer.digest());
        assertEquals(tree("hello").stream().map(e -> e.path() + " " + Math.min(50, e.mtime())).toList(),
                layer.entries().stream().map(e -> e.path() + " " + e.mtime()).toList());
        assertEquals("hello", new String(layer.entries().get(2).content().bytes(), StandardCharsets.UTF_8));
        // What was recorded while the layer was written is what a walk through it finds.
        Files.delete(layer.path().resolveSibling(layer.path().getFileName() + TarFile.INDEX));
        assertEquals(layer.entries(), TarFile.open(layer.path(), "x").entries());
        Files.delete(layer.path());
        assertEquals(layer.entries(), store.layers(found).get(0).entries());
        assertTrue(store.find(NAME, Arch.AARCH64).isEmpty());
    }

    @Test
    void theBytesDependOnNothingElse() throws Exception {
        Image one = build(NAME, Arch.X86_64, "x");
        store = ImageStore.of(new Cache(directory.resolve("other")));
        assertEquals(one, build(NAME, Arch.X86_64, "x"));
        assertEquals("e24fc7eea05b6d18", one.digest().abbreviated(16));
    }

    @Test
    void aNameHoldsAnImageForEachArchitecture() throws Exception {
        Image amd64 = build(NAME, Arch.X86_64, "1");
        Image arm64 = build(NAME, Arch.AARCH64, "2");
        assertEquals(amd64, store.find(NAME, Arch.X86_64).orElseThrow());
        assertEquals(arm64, store.find(NAME, Arch.AARCH64).orElseThrow());
        Image newer = build(NAME, Arch.X86_64, "3");
        assertEquals(newer, store.find(NAME, Arch.X86_64).orElseThrow());
        assertEquals(arm64, store.find(NAME, Arch.AARCH64).orElseThrow());
        assertEquals(List.of(NAME), store.references());
    }

    @Test
    void latestIsEnteredWithoutTheTagToo() throws Exception {
        build(ImageReference.parse("alpine"), Arch.X86_64, "1");
        assertEquals(List.of("docker.io/library/alpine", "docker.io/library/alpine:latest"),
                ImageIndex.parse(Files.readAllBytes(store.layout().resolve("index.json")), "x").items().stream().map(i -> i.name().orElseThrow())
                        .sorted().toList());
    }

    @Test
    void anImageWithAMissingBlobIsNotThereAndComesBackWhole() throws Exception {
        Image built = build(NAME, Arch.X86_64, "1");
        for (Descriptor blob : store.blobs(built)) {
            Path file = store.file(blob.digest());
            byte[] bytes = Files.readAllBytes(file);
            Files.delete(file);
            assertTrue(store.find(NAME, Arch.X86_64).isEmpty());
            Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
            assertTrue(store.find(NAME, Arch.X86_64).isEmpty());
            assertEquals(built, build(NAME, Arch.X86_64, "1"));
            assertArrayEquals(bytes, Files.readAllBytes(file));
            assertEquals(built, store.find(NAME, Arch.X86_64).orElseThrow());
        }
    }

    @Test
    void aTamperedManifestIsNotBelieved() throws Exception {
        Image built = build(NAME, Arch.X86_64, "1");
        for (Descriptor blob : List.of(built.manifest(), built.configBlob())) {
            Path file = store.file(blob.digest());
            String text = Files.readString(file);
            Files.writeString(file, text.replace("linux", "plan9").replace("\"schemaVersion\":2", "\"schemaVersion\":3"));
            assertTrue(store.find(NAME, Arch.X86_64).isEmpty());
            assertEquals(built, build(NAME, Arch.X86_64, "1"));
            assertTrue(store.find(NAME, Arch.X86_64).isPresent());
        }
    }

    @Test
    void aTamperedLayerIsRefusedAndRemoved() throws Exception {
        Image built = build(NAME, Arch.X86_64, "1");
        Path file = store.file(built.layers().get(0).digest());
        byte[] bytes = Files.readAllBytes(file);
        Files.delete(store.layers(built).get(0).path());
        bytes[bytes.length / 2] ^= 4;
        Files.write(file, bytes);
        HookException e = assertThrows(HookException.class, () -> store.layers(built));
        assertTrue(e.getMessage().contains("damaged in the store") && e.getMessage().contains("build again"), e.getMessage());
        assertTrue(store.find(NAME, Arch.X86_64).isEmpty());
        assertEquals(built, build(NAME, Arch.X86_64, "1"));
        assertEquals(1, store.layers(built).size());
    }

    @Test
    void whatAKilledBuildLeftIsSweptAwayLater() throws Exception {
        Path blobs = Files.createDirectories(store.layout().resolve("blobs/sha256"));
        Path fresh = Files.writeString(blobs.resolve(".a.part"), "half");
        Path old = Files.writeString(blobs.resolve(".b.part"), "half");
        Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(2, ChronoUnit.DAYS)));
        build(NAME, Arch.X86_64, "1");
        assertTrue(Files.exists(fresh));
        assertFalse(Files.exists(old));
    }

    @Test
    void halfAnIndexLosesNamesButNothingElse() throws Exception {
        Image built = build(NAME, Arch.X86_64, "1");
        Path index = store.layout().resolve("index.json");
        Files.writeString(index, Files.readString(index).substring(0, 40));
        assertTrue(store.find(NAME, Arch.X86_64).isEmpty());
        assertEquals(built, build(NAME, Arch.X86_64, "1"));
        assertTrue(store.find(NAME, Arch.X86_64).isPresent());
    }

    @Test
    void aBlobOfAnotherDigestIsRefused() throws Exception {
        Descriptor expected = new Descriptor(MediaTypes.LAYER, Digest.of("right"), 5);
        for (String wrong : List.of("wrong", "right and more", "righ", "")) {
            HookException e = assertThrows(HookException.class,
                    () -> store.put(expected, new ByteArrayInputStream(wrong.getBytes(StandardCharsets.UTF_8)), "the registry"));
            assertTrue(e.getMessage().startsWith("the registry: a blob should be"), e.getMessage());
            assertFalse(store.has(expected));
        }
        try (Stream<Path> left = Files.list(store.file(expected.digest()).getParent())) {
            assertEquals(0, left.count());
        }
    }

    @Test
    void layersAreLaidOverEachOther() throws Exception {
        List<Entry> lower = List.of(Entry.directory("a", 0755), file("a/1"), file("a/2"), file("b/1"), file("b/2/3"), file("c"),
                Entry.symlink("link", "b"));
        List<Entry> middle = List.of(file("a/new"), file("a/.wh.1"), file("b/.wh..wh..opq"), file("b/4"), file(".wh..wh.plnk"));
        List<Entry> upper = List.of(file(".wh.c"), file("c/now-a-directory"), file("link/.wh.4"), file("a/2").withMode(0600), file(".wh..."));
        Image image = image(gzip(tar(lower)), tar(middle), gzip(tar(upper)));
        assertEquals(List.of("a", "a/2", "a/new", "b", "c", "c/now-a-directory", "link"), store.tree(image).stream().map(Entry::path).toList());
        assertEquals(0600, store.tree(image).get("a/2").orElseThrow().mode());
        assertEquals(List.of(7, 5, 5), store.entries(image).stream().map(List::size).toList());
    }

    private static Entry file(String path) {
        return Entry.file(path, 0644, Content.of(path));
    }

    private static byte[] tar(List<Entry> entries) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        TarWriter.write(entries, out, 0);
        return out.toByteArray();
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }

    private Image image(byte[]... layers) throws IOException {
        List<Descriptor> blobs = new ArrayList<>();
        List<Digest> diffIds = new ArrayList<>();
        for (byte[] layer : layers) {
            blobs.add(store.put(MediaTypes.LAYER_GZIP, layer));
            diffIds.add(Digest.of(ImageStore.uncompressed(new ByteArrayInputStream(layer))));
        }
        Descriptor config = store.put(MediaTypes.CONFIG, ImageConfig.of(Arch.X86_64).withDiffIds(diffIds).toJson());
        Descriptor manifest = store.put(MediaTypes.MANIFEST, Image.Manifest.json(config, blobs));
        Image image = store.image(manifest, "x").orElseThrow();
        store.tag(NAME, image);
        return image;
    }

    @Test
    void manyProcessesAndThreadsWriteOneStore() throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            processes.add(new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                    System.getProperty("java.class.path"), Writer.class.getName(), directory.resolve("cache").toString(), "p" + i).inheritIO()
                    .start());
        }
        Writer.main(directory.resolve("cache").toString(), "here");
        for (Process process : processes) {
            assertEquals(0, process.waitFor());
        }
        TreeMap<String, Boolean> found = new TreeMap<>();
        for (ImageReference reference : store.references()) {
            found.put(reference.toString(), store.find(reference, Arch.X86_64).isPresent() && store.find(reference, Arch.AARCH64).isPresent());
        }
        assertEquals(4 * Writer.IMAGES + 1, found.size());
        assertFalse(found.containsValue(false), found.toString());
    }

    /** Writes images, as a build does that runs beside others. */
    public static final class Writer {
        static final int IMAGES = 5;

        public static void main(String... args) throws IOException {
            ImageStore store = ImageStore.of(new Cache(Path.of(args[0])));
            for (int i = 0; i < IMAGES; i++) {
                for (Arch arch : Arch.values()) {
                    new ImageBuilder(store).build(ImageReference.parse("x/" + args[1] + ":" + i), config(arch), tree(args[1] + i), 0);
                    new ImageBuilder(store).build(ImageReference.parse("x/same:1"), config(arch), tree("same"), 0);
                }
            }
        }
    }
}
