package org.tinkerbell.hook.tree;

import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;

/**
 * An uncompressed tar on disk and the list of its members, whose contents can be read in any order.
 *
 * <p>The list is kept beside the archive, in a file of the same name with {@value #INDEX} added, so that an archive is
 * walked through once and opened in milliseconds afterwards.
 */
public final class TarFile {
    /** What an archive's name is extended with to name its index. */
    public static final String INDEX = ".index";

    private static final int BUFFER = 1 << 17;
    private static final int RECORD_LIMIT = 1 << 20;

    private final Path path;
    private final Digest digest;
    private final List<Entry> entries;

    TarFile(Path path, Digest digest, List<Entry> entries) {
        this.path = path;
        this.digest = digest;
        this.entries = List.copyOf(entries);
    }

    /** Opens what an archive is made from: an uncompressed tar stream. */
    @FunctionalInterface
    public interface Source {
        InputStream open() throws IOException;
    }

    /**
     * Copies a tar to disk and lists its members, in one pass. Neither name is there before both are whole; where the
     * archive existed it is replaced.
     *
     * @param uncompressed the tar; read to its end and not closed
     * @param target the archive to write, whose name should hold the digest of what it is made from
     * @param label what to call the archive in errors: a package with its version, an image's name
     * @throws HookException if it is no sound tar or has a member that must not be unpacked
     * @throws IOException if reading the stream or digesting the file fails
     */
    public static TarFile index(InputStream uncompressed, Path target, String label) throws IOException {
        return index(uncompressed, target, label, Optional.empty());
    }

    /**
     * Does the same for an archive whose SHA-256 is known.
     *
     * @throws HookException if it is another archive; the target is not touched then
     */
    public static TarFile index(InputStream uncompressed, Path target, String label, Optional<Digest> expected) throws IOException {
        TarFile[] result = new TarFile[1];
        AtomicFile.make(target, temporary -> {
            MessageDigest whole = Digest.algorithm();
            List<Entry> entries;
            try (OutputStream out = Files.newOutputStream(temporary)) {
                entries = new TarScan(label, target).scan(new Tee(uncompressed, out, whole));
            }
            result[0] = new TarFile(target, Digest.of(whole), entries);
            if (expected.isPresent() && !expected.get().equals(result[0].digest)) {
                throw new HookException(label + ": its archive is " + result[0].digest + " and should be " + expected.get());
            }
            // The index first: without its archive it is nothing, and with an archive of another size it is not believed.
            TarIndex.write(result[0], Files.size(temporary));
        });
        return result[0];
    }

    /**
     * Opens an archive that {@link #index} wrote. An index that is missing, cut off, of another version or about an
     * archive of another size is made anew.
     *
     * @param label what to call the archive in errors
     */
    public static TarFile open(Path tar, String label) throws IOException {
        Optional<TarFile> known = TarIndex.read(tar);
        if (known.isPresent()) {
            return known.get();
        }
        MessageDigest whole = Digest.algorithm();
        try (InputStream in = Files.newInputStream(tar)) {
            List<Entry> entries = new TarScan(label, tar).scan(new Tee(in, OutputStream.nullOutputStream(), whole));
            TarFile made = new TarFile(tar, Digest.of(whole), entries);
            TarIndex.write(made, Files.size(tar));
            return made;
        }
    }

    /**
     * Every member of an uncompressed tar on disk in the archive's order, those included that a later one replaces, links with their own modes. For
     * archives that are unpacked over what is there, where a path may lead through a link of the same archive. Nothing is kept beside the archive.
     *
     * @param label what to call the archive in errors
     * @throws HookException if it is no sound tar, or a member's path leaves the root
     */
    public static List<Entry> members(Path tar, String label) throws IOException {
        try (InputStream in = Files.newInputStream(tar)) {
            return TarScan.ofEveryMember(label, tar).scan(new Tee(in, OutputStream.nullOutputStream(), null));
        }
    }

    /**
     * An archive in the cache: opened if it is there, else made under the lock of its name.
     *
     * @param name path of the archive below the cache's root; it should hold the digest of what it is made from
     * @param label what to call the archive in errors
     * @param source where the tar comes from; opened only if it is needed
     */
    public static TarFile cached(Cache cache, String name, String label, Source source) throws IOException {
        return cached(cache, name, label, Optional.empty(), source);
    }

    /** Does the same for an archive whose SHA-256 is known; see {@link #index(InputStream, Path, String, Optional)}. */
    @SuppressWarnings("try")
    public static TarFile cached(Cache cache, String name, String label, Optional<Digest> expected, Source source) throws IOException {
        Path target = cache.root().resolve(name);
        if (!Files.exists(target)) {
            try (Cache.Held held = cache.lock(name)) {
                if (!Files.exists(target)) {
                    try (InputStream in = source.open()) {
                        return index(in, target, label, expected);
                    }
                }
            }
        }
        return open(target, label);
    }

