package org.tinkerbell.hook.tree;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;

/**
 * One walk through a tar: members to entries, and a refusal of what no archive that is honest or whole contains.
 *
 * <p>Formats: <a href="https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html">POSIX pax and ustar</a>, the
 * GNU extensions of <a href="https://www.gnu.org/software/tar/manual/html_node/Standard.html">GNU tar's manual</a>, and
 * {@code SCHILY.xattr.} records as star, GNU tar and Go write them.
 */
final class TarScan {
    private static final String XATTR = "SCHILY.xattr.";
    private static final int BUFFER = 1 << 16;

    private final String label;
    private final Path file;
    private final boolean everyMember;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final List<Entry> members = new ArrayList<>();
    private final byte[] buffer = new byte[BUFFER];

    /**
     * @param label what to call the archive in errors
     * @param file where the archive is when its contents are read later
     */
    TarScan(String label, Path file) {
        this(label, file, false);
    }

    private TarScan(String label, Path file, boolean everyMember) {
        this.label = label;
        this.file = file;
        this.everyMember = everyMember;
    }

    /** A walk that gives every member, see {@link TarFile#members}. */
    static TarScan ofEveryMember(String label, Path file) {
        return new TarScan(label, file, true);
    }

    /** Reads a tar, and all that follows it in the stream. */
    List<Entry> scan(TarFile.Tee in) throws IOException {
        String last = "its beginning";
        // Not closed: that would close the caller's stream.
        @SuppressWarnings("resource")
        TarArchiveInputStream tar = new TarArchiveInputStream(in, TarConstants.DEFAULT_BLKSIZE, TarConstants.DEFAULT_RCDSIZE, "UTF-8");
        try {
            in.startRecord();
            for (TarArchiveEntry member = tar.getNextEntry(); member != null; member = tar.getNextEntry()) {
                Extended extended = Extended.of(in.endRecord());
                last = extended.path == null ? member.getName() : extended.path;
                add(member, extended, last, tar, in.position());
                in.startRecord();
            }
            in.endRecord();
            // Commons Compress takes a part of a header for the end. That the end mark is missing altogether is common.
            if (in.position() % TarConstants.DEFAULT_RCDSIZE != 0) {
                throw new IOException("it is cut off");
            }
            while (in.read(buffer, 0, buffer.length) >= 0) {
                // What follows the end mark is part of the archive's digest.
                continue;
            }
        } catch (IOException | IllegalArgumentException | StackOverflowError e) {
            if (e == in.failure()) {
                throw e;
            }
            throw new HookException(label + ": not a sound tar archive after " + last + ": " + e.getMessage(), e);
        }
        return List.copyOf(everyMember ? members : entries.values());
    }

    private void add(TarArchiveEntry member, Extended extended, String name, InputStream data, long offset) throws IOException {
        String path = path(name);
        if (member.isSparse()) {
            throw refused(name, "it is a sparse file, which is not supported: pack it without --sparse");
        }
        Entry entry = entry(member, extended, path, name, data, offset);
        if (everyMember) {
            members.add(entry);
            entries.put(path, entry);
            return;
        }
        for (int slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
            Entry above = entries.get(path.substring(0, slash));
            if (above != null && above.type() != Entry.Type.DIRECTORY) {
                throw refused(name, above.path() + " in its path is " + (above.type() == Entry.Type.SYMLINK
                        ? "a symbolic link of the same archive" : "no directory"));
            }
        }
        // Taken out first, so that the order is that of the last member of each path.
        entries.remove(path);
        entries.put(path, entry);
    }

