package org.tinkerbell.hook.initramfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

/** GNU cpio and libarchive's cpio unpack what we write, hard links over several segments included. */
class CpioCommandsIT {
    @TempDir
    Path work;

    private static boolean isThere(String command) {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator)).anyMatch(dir -> Files.isExecutable(Path.of(dir, command)));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "gzip -dc ../out | cpio -idm --quiet --no-absolute-filenames",
        "gzip -dc ../out | bsdcpio -idm --quiet"
    })
    void unpacksIt(String script) throws IOException, InterruptedException {
        String command = script.contains("bsdcpio") ? "bsdcpio" : "cpio";
        assumeTrue(isThere(command), "no " + command + " command");
        int user = (Integer) Files.getAttribute(work, "unix:uid");
        int group = (Integer) Files.getAttribute(work, "unix:gid");
        List<Entry> tree = new ArrayList<>();
        byte[] megabyte = new byte[1 << 20];
        for (String directory : List.of("containers", "containers/a", "containers/a/b", "usr", "usr/lib", "etc")) {
            tree.add(Entry.directory(directory, 0755).withOwner(user, group));
        }
        for (int i = 0; i < 20; i++) {
            Arrays.fill(megabyte, (byte) i);
            Content content = Content.of(megabyte);
            tree.add(Entry.file("containers/a/b/file" + i, 0640, content).withOwner(user, group));
            tree.add(Entry.file("usr/lib/file" + i, 0640, content).withOwner(user, group));
        }
        tree.add(Entry.symlink("etc/link", "../usr/lib/file1").withOwner(user, group));
        tree.add(Entry.file("etc/empty", 0600, Content.of("")).withOwner(user, group));
        tree.add(Entry.file("etc/last", 0751, Content.of("last")).withOwner(user, group));
        Initramfs.Result result = new Initramfs(new Cache(work.resolve("cache")), Compression.parse("gzip-1"), 86400, Progress.SILENT)
                .write(tree, List.of(), work.resolve("out"));
        assertTrue(result.segments() > 1, "the links have to reach over segments");

        Path target = Files.createDirectory(work.resolve("unpacked"));
        Path log = work.resolve("log");
        Process process = new ProcessBuilder("sh", "-c", script).directory(target.toFile()).redirectErrorStream(true)
                .redirectOutput(log.toFile()).start();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals("", Files.readString(log));
        assertEquals(0, process.exitValue());
        for (Entry entry : tree) {
            Path file = target.resolve(entry.path());
            if (entry.type() == Entry.Type.SYMLINK) {
                assertEquals(entry.link(), Files.readSymbolicLink(file).toString());
            } else {
                int mode = (Integer) Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS) & 07777;
                assertEquals(entry.mode(), mode, entry.path() + " " + PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
            }
            if (entry.type() == Entry.Type.FILE) {
                assertEquals(entry.content().digest(), Digest.of(file), entry.path());
                assertEquals(86400, Files.getLastModifiedTime(file).to(TimeUnit.SECONDS), entry.path());
                assertEquals(entry.path().contains("/file") ? 2 : 1, Files.getAttribute(file, "unix:nlink"), entry.path());
            }
        }
        assertTrue(Files.isSameFile(target.resolve("usr/lib/file7"), target.resolve("containers/a/b/file7")));
    }
}
