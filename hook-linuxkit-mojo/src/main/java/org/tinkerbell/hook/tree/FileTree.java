package org.tinkerbell.hook.tree;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.tinkerbell.hook.io.HookException;

/**
 * A file system as records: what unpacking archives over one another would leave on a disk, without a disk.
 *
 * <p>Paths are those of {@link Entry}. As on a disk, a path may lead through symbolic links to directories; they are
 * followed inside the root only, an absolute target beginning at the root and {@code ..} ending there. Parents that
 * nobody put are made, as root's with the mode 0755. The root itself is there if somebody put it.
 *
 * <p>Not for several threads at once.
 */
public final class FileTree implements Iterable<Entry> {
    /** What happens where something else is already. */
    public enum Clash {
        /**
         * As dpkg unpacks packages: a directory that comes where a link to a directory is leaves the link alone, and
         * anything else that turns a directory into something else, or something else into a directory, is refused.
         */
        REFUSE,
        /** As image layers are applied: what comes later wins, with all that was below. */
        REPLACE
    }

    /** As many as Linux follows in one path (path_resolution(7)). */
    private static final int MAX_LINKS = 40;

    private static final int DEFAULT_MODE = 0755;

    private final NavigableMap<String, Entry> entries = new TreeMap<>();
    // Directories that only came because something below them did: whatever comes may take their place.
    private final Set<String> implied = new HashSet<>();

    /** An empty tree. */
    public FileTree() {}

    /** A tree of its own with the same entries. */
    public FileTree copy() {
        FileTree copy = new FileTree();
        copy.entries.putAll(entries);
        copy.implied.addAll(implied);
        return copy;
    }

    /**
     * Puts an entry, in whose path links to directories are followed; what is there already is replaced.
     *
     * @return the entry as it is in the tree, with its real path
     * @throws HookException if the path leads through something that is no directory, or around in circles
     */
    public Entry put(Entry entry) {
        return put(entry, Clash.REPLACE);
    }

    /** Puts an entry; see {@link #put(Entry)}. */
    public Entry put(Entry entry, Clash clash) {
        String path = entry.path().isEmpty() ? "" : child(makeDirectories(entry.parent(), entry.path()), entry.name());
        Entry there = entries.get(path);
        boolean directory = entry.type() == Entry.Type.DIRECTORY;
        if (path.isEmpty() && !directory) {
            throw new HookException("The root of a file tree can only be a directory");
        }
        if (there != null && clash == Clash.REFUSE && directory != (there.type() == Entry.Type.DIRECTORY)) {
            if (directory && there.type() == Entry.Type.SYMLINK) {
                Optional<Entry> target = resolve(path);
                if (target.isPresent() && target.get().type() == Entry.Type.DIRECTORY) {
                    return there;
                }
            }
            if (!(implied.contains(path) && below(path).isEmpty())) {
                throw new HookException("/" + path + " is " + called(there) + " and would become " + called(entry));
            }
        }
        if (!directory && there != null && there.type() == Entry.Type.DIRECTORY) {
            remove(path);
        }
        implied.remove(path);
        Entry real = path.equals(entry.path()) ? entry : entry.withPath(path);
        entries.put(path, real);
        return real;
    }

    /** Puts entries in their order, as unpacking an archive of them does. */
    public void putAll(Iterable<Entry> all, Clash clash) {
        for (Entry entry : all) {
            put(entry, clash);
        }
    }

    /**
     * Puts entries in their order below a directory. Links in them that are absolute still begin at the root of the whole
     * tree when they are followed, as everywhere.
     */
    public void putAll(Iterable<Entry> all, String below, Clash clash) {
        for (Entry entry : all) {
            put(entry.withPath(entry.path().isEmpty() ? below : child(below, entry.path())), clash);
        }
    }

    /** The entry of exactly this path, links not followed. */
    public Optional<Entry> get(String path) {
        return Optional.ofNullable(entries.get(path));
    }

    /** What a path leads to when every link in it is followed, the last one too; nothing if nothing is there. */
    public Optional<Entry> resolve(String path) {
        return Optional.ofNullable(entries.get(realPath(path)));
    }

    /**
     * The path without links that a path means, whether or not something is there.
     *
     * @throws HookException if links lead around in circles
     */
    public String realPath(String path) {
        return walk(path, path, false);
    }