    private Entry entry(TarArchiveEntry member, Extended extended, String path, String name, InputStream data, long offset)
            throws IOException {
        int mode = member.getMode() & 07777;
        int uid = id(member.getLongUserId(), name, "owner");
        int gid = id(member.getLongGroupId(), name, "group");
        long mtime = member.getLastModifiedTime().toInstant().getEpochSecond();
        if (member.isLink()) {
            return hardLink(name, path, extended.linkPath == null ? member.getLinkName() : extended.linkPath);
        }
        if (member.isSymbolicLink()) {
            String target = extended.linkPath == null ? member.getLinkName() : extended.linkPath;
            if (target.isEmpty()) {
                throw refused(name, "it is a symbolic link to nothing");
            }
            text(target, name);
            return new Entry(path, Entry.Type.SYMLINK, everyMember ? mode : 0777, uid, gid, mtime, target, 0, 0, extended.xattrs, null);
        }
        if (member.isDirectory()) {
            return new Entry(path, Entry.Type.DIRECTORY, mode, uid, gid, mtime, "", 0, 0, extended.xattrs, null);
        }
        if (path.isEmpty()) {
            throw refused(name, "the root can only be a directory");
        }
        if (member.isCharacterDevice() || member.isBlockDevice()) {
            Entry.Type type = member.isCharacterDevice() ? Entry.Type.CHARACTER_DEVICE : Entry.Type.BLOCK_DEVICE;
            return new Entry(path, type, mode, uid, gid, mtime, "", member.getDevMajor(), member.getDevMinor(), extended.xattrs, null);
        }
        if (member.isFIFO()) {
            return new Entry(path, Entry.Type.FIFO, mode, uid, gid, mtime, "", 0, 0, extended.xattrs, null);
        }
        byte flag = member.getLinkFlag();
        if (flag != TarConstants.LF_NORMAL && flag != TarConstants.LF_OLDNORM && flag != TarConstants.LF_CONTIG) {
            throw refused(name, "its type '" + (char) flag + "' is unknown");
        }
        Digest digest = digest(data);
        return new Entry(path, Entry.Type.FILE, mode, uid, gid, mtime, "", 0, 0, extended.xattrs,
                new TarContent(file, offset, member.getSize(), digest));
    }

    private Entry hardLink(String name, String path, String target) {
        Entry linked = entries.get(linkTarget(name, target));
        if (linked == null) {
            throw refused(name, "it is a hard link to " + target + ", which does not come before it in the archive");
        }
        if (linked.type() == Entry.Type.DIRECTORY) {
            throw refused(name, "it is a hard link to the directory " + target);
        }
        return linked.withPath(path);
    }

    private String linkTarget(String name, String target) {
        try {
            return path(target);
        } catch (HookException e) {
            throw refused(name, "it is a hard link to " + printable(target) + ", outside the archive");
        }
    }

    private Digest digest(InputStream data) throws IOException {
        MessageDigest digest = Digest.algorithm();
        for (int n = data.read(buffer, 0, buffer.length); n >= 0; n = data.read(buffer, 0, buffer.length)) {
            digest.update(buffer, 0, n);
        }
        return Digest.of(digest);
    }

    /** The normal form of a member's name. */
    private String path(String name) {
        text(name, name);
        if (name.startsWith("/")) {
            throw refused(name, "its path is absolute");
        }
        StringBuilder path = new StringBuilder(name.length());
        int from = 0;
        while (from < name.length()) {
            int slash = name.indexOf('/', from);
            int to = slash < 0 ? name.length() : slash;
            if (to - from == 2 && name.startsWith("..", from)) {
                throw refused(name, "its path leaves the root with '..'");
            }
            if (to > from && !(to - from == 1 && name.charAt(from) == '.')) {
                if (path.length() > 0) {
                    path.append('/');
                }
                path.append(name, from, to);
            }
            from = to + 1;
        }
        return path.toString();
    }

    private void text(String text, String name) {
        if (text.indexOf('\0') >= 0) {
            throw refused(name, "there is a NUL byte in its name or link");
        }
        // What is left in the place of bytes that are not UTF-8.
        if (text.indexOf('\ufffd') >= 0) {
            throw refused(name, "its name or link is not UTF-8");
        }
    }

    private int id(long id, String name, String what) {
        if (id < 0 || id > Integer.MAX_VALUE) {
            throw refused(name, "its " + what + " " + id + " is not between 0 and " + Integer.MAX_VALUE);
        }
        return (int) id;
    }

