package org.tinkerbell.hook.tree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;

class TarFileTest {
    @TempDir
    Path directory;

    /** A tar made member by member. */
    private static final class Made {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, "UTF-8");

        Made() {
            tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
        }

        Made member(String name, byte type, String link, String text) throws IOException {
            byte[] data = text.getBytes(StandardCharsets.UTF_8);
            TarArchiveEntry entry = new TarArchiveEntry(name, type, true);
            entry.setLinkName(link);
            entry.setSize(data.length);
            entry.setModTime(1_000L);
            tar.putArchiveEntry(entry);
            tar.write(data);
            tar.closeArchiveEntry();
            return this;
        }

        Made file(String name, String text) throws IOException {
            return member(name, TarConstants.LF_NORMAL, "", text);
        }

        Made symlink(String name, String target) throws IOException {
            return member(name, TarConstants.LF_SYMLINK, target, "");
        }

        Made hardLink(String name, String target) throws IOException {
            return member(name, TarConstants.LF_LINK, target, "");
        }

        Made directory(String name) throws IOException {
            return member(name, TarConstants.LF_DIR, "", "");
        }

        byte[] bytes() throws IOException {
            tar.finish();
            return bytes.toByteArray();
        }
    }

    private TarFile index(byte[] tar) throws IOException {
        return TarFile.index(new ByteArrayInputStream(tar), directory.resolve("x.tar"), "the archive x");
    }

    private static Map<String, Entry> byPath(TarFile tar) {
        return tar.entries().stream().collect(Collectors.toMap(Entry::path, e -> e));
    }

    private static String text(Content content) throws IOException {
        return new String(content.bytes(), StandardCharsets.UTF_8);
    }

    @Test
    void everyKindOfMemberIsReadAndReadAgainFromTheIndex() throws Exception {
        byte[] tar = new Made().directory("./").directory("./etc/").file("./etc/motd", "welcome\n").hardLink("./etc/issue", "./etc/motd")
                .symlink("etc/alternative", "/usr/lib/x").file("a/" + "long/".repeat(60) + "name", "deep").file("empty", "")
                .file("ünï", "ö").bytes();
        TarFile made = index(tar);
        assertArrayEquals(tar, Files.readAllBytes(directory.resolve("x.tar")));
        assertEquals(Digest.of(tar), made.digest());
        TarFile opened = TarFile.open(directory.resolve("x.tar"), "x");
        assertEquals(made.entries(), opened.entries());
        assertEquals(made.digest(), opened.digest());
        Map<String, Entry> entries = byPath(opened);
        assertEquals(List.of("", "etc", "etc/motd", "etc/issue", "etc/alternative", "a/" + "long/".repeat(60) + "name", "empty", "ünï"),
                opened.entries().stream().map(Entry::path).toList());
        assertSame(entries.get("etc/motd").content(), entries.get("etc/issue").content());
        assertEquals("welcome\n", text(entries.get("etc/issue").content()));
        assertEquals(Digest.of("welcome\n"), entries.get("etc/motd").content().digest());
        assertEquals("/usr/lib/x", entries.get("etc/alternative").link());
        assertEquals("", text(entries.get("empty").content()));
        assertEquals("ö", text(entries.get("ünï").content()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ustar", "gnu", "posix", "v7"})
    void whatGnuTarWritesIsRead(String format) throws Exception {
        Path root = Files.createDirectories(directory.resolve("root"));
        boolean narrow = format.equals("v7") || format.equals("ustar");
        String name = format.equals("v7") ? "short" : narrow ? "d".repeat(60) + "/" + "n".repeat(30) : "d".repeat(90) + "/" + "n".repeat(95);
        Files.createDirectories(root.resolve(name).getParent());
        Files.writeString(root.resolve(name), "content");
        Files.createLink(root.resolve("hard"), root.resolve(name));
        Files.createSymbolicLink(root.resolve("soft"), Path.of("t".repeat(narrow ? 99 : 200)));
        Path tar = directory.resolve("gnu.tar");
        Process process = new ProcessBuilder("tar", "--format=" + format, "--owner=12", "--group=34", "--numeric-owner", "--mtime=@77",
                "--sort=name", "-C", root.toString(), "-cf", tar.toString(), ".").redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        Map<String, Entry> entries;
        try (InputStream in = Files.newInputStream(tar)) {
            entries = byPath(TarFile.index(in, directory.resolve("x.tar"), "x"));
        }
        assertEquals("content", text(entries.get(name).content()));
        assertSame(entries.get(name).content(), entries.get("hard").content());
        assertEquals(Files.readSymbolicLink(root.resolve("soft")).toString(), entries.get("soft").link());
        assertEquals(12, entries.get(name).uid());
        assertEquals(34, entries.get(name).gid());
        assertEquals(77, entries.get(name).mtime());
    }

    @Test
    void binaryAttributesAndWideNumbersComeThrough() throws Exception {
        byte[] capability = {1, 0, 0, 2, 0, (byte) 0xc2, 0, 0, 0, 0, 0, 0, (byte) 0x80, (byte) 0xff, '\n', '='};
        ByteArrayOutputStream pax = new ByteArrayOutputStream();
        pax.write(record("SCHILY.xattr.security.capability", capability));
        pax.write(record("uid", "3000000".getBytes(StandardCharsets.US_ASCII)));
        pax.write(record("mtime", "1234567.987".getBytes(StandardCharsets.US_ASCII)));
        byte[] tar = withPax(pax.toByteArray(), new Made().file("bin/ping", "elf").bytes());
        Entry ping = index(tar).entries().get(0);
        assertArrayEquals(capability, ping.xattrs().get("security.capability").getBytes(StandardCharsets.ISO_8859_1));
        assertEquals(3_000_000, ping.uid());
        assertEquals(1_234_567, ping.mtime());
        assertEquals(ping, TarFile.open(directory.resolve("x.tar"), "x").entries().get(0));
    }

    private static byte[] record(String key, byte[] value) {
        byte[] name = key.getBytes(StandardCharsets.UTF_8);
        int length = name.length + value.length + 3;
        length += String.valueOf(length + String.valueOf(length).length()).length();
        byte[] head = (length + " ").getBytes(StandardCharsets.US_ASCII);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(head);
        out.writeBytes(name);
        out.write('=');
        out.writeBytes(value);
        out.write('\n');
        assertEquals(length, out.size());
        return out.toByteArray();
    }

    private static byte[] withPax(byte[] records, byte[] tar) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        TarArchiveOutputStream out = new TarArchiveOutputStream(bytes);
        TarArchiveEntry header = new TarArchiveEntry("PaxHeader", TarConstants.LF_PAX_EXTENDED_HEADER_LC);
        header.setSize(records.length);
        out.putArchiveEntry(header);
        out.write(records);
        out.closeArchiveEntry();
        out.flush();
        int length = 512 + (records.length + 511) / 512 * 512;
        ByteArrayOutputStream result = new ByteArrayOutputStream();
        out.finish();
        result.write(bytes.toByteArray(), 0, length);
        result.writeBytes(tar);
        return result.toByteArray();
    }

    @ParameterizedTest
    @CsvSource({"/etc/passwd,absolute", "../etc/passwd,'..'", "a/../../b,'..'", "a/..,'..'"})
    void namesThatLeaveTheRootAreRefused(String name, String why) throws Exception {
        byte[] tar = new Made().file(name, "evil").bytes();
        HookException refused = assertThrows(HookException.class, () -> index(tar));
        assertTrue(refused.getMessage().startsWith("the archive x: refused the member " + name), refused.getMessage());
        assertTrue(refused.getMessage().contains(why), refused.getMessage());
        assertEquals(List.of(), files());
    }

    @Test
    void anAbsoluteNameInAnExtendedHeaderIsRefusedToo() throws Exception {
        byte[] tar = withPax(record("path", "/etc/shadow".getBytes(StandardCharsets.UTF_8)), new Made().file("x", "evil").bytes());
        assertTrue(assertThrows(HookException.class, () -> index(tar)).getMessage().contains("absolute"));
        byte[] nul = withPax(record("path", "a\0b".getBytes(StandardCharsets.UTF_8)), new Made().file("x", "evil").bytes());
        assertTrue(assertThrows(HookException.class, () -> index(nul)).getMessage().contains("NUL"));
        byte[] latin = withPax(record("path", new byte[] {'a', (byte) 0xe4}), new Made().file("x", "evil").bytes());
        assertTrue(assertThrows(HookException.class, () -> index(latin)).getMessage().contains("UTF-8"));
    }

    @Test
    void aLongGnuNameThatIsAbsoluteIsRefused() throws Exception {
        Made made = new Made();
        made.tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
        byte[] tar = made.file("/etc/" + "x".repeat(200), "evil").bytes();
        assertTrue(assertThrows(HookException.class, () -> index(tar)).getMessage().contains("absolute"));
    }

    @Test
    void aMemberThroughALinkOfTheSameArchiveIsRefused() throws Exception {
        byte[] through = new Made().symlink("etc", "/").file("etc/passwd", "evil").bytes();
        assertTrue(assertThrows(HookException.class, () -> index(through)).getMessage().contains("symbolic link of the same archive"));
        byte[] file = new Made().file("etc", "").file("etc/passwd", "evil").bytes();
        assertTrue(assertThrows(HookException.class, () -> index(file)).getMessage().contains("no directory"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"missing", "../outside", "/etc/shadow", "directory"})
    void hardLinksToAnythingButAnEarlierMemberAreRefused(String target) throws Exception {
        byte[] tar = new Made().directory("directory/").hardLink("x", target).bytes();
        HookException refused = assertThrows(HookException.class, () -> index(tar));
        assertTrue(refused.getMessage().contains("refused the member x: it is a hard link to"), refused.getMessage());
    }

    @Test
    void ofMembersWithOnePathTheLastCounts() throws Exception {
        TarFile tar = index(new Made().file("a", "1").hardLink("b", "a").file("a", "2").bytes());
        assertEquals(List.of("b", "a"), tar.entries().stream().map(Entry::path).toList());
        assertEquals("1", text(tar.entries().get(0).content()));
        assertEquals("2", text(tar.entries().get(1).content()));
    }

    @Test
    void aCutArchiveIsRefusedWhereverItIsCut() throws Exception {
        byte[] tar = new Made().file("first", "x".repeat(3000)).file("second", "y".repeat(3000)).bytes();
        for (int length : new int[] {100, 513, 2000, 3600, 4100, 4700, 6000}) {
            HookException refused = assertThrows(HookException.class, () -> index(Arrays.copyOf(tar, length)), () -> "cut at " + length);
            assertTrue(refused.getMessage().startsWith("the archive x: not a sound tar archive"), refused.getMessage());
            assertEquals(List.of(), files());
        }
        byte[] garbage = new byte[4096];
        Arrays.fill(garbage, (byte) 'z');
        assertThrows(HookException.class, () -> index(garbage));
    }

    @Test
    void aBrokenStreamIsNotTheArchivesFault() throws Exception {
        byte[] tar = new Made().file("first", "x".repeat(3000)).bytes();
        InputStream broken = new InputStream() {
            private int at;

            @Override
            public int read() throws IOException {
                if (at == 1000) {
                    throw new IOException("the line was cut");
                }
                return tar[at++] & 0xff;
            }
        };
        IOException e = assertThrows(IOException.class, () -> TarFile.index(broken, directory.resolve("x.tar"), "x"));
        assertEquals("the line was cut", e.getMessage());
        assertEquals(List.of(), files());
    }

    @Test
    void aDamagedIndexIsMadeAnew() throws Exception {
        TarFile made = index(new Made().file("first", "x".repeat(3000)).symlink("s", "t").bytes());
        Path index = directory.resolve("x.tar" + TarFile.INDEX);
        byte[] whole = Files.readAllBytes(index);
        List<byte[]> damaged = new ArrayList<>();
        for (int length = 0; length < whole.length; length += 7) {
            damaged.add(Arrays.copyOf(whole, length));
        }
        for (int at = 0; at < whole.length; at += 5) {
            byte[] bytes = whole.clone();
            bytes[at] ^= 1;
            damaged.add(bytes);
        }
        for (byte[] bytes : damaged) {
            Files.write(index, bytes);
            assertEquals(made.entries(), TarFile.open(made.path(), "x").entries());
            assertArrayEquals(whole, Files.readAllBytes(index));
        }
        Files.delete(index);
        assertEquals(made.entries(), TarFile.open(made.path(), "x").entries());
    }

    @Test
    void anArchiveOfAnotherSizeIsNotBelievedAndACutOneSaysSo() throws Exception {
        TarFile made = index(new Made().file("first", "x".repeat(30_000)).bytes());
        byte[] bytes = Files.readAllBytes(made.path());
        Files.write(made.path(), Arrays.copyOf(bytes, 20_000));
        assertThrows(HookException.class, () -> TarFile.open(made.path(), "x"));
        assertThrows(EOFException.class, () -> made.entries().get(0).content().bytes());
        try (InputStream in = made.entries().get(0).content().open()) {
            assertThrows(EOFException.class, in::readAllBytes);
        }
    }

    @Test
    void manyAtOnceMakeACachedArchiveOnce() throws Exception {
        byte[] tar = new Made().file("a", "1").bytes();
        Cache cache = new Cache(directory.resolve("cache"));
        AtomicInteger opened = new AtomicInteger();
        var pool = Executors.newFixedThreadPool(8);
        List<Future<TarFile>> results = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            results.add(pool.submit(() -> TarFile.cached(cache, "tar/x.tar", "x", () -> {
                opened.incrementAndGet();
                return new ByteArrayInputStream(tar);
            })));
        }
        for (Future<TarFile> result : results) {
            assertEquals(1, result.get().entries().size());
        }
        pool.shutdown();
        assertEquals(1, opened.get());
    }

    @Test
    void aSparseFileIsRefused() throws Exception {
        Path sparse = directory.resolve("sparse");
        try (var channel = java.nio.channels.FileChannel.open(sparse, java.nio.file.StandardOpenOption.CREATE,
                java.nio.file.StandardOpenOption.WRITE)) {
            channel.position(1 << 20);
            channel.write(java.nio.ByteBuffer.wrap(new byte[] {1}));
        }
        for (String format : List.of("gnu", "posix")) {
            Path tar = directory.resolve(format + ".tar");
            Process process = new ProcessBuilder("tar", "--format=" + format, "--sparse", "-C", directory.toString(), "-cf", tar.toString(),
                    "sparse").inheritIO().start();
            assertEquals(0, process.waitFor());
            try (InputStream in = Files.newInputStream(tar)) {
                HookException refused = assertThrows(HookException.class,
                        () -> TarFile.index(in, directory.resolve("x.tar"), "the archive x"));
                assertTrue(refused.getMessage().contains("sparse"), refused.getMessage());
            }
        }
        assertFalse(Files.exists(directory.resolve("x.tar")));
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(f -> f.getFileName().toString()).toList();
        }
    }
}
