package org.tinkerbell.hook.linuxkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.flavor.Inventory;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.ImageBuilder;
import org.tinkerbell.hook.oci.ImageConfig;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarFile;
import org.tinkerbell.hook.tree.TarWriter;

class FlavorBuildTest {
    @TempDir
    Path directory;

    private Cache cache;
    private ImageStore store;
    private Flavor flavor;

    @BeforeEach
    void kernelImage() throws IOException {
        cache = new Cache(directory.resolve("cache"));
        store = ImageStore.of(cache);
        ByteArrayOutputStream trees = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(trees)) {
            TarWriter.write(List.of(Entry.file("board.dtb", 0644, Content.of("tree"))), gzip, 0);
        }
        Path packed = Files.write(directory.resolve("dtbs.tar.gz"), trees.toByteArray());
        ByteArrayOutputStream modules = new ByteArrayOutputStream();
        TarWriter.write(List.of(Entry.directory("lib", 0755)), modules, 0);
        Path tar = Files.write(directory.resolve("kernel.tar"), modules.toByteArray());
        new ImageBuilder(store).build(ImageReference.parse("k:1"), ImageConfig.of(Arch.AARCH64), List.of(
                Entry.file("dtbs.tar.gz", 0644, Content.of(packed)),
                Entry.file("kernel", 0644, Content.of("the kernel")),
                Entry.file("kernel.tar", 0644, Content.of(tar))), 0);
        Path inventory = Files.writeString(directory.resolve("flavors.yaml"),
                "flavors: {board: {arch: aarch64, template: t, kernel: {method: armbian, artifact: a}}}");
        flavor = Inventory.read(inventory, Optional.empty()).flavor("board");
        Files.writeString(directory.resolve("motd"), "hello");
        Files.writeString(directory.resolve("t.yaml"), """
                kernel: {image: "${HOOK_KERNEL_IMAGE}"}
                files: [{path: etc/motd, source: motd}]
                """);
    }

    private FlavorBuild.Result build(String builder) throws IOException {
        return build(builder, Formats.DEFAULT);
    }

    private FlavorBuild.Result build(String builder, Formats formats) throws IOException {
        return new FlavorBuild(new EmbeddedEngine(new StoreImages(store, (r, a) -> {}), cache, Progress.SILENT), store, cache).build(
                new FlavorBuild.Request(flavor, directory.resolve("t.yaml"), TemplateVariables.of("1", "board", "k:1", "6.12", Map.of()), false,
                        Compression.DEFAULT, 0, directory.resolve("work"), directory.resolve("out"), directory.resolve("packed.tar.gz"), formats,
                        directory.resolve("others"), builder));
    }

    @Test
    void givesTheNamesThatBootServersKnow() throws IOException {
        List<Path> files = build("b").files();
        assertEquals(List.of("dtbs-board.tar.gz", "initramfs-board", "vmlinuz-board"), files.stream().map(f -> f.getFileName().toString()).toList());
        assertEquals("the kernel", Files.readString(directory.resolve("out/vmlinuz-board")));
        try (GZIPInputStream in = new GZIPInputStream(Files.newInputStream(files.get(0)))) {
            assertEquals(List.of("dtbs-board", "dtbs-board/board.dtb"),
                    TarFile.index(in, directory.resolve("dtbs.tar"), "dtbs").entries().stream().map(Entry::path).toList());
        }
        assertEquals("hello", Files.readString(directory.resolve("work/motd")), "the YAML can be fed to linuxkit as it is");
    }

    @Test
    void buildsAgainWhatHasChangedAndNothingElse() throws IOException {
        assertTrue(build("b").report().isPresent());
        assertTrue(build("b").report().isEmpty(), "nothing has changed");
        Files.writeString(directory.resolve("motd"), "other");
        assertTrue(build("b").report().isPresent(), "a file of the template");
        assertTrue(build("c").report().isPresent(), "the program that builds");
        Files.writeString(directory.resolve("out/vmlinuz-board"), "tampered");
        assertTrue(build("c").report().isPresent(), "a result");
        Files.writeString(directory.resolve("out/vmlinuz-old"), "another flavor's");
        assertEquals(3, build("c").files().size(), "what is not this flavor's goes");
    }

    /** The assembly packs the tarball again when it is older than a file in it, and does not touch it when it would get the same bytes. */
    @Test
    void whatIsMadeAgainWithTheSameBytesIsNotPackedAgain() throws IOException {
        List<Path> files = build("b").files();
        Path tarball = Files.writeString(directory.resolve("packed.tar.gz"), "packed");
        FileTime time = FileTime.from(Instant.parse("2026-01-01T00:00:00Z"));
        for (Path file : files) {
            Files.setLastModifiedTime(file, time);
        }

        assertTrue(build("b", Formats.parse("kernel+initrd,filelist", Map.of())).report().isPresent(), "made for another format");
        for (Path file : files) {
            assertEquals(time, Files.getLastModifiedTime(file), file + " has the same bytes");
        }
        assertTrue(Files.exists(tarball), "nothing in it has changed");

        Files.writeString(files.get(0), "tampered");
        build("b");
        assertEquals(time, Files.getLastModifiedTime(files.get(1)));
        assertTrue(Files.getLastModifiedTime(files.get(0)).compareTo(time) > 0);
        assertFalse(Files.exists(tarball), "newer files in it than the tarball, which would keep its time");

        Files.writeString(tarball, "packed");
        Files.writeString(directory.resolve("out/vmlinuz-old"), "another flavor's");
        build("b");
        assertFalse(Files.exists(tarball), "a file in it has gone");
    }

    @Test
    void givesTheRootFileSystemAsATarAndItsPathsAsAList() throws IOException {
        Formats both = Formats.parse("tar, filelist", Map.of());
        FlavorBuild.Result result = build("b", both);
        Path tar = directory.resolve("others/hook_rootfs_board.tar");
        Path list = directory.resolve("others/hook_rootfs_board.filelist");
        assertEquals(Map.of("tar", List.of(tar), "filelist", List.of(list)), result.others());
        try (InputStream in = Files.newInputStream(tar)) {
            List<Entry> entries = TarFile.index(in, directory.resolve("copy.tar"), "the root file system").entries();
            Map<String, Entry> byPath = entries.stream().collect(Collectors.toMap(Entry::path, e -> e));
            assertEquals("hello", new String(byPath.get("etc/motd").content().bytes(), StandardCharsets.UTF_8));
            assertEquals("the kernel", new String(byPath.get("boot/kernel").content().bytes(), StandardCharsets.UTF_8));
            assertEquals(entries.stream().map(e -> e.path() + (e.type() == Entry.Type.DIRECTORY ? "/" : "")).toList(), Files.readAllLines(list));
        }
        assertEquals(3, result.files().size(), "what boot servers serve is the same");

        FlavorBuild.Result again = build("b", both);
        assertTrue(again.report().isEmpty(), "nothing has changed");
        assertEquals(result.others(), again.others());
        Files.delete(list);
        assertTrue(build("b", both).report().isPresent(), "a further result is gone");
        assertTrue(Files.exists(list));

        assertEquals(Map.of("filelist", List.of(list)), build("b", Formats.parse("filelist", Map.of())).others());
        assertFalse(Files.exists(tar), "what is not wanted any more goes, since it would not be renewed");
    }

    @Test
    void aFormatOfTheCommandIsRefusedBeforeAnythingIsBuilt() {
        String message = assertThrows(HookException.class, () -> build("b", Formats.parse("kernel+initrd,qcow2-efi", Map.of()))).getMessage();
        assertTrue(message.contains("qcow2-efi") && message.contains("-Dhook.engine=command") && message.contains("iso-efi-initrd"), message);
        assertFalse(Files.exists(directory.resolve("out")));
    }

    @Test
    void aMissingFileIsNamedWithItsLine() throws IOException {
        Files.delete(directory.resolve("motd"));
        String message = assertThrows(HookException.class, () -> build("b")).getMessage();
        assertTrue(message.contains("hook.yaml:2") && message.contains("motd"), message);
    }
}
