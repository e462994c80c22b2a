package org.tinkerbell.hook.tree;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Entries as a tar whose bytes depend on nothing but them: in the order of their paths, owners as numbers without names,
 * no time later than the given one, extended headers only where the plain one cannot say it.
 *
 * <p>Format: ustar and pax of
 * <a href="https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html">POSIX.1-2017</a>, attributes as
 * {@code SCHILY.xattr.} records. Written by hand and not by Commons Compress, which has only texts for records, no bytes.
 */
public final class TarWriter {
    private static final int RECORD = 512;
    private static final int NAME = 100;
    private static final int PREFIX = 155;
    /** The largest number in the seven octal digits of owners and devices. */
    private static final long MAX_ID = 07777777L;
    /** The largest number in the eleven octal digits of sizes and times. */
    private static final long MAX_SIZE = 077777777777L;

    private final OutputStream out;
    private final long latest;
    private long position;
    private final byte[] buffer = new byte[1 << 16];

    private TarWriter(OutputStream out, long latest) {
        this.out = out;
        this.latest = latest;
    }

    /**
     * Writes entries, and the end of the archive, to a stream that stays open.
     *
     * @param entries in any order, each path once; those that share a content become hard links of the first, and should
     *     agree in all but their path, else they become files of their own
     * @param latest seconds since 1970; later times become this one
     * @return the members in the archive's order
     */
    public static List<Written> write(Iterable<Entry> entries, OutputStream out, long latest) throws IOException {
        return new TarWriter(out, latest).all(entries);
    }

    /**
     * A member of the archive.
     *
     * @param entry as it is in the archive
     * @param offset where its bytes begin there; -1 if it has none of its own
     */
    public record Written(Entry entry, long offset) {}

    private List<Written> all(Iterable<Entry> entries) throws IOException {
        List<Entry> sorted = new ArrayList<>();
        entries.forEach(sorted::add);
        sorted.sort(Comparator.comparing(Entry::path));
        Map<Content, Entry> first = new IdentityHashMap<>();
        List<Written> written = new ArrayList<>(sorted.size());
        for (Entry entry : sorted) {
            Entry linked = entry.content() == null ? null : first.putIfAbsent(entry.content(), entry);
            // Hard links are one inode: where they disagree they are two files.
            Entry clamped = entry.withMtime(Math.min(entry.mtime(), latest));
            if (linked != null && linked.equals(entry.withPath(linked.path()))) {
                header(clamped, '1', linked.path(), 0);
                written.add(new Written(clamped, -1));
            } else {
                written.add(new Written(clamped, member(clamped)));
            }
        }
        put(new byte[2 * RECORD], 2 * RECORD);
        return written;
    }

    private void put(byte[] bytes, int length) throws IOException {
        out.write(bytes, 0, length);
        position += length;
    }

    private long member(Entry entry) throws IOException {
        switch (entry.type()) {
            case FILE -> {
                header(entry, '0', "", entry.content().size());
                long offset = position;
                data(entry);
                return offset;
            }
            case DIRECTORY -> header(entry, '5', "", 0);
            case SYMLINK -> header(entry, '2', entry.link(), 0);
            case CHARACTER_DEVICE -> header(entry, '3', "", 0);
            case BLOCK_DEVICE -> header(entry, '4', "", 0);
            case FIFO -> header(entry, '6', "", 0);
        }
        return -1;
    }