    private HookException refused(String name, String why) {
        return new HookException(label + ": refused the member " + printable(name) + ": " + why);
    }

    private static String printable(String name) {
        StringBuilder text = new StringBuilder();
        name.chars().forEach(c -> {
            if (c < ' ' || c == 0x7f) {
                text.append(String.format(java.util.Locale.ROOT, "\\x%02x", c));
            } else {
                text.append((char) c);
            }
        });
        return text.toString();
    }

    /**
     * What the headers before a member's own say, as bytes: Commons Compress takes every record for UTF-8, which destroys
     * capabilities and other binary attributes, and takes leading slashes off long names before anybody has seen them.
     */
    private static final class Extended {
        private static final int RECORD = 512;

        private String path;
        private String linkPath;
        private final SortedMap<String, String> xattrs = new TreeMap<>();

        /** Reads padding, any number of extension headers, and the member's own header. */
        static Extended of(byte[] headers) throws IOException {
            Extended extended = new Extended();
            // Records end where the member's own header does, so what is not a whole record is the padding in front.
            int at = headers.length % RECORD;
            while (at + RECORD <= headers.length) {
                char flag = (char) (headers[at + 156] & 0xff);
                if ("xXLKg".indexOf(flag) < 0) {
                    break;
                }
                int size = size(headers, at);
                int from = at + RECORD;
                if (size > headers.length - from) {
                    throw new IOException("an extended header is cut off");
                }
                if (flag == 'x' || flag == 'X') {
                    extended.pax(headers, from, from + size);
                } else if (flag == 'L' && extended.path == null) {
                    extended.path = zeroEnded(headers, from, size);
                } else if (flag == 'K' && extended.linkPath == null) {
                    extended.linkPath = zeroEnded(headers, from, size);
                }
                at = from + (size + RECORD - 1) / RECORD * RECORD;
            }
            return extended;
        }

        private static int size(byte[] headers, int at) throws IOException {
            String octal = new String(headers, at + 124, 12, StandardCharsets.ISO_8859_1).replace('\0', ' ').trim();
            try {
                return octal.isEmpty() ? 0 : Integer.parseInt(octal, 8);
            } catch (NumberFormatException e) {
                throw new IOException("an extended header of the size " + octal, e);
            }
        }

        private static String zeroEnded(byte[] bytes, int from, int size) throws IOException {
            int end = from;
            while (end < from + size && bytes[end] != 0) {
                end++;
            }
            return utf8(bytes, from, end);
        }

        /** Records of the form {@code <length> <key>=<value>\n}, where the length counts all of the record. */
        private void pax(byte[] bytes, int from, int end) throws IOException {
            int at = from;
            while (at < end && bytes[at] != 0) {
                int space = at;
                int length = 0;
                while (space < end && bytes[space] >= '0' && bytes[space] <= '9' && length <= end - at) {
                    length = length * 10 + bytes[space++] - '0';
                }
                if (space >= end || bytes[space] != ' ' || length <= space - at + 1 || length > end - at || bytes[at + length - 1] != '\n') {
                    throw new IOException("a malformed extended header record");
                }
                int equals = space + 1;
                while (equals < at + length - 1 && bytes[equals] != '=') {
                    equals++;
                }
                record(utf8(bytes, space + 1, equals), bytes, Math.min(equals + 1, at + length - 1), at + length - 1);
                at += length;
            }
        }

        private void record(String key, byte[] bytes, int from, int to) throws IOException {
            if (key.equals("path")) {
                path = utf8(bytes, from, to);
            } else if (key.equals("linkpath")) {
                linkPath = utf8(bytes, from, to);
            } else if (key.startsWith(XATTR)) {
                xattrs.put(key.substring(XATTR.length()), new String(bytes, from, to - from, StandardCharsets.ISO_8859_1));
            }
        }

        private static String utf8(byte[] bytes, int from, int to) throws IOException {
            try {
                return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, from, to - from)).toString();
            } catch (CharacterCodingException e) {
                throw new IOException("a name that is not UTF-8", e);
            }
        }
    }
}
