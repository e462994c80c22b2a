package org.tinkerbell.hook.linuxkit;

import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Entry;

/**
 * A file tree that is put together from many parts, as if they were unpacked one after another into one directory: what comes later
 * wins. As in the kernel's unpacking of an initramfs, the names of directories on the way may be symbolic links; and what
 * is no directory takes the place of a directory only if that is empty.
 */
final class MergedTree {
    private static final int MOST_LINKS = 40;

    private final NavigableMap<String, Entry> entries = new TreeMap<>();

    /** Puts an entry where its path leads to. Missing directories on the way are made: 0755, root's. */
    void put(Entry entry) {
        if (entry.path().isEmpty()) {
            entries.put("", entry);
            return;
        }
        String parent = directory(entry.parent(), entry.path(), MOST_LINKS);
        String path = parent.isEmpty() ? entry.name() : parent + "/" + entry.name();
        Entry before = entries.get(path);
        if (before != null && before.type() == Entry.Type.DIRECTORY && entry.type() != Entry.Type.DIRECTORY && hasChildren(path)) {
            throw new HookException("/" + path + " is a directory with files in it, so nothing else can take its place; "
                    + "it would become a " + entry.type().name().toLowerCase(Locale.ROOT).replace('_', ' ') + ".");
        }
        entries.put(path, path.equals(entry.path()) ? entry : entry.withPath(path));
    }

    /** Puts many entries, in their order. */
    void putAll(Collection<Entry> all) {
        all.forEach(this::put);
    }

    /** Takes an entry away, without what is below it. */
    void remove(String path) {
        entries.remove(path);
    }

    /** Takes away an entry and everything below it. */
    void removeTree(String path) {
        entries.remove(path);
        removeChildren(path);
    }

    /** Takes away everything below a path, but not what is there itself. */
    void removeChildren(String path) {
        for (Iterator<Map.Entry<String, Entry>> below = entries.tailMap(path + "/", false).entrySet().iterator(); below.hasNext(); ) {
            if (!below.next().getKey().startsWith(path + "/")) {
                return;
            }
            below.remove();
        }
    }

    /** What is at a path; links are not followed. */
    Optional<Entry> get(String path) {
        return Optional.ofNullable(entries.get(path));
    }

    /** All entries in the order of their paths. */
    Collection<Entry> entries() {
        return Collections.unmodifiableCollection(entries.values());
    }

    private boolean hasChildren(String path) {
        String next = entries.higherKey(path + "/");
        return next != null && next.startsWith(path + "/");
    }

    /** The directory that a path leads to, links followed; made if it is missing. */
    private String directory(String path, String wanted, int linksLeft) {
        String at = "";
        for (String name : path.split("/")) {
            if (name.isEmpty() || name.equals(".")) {
                continue;
            }
            if (name.equals("..")) {
                at = at.substring(0, Math.max(0, at.lastIndexOf('/')));
                continue;
            }
            String next = at.isEmpty() ? name : at + "/" + name;
            Entry there = entries.get(next);
            if (there == null) {
                entries.put(next, Entry.directory(next, 0755));
            } else if (there.type() == Entry.Type.SYMLINK) {
                if (linksLeft == 0) {
                    throw new HookException("/" + wanted + ": too many symbolic links on the way, at /" + next);
                }
                String target = there.link().startsWith("/") ? there.link() : at + "/" + there.link();
                next = directory(target, wanted, linksLeft - 1);
            } else if (there.type() != Entry.Type.DIRECTORY) {
                throw new HookException("/" + wanted + ": /" + next + " on the way is no directory");
            }
            at = next;
        }
        return at;
    }
}
