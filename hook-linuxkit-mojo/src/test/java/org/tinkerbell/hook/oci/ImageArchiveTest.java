package org.tinkerbell.hook.oci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
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

class ImageArchiveTest {
    private static final ImageReference NAME = ImageReference.parse("quay.io/x/y:1");

    @TempDir
    Path directory;

    private Cache cache;
    private ImageStore store;
    private Image amd64;

    @BeforeEach
    void build() throws IOException {
        cache = new Cache(directory.resolve("cache"));
        store = ImageStore.of(cache);
        amd64 = new ImageBuilder(store).build(NAME, ImageStoreTest.config(Arch.X86_64), ImageStoreTest.tree("x"), 0);
    }

    private Path archive() throws IOException {
        Path archive = directory.resolve("x.tar");
        new ImageArchive(store, cache).write(NAME, amd64, archive);
        return archive;
    }

    private ImageStore other() {
        return ImageStore.of(new Cache(directory.resolve("other")));
    }

    private List<ImageArchive.Named> read(Path archive) throws IOException {
        return new ImageArchive(other(), new Cache(directory.resolve("other"))).read(archive, Optional.empty());
    }

    @Test
    void whatIsWrittenIsReadInAnotherStore() throws Exception {
        Path archive = archive();
        byte[] bytes = Files.readAllBytes(archive);
        assertArrayEquals(bytes, Files.readAllBytes(archive()));
        assertEquals(List.of(new ImageArchive.Named(NAME, amd64)), read(archive));
        assertEquals(amd64, other().find(NAME, Arch.X86_64).orElseThrow());
        assertEquals(store.tree(amd64).size(), other().tree(amd64).size());
        try (Stream<Path> left = Files.list(directory.resolve("other/import"))) {
            assertEquals(0, left.count());
        }
    }

    @Test
    void severalImagesAndArchitecturesFitIntoOne() throws Exception {
        Image arm64 = new ImageBuilder(store).build(NAME, ImageStoreTest.config(Arch.AARCH64), ImageStoreTest.tree("y"), 0);
        ImageReference second = ImageReference.parse("z:2");
        Path archive = directory.resolve("x.tar");
        new ImageArchive(store, cache).write(List.of(new ImageArchive.Named(second, amd64), new ImageArchive.Named(NAME, amd64),
                new ImageArchive.Named(NAME, arm64)), ImageArchive.Layers.AS_STORED, archive);
        assertEquals(3, read(archive).size());
        assertEquals(amd64, other().find(second, Arch.X86_64).orElseThrow());
        assertEquals(amd64, other().find(NAME, Arch.X86_64).orElseThrow());
        assertEquals(arm64, other().find(NAME, Arch.AARCH64).orElseThrow());
    }

    @Test
    void layersMayBeWrittenUncompressed() throws Exception {
        Path archive = directory.resolve("x.tar");
        new ImageArchive(store, cache).write(List.of(new ImageArchive.Named(NAME, amd64)), ImageArchive.Layers.UNCOMPRESSED, archive);
        Image image = read(archive).get(0).image();
        assertEquals(amd64.config(), image.config());
        assertEquals(amd64.config().diffIds(), image.layers().stream().map(Descriptor::digest).toList());
        assertEquals(amd64, store.find(NAME, Arch.X86_64).orElseThrow());
    }

