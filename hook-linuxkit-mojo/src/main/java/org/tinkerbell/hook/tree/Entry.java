package org.tinkerbell.hook.tree;

import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One entry of a file tree, with everything that an archive of it needs. Nothing of it need exist on the host, so owners,
 * devices and capabilities are kept without being root.
 *
 * <p>Two regular files that share one {@link Content} object are hard links of each other.
 *
 * @param path relative path with {@code /} between names, no leading or trailing slash, no {@code .} or {@code ..}; the
 *     root itself is the empty string
 * @param mode permission bits with set-uid, set-gid and sticky: {@code 0..07777}
 * @param uid number of the owner
 * @param gid number of the group
 * @param mtime seconds since 1970
 * @param link target of a symbolic link, as it is to be written; empty otherwise
 * @param major device number, 0 where it is no device
 * @param minor device number, 0 where it is no device
 * @param xattrs extended attributes by full name, such as {@code security.capability}, with their bytes as ISO-8859-1 text
 * @param content bytes of a regular file, null otherwise
 */
public record Entry(
        String path,
        Type type,
        int mode,
        int uid,
        int gid,
        long mtime,
        String link,
        int major,
        int minor,
        SortedMap<String, String> xattrs,
        Content content) {

    /** What an entry is. */
    public enum Type {
        FILE,
        DIRECTORY,
        SYMLINK,
        CHARACTER_DEVICE,
        BLOCK_DEVICE,
        FIFO
    }

    public Entry {
        Objects.requireNonNull(type, "type");
        if (!isNormal(path)) {
            throw new IllegalArgumentException("not a normal relative path: " + path);
        }
        if ((mode & ~07777) != 0) {
            throw new IllegalArgumentException(path + ": mode has more than permission bits: " + Integer.toOctalString(mode));
        }
        if ((type == Type.FILE) != (content != null)) {
            throw new IllegalArgumentException(path + ": a regular file, and nothing else, has content");
        }
        xattrs = xattrs.isEmpty() ? Collections.emptySortedMap() : Collections.unmodifiableSortedMap(new TreeMap<>(xattrs));
    }

    // By hand, since trees have tens of thousands of entries that are made again and again.
    private static boolean isNormal(String path) {
        int from = 0;
        while (from <= path.length() && !path.isEmpty()) {
            int slash = path.indexOf('/', from);
            int length = (slash < 0 ? path.length() : slash) - from;
            boolean dots = length == 1 && path.charAt(from) == '.' || length == 2 && path.startsWith("..", from);
            if (length == 0 || dots) {
                return false;
            }
            if (slash < 0) {
                break;
            }
            from = slash + 1;
        }
        return true;
    }

    /** A regular file of root's. */
    public static Entry file(String path, int mode, Content content) {
        return new Entry(path, Type.FILE, mode, 0, 0, 0, "", 0, 0, Collections.emptySortedMap(), content);
    }

    /** A directory of root's. */
    public static Entry directory(String path, int mode) {
        return new Entry(path, Type.DIRECTORY, mode, 0, 0, 0, "", 0, 0, Collections.emptySortedMap(), null);
    }

    /** A symbolic link. */
    public static Entry symlink(String path, String target) {
        return new Entry(path, Type.SYMLINK, 0777, 0, 0, 0, target, 0, 0, Collections.emptySortedMap(), null);
    }

    /** The same entry elsewhere. */
    public Entry withPath(String newPath) {
        return new Entry(newPath, type, mode, uid, gid, mtime, link, major, minor, xattrs, content);
    }

    /** The same entry with other permission bits. */
    public Entry withMode(int newMode) {
        return new Entry(path, type, newMode, uid, gid, mtime, link, major, minor, xattrs, content);
    }

    /** The same entry of another owner. */
    public Entry withOwner(int newUid, int newGid) {
        return new Entry(path, type, mode, newUid, newGid, mtime, link, major, minor, xattrs, content);
    }

    /** The same entry with another time, in seconds since 1970. */
    public Entry withMtime(long newMtime) {
        return new Entry(path, type, mode, uid, gid, newMtime, link, major, minor, xattrs, content);
    }

    /** The same entry with other extended attributes. */
    public Entry withXattrs(Map<String, String> newXattrs) {
        return new Entry(path, type, mode, uid, gid, mtime, link, major, minor, new TreeMap<>(newXattrs), content);
    }

    /** The same regular file with other bytes, or with the same bytes elsewhere. */
    public Entry withContent(Content newContent) {
        return new Entry(path, type, mode, uid, gid, mtime, link, major, minor, xattrs, newContent);
    }

    /** Path of the directory that holds it; the root's is the root. */
    public String parent() {
        int slash = path.lastIndexOf('/');
        return slash < 0 ? "" : path.substring(0, slash);
    }

    /** Last name of the path. */
    public String name() {
        return path.substring(path.lastIndexOf('/') + 1);
    }
}