    /** Makes a directory with its parents where they are missing; gives its real path. */
    public String makeDirectories(String path) {
        return makeDirectories(path, path);
    }

    private String makeDirectories(String path, String wanted) {
        // The common case by far: the parent is there and no link.
        Entry there = entries.get(path);
        if (path.isEmpty() || there != null && there.type() == Entry.Type.DIRECTORY) {
            return path;
        }
        return walk(path, wanted, true);
    }

    private String walk(String path, String wanted, boolean make) {
        // Names that are still to walk, the next one last.
        List<String> rest = new ArrayList<>();
        push(rest, path);
        String at = "";
        int links = 0;
        while (!rest.isEmpty()) {
            String name = rest.remove(rest.size() - 1);
            if (name.equals("..")) {
                at = at.substring(0, Math.max(0, at.lastIndexOf('/')));
                continue;
            }
            String next = child(at, name);
            Entry entry = entries.get(next);
            if (entry != null && entry.type() == Entry.Type.SYMLINK) {
                if (++links > MAX_LINKS) {
                    throw new HookException("/" + wanted + ": too many symbolic links, the last one /" + next + " -> " + entry.link());
                }
                if (entry.link().startsWith("/")) {
                    at = "";
                }
                push(rest, entry.link());
                continue;
            }
            if (make && entry == null) {
                entries.put(next, Entry.directory(next, DEFAULT_MODE));
                implied.add(next);
            } else if (make && entry.type() != Entry.Type.DIRECTORY) {
                throw new HookException("/" + wanted + " cannot be: /" + next + " is " + called(entry));
            }
            at = next;
        }
        return at;
    }

    private static void push(List<String> rest, String path) {
        String[] names = path.split("/");
        for (int i = names.length - 1; i >= 0; i--) {
            if (!names[i].isEmpty() && !names[i].equals(".")) {
                rest.add(names[i]);
            }
        }
    }

    /** Removes what is at exactly this path and all below; says whether something was there. */
    public boolean remove(String path) {
        if (path.isEmpty()) {
            boolean any = !entries.isEmpty();
            entries.clear();
            implied.clear();
            return any;
        }
        boolean any = entries.remove(path) != null;
        implied.remove(path);
        NavigableMap<String, Entry> children = entries.subMap(path + "/", true, path + "0", false);
        any |= !children.isEmpty();
        implied.removeAll(children.keySet());
        children.clear();
        return any;
    }

    /** Removes what is below a path and leaves the directory itself. */
    public void clear(String path) {
        List<String> names = below(path).stream().map(Entry::path).toList();
        names.forEach(entries::remove);
        names.forEach(implied::remove);
    }

    /** Removes what a pattern matches, directories with all below; gives how many entries went away. */
    public int remove(Glob glob) {
        int before = entries.size();
        List<String> matching = entries.keySet().stream().filter(glob::matches).toList();
        matching.forEach(this::remove);
        return before - entries.size();
    }

    /** The entries below a directory, at any depth, in order; links are not followed. */
    public Collection<Entry> below(String path) {
        return path.isEmpty() ? entries.tailMap("", false).values() : entries.subMap(path + "/", true, path + "0", false).values();
    }

    /** The entries directly in a directory, in order; links are not followed. */
    public List<Entry> children(String path) {
        int from = path.isEmpty() ? 0 : path.length() + 1;
        return below(path).stream().filter(e -> e.path().indexOf('/', from) < 0).toList();
    }

    /** All entries, sorted by path, so that a directory comes before what is in it. */
    public List<Entry> entries() {
        return List.copyOf(entries.values());
    }

    /** All entries, sorted by path. */
    public Stream<Entry> stream() {
        return entries.values().stream();
    }

    @Override
    public Iterator<Entry> iterator() {
        return entries().iterator();
    }

    /** How many entries there are. */
    public int size() {
        return entries.size();
    }

    private static String child(String directory, String name) {
        return directory.isEmpty() ? name : directory + "/" + name;
    }

    private static String called(Entry entry) {
        return switch (entry.type()) {
            case FILE -> "a file";
            case DIRECTORY -> "a directory";
            case SYMLINK -> "a symbolic link to " + entry.link();
            case CHARACTER_DEVICE, BLOCK_DEVICE -> "a device";
            case FIFO -> "a FIFO";
        };
    }
}