    @Test
    void aCompressedOneAndAnotherNameAreFine() throws Exception {
        Path archive = archive();
        ByteArrayOutputStream gzip = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(gzip)) {
            Files.copy(archive, out);
        }
        Path compressed = Files.write(directory.resolve("x.tar.gz"), gzip.toByteArray());
        ImageReference name = ImageReference.parse("other:3");
        new ImageArchive(other(), new Cache(directory.resolve("other"))).read(compressed, Optional.of(name));
        assertEquals(List.of(name), other().references());
    }

    /** The same archive with its files changed. */
    private Path changed(Consumer<FileTree> change) throws IOException {
        TarFile tar = TarFile.open(archive(), "x");
        FileTree tree = new FileTree();
        tree.putAll(tar.entries(), FileTree.Clash.REPLACE);
        change.accept(tree);
        Path changed = directory.resolve("changed.tar");
        try (OutputStream out = Files.newOutputStream(changed)) {
            TarWriter.write(tree, out, 0);
        }
        return changed;
    }

    @Test
    void aChangedOrMissingBlobIsRefused() throws Exception {
        List<Descriptor> blobs = store.blobs(amd64);
        for (Descriptor blob : blobs) {
            String path = "blobs/sha256/" + blob.digest().hex();
            Path tampered = changed(tree -> tree.put(Entry.file(path, 0644, Content.of("tampered"))));
            HookException e = assertThrows(HookException.class, () -> read(tampered));
            assertTrue(e.getMessage().contains("a blob should be " + blob.digest()), e.getMessage());
            Path missing = changed(tree -> tree.remove(path));
            e = assertThrows(HookException.class, () -> read(missing));
            assertTrue(e.getMessage().contains("incomplete: it has no file " + path), e.getMessage());
            assertEquals(List.of(), other().references());
        }
    }

    @Test
    void whatIsNoArchiveOfImagesIsRefused() throws Exception {
        Path neither = changed(tree -> {
            tree.remove("index.json");
            tree.remove("manifest.json");
        });
        assertTrue(assertThrows(HookException.class, () -> read(neither)).getMessage().contains("neither index.json nor manifest.json"));
        Path garbage = Files.writeString(directory.resolve("garbage"), "garbage".repeat(300));
        assertTrue(assertThrows(HookException.class, () -> read(garbage)).getMessage().contains("not a sound tar archive"));
        Path json = changed(tree -> tree.put(Entry.file("index.json", 0644, Content.of("[]"))));
        assertTrue(assertThrows(HookException.class, () -> read(json)).getMessage().contains("manifests"));
        Path nameless = changed(tree -> tree.put(Entry.file("index.json", 0644,
                Content.of(new ImageIndex(List.of(ImageIndex.Item.named(amd64.manifest(), "latest"))).toJson()))));
        assertTrue(assertThrows(HookException.class, () -> read(nameless)).getMessage().contains("does not name"));
        byte[] whole = Files.readAllBytes(archive());
        Path cut = Files.write(directory.resolve("cut"), Arrays.copyOf(whole, 3000));
        assertThrows(HookException.class, () -> read(cut));
    }

    @Test
    void aDamagedStoreMakesNoArchive() throws Exception {
        Path file = store.file(amd64.layers().get(0).digest());
        byte[] bytes = Files.readAllBytes(file);
        bytes[20] ^= 1;
        Files.write(file, bytes);
        assertTrue(assertThrows(HookException.class, this::archive).getMessage().contains("damaged"));
        assertFalse(Files.exists(directory.resolve("x.tar")));
    }

    /** As {@code docker save} wrote it before Docker 25: a directory for each layer, links for those that are shared. */
    private Path dockerSave(String diffId) throws IOException {
        ByteArrayOutputStream layer = new ByteArrayOutputStream();
        TarWriter.write(List.of(Entry.file("a", 0644, Content.of("a"))), layer, 0);
        Digest real = Digest.of(layer.toByteArray());
        String config = new String(ImageConfig.of(Arch.X86_64)
                .withDiffIds(List.of(diffId.isEmpty() ? real : Digest.parse(diffId), real)).toJson(), StandardCharsets.UTF_8);
        List<Entry> entries = new ArrayList<>();
        entries.add(Entry.file("1/layer.tar", 0644, Content.of(layer.toByteArray())));
        entries.add(Entry.symlink("2/layer.tar", "../1/layer.tar"));
        entries.add(Entry.file("c.json", 0644, Content.of(config)));
        entries.add(Entry.file("manifest.json", 0644, Content.of(
                "[{\"Config\":\"c.json\",\"RepoTags\":[\"app:1\",\"b/app:2\"],\"Layers\":[\"1/layer.tar\",\"2/layer.tar\"]}]")));
        Path archive = directory.resolve("docker.tar");
        try (OutputStream out = Files.newOutputStream(archive)) {
            TarWriter.write(entries, out, 0);
        }
        return archive;
    }

    @Test
    void archivesOfDockerSaveAreRead() throws Exception {
        read(dockerSave(""));
        assertEquals(List.of("docker.io/b/app:2", "docker.io/library/app:1"), other().references().stream().map(Object::toString).toList());
        Image image = other().find(ImageReference.parse("app:1"), Arch.X86_64).orElseThrow();
        assertEquals(List.of("a"), other().tree(image).stream().map(Entry::path).toList());
        HookException e = assertThrows(HookException.class, () -> read(dockerSave(Digest.of("other").toString())));
        assertTrue(e.getMessage().contains("and should be " + Digest.of("other")), e.getMessage());
    }
}
