package org.tinkerbell.hook.initramfs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.ZstdInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TimeZone;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tukaani.xz.XZInputStream;

class InitramfsTest {
    @TempDir
    Path work;

    /** Bytes that do not compress, made when they are read. */
    private record Noise(long seed, long size, Digest digest) implements Content {
        static Noise of(long seed, long size) throws IOException {
            return new Noise(seed, size, Digest.of(stream(seed, size)));
        }

        private static InputStream stream(long seed, long size) {
            byte[] bytes = new byte[(int) size];
            new Random(seed).nextBytes(bytes);
            return new ByteArrayInputStream(bytes);
        }

        @Override
        public InputStream open() {
            return stream(seed, size);
        }
    }

    private Initramfs.Result write(List<Entry> tree, String compression, String cache, String target) throws IOException {
        return new Initramfs(new Cache(work.resolve(cache)), Compression.parse(compression), 0, Progress.SILENT)
                .write(tree, List.of(), work.resolve(target));
    }

    private static InputStream unpacked(Path file, String compression) throws IOException {
        InputStream in = Files.newInputStream(file);
        return switch (compression.replaceAll("-.*", "")) {
            case "zstd" -> new ZstdInputStream(in);
            case "gzip" -> new GZIPInputStream(in);
            case "xz" -> new XZInputStream(in);
            default -> in;
        };
    }

    private Map<String, CpioArchiveEntry> headers(Path file) throws IOException {
        Map<String, CpioArchiveEntry> headers = new TreeMap<>();
        try (CpioArchiveInputStream in = new CpioArchiveInputStream(Files.newInputStream(file), 512, "UTF-8")) {
            for (CpioArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                headers.put(entry.getName(), entry);
            }
        }
        return headers;
    }

    private static List<Entry> small() {
        return List.of(
                Entry.directory("", 0755),
                Entry.directory("dev", 0755),
                new Entry("dev/console", Entry.Type.CHARACTER_DEVICE, 0600, 0, 5, 12345, "", 5, 1, Collections.emptySortedMap(), null),
                Entry.symlink("init", "bin/ä"),
                Entry.directory("bin", 0711),
                Entry.file("bin/ä", 04755, Content.of("#!/bin/sh\n")).withOwner(70000, 80000).withMtime(99),
                Entry.file("bin/empty", 0600, Content.of("")));
    }

