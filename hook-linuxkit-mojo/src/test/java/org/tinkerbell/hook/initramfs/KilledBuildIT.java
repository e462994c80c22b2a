package org.tinkerbell.hook.initramfs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

/** A process that writes an initramfs is killed in the middle, and two write the same one at once. */
class KilledBuildIT {
    private static final int FILES = 24;
    private static final int FILE_SIZE = 4 << 20;

    @TempDir
    Path work;

    /** Runs in a process of its own. */
    static final class Build {
        private Build() {}

        public static void main(String[] arguments) throws IOException {
            new Initramfs(new Cache(Path.of(arguments[0])), Compression.parse("gzip-6"), 0, Progress.SILENT)
                    .write(tree(), List.of(), Path.of(arguments[1]));
        }
    }

    private record Noise(long seed, Digest digest) implements Content {
        @Override
        public long size() {
            return FILE_SIZE;
        }

        @Override
        public InputStream open() {
            byte[] bytes = new byte[FILE_SIZE];
            new Random(seed).nextBytes(bytes);
            return new ByteArrayInputStream(bytes);
        }
    }

    private static List<Entry> tree() throws IOException {
        List<Entry> tree = new ArrayList<>();
        for (int i = 0; i < FILES; i++) {
            Digest digest = Digest.of(new Noise(i, Digest.of("")).open());
            tree.add(Entry.file("usr/lib/file" + (char) ('a' + i), 0644, new Noise(i, digest)));
        }
        return tree;
    }

    private Process start(Path cache, Path target) throws IOException {
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx128m", "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")), Build.class.getName(), cache.toString(),
                target.toString()).redirectErrorStream(true).redirectOutput(work.resolve("log").toFile()).start();
    }

    private List<String> segments(Path cache) throws IOException {
        Path directory = cache.resolve("initramfs/gzip-6");
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).filter(name -> !name.endsWith(".part")).sorted().toList();
        }
    }

    @Test
    void theNextBuildIsWhole() throws Exception {
        Path cache = work.resolve("cache");
        Path target = work.resolve("out/initramfs");
        Process process = start(cache, target);
        for (int i = 0; i < 600 && segments(cache).isEmpty() && process.isAlive(); i++) {
            Thread.sleep(50);
        }
        process.destroyForcibly();
        assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        List<String> before = segments(cache);
        assertNotEquals(List.of(), before, Files.readString(work.resolve("log")));
        assertNotEquals(0, process.exitValue(), "it was killed too late to tell anything");
        assertFalse(Files.exists(target), "half a result has no final name");

        Build.main(new String[] {cache.toString(), target.toString()});
        Build.main(new String[] {work.resolve("cache2").toString(), work.resolve("fresh").toString()});
        assertArrayEquals(Files.readAllBytes(work.resolve("fresh")), Files.readAllBytes(target));
        assertTrue(segments(cache).containsAll(before), "what was finished is used");
    }

    @Test
    void twoAtOnceShareTheWork() throws Exception {
        Path cache = work.resolve("cache");
        Process first = start(cache, work.resolve("one"));
        Process second = start(cache, work.resolve("two"));
        assertTrue(first.waitFor(300, TimeUnit.SECONDS) && second.waitFor(300, TimeUnit.SECONDS));
        assertEquals("", Files.readString(work.resolve("log")));
        assertEquals(0, first.exitValue() + second.exitValue());
        assertArrayEquals(Files.readAllBytes(work.resolve("one")), Files.readAllBytes(work.resolve("two")));
    }
}
