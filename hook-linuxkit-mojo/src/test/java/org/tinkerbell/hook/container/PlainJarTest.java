package org.tinkerbell.hook.container;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TimeZone;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.io.Cache;

class PlainJarTest {
    @TempDir
    Path directory;

    private Path jar(String name, int level, long time, List<String> entries) throws IOException {
        Path file = directory.resolve(name);
        try (OutputStream out = Files.newOutputStream(file);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            zip.setLevel(level);
            for (String entry : entries) {
                ZipEntry item = new ZipEntry(entry);
                item.setTime(time);
                zip.putNextEntry(item);
                if (!item.isDirectory()) {
                    zip.write(("content of " + entry).repeat(50).getBytes(StandardCharsets.UTF_8));
                }
            }
        }
        return file;
    }

    @Test
    void theSameFilesGiveTheSameBytes() throws IOException {
        Path one = jar("one.jar", Deflater.BEST_COMPRESSION, 1_000_000_000_000L, List.of("META-INF/", "META-INF/MANIFEST.MF", "a/", "a/B.class", "a/A.class"));
        Path other = jar("other.jar", Deflater.NO_COMPRESSION, 1_500_000_000_000L, List.of("a/A.class", "a/B.class", "META-INF/MANIFEST.MF"));
        TimeZone before = TimeZone.getDefault();
        try {
            TimeZone.setDefault(TimeZone.getTimeZone("Asia/Tokyo"));
            Path plain = PlainJar.of(one, new Cache(directory.resolve("c1")));
            TimeZone.setDefault(TimeZone.getTimeZone("America/Lima"));
            assertArrayEquals(Files.readAllBytes(plain), Files.readAllBytes(PlainJar.of(other, new Cache(directory.resolve("c2")))));
            try (ZipFile zip = new ZipFile(plain.toFile())) {
                assertEquals(List.of("META-INF/MANIFEST.MF", "a/A.class", "a/B.class"), zip.stream().map(ZipEntry::getName).toList());
                assertEquals("content of a/A.class".repeat(50), new String(zip.getInputStream(zip.getEntry("a/A.class")).readAllBytes(), StandardCharsets.UTF_8));
            }
        } finally {
            TimeZone.setDefault(before);
        }
    }
}
