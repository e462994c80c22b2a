package org.tinkerbell.hook.toolbox;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;

class ToolboxTest {
    @TempDir
    Path directory;

    @Test
    void keepsLinksInsideTheRoot() {
        assertEquals("../../etc/java/a", Toolbox.inside(Entry.symlink("usr/lib/a", "/etc/java/a")));
        assertEquals("../lib/ld.so", Toolbox.inside(Entry.symlink("lib64/ld.so", "../lib/ld.so")));
        assertEquals("../../etc/passwd", Toolbox.inside(Entry.symlink("usr/lib/a", "../../../../etc/passwd")));
        assertEquals("etc/passwd", Toolbox.inside(Entry.symlink("a", "../etc/passwd")));
        assertEquals(".", Toolbox.inside(Entry.symlink("a", "/")));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void writesWhatATreeHas() throws IOException {
        byte[] holes = new byte[300_000];
        holes[299_999] = 0;
        holes[140_000] = 7;
        Content content = Content.of(holes);
        FileTree tree = new FileTree();
        tree.put(Entry.file("usr/bin/a", 04755, content));
        tree.put(Entry.file("usr/bin/b", 04755, content));
        tree.put(Entry.file("usr/share/doc/a/README", 0644, Content.of("no")));
        tree.put(Entry.symlink("bin", "/usr/bin"));
        Path root = directory.resolve("root");
        Toolbox.write(tree, ToolSet.KMOD, root, amount -> {});
        assertArrayEquals(holes, Files.readAllBytes(root.resolve("bin/a")), "a file with holes, its end one of them");
        assertEquals(Files.getAttribute(root.resolve("usr/bin/a"), "unix:ino"), Files.getAttribute(root.resolve("usr/bin/b"), "unix:ino"));
        assertEquals(0755, (int) Files.getAttribute(root.resolve("usr/bin/a"), "unix:mode") & 07777, "nothing is set-uid");
        assertFalse(Files.exists(root.resolve("usr/share/doc")));
    }

    @Test
    void saysThatItNeedsLinux() {
        String os = System.getProperty("os.name");
        try {
            System.setProperty("os.name", "Mac OS X");
            Toolbox toolbox = new Toolbox(new Cache(directory), locks -> null, Progress.SILENT);
            String message = assertThrows(HookException.class, () -> toolbox.root(ToolSet.KMOD)).getMessage();
            assertTrue(message.contains("kmod") && message.contains("Mac OS X") && message.contains("Linux"), message);
        } finally {
            System.setProperty("os.name", os);
        }
    }

    @Test
    void quotesCommandLines() {
        Tool tool = new Tool("x", List.of("/bin/x y"), Path.of("/"), new TreeMap<>(Map.of("A", "b c")));
        assertEquals("A='b c' '/bin/x y' --a=b 'it'\\''s' ''", tool.commandLine(List.of("--a=b", "it's", "")));
    }
}
