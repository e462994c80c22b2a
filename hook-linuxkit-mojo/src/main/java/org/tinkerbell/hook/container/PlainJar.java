package org.tinkerbell.hook.container;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Comparator;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;

/**
 * A jar with the same files and nothing else that could differ: no directories, whose modes are the umask's of whoever built it,
 * no times, and nothing compressed, which would depend on the host's zlib. The image's own compression does better without.
 */
public final class PlainJar {
    private static final String MANIFEST = "META-INF/MANIFEST.MF";
    // Local, so that the host's time zone does not matter; not the first time that a zip file can have, beside which the JDK writes
    // another in an extra field that has the zone in it.
    private static final LocalDateTime TIME = LocalDateTime.of(1980, 2, 1, 0, 0);

    private PlainJar() {}

    /** The plain form of a jar, kept in the cache. */
    public static Path of(Path jar, Cache cache) throws IOException {
        return cache.file("jars/" + Digest.of(jar).hex() + ".jar", temporary -> AtomicFile.write(temporary, out -> {
            try (ZipFile from = new ZipFile(jar.toFile());
                    ZipOutputStream to = new ZipOutputStream(out)) {
                to.setMethod(ZipOutputStream.STORED);
                List<? extends ZipEntry> entries = from.stream()
                        .filter(entry -> !entry.isDirectory())
                        .sorted(Comparator.comparing((ZipEntry entry) -> !entry.getName().equals(MANIFEST)).thenComparing(ZipEntry::getName))
                        .toList();
                for (ZipEntry entry : entries) {
                    byte[] bytes;
                    try (InputStream in = from.getInputStream(entry)) {
                        bytes = in.readAllBytes();
                    }
                    CRC32 crc = new CRC32();
                    crc.update(bytes);
                    ZipEntry plain = new ZipEntry(entry.getName());
                    plain.setTimeLocal(TIME);
                    plain.setSize(bytes.length);
                    plain.setCrc(crc.getValue());
                    to.putNextEntry(plain);
                    to.write(bytes);
                    to.closeEntry();
                }
            }
        }));
    }
}
