package org.tinkerbell.hook.tree;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Digest;

/**
 * The list of a tar's members in a file beside it.
 *
 * <p>Layout, big-endian: magic and version, size of the archive (8 bytes), its SHA-256 (32), number of contents (4), for each
 * its offset, size and SHA-256 (8, 8, 32), number of entries (4), for each path, type, mode, uid, gid, mtime, link,
 * major, minor, content's number or -1, number of attributes and their names and values; at the end a CRC-32C of all before.
 * Texts are a length (4) and UTF-8.
 */
final class TarIndex {
    /** "hook tar index"; the last digits are the version, so that an old index is made anew by a newer Hook. */
    private static final long MAGIC = 0x686f6f6b_74690001L;

    private static final Entry.Type[] TYPES = Entry.Type.values();

    private TarIndex() {}

    static Path beside(Path tar) {
        return tar.resolveSibling(tar.getFileName() + TarFile.INDEX);
    }

    static void write(TarFile tar, long size) throws IOException {
        Map<Content, Integer> numbers = new IdentityHashMap<>();
        List<TarContent> contents = new ArrayList<>();
        for (Entry entry : tar.entries()) {
            if (entry.content() != null && numbers.putIfAbsent(entry.content(), contents.size()) == null) {
                contents.add((TarContent) entry.content());
            }
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 16);
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeLong(MAGIC);
        out.writeLong(size);
        digest(out, tar.digest());
        out.writeInt(contents.size());
        for (TarContent content : contents) {
            out.writeLong(content.offset());
            out.writeLong(content.size());
            digest(out, content.digest());
        }
        out.writeInt(tar.entries().size());
        for (Entry entry : tar.entries()) {
            entry(out, entry, entry.content() == null ? -1 : numbers.get(entry.content()));
        }
        CRC32C sum = new CRC32C();
        sum.update(bytes.toByteArray());
        out.writeInt((int) sum.getValue());
        AtomicFile.write(beside(tar.path()), bytes::writeTo);
    }

    private static void entry(DataOutputStream out, Entry entry, int content) throws IOException {
        text(out, entry.path());
        out.writeByte(entry.type().ordinal());
        out.writeInt(entry.mode());
        out.writeInt(entry.uid());
        out.writeInt(entry.gid());
        out.writeLong(entry.mtime());
        text(out, entry.link());
        out.writeInt(entry.major());
        out.writeInt(entry.minor());
        out.writeInt(content);
        out.writeInt(entry.xattrs().size());
        for (Map.Entry<String, String> xattr : entry.xattrs().entrySet()) {
            text(out, xattr.getKey());
            text(out, xattr.getValue());
        }
    }

    private static void text(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    private static void digest(DataOutputStream out, Digest digest) throws IOException {
        out.write(HexFormat.of().parseHex(digest.hex()));
    }

    /** The archive as its index has it; nothing if there is no index that is whole and about this archive. */
    static Optional<TarFile> read(Path tar) throws IOException {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(beside(tar));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        if (bytes.length < Long.BYTES + Integer.BYTES) {
            return Optional.empty();
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CRC32C sum = new CRC32C();
        sum.update(bytes, 0, bytes.length - Integer.BYTES);
        if (in.getLong() != MAGIC || in.getInt(bytes.length - Integer.BYTES) != (int) sum.getValue() || in.getLong() != Files.size(tar)) {
            return Optional.empty();
        }
        try {
            return Optional.of(read(tar, in));
        } catch (BufferUnderflowException | IllegalArgumentException | IndexOutOfBoundsException e) {
            return Optional.empty();
        }
    }

    private static TarFile read(Path tar, ByteBuffer in) {
        Digest digest = digest(in);
        Content[] contents = new Content[in.getInt()];
        for (int i = 0; i < contents.length; i++) {
            contents[i] = new TarContent(tar, in.getLong(), in.getLong(), digest(in));
        }
        Entry[] entries = new Entry[in.getInt()];
        for (int i = 0; i < entries.length; i++) {
            entries[i] = entry(in, contents);
        }
        return new TarFile(tar, digest, Arrays.asList(entries));
    }

    private static Entry entry(ByteBuffer in, Content[] contents) {
        String path = text(in);
        Entry.Type type = TYPES[in.get()];
        int mode = in.getInt();
        int uid = in.getInt();
        int gid = in.getInt();
        long mtime = in.getLong();
        String link = text(in);
        int major = in.getInt();
        int minor = in.getInt();
        int content = in.getInt();
        int count = in.getInt();
        SortedMap<String, String> xattrs = count == 0 ? Collections.emptySortedMap() : new TreeMap<>();
        for (int i = 0; i < count; i++) {
            xattrs.put(text(in), text(in));
        }
        return new Entry(path, type, mode, uid, gid, mtime, link, major, minor, xattrs, content < 0 ? null : contents[content]);
    }

    private static String text(ByteBuffer in) {
        int length = in.getInt();
        if (length == 0) {
            return "";
        }
        String text = new String(in.array(), in.position(), length, StandardCharsets.UTF_8);
        in.position(in.position() + length);
        return text;
    }

    private static Digest digest(ByteBuffer in) {
        byte[] bytes = new byte[32];
        in.get(bytes);
        return new Digest(HexFormat.of().formatHex(bytes));
    }
}
