package org.tinkerbell.hook.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;
import org.tinkerbell.hook.tree.Glob;

final class ImageTreeTest {
    private static final List<Entry> LIBC = List.of(
            Entry.directory("usr/lib", 0755),
            file("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
            Entry.symlink("usr/lib64/ld-linux-x86-64.so.2", "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
            file("usr/share/doc/libc6/copyright"),
            file("usr/share/man/man1/ldd.1.gz"),
            file("usr/lib/x86_64-linux-gnu/libc.a"));

    @TempDir
    Path directory;

    @Test
    void mergedUsrTakesOldPackagesIn() throws IOException {
        FileTree tree = tree("description: x\n", Arch.X86_64, List.of(LIBC, List.of(file("bin/old"), file("lib/udev/rules"))));

        assertEquals("usr/bin", tree.get("bin").orElseThrow().link());
        assertTrue(tree.get("usr/bin/old").isPresent());
        assertTrue(tree.get("usr/lib/udev/rules").isPresent());
        assertEquals("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", tree.resolve("lib64/ld-linux-x86-64.so.2").orElseThrow().path());
    }

    @Test
    void arm64HasNoLib64() throws IOException {
        FileTree tree = tree("description: x\n", Arch.AARCH64, List.of());

        assertTrue(tree.get("lib").isPresent());
        assertTrue(tree.get("lib64").isEmpty());
    }

    @Test
    void splitHasRealDirectoriesAndTheLoaderWhereProgramsLookForIt() throws IOException {
        FileTree tree = tree("description: x\nlayout: split\nlinks: [{path: bin/sh, target: ../usr/bin/busybox}]\n", Arch.X86_64, List.of(LIBC));

        assertEquals(Entry.Type.DIRECTORY, tree.get("bin").orElseThrow().type());
        assertEquals("../usr/bin/busybox", tree.get("bin/sh").orElseThrow().link());
        assertEquals("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", tree.resolve("lib64/ld-linux-x86-64.so.2").orElseThrow().path());

        FileTree arm = tree("description: x\nlayout: split\n", Arch.AARCH64, List.of(List.of(file("usr/lib/ld-linux-aarch64.so.1"))));
        assertEquals("usr/lib/ld-linux-aarch64.so.1", arm.resolve("lib/ld-linux-aarch64.so.1").orElseThrow().path());
    }

    @Test
    void emptyHasOnlyWhatIsNamed() throws IOException {
        FileTree tree = tree("description: x\nlayout: empty\nfiles: [{path: etc/x, contents: y}]\n", Arch.X86_64, List.of());

        assertEquals(List.of("", "etc", "etc/x"), tree.stream().map(Entry::path).toList());
    }

    @Test
    void documentationGoesUnlessItIsKept() throws IOException {
        FileTree without = tree("description: x\n", Arch.X86_64, List.of(LIBC));
        FileTree with = tree("description: x\nkeep: [usr/share/doc/*/copyright]\nremove: ['usr/lib/**/*.so.2']\n", Arch.X86_64, List.of(LIBC));

        assertTrue(without.get("usr/share/doc").isEmpty());
        assertTrue(without.get("usr/share/man").isEmpty());
        assertTrue(without.get("usr/lib/x86_64-linux-gnu/libc.a").isEmpty());
        assertTrue(with.get("usr/share/doc/libc6/copyright").isPresent());
        assertTrue(with.get("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2").isEmpty());
    }

    @Test
    void includedLinksBringWhatTheyLeadTo() throws IOException {
        List<Entry> firmware = List.of(
                Entry.directory("usr/lib/firmware/a", 0700),
                Entry.symlink("usr/lib/firmware/a/card.bin", "../b/real.bin"),
                Entry.symlink("usr/lib/firmware/b", "c"),
                Entry.symlink("usr/lib/firmware/c/real.bin", "../d/v2.bin"),
                file("usr/lib/firmware/d/v2.bin"),
                file("usr/lib/firmware/d/v1.bin"),
                file("usr/bin/other"));

        FileTree tree = tree("description: x\nlayout: empty\ninclude: ['usr/lib/firmware/a/*']\n", Arch.X86_64, List.of(firmware));

        assertEquals(List.of("usr/lib/firmware/a/card.bin", "usr/lib/firmware/c/real.bin", "usr/lib/firmware/d/v2.bin"),
                tree.stream().filter(e -> e.type() != Entry.Type.DIRECTORY && !e.path().equals("usr/lib/firmware/b")).map(Entry::path).toList());
        assertEquals(0700, tree.get("usr/lib/firmware/a").orElseThrow().mode(), "the directory as its package has it");
    }

    @Test
    void aListOfTheInventoryAddsToTheDefinitionsOwn() {
        FileSelection selection = FileSelection.of(
                new ImageDefinition.Selection(Optional.of(List.of(Glob.of("a"))), Optional.of("firmware"), List.of(), List.of()),
                Optional.of(List.of(Glob.of("b"))));

        assertEquals("[a, b]", selection.include().orElseThrow().toString());
    }

    @Test
    void linksInCirclesAreLeftAsTheyAre() throws IOException {
        List<Entry> loop = List.of(Entry.symlink("x", "y"), Entry.symlink("y", "x"), Entry.symlink("z", "nowhere/at/all"));

        FileTree tree = tree("description: x\nlayout: empty\ninclude: [x, z]\n", Arch.X86_64, List.of(loop));

        assertEquals(List.of("", "x", "y", "z"), tree.stream().map(Entry::path).toList());
    }

    @Test
    void theDefinitionsFilesWinAndModesAreByContent() throws IOException {
        Files.createDirectories(directory.resolve("files/sub"));
        Files.writeString(directory.resolve("files/sub/script"), "#!/bin/sh\n");
        Files.writeString(directory.resolve("files/data"), "data");
        if (Files.getFileStore(directory).supportsFileAttributeView("posix")) {
            Files.setPosixFilePermissions(directory.resolve("files/data"), PosixFilePermissions.fromString("rwxrwxrwx"));
        }

        FileTree tree = tree("description: x\nfiles: [{path: usr/lib, source: files}, {path: usr/lib/own, contents: y, uid: 3, mode: '0400'}]\n"
                + "directories: [{path: lib/sub, mode: '0700'}]\n", Arch.X86_64, List.of(List.of(file("usr/lib/data"))));

        assertEquals("data", new String(tree.get("usr/lib/data").orElseThrow().content().bytes(), StandardCharsets.UTF_8));
        assertEquals(0644, tree.get("usr/lib/data").orElseThrow().mode());
        assertEquals(0755, tree.get("usr/lib/sub/script").orElseThrow().mode());
        assertEquals(0400, tree.get("usr/lib/own").orElseThrow().mode());
        assertEquals(3, tree.get("usr/lib/own").orElseThrow().uid());
        assertEquals(0700, tree.get("usr/lib/sub").orElseThrow().mode(), "a directory is found through the layout's links");
    }

    @Test
    void linksAmongSourcesAreRefused() throws IOException {
        Files.createDirectories(directory.resolve("files"));
        Files.createSymbolicLink(directory.resolve("files/l"), Path.of("x"));

        HookException e = assertThrows(HookException.class, () -> tree("description: x\nfiles: [{path: a, source: files}]\n", Arch.X86_64, List.of()));

        assertTrue(e.getMessage().contains("links"), e.getMessage());
    }

    @Test
    void packagesThatContradictAreNamed() {
        HookException e = assertThrows(HookException.class, () -> tree("description: x\n", Arch.X86_64,
                List.of(List.of(file("usr/x")), List.of(Entry.directory("usr/x", 0755), file("usr/x/y")))));

        assertTrue(e.getMessage().contains("/usr/x"), e.getMessage());
        assertTrue(e.getMessage().startsWith("Image "), e.getMessage());
    }

    @Test
    void certificatesAreInTheOrderOfTheirNames() throws IOException {
        Entry bundle = CaBundle.of(List.of(
                Entry.file("usr/share/ca-certificates/mozilla/b.crt", 0644, Content.of("B")),
                Entry.file("usr/share/ca-certificates/mozilla/a.crt", 0644, Content.of("a\n")),
                Entry.file("usr/share/ca-certificates/mozilla/Z.crt", 0644, Content.of("Z\n")),
                file("usr/share/ca-certificates/README")));

        assertEquals("Z\na\nB\n", new String(bundle.content().bytes(), StandardCharsets.UTF_8));
        assertThrows(HookException.class, () -> CaBundle.of(List.of()));
    }

    @Test
    void theBundleIsThatOfUpdateCaCertificates() throws IOException {
        Path installed = Path.of("/etc/ssl/certs/ca-certificates.crt");
        Path sources = Path.of("/usr/share/ca-certificates");
        assumeTrue(Files.exists(installed) && Files.exists(sources), "ca-certificates is not installed here");
        List<Entry> entries = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(sources)) {
            for (Path path : walk.filter(Files::isRegularFile).toList()) {
                entries.add(Entry.file(path.toString().substring(1), 0644, Content.of(path)));
            }
        }
        assumeTrue(!Files.isDirectory(Path.of("/usr/local/share/ca-certificates"))
                || Files.list(Path.of("/usr/local/share/ca-certificates")).findAny().isEmpty(), "this machine has certificates of its own");

        assertEquals(Files.readString(installed), new String(CaBundle.of(entries).content().bytes(), StandardCharsets.UTF_8));
    }

    @Test
    void theSchemaNamesWhatIsLeftOutOfEveryImage() throws IOException {
        String schema = Files.readString(Path.of("../hook-containers/images/image.schema.json"));

        for (String pattern : FileSelection.NEVER_NEEDED) {
            assertTrue(schema.contains(pattern), pattern);
        }
    }

    private FileTree tree(String yaml, Arch arch, List<List<Entry>> packages) throws IOException {
        Files.writeString(directory.resolve(ImageDefinition.FILE), yaml);
        ImageDefinition definition = ImageDefinition.read(directory);
        return ImageTree.of(definition, arch, packages, FileSelection.of(definition.selection(), Optional.empty()), List.of());
    }

    private static Entry file(String path) {
        return Entry.file(path, 0644, Content.of(path));
    }
}
