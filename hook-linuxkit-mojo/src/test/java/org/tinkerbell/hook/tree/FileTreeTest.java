package org.tinkerbell.hook.tree;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.FileTree.Clash;

class FileTreeTest {
    private final FileTree tree = new FileTree();

    private static Entry file(String path) {
        return Entry.file(path, 0644, Content.of(path));
    }

    private List<String> paths() {
        return tree.stream().map(Entry::path).toList();
    }

    @Test
    void parentsAreMadeAndLaterDescribed() {
        tree.put(file("usr/share/doc/x"));
        assertEquals(List.of("usr", "usr/share", "usr/share/doc", "usr/share/doc/x"), paths());
        assertEquals(0755, tree.get("usr").orElseThrow().mode());
        tree.put(Entry.directory("usr/share", 0700));
        assertEquals(0700, tree.get("usr/share").orElseThrow().mode());
        assertEquals(4, tree.size());
    }

    @Test
    void aPathThroughALinkedDirectoryEndsWhereTheLinkPoints() {
        tree.put(Entry.symlink("lib", "usr/lib"));
        assertEquals("usr/lib/x/y.so", tree.put(file("lib/x/y.so")).path());
        tree.put(Entry.symlink("abs", "/usr/../usr/./lib/"));
        assertEquals("usr/lib/z", tree.put(file("abs/z")).path());
        assertEquals("usr/lib/z", tree.resolve("abs/z").orElseThrow().path());
        assertEquals(List.of("abs", "lib", "usr", "usr/lib", "usr/lib/x", "usr/lib/x/y.so", "usr/lib/z"), paths());
    }

    @Test
    void linksNeverLeadOutOfTheRoot() {
        tree.put(Entry.symlink("a/out", "../../../../etc"));
        assertEquals("etc/passwd", tree.put(file("a/out/passwd")).path());
        tree.put(Entry.symlink("top", ".."));
        assertEquals("x", tree.put(file("top/top/x")).path());
    }

    @Test
    void linksInCirclesAreAnError() {
        tree.put(Entry.symlink("a", "b"));
        tree.put(Entry.symlink("b", "a"));
        HookException e = assertThrows(HookException.class, () -> tree.put(file("a/x")));
        assertTrue(e.getMessage().startsWith("/a/x: too many symbolic links"), e.getMessage());
        assertThrows(HookException.class, () -> tree.resolve("b/x"));
    }

    @Test
    void aFileIsNoParent() {
        tree.put(file("a"));
        HookException e = assertThrows(HookException.class, () -> tree.put(file("a/b")));
        assertEquals("/a/b cannot be: /a is a file", e.getMessage());
        assertEquals(List.of("a"), paths());
    }

    @Test
    void packagesDoNotTurnDirectoriesIntoSomethingElse() {
        tree.put(file("etc/x"), Clash.REFUSE);
        HookException e = assertThrows(HookException.class, () -> tree.put(Entry.symlink("etc", "usr/etc"), Clash.REFUSE));
        assertEquals("/etc is a directory and would become a symbolic link to usr/etc", e.getMessage());
        tree.put(file("f"), Clash.REFUSE);
        assertThrows(HookException.class, () -> tree.put(Entry.directory("f", 0755), Clash.REFUSE));
        tree.remove("etc/x");
        // Nobody put it, and nothing is in it any more.
        tree.put(Entry.symlink("etc", "usr/etc"), Clash.REFUSE);
        tree.put(Entry.directory("usr/etc", 0755));
        tree.put(Entry.directory("etc", 0700), Clash.REFUSE);
        assertEquals(Entry.Type.SYMLINK, tree.get("etc").orElseThrow().type());
    }

    @Test
    void layersReplaceWhateverIsThere() {
        tree.put(file("etc/x/y"));
        tree.put(file("etc-not/x"));
        tree.put(file("etc"));
        assertEquals(List.of("etc", "etc-not", "etc-not/x"), paths());
        tree.put(Entry.symlink("l", "etc-not"));
        tree.put(Entry.directory("l", 0755));
        assertEquals(Entry.Type.DIRECTORY, tree.get("l").orElseThrow().type());
        assertEquals("l/x", tree.put(file("l/x")).path());
    }

    @Test
    void removalTakesWhatIsBelow() {
        tree.put(file("usr/share/doc/a/copyright"));
        tree.put(file("usr/share/doc/b/changelog.gz"));
        tree.put(file("usr/share/doc.txt"));
        FileTree copy = tree.copy();
        assertEquals(1, tree.remove(Glob.of("**/changelog*")));
        assertEquals(4, tree.remove(Glob.of("usr/share/doc")));
        assertEquals(List.of("usr", "usr/share", "usr/share/doc.txt"), paths());
        assertEquals(8, copy.size());
        assertEquals(List.of("usr/share/doc", "usr/share/doc.txt"), copy.children("usr/share").stream().map(Entry::path).toList());
        assertEquals(List.of("usr"), copy.children("").stream().map(Entry::path).toList());
        copy.clear("usr/share/doc");
        assertEquals(List.of("usr/share/doc", "usr/share/doc.txt"), copy.below("usr/share").stream().map(Entry::path).toList());
        assertFalse(copy.remove("nothing"));
        assertTrue(copy.remove(""));
        assertEquals(0, copy.size());
    }

    @Test
    void aTreeCanBePutBelowAnother() {
        tree.putAll(List.of(Entry.directory("", 0700), file("bin/sh")), "containers/x", Clash.REFUSE);
        assertEquals(List.of("containers", "containers/x", "containers/x/bin", "containers/x/bin/sh"), paths());
        assertEquals(0700, tree.get("containers/x").orElseThrow().mode());
    }

    @Test
    void theRootIsADirectory() {
        tree.put(Entry.directory("", 01777));
        assertEquals(01777, tree.get("").orElseThrow().mode());
        assertEquals("", tree.resolve("/").orElseThrow().path());
        assertThrows(HookException.class, () -> tree.put(Entry.symlink("", "x")));
    }
}
