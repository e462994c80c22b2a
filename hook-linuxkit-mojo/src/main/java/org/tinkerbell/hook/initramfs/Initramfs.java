package org.tinkerbell.hook.initramfs;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.FullDisk;
import org.tinkerbell.hook.io.Parallel;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

/**
 * Writes a file tree as an initramfs: a cpio archive in the order of the paths, the large files last, where files that are the same are hard links
 * (see {@link HardLinks}), cut into segments that are compressed on all processors and kept in the cache under the
 * digest of what they were made from. The same tree gives the same bytes on every host.
 *
 * <p>The format has no place for extended attributes, so they are lost, file capabilities among them; LinuxKit's own
 * initrd loses them as well. The result tells how many.
 */
public final class Initramfs {
    private static final int BUFFER = 1 << 16;
    private static final int DIGEST = 32;
    private static final long LARGE = 1L << 20;

    /** How long a segment stays in the cache after its last use. */
    private static final Duration KEPT = Duration.ofDays(14);

    private final Cache cache;
    private final Compression compression;
    private final long mtime;
    private final Progress progress;

    /**
     * @param mtime what all files get for a time, in seconds since 1970; 0 or the time that the build is stamped with
     */
    public Initramfs(Cache cache, Compression compression, long mtime, Progress progress) {
        this.cache = cache;
        this.compression = compression;
        this.mtime = mtime;
        this.progress = progress;
    }

    /**
     * What was written.
     *
     * @param entries how many entries
     * @param contentBytes sum of the sizes of all regular files, each name counted
     * @param archiveBytes size of the cpio archive
     * @param compressedBytes size of the initramfs
     * @param segments how many compressed streams it is made of
     * @param compressedSegments how many of them had to be compressed, not being in the cache
     * @param shared every inode with more than one name: its names in the order of the archive
     * @param withoutXattrs paths that had extended attributes
     */
    public record Result(
            int entries,
            long contentBytes,
            long archiveBytes,
            long compressedBytes,
            int segments,
            int compressedSegments,
            List<List<Entry>> shared,
            List<String> withoutXattrs) {}

    /**
     * Writes an initramfs.
     *
     * @param tree the root file system; each path once, the order does not matter
     * @param early what goes before it as it is, such as an uncompressed cpio archive of microcode; may be empty
     * @param target the file to write
     */
    public Result write(Collection<Entry> tree, List<Content> early, Path target) throws IOException {
        try {
            return doWrite(tree, early, target);
        } catch (IOException e) {
            throw FullDisk.check(e, target);
        }
    }

    private Result doWrite(Collection<Entry> tree, List<Content> early, Path target) throws IOException {
        List<Entry> entries = new ArrayList<>(tree);
        // Large files come last, in a segment of their own: see Segment. No directory is large, so each is there before its files.
        entries.sort(Comparator.comparing(Initramfs::isLarge).thenComparing(Entry::path));
        HardLinks links = new HardLinks(entries);
        List<Segment> segments = Segment.cut(members(entries, links), member -> isLarge(member.entry()));
        List<Compressed> files = new ArrayList<>();
        for (Segment segment : segments) {
            String name = "initramfs/" + compression + "/" + segment.key(compression).hex();
            files.add(new Compressed(segment, segment.size(), name, cache.root().resolve(name)));
        }
        int compressed = compress(files);
        forgetUnused();
        AtomicFile.write(target, out -> {
            for (Content content : early) {
                try (InputStream in = content.open()) {
                    in.transferTo(out);
                }
            }
            for (Compressed file : files) {
                copy(file, out);
            }
        });
        return new Result(
                entries.size(),
                entries.stream().filter(e -> e.content() != null).mapToLong(e -> e.content().size()).sum(),
                files.stream().mapToLong(Compressed::size).sum(),
                Files.size(target),
                segments.size(),
                compressed,
                links.shared(),
                entries.stream().filter(e -> !e.xattrs().isEmpty()).map(Entry::path).toList());
    }

    private static boolean isLarge(Entry entry) {
        return entry.content() != null && entry.content().size() >= LARGE;
    }

