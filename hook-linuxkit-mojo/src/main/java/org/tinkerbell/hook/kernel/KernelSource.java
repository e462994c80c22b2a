package org.tinkerbell.hook.kernel;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.zip.GZIPInputStream;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarFile;
import org.tinkerbell.hook.tree.TarWriter;
import org.tukaani.xz.XZInputStream;

/**
 * A kernel's source: a tarball that was verified, and Hook's changes to what is in it.
 *
 * @param origin for people: where it is from, such as {@code linux-6.12.58.tar.xz of www.kernel.org}
 * @param version of the kernel, such as {@code 6.12.58}
 * @param digest of the file that was verified; known before that is fetched
 * @param tarball the file, compressed by xz, gzip, zstd or not at all; one directory holds all that is in it
 */
public record KernelSource(String origin, String version, Digest digest, Tarball tarball) {
    private static final int XZ_MEMORY = 256 << 10;
    private static final int BUFFER = 1 << 16;

    /** A file that is fetched and verified when it is asked for, unless it is there. */
    @FunctionalInterface
    public interface Tarball {
        /**
         * The file's bytes.
         *
         * @throws HookException if it cannot be had, or is not genuine
         */
        Content content() throws IOException;
    }

    /** {@code 6.12} of {@code 6.12.58}. */
    public String series() {
        return KernelVersion.of(version).orElseThrow().series();
    }

    /** Stands for the source with Hook's changes, in the hash of a build's inputs. */
    public String fingerprint() {
        return digest + "\n" + CommandLineSize.FINGERPRINT;
    }

    /**
     * Unpacks the source, with Hook's changes.
     *
     * @param directory where {@code Makefile} will be; made if it is missing. It has to tell upper from lower case.
     * @param task is told of each file
     * @throws HookException if the tarball is damaged, or no kernel's
     */
    public void unpack(Path directory, Progress.Task task) throws IOException {
        Files.createDirectories(directory);
        entries(directory, entries -> {
            for (Entry entry : entries) {
                Path path = directory.resolve(entry.path());
                switch (entry.type()) {
                    case DIRECTORY -> Files.createDirectories(path);
                    case SYMLINK -> Files.createSymbolicLink(Files.createDirectories(path.getParent()).resolve(path.getFileName()),
                            Path.of(entry.link()));
                    case FILE -> {
                        Files.createDirectories(path.getParent());
                        try (InputStream in = entry.content().open()) {
                            Files.copy(in, path);
                        }
                        if ((entry.mode() & 0111) != 0) {
                            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
                        }
                    }
                    default -> throw new HookException(origin + " has " + entry.path() + " in it, which is no file of a kernel's source");
                }
                task.advance(1);
            }
        });
    }

    /**
     * Writes the source, with Hook's changes, as an uncompressed tar with {@code Makefile} at its root.
     *
     * @param scratch a directory with room for the uncompressed source, about 1.6 GB; nothing is left in it
     * @param out stays open
     * @throws HookException if the tarball is damaged, or no kernel's
     */
    public void tar(Path scratch, OutputStream out) throws IOException {
        entries(scratch, entries -> TarWriter.write(entries, out, Long.MAX_VALUE));
    }

    private interface Taker {
        void take(List<Entry> entries) throws IOException;
    }

    private void entries(Path scratch, Taker taker) throws IOException {
        Path unpacked = scratch.resolve("." + UUID.randomUUID() + AtomicFile.SUFFIX);
        try {
            List<Entry> members;
            try (InputStream in = uncompressed(tarball.content())) {
                members = TarFile.index(in, unpacked, origin).entries();
            }
            taker.take(changed(members));
        } finally {
            Files.deleteIfExists(unpacked);
            Files.deleteIfExists(unpacked.resolveSibling(unpacked.getFileName() + TarFile.INDEX));
        }
    }

    private List<Entry> changed(List<Entry> members) throws IOException {
        List<Entry> entries = new ArrayList<>();
        boolean whole = false;
        for (Entry member : members) {
            int slash = member.path().indexOf('/');
            if (slash > 0) {
                Entry entry = member.withPath(member.path().substring(slash + 1)).withOwner(0, 0);
                whole |= entry.path().equals("Makefile");
                entries.add(CommandLineSize.isIn(entry.path()) ? CommandLineSize.raised(entry, origin) : entry);
            }
        }
        if (!whole) {
            throw new HookException(origin + " is no source of a kernel: there is no Makefile in the directory that holds everything.");
        }
        return entries;
    }

    /** A tar without its compression, which its first bytes tell; the caller closes it. */
    static InputStream uncompressed(Content tarball) throws IOException {
        BufferedInputStream in = new BufferedInputStream(tarball.open(), BUFFER);
        try {
            in.mark(4);
            byte[] magic = in.readNBytes(4);
            in.reset();
            int first = magic.length < 4 ? 0 : (magic[0] & 0xff) << 24 | (magic[1] & 0xff) << 16 | (magic[2] & 0xff) << 8 | magic[3] & 0xff;
            if (first == 0xfd377a58) {
                return new XZInputStream(in, XZ_MEMORY);
            }
            if (first == 0x28b52ffd) {
                return new ZstdInputStream(in);
            }
            return first >>> 16 == 0x1f8b ? new GZIPInputStream(in, BUFFER) : in;
        } catch (IOException e) {
            in.close();
            throw e;
        }
    }
}
