package org.tinkerbell.hook.tree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.io.Digest;

class TarWriterTest {
    @TempDir
    Path directory;

    private static byte[] tar(Iterable<Entry> entries, long latest) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        TarWriter.write(entries, out, latest);
        return out.toByteArray();
    }

    private TarFile read(byte[] tar) throws IOException {
        return TarFile.index(new ByteArrayInputStream(tar), directory.resolve("x.tar"), "x");
    }

    @Test
    void whatIsWrittenIsReadBack() throws Exception {
        for (long seed = 0; seed < 60; seed++) {
            List<Entry> entries = random(new Random(seed));
            byte[] tar = tar(entries, Long.MAX_VALUE);
            List<Entry> shuffled = new ArrayList<>(entries);
            Collections.shuffle(shuffled, new Random(seed));
            assertArrayEquals(tar, tar(shuffled, Long.MAX_VALUE), "seed " + seed);
            List<Entry> back = read(tar).entries();
            assertEquals(entries.size(), back.size(), "seed " + seed);
            for (int i = 0; i < back.size(); i++) {
                same(entries.get(i), back.get(i), "seed " + seed);
                for (int j = 0; j < i; j++) {
                    boolean linked = entries.get(i).content() != null && entries.get(i).content() == entries.get(j).content();
                    assertEquals(linked, back.get(i).content() != null && back.get(i).content() == back.get(j).content(), "seed " + seed);
                }
            }
            assertArrayEquals(tar, tar(back, Long.MAX_VALUE), "seed " + seed);
        }
    }

    private static void same(Entry expected, Entry actual, String message) throws IOException {
        assertEquals(strip(expected), strip(actual), message);
        if (expected.content() != null) {
            assertEquals(expected.content().size(), actual.content().size(), message);
            assertArrayEquals(expected.content().bytes(), actual.content().bytes(), message);
            assertEquals(expected.content().digest(), actual.content().digest(), message);
        }
    }

    private static final Content NONE = Content.of("");

    private static Entry strip(Entry e) {
        return new Entry(e.path(), e.type(), e.mode(), e.uid(), e.gid(), e.mtime(), e.link(), e.major(), e.minor(), e.xattrs(),
                e.content() == null ? null : NONE);
    }

    private static List<Entry> random(Random random) {
        TreeMap<String, Entry> entries = new TreeMap<>();
        List<Entry> files = new ArrayList<>();
        entries.put("", Entry.directory("", 0755));
        for (int i = 0; i < 40; i++) {
            String path = name(random);
            int uid = random.nextInt(4) == 0 ? random.nextInt(Integer.MAX_VALUE) : random.nextInt(1000);
            long mtime = switch (random.nextInt(5)) {
                case 0 -> -random.nextInt(1_000_000);
                case 1 -> 0x3_0000_0000L + random.nextInt();
                default -> random.nextInt(Integer.MAX_VALUE);
            };
            Map<String, String> xattrs = new TreeMap<>();
            for (int n = random.nextInt(5) - 2; n > 0; n--) {
                byte[] value = new byte[random.nextInt(120)];
                random.nextBytes(value);
                xattrs.put(n == 1 ? "security.capability" : "user.ä" + n, new String(value, StandardCharsets.ISO_8859_1));
            }
            Entry entry = switch (random.nextInt(8)) {
                case 0 -> Entry.directory(path, random.nextInt(010000));
                case 1 -> Entry.symlink(path, (random.nextBoolean() ? "/" : "../") + name(random));
                case 2 -> device(path, Entry.Type.CHARACTER_DEVICE, random);
                case 3 -> device(path, Entry.Type.BLOCK_DEVICE, random);
                case 4 -> device(path, Entry.Type.FIFO, null);
                case 5 -> files.isEmpty() ? Entry.directory(path, 0) : files.get(random.nextInt(files.size())).withPath(path);
                default -> {
                    byte[] bytes = new byte[random.nextInt(4) == 0 ? random.nextInt(3) * 512 : random.nextInt(70_000)];
                    random.nextBytes(bytes);
                    Entry file = Entry.file(path, random.nextInt(010000), Content.of(bytes)).withOwner(uid, 7).withMtime(mtime).withXattrs(xattrs);
                    files.add(file);
                    yield file;
                }
            };
            if (entry.type() != Entry.Type.FILE) {
                entry = entry.withOwner(uid, random.nextInt(100_000_000)).withMtime(mtime).withXattrs(xattrs);
            }
            entries.put(path, entry);
        }
        return List.copyOf(entries.values());
    }

    private static Entry device(String path, Entry.Type type, Random random) {
        return new Entry(path, type, 0600, 0, 0, 0, "", random == null ? 0 : random.nextInt(4096), random == null ? 0 : random.nextInt(1 << 20),
                Collections.emptySortedMap(), null);
    }

    private static String name(Random random) {
        StringBuilder name = new StringBuilder();
        // Unique first names, so that no file ends up as another's directory.
        name.append(Long.toString(random.nextLong() >>> 1, 36));
        for (int parts = random.nextInt(6); parts > 0; parts--) {
            name.append('/');
            for (int n = 1 + random.nextInt(random.nextInt(8) == 0 ? 120 : 30); n > 0; n--) {
                name.append(random.nextInt(60) == 0 ? "é漢 \n𝄞=".charAt(random.nextInt(4)) : (char) ('a' + random.nextInt(26)));
            }
        }
        return name.toString();
    }

    @Test
    void timesAreClampedAndNothingElseChanges() throws Exception {
        List<Entry> entries = List.of(Entry.file("a", 0644, Content.of("x")).withMtime(50), Entry.directory("d", 0755).withMtime(500));
        assertArrayEquals(tar(List.of(entries.get(0), entries.get(1).withMtime(100)), 100), tar(entries, 100));
    }

    @Test
    void aPlainTreeNeedsNoExtendedHeaders() throws Exception {
        byte[] tar = tar(List.of(Entry.directory("", 0755), Entry.directory("a".repeat(90), 0755),
                Entry.file("a".repeat(90) + "/" + "b".repeat(99), 0644, Content.of("x"))), 0);
        assertEquals(512 * 6, tar.length);
        read(tar);
    }

    @Test
    void entriesThatShareContentButNotTheRestAreTwoFiles() throws Exception {
        Content shared = Content.of("shared");
        List<Entry> back = read(tar(List.of(Entry.file("a", 0644, shared), Entry.file("b", 0600, shared), Entry.file("c", 0644, shared)), 0)).entries();
        assertEquals(0600, back.get(1).mode());
        assertSame(back.get(0).content(), back.get(2).content());
    }

    @Test
    void aFileThatChangesUnderwayIsAnError() throws Exception {
        Path file = Files.writeString(directory.resolve("f"), "12345");
        Content content = Content.of(file);
        Files.writeString(file, "1234");
        assertThrows(IOException.class, () -> tar(List.of(Entry.file("f", 0644, content)), 0));
        Files.writeString(file, "123456");
        assertThrows(IOException.class, () -> tar(List.of(Entry.file("f", 0644, content)), 0));
    }

    @Test
    void theBytesAreTheSameForever() throws Exception {
        Entry ping = Entry.file("bin/ping", 04755, Content.of("elf")).withXattrs(Map.of("security.capability", "\u0001\u0080\u00ff"));
        byte[] tar = tar(List.of(ping, Entry.symlink("bin/p", "ping"), Entry.directory("bin", 0755)), 0);
        assertEquals("2c98cd27ed7b92f3", Digest.of(tar).abbreviated(16));
    }

    @Test
    void gnuTarReadsIt() throws Exception {
        List<Entry> entries = List.of(Entry.directory("d".repeat(140), 0750).withOwner(12, 3_000_000),
                Entry.file("d".repeat(140) + "/" + "é".repeat(80), 0640, Content.of("content")).withMtime(86_400),
                new Entry("null", Entry.Type.CHARACTER_DEVICE, 0666, 0, 0, 0, "", 1, 3, Collections.emptySortedMap(), null));
        Path file = Files.write(directory.resolve("w.tar"), tar(entries, 86_400));
        ProcessBuilder builder = new ProcessBuilder("tar", "--numeric-owner", "--full-time", "--utc", "-tvf", file.toString());
        builder.environment().put("LC_ALL", "C.UTF-8");
        Process process = builder.redirectErrorStream(true).start();
        String said;
        try (InputStream in = process.getInputStream()) {
            said = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        assertEquals(0, process.waitFor(), said);
        assertEquals(List.of("drwxr-x--- 12/3000000 0 1970-01-01 00:00:00 " + "d".repeat(140) + "/",
                "-rw-r----- 0/0 7 1970-01-02 00:00:00 " + "d".repeat(140) + "/" + "é".repeat(80),
                "crw-rw-rw- 0/0 1,3 1970-01-01 00:00:00 null"),
                said.lines().map(l -> l.replaceAll("\\s+", " ")).toList());
    }
}