    private void data(Entry entry) throws IOException {
        long size = entry.content().size();
        long done = 0;
        try (InputStream in = entry.content().open()) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                done += n;
                if (done > size) {
                    break;
                }
                put(buffer, n);
            }
        }
        if (done != size) {
            throw new IOException(entry.path() + " was " + size + " bytes and changed while it was read");
        }
        pad(size);
    }

    private void pad(long size) throws IOException {
        int rest = (int) (-size & RECORD - 1);
        put(new byte[rest], rest);
    }

    private void header(Entry entry, char type, String link, long size) throws IOException {
        String path = entry.path().isEmpty() ? "./" : entry.type() == Entry.Type.DIRECTORY ? entry.path() + "/" : entry.path();
        byte[] name = path.getBytes(StandardCharsets.UTF_8);
        byte[] target = link.getBytes(StandardCharsets.UTF_8);
        SortedMap<String, byte[]> records = new TreeMap<>();
        int slash = prefix(name);
        if (slash < 0 || !ascii(name)) {
            records.put("path", name);
        }
        if (target.length > NAME || !ascii(target)) {
            records.put("linkpath", target);
        }
        number(records, "size", size, MAX_SIZE);
        number(records, "mtime", entry.mtime(), MAX_SIZE);
        number(records, "uid", entry.uid(), MAX_ID);
        number(records, "gid", entry.gid(), MAX_ID);
        // Numbers of devices have no record that everybody reads.
        if (entry.major() > MAX_ID || entry.minor() > MAX_ID) {
            throw new IOException(entry.path() + ": a tar has no room for the device " + entry.major() + ":" + entry.minor());
        }
        if (type != '1') {
            entry.xattrs().forEach((key, value) -> records.put("SCHILY.xattr." + key, value.getBytes(StandardCharsets.ISO_8859_1)));
        }
        if (!records.isEmpty()) {
            extended(records);
        }
        byte[] header = new byte[RECORD];
        if (slash < 0) {
            System.arraycopy(name, 0, header, 0, NAME);
        } else {
            int from = slash == 0 ? 0 : slash + 1;
            System.arraycopy(name, from, header, 0, name.length - from);
            System.arraycopy(name, 0, header, 345, slash);
        }
        System.arraycopy(target, 0, header, 157, Math.min(target.length, NAME));
        plain(header, type, entry.mode(), fits(entry.uid(), MAX_ID), fits(entry.gid(), MAX_ID), fits(size, MAX_SIZE),
                fits(entry.mtime(), MAX_SIZE));
        octal(header, 329, 8, entry.major());
        octal(header, 337, 8, entry.minor());
        finish(header);
    }

    private static void number(SortedMap<String, byte[]> records, String key, long value, long max) {
        if (value < 0 || value > max) {
            records.put(key, Long.toString(value).getBytes(StandardCharsets.US_ASCII));
        }
    }

    private static long fits(long value, long max) {
        return value < 0 || value > max ? 0 : value;
    }

    private void extended(SortedMap<String, byte[]> records) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        records.forEach((key, value) -> record(bytes, key.getBytes(StandardCharsets.UTF_8), value));
        byte[] header = new byte[RECORD];
        byte[] name = "PaxHeaders/x".getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(name, 0, header, 0, name.length);
        plain(header, 'x', 0644, 0, 0, bytes.size(), 0);
        finish(header);
        put(bytes.toByteArray(), bytes.size());
        pad(bytes.size());
    }

    private static void record(ByteArrayOutputStream bytes, byte[] key, byte[] value) {
        int rest = key.length + value.length + 3;
        int length = rest + String.valueOf(rest).length();
        // The length counts its own digits, which may make it one digit longer.
        length = rest + String.valueOf(length).length();
        bytes.writeBytes((length + " ").getBytes(StandardCharsets.US_ASCII));
        bytes.writeBytes(key);
        bytes.write('=');
        bytes.writeBytes(value);
        bytes.write('\n');
    }

    private static void plain(byte[] header, char type, int mode, long uid, long gid, long size, long mtime) {
        octal(header, 100, 8, mode);
        octal(header, 108, 8, uid);
        octal(header, 116, 8, gid);
        octal(header, 124, 12, size);
        octal(header, 136, 12, mtime);
        header[156] = (byte) type;
        byte[] magic = "ustar\00000".getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(magic, 0, header, 257, magic.length);
    }

    private void finish(byte[] header) throws IOException {
        Arrays.fill(header, 148, 156, (byte) ' ');
        int sum = 0;
        for (byte b : header) {
            sum += b & 0xff;
        }
        octal(header, 148, 7, sum);
        put(header, RECORD);
    }

    /** Octal digits with leading zeros and a NUL at the end of the field. */
    private static void octal(byte[] header, int at, int length, long value) {
        long rest = value;
        for (int i = at + length - 2; i >= at; i--) {
            header[i] = (byte) ('0' + (rest & 7));
            rest >>= 3;
        }
        header[at + length - 1] = 0;
    }

    /** Where a name is cut into prefix and rest: 0 for no prefix, -1 if it does not fit. */
    private static int prefix(byte[] name) {
        if (name.length <= NAME) {
            return 0;
        }
        for (int slash = Math.min(PREFIX, name.length - 2); slash >= name.length - 1 - NAME && slash > 0; slash--) {
            if (name[slash] == '/') {
                return slash;
            }
        }
        return -1;
    }

    private static boolean ascii(byte[] text) {
        for (byte b : text) {
            if (b < 0) {
                return false;
            }
        }
        return true;
    }
}