    /**
     * Writes entries as a tar under the name of its SHA-256.
     *
     * @param directory where the archive {@code <hex>.tar} goes; if it is there already it stays as it is
     * @param latest seconds since 1970; later times become this one
     * @param copy gets the same bytes
     */
    public static TarFile write(Iterable<Entry> entries, Path directory, long latest, OutputStream copy) throws IOException {
        Files.createDirectories(directory);
        Path temporary = directory.resolve("." + UUID.randomUUID() + AtomicFile.SUFFIX);
        try {
            Digesting digesting = new Digesting();
            List<TarWriter.Written> written;
            try (OutputStream file = Files.newOutputStream(temporary);
                    ParallelOutput out = new ParallelOutput(List.of(file, copy, digesting))) {
                written = TarWriter.write(entries, out, latest);
            }
            Digest digest = Digest.of(digesting.digest);
            Path target = directory.resolve(digest.hex() + ".tar");
            Map<Content, TarContent> contents = new IdentityHashMap<>();
            List<Entry> members = new ArrayList<>();
            for (TarWriter.Written member : written) {
                Entry entry = member.entry();
                if (member.offset() >= 0) {
                    TarContent content = new TarContent(target, member.offset(), entry.content().size(), entry.content().digest());
                    contents.put(entry.content(), content);
                    members.add(entry.withContent(content));
                } else {
                    members.add(entry.content() == null ? entry : entry.withContent(contents.get(entry.content())));
                }
            }
            TarFile made = new TarFile(target, digest, members);
            TarIndex.write(made, Files.size(temporary));
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            return made;
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static final class Digesting extends OutputStream {
        private final MessageDigest digest = Digest.algorithm();

        @Override
        public void write(int b) {
            digest.update((byte) b);
        }

        @Override
        public void write(byte[] bytes, int from, int length) {
            digest.update(bytes, from, length);
        }
    }

    /** The archive. */
    public Path path() {
        return path;
    }

    /** SHA-256 of the whole archive; for an image's layer, its diffID. */
    public Digest digest() {
        return digest;
    }

    /**
     * The members in the archive's order; of several with one path only the last. Hard links share their content. The
     * root itself is among them if the archive names it.
     */
    public List<Entry> entries() {
        return entries;
    }

    /** Copies what is read from it, counts it and keeps the last bytes on demand; without an algorithm it is not digested. */
    static final class Tee extends FilterInputStream {
        private final OutputStream out;
        private final MessageDigest digest;
        private final byte[] buffer = new byte[BUFFER];
        private int at;
        private int end;
        private long position;
        private IOException failure;
        private ByteArrayOutputStream record;

        Tee(InputStream in, OutputStream out, MessageDigest digest) {
            super(in);
            this.out = out;
            this.digest = digest;
        }

        /** How many bytes were handed on. */
        long position() {
            return position;
        }

        /** Begins to keep a copy of what is handed on, which may be {@value #RECORD_LIMIT} bytes at most. */
        void startRecord() {
            record = new ByteArrayOutputStream(1024);
        }

        /** Ends that and gives the copy. */
        byte[] endRecord() {
            byte[] bytes = record.toByteArray();
            record = null;
            return bytes;
        }

        private void keep(int n) throws IOException {
            position += n;
            if (record != null) {
                if (record.size() + n > RECORD_LIMIT) {
                    throw new IOException("more than " + RECORD_LIMIT + " bytes of extended headers for one member");
                }
                record.write(buffer, at - n, n);
            }
        }

        /** The error of the stream beneath or of the copy, which says nothing about the archive; null without one. */
        IOException failure() {
            return failure;
        }

        private boolean fill() throws IOException {
            try {
                at = 0;
                end = Math.max(0, in.readNBytes(buffer, 0, buffer.length));
                out.write(buffer, 0, end);
            } catch (IOException e) {
                failure = e;
                throw e;
            }
            if (digest != null) {
                digest.update(buffer, 0, end);
            }
            return end > 0;
        }

        @Override
        public int read() throws IOException {
            if (at == end && !fill()) {
                return -1;
            }
            at++;
            keep(1);
            return buffer[at - 1] & 0xff;
        }

        @Override
        public int read(byte[] to, int from, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            if (at == end && !fill()) {
                return -1;
            }
            int n = Math.min(length, end - at);
            System.arraycopy(buffer, at, to, from, n);
            at += n;
            keep(n);
            return n;
        }

        @Override
        public long skip(long wanted) throws IOException {
            long skipped = 0;
            while (skipped < wanted && (at < end || fill())) {
                int n = (int) Math.min(wanted - skipped, end - at);
                at += n;
                keep(n);
                skipped += n;
            }
            return skipped;
        }

        @Override
        public int available() {
            return end - at;
        }

        @Override
        public boolean markSupported() {
            return false;
        }
    }
}