    private List<Member> members(List<Entry> entries, HardLinks links) {
        List<Member> members = new ArrayList<>(entries.size());
        for (Entry entry : entries) {
            // The kernel takes the bytes from whichever link has them, and so do GNU cpio and bsdcpio. With the first one
            // the rest need nothing but the name.
            boolean data = entry.type() == Entry.Type.FILE && entry.content().size() > 0 && links.isFirst(entry);
            byte[] header = CpioWriter.header(entry, links.inode(entry), links.links(entry), data ? entry.content().size() : 0, mtime);
            members.add(new Member(entry, header, data));
        }
        return members;
    }

    /** A segment, its size before compression, and where the cache has it compressed, followed by the digest of that. */
    private record Compressed(Segment segment, long size, String name, Path file) {}

    /** Compresses what the cache lacks; returns how many that were. */
    private int compress(List<Compressed> files) throws IOException {
        List<Compressed> missing = new ArrayList<>(files.stream().filter(f -> !isKept(f.file())).toList());
        if (missing.isEmpty()) {
            return 0;
        }
        long bytes = missing.stream().mapToLong(Compressed::size).sum();
        // The largest first, so that no processor is left alone with a large one at the end.
        missing.sort(Comparator.comparing(file -> -file.size()));
        try (Progress.Task task = progress.start("Compressing " + missing.size() + " of " + files.size() + " segments of the initramfs with "
                + compression, bytes, Progress.Unit.BYTES)) {
            Parallel.forEach(Runtime.getRuntime().availableProcessors(), missing, file -> compress(file, task));
        }
        return missing.size();
    }

    /** Whether a file is in the cache; if it is, its time says from now on that it was used today. */
    private static boolean isKept(Path file) {
        try {
            Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
            return true;
        } catch (IOException e) {
            return Files.exists(file);
        }
    }

    /** Deletes segments that no build has used for a long time, and what killed builds left half-written. */
    private void forgetUnused() throws IOException {
        Instant old = Instant.now().minus(KEPT);
        try (Stream<Path> files = Files.walk(cache.directory("initramfs"))) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                if (Files.getLastModifiedTime(file).toInstant().isBefore(old)) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (NoSuchFileException | UncheckedIOException e) {
            // Another build was quicker; there is always a next time.
            return;
        }
    }

    private void compress(Compressed file, Progress.Task task) throws IOException {
        cache.file(file.name(), temporary -> {
            MessageDigest digest = Digest.algorithm();
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(temporary), BUFFER)) {
                try (OutputStream compressing = compression.over(new Digesting(out, digest), file.segment().large())) {
                    file.segment().writeTo(compressing, task);
                }
                out.write(digest.digest());
            }
        });
    }

    /**
     * Appends a compressed segment from the cache. One that does not fit its digest was damaged: it is made anew before
     * anything of it is used.
     */
    private void copy(Compressed compressed, OutputStream out) throws IOException {
        Path file = compressed.file();
        if (!isWhole(file)) {
            progress.warn(file + " was damaged and is made again.");
            Files.deleteIfExists(file);
            compress(compressed, amount -> {});
        }
        long left = Files.size(file) - DIGEST;
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = Files.newInputStream(file)) {
            while (left > 0) {
                int n = in.read(buffer, 0, (int) Math.min(buffer.length, left));
                if (n < 0) {
                    throw new IOException(file + " was cut while it was read");
                }
                out.write(buffer, 0, n);
                left -= n;
            }
        }
    }

    private static boolean isWhole(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            long left = Files.size(file) - DIGEST;
            MessageDigest digest = Digest.algorithm();
            byte[] buffer = new byte[BUFFER];
            while (left > 0) {
                int n = in.read(buffer, 0, (int) Math.min(buffer.length, left));
                if (n < 0) {
                    return false;
                }
                digest.update(buffer, 0, n);
                left -= n;
            }
            return left == 0 && Arrays.equals(digest.digest(), in.readNBytes(DIGEST));
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Passes bytes on and digests them; closing it only flushes. */
    private static final class Digesting extends OutputStream {
        private final OutputStream out;
        private final MessageDigest digest;

        Digesting(OutputStream out, MessageDigest digest) {
            this.out = out;
            this.digest = digest;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            digest.update(bytes, from, length);
            out.write(bytes, from, length);
        }

        @Override
        public void flush() throws IOException {
            out.flush();
        }

        @Override
        public void close() throws IOException {
            flush();
        }
    }
}