    /** Forty-eight files just too small to be large ones, in three containers and the modules, and two that are large. */
    private static List<Entry> large() throws IOException {
        List<Entry> tree = new ArrayList<>();
        for (int i = 0; i < 48; i++) {
            String directory = i % 4 == 3 ? "lib/modules/6.1" : "containers/services/" + (char) ('a' + i % 4) + "/lower";
            tree.add(Entry.file(directory + "/file" + i, 0644, Noise.of(i, 1_000_000 + i)));
        }
        tree.add(Entry.file("containers/services/a/lower/large", 0644, Noise.of(48, 2_000_000)));
        tree.add(Entry.file("usr/bin/large", 0644, Noise.of(49, 2_000_000)));
        return tree;
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "zstd", "zstd-1", "zstd-19", "gzip", "gzip-1", "xz", "xz-0"})
    void isTheArchiveOfTheTree(String compression) throws IOException {
        write(small(), compression, "cache", "out");
        try (InputStream in = unpacked(work.resolve("out"), compression)) {
            assertEquals("""
                    / d 0755 0:0\s
                    /bin d 0711 0:0\s
                    /bin/empty f 0600 0:0 0 e3b0c44298fc1c14
                    /bin/ä f 4755 70000:80000 10 5a33f03a3d52306e
                    /dev d 0755 0:0\s
                    /dev/console c 0600 0:5 5,1
                    /init l 0777 0:0 bin/ä
                    """.replace("5a33f03a3d52306e", Digest.of("#!/bin/sh\n").abbreviated(16)), Listing.ofCpio(in).text());
        }
    }

    @Test
    void followsTheFormatToTheByte() throws IOException {
        write(List.of(Entry.file("a", 0640, Content.of("text\n")).withOwner(1, 2)), "none", "cache", "out");
        String archive = Files.readString(work.resolve("out"), StandardCharsets.ISO_8859_1);
        // Magic, inode, mode, uid, gid, links, time, size, device (2), device of a node (2), length of the name, checksum.
        assertTrue(archive.matches("(?s)070701[0-9A-F]{8}000081A00000000100000002000000010000000000000005[0-9A-F]{16}0000000000000000"
                + "0000000200000000a\0text\n\0{3}070701.*TRAILER!!!\0+"), archive);
        assertEquals(0, archive.length() % 4);
    }

    @Test
    void givesTheTimeThatItIsTold() throws IOException {
        new Initramfs(new Cache(work.resolve("cache")), Compression.parse("none"), 1_700_000_000L, Progress.SILENT)
                .write(small(), List.of(), work.resolve("out"));
        headers(work.resolve("out")).forEach((name, header) -> assertEquals(1_700_000_000L, header.getTime(), name));
    }

    @Test
    void putsMicrocodeFirst() throws IOException {
        new Initramfs(new Cache(work.resolve("cache")), Compression.parse("gzip"), 0, Progress.SILENT)
                .write(small(), List.of(Content.of("MICROCODE")), work.resolve("out"));
        assertTrue(Files.readString(work.resolve("out"), StandardCharsets.ISO_8859_1).startsWith("MICROCODE\u001f\u008b"));
    }

    @Test
    void linksWhatIsTheSameWhereNothingIsWrittenInPlace() throws IOException {
        List<Entry> tree = new ArrayList<>();
        for (String path : List.of("containers/onboot/000-a/rootfs/etc/x", "containers/services/b/lower/etc/x", "usr/lib/x", "etc/x", "etc/y")) {
            tree.add(Entry.file(path, 0644, Content.of("the same")));
        }
        tree.add(Entry.file("usr/lib/mode", 0600, Content.of("the same")));
        tree.add(Entry.file("usr/lib/owner", 0644, Content.of("the same")).withOwner(1, 0));
        tree.add(Entry.file("usr/lib/xattr", 0644, Content.of("the same")).withXattrs(Map.of("security.capability", "x")));
        tree.add(Entry.file("usr/empty1", 0644, Content.of("")));
        tree.add(Entry.file("usr/empty2", 0644, Content.of("")));
        Initramfs.Result result = write(tree, "none", "cache", "out");
        Map<String, CpioArchiveEntry> headers = headers(work.resolve("out"));
        assertEquals(3, headers.get("usr/lib/x").getNumberOfLinks());
        assertEquals(headers.get("usr/lib/x").getInode(), headers.get("containers/services/b/lower/etc/x").getInode());
        assertEquals(8, headers.get("containers/onboot/000-a/rootfs/etc/x").getSize(), "the bytes are with the first name");
        assertEquals(0, headers.get("usr/lib/x").getSize());
        for (String alone : List.of("etc/x", "etc/y", "usr/lib/mode", "usr/lib/owner", "usr/lib/xattr", "usr/empty1", "usr/empty2")) {
            assertEquals(1, headers.get(alone).getNumberOfLinks(), alone);
        }
        assertEquals(1, result.shared().size());
        assertEquals(List.of("usr/lib/xattr"), result.withoutXattrs());
        assertEquals(8 * 8, result.contentBytes());
    }

    @Test
    void keepsTheLinksOfAnImageEverywhereButNotBetweenTrees() throws IOException {
        Content content = Content.of("x");
        write(List.of(Entry.file("etc/a", 0644, content), Entry.file("etc/b", 0644, content),
                Entry.file("containers/services/c/lower/etc/a", 0644, content)), "none", "cache", "out");
        Map<String, CpioArchiveEntry> headers = headers(work.resolve("out"));
        assertEquals(2, headers.get("etc/a").getNumberOfLinks());
        assertEquals(headers.get("etc/a").getInode(), headers.get("etc/b").getInode());
        assertEquals(1, headers.get("containers/services/c/lower/etc/a").getNumberOfLinks());
    }

    @Test
    void hasNoInodeTwice() throws IOException {
        List<Entry> tree = new ArrayList<>();
        for (int i = 0; i < 3000; i++) {
            tree.add(Entry.file("f" + i, 0644, Content.of("" + i)));
        }
        write(tree, "none", "cache", "out");
        assertEquals(3000, headers(work.resolve("out")).entrySet().stream()
                .map(e -> e.getValue().getInode() + " " + e.getValue().getDeviceMaj() + " " + e.getValue().getDeviceMin()).distinct().count());
    }

    @Test
    void isTheSameEverywhere() throws IOException {
        Locale locale = Locale.getDefault();
        TimeZone zone = TimeZone.getDefault();
        write(small(), "zstd-3", "cache1", "one");
        try {
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
            TimeZone.setDefault(TimeZone.getTimeZone("Pacific/Apia"));
            List<Entry> shuffled = new ArrayList<>(small());
            Collections.shuffle(shuffled, new Random(5));
            write(shuffled, "zstd-3", "cache2/elsewhere", "two");
        } finally {
            Locale.setDefault(locale);
            TimeZone.setDefault(zone);
        }
        assertArrayEquals(Files.readAllBytes(work.resolve("one")), Files.readAllBytes(work.resolve("two")));
    }

    @Test
    void compressesOnlyWhatChanged() throws IOException {
        List<Entry> tree = new ArrayList<>(large());
        Initramfs.Result first = write(tree, "zstd-1", "cache", "one");
        assertTrue(first.segments() > 2, first.segments() + " segments");
        assertEquals(first.segments(), first.compressedSegments());
        assertEquals(0, write(tree, "zstd-1", "cache", "two").compressedSegments());
        assertArrayEquals(Files.readAllBytes(work.resolve("one")), Files.readAllBytes(work.resolve("two")));

        tree.set(6, Entry.file(tree.get(6).path(), 0644, Noise.of(100, 1_000_100)));
        assertEquals(1, write(tree, "zstd-1", "cache", "three").compressedSegments());
        tree.set(49, Entry.file(tree.get(49).path(), 0644, Noise.of(101, 2_000_000)));
        assertEquals(1, write(tree, "zstd-1", "cache", "large").compressedSegments(), "the large files are a segment of their own");
        assertEquals(first.segments(), write(tree, "zstd-3", "cache", "four").compressedSegments(), "another level is another result");
        try (InputStream in = unpacked(work.resolve("three"), "zstd")) {
            assertEquals(50, Listing.ofCpio(in).lines().size());
        }
    }

    @Test
    void aFileMoreMovesNoCutFarAway() throws IOException {
        List<Entry> tree = new ArrayList<>(large());
        Initramfs.Result first = write(tree, "zstd-1", "cache", "one");
        tree.add(Entry.file("containers/services/a/lower/a-new-one", 0644, Content.of("small")));
        assertTrue(write(tree, "zstd-1", "cache", "two").compressedSegments() <= Math.max(1, first.segments() / 2));
    }

    @Test
    void makesADamagedSegmentAnew() throws IOException {
        write(small(), "gzip", "cache", "one");
        Path segment;
        try (Stream<Path> files = Files.list(work.resolve("cache/initramfs/gzip-9"))) {
            segment = files.findFirst().orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(segment);
        for (byte[] damaged : List.of(new byte[0], Arrays.copyOf(bytes, bytes.length - 1), flipped(bytes))) {
            Files.write(segment, damaged);
            write(small(), "gzip", "cache", "two");
            assertArrayEquals(Files.readAllBytes(work.resolve("one")), Files.readAllBytes(work.resolve("two")));
        }
    }

    private static byte[] flipped(byte[] bytes) {
        byte[] other = bytes.clone();
        other[20] ^= 1;
        return other;
    }

    @Test
    void forgetsSegmentsThatNobodyUses() throws IOException {
        write(small(), "gzip", "cache", "one");
        Path left = Files.writeString(work.resolve("cache/initramfs/gzip-9/.x.part"), "of a killed build");
        Path fresh = Files.writeString(work.resolve("cache/initramfs/gzip-9/.y.part"), "of a running build");
        List<Path> old;
        try (Stream<Path> files = Files.list(work.resolve("cache/initramfs/gzip-9"))) {
            old = files.filter(file -> !file.equals(fresh)).toList();
        }
        for (Path file : old) {
            Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(Duration.ofDays(15))));
        }
        assertEquals(0, write(small(), "gzip", "cache", "two").compressedSegments(), "what is used is kept");
        assertFalse(Files.exists(left));
        assertTrue(Files.exists(fresh));
        assertEquals(1, write(List.of(), "gzip", "cache", "three").compressedSegments());
    }

    @Test
    void refusesContentThatIsNotWhatItWas() {
        Content lying = new Noise(1, 1000, Digest.of("something else"));
        String message = assertThrows(HookException.class, () -> write(List.of(Entry.file("bin/x", 0755, lying)), "zstd-1", "cache", "out"))
                .getMessage();
        assertTrue(message.startsWith("The bytes of /bin/x changed after they had been verified"), message);
        assertFalse(Files.exists(work.resolve("out")));
    }

    @Test
    void leavesNothingBehindWhenItFails() throws IOException {
        Files.writeString(work.resolve("out"), "of an earlier build");
        Content broken = new Content() {
            @Override
            public long size() {
                return 10_000_000;
            }

            @Override
            public InputStream open() throws IOException {
                throw new IOException("the disk broke");
            }

            @Override
            public Digest digest() {
                return Digest.of("x");
            }
        };
        List<Entry> tree = new ArrayList<>(large());
        tree.add(Entry.file("usr/broken", 0644, broken));
        assertThrows(IOException.class, () -> write(tree, "zstd-1", "cache", "out"));
        assertEquals("of an earlier build", Files.readString(work.resolve("out")));
        try (Stream<Path> files = Files.walk(work)) {
            assertEquals(List.of(), files.filter(path -> path.toString().endsWith(".part")).toList());
        }
        tree.remove(tree.size() - 1);
        write(tree, "zstd-1", "cache", "out");
        try (InputStream in = unpacked(work.resolve("out"), "zstd")) {
            assertEquals(50, Listing.ofCpio(in).lines().size());
        }
    }

    @Test
    void refusesWhatTheFormatCannotHold() {
        Content huge = new Noise(1, 1L << 32, Digest.of("x"));
        assertTrue(assertThrows(HookException.class, () -> write(List.of(Entry.file("big", 0644, huge)), "none", "cache", "out"))
                .getMessage().contains("below 4 GiB"));
        String longName = "d/".repeat(2100) + "f";
        assertTrue(assertThrows(HookException.class, () -> write(List.of(Entry.file(longName, 0644, Content.of("x"))), "none", "cache", "out"))
                .getMessage().contains("longer than the kernel's limit"));
    }

    @Test
    void readsCompressions() {
        assertEquals(new Compression(Compression.Codec.ZSTD, 19), Compression.parse("zstd-19"));
        assertEquals(Compression.DEFAULT, Compression.parse(" ZSTD "));
        assertEquals("gzip-9", Compression.parse("gzip").toString());
        assertEquals("xz-6", Compression.parse("xz").toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "zstd-20", "zstd-0", "zstd-", "gzip-0", "gzip-10", "xz-10", "lz4", "zstd19", "none-1"})
    void refusesOtherCompressions(String text) {
        String message = assertThrows(HookException.class, () -> Compression.parse(text)).getMessage();
        assertTrue(message.startsWith("hook.compression: '" + text + "' is not allowed; allowed: zstd"), message);
    }
}
