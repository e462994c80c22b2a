package org.tinkerbell.hook.linuxkit;

import java.util.List;
import java.util.Optional;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;

/**
 * The file system of the whole system while it is put together: what comes later wins, as when the kernel unpacks one archive
 * after another. A directory with something in it cannot become anything else: the kernel would keep it and lose what was to be
 * there (init/initramfs.c, {@code clean_path}), so that is an error here.
 */
final class SystemTree {
    private final FileTree tree = new FileTree();

    /** Puts an entry where its path leads to. */
    void put(Entry entry) {
        if (entry.type() != Entry.Type.DIRECTORY) {
            Optional<Entry> before = tree.get(entry.path());
            if (before.isPresent() && before.get().type() == Entry.Type.DIRECTORY && !tree.below(entry.path()).isEmpty()) {
                throw new HookException("/" + entry.path() + " is a directory with files in it; nothing else can take its place");
            }
        }
        tree.put(entry, FileTree.Clash.REPLACE);
    }

    /** Puts many entries, in their order. */
    void putAll(Iterable<Entry> all) {
        all.forEach(this::put);
    }

    /** Takes away everything below a path, but not what is there itself. */
    void clear(String path) {
        tree.clear(path);
    }

    /** What is at a path; links are not followed. */
    Optional<Entry> get(String path) {
        return tree.get(path);
    }

    /** All entries in the order of their paths. */
    List<Entry> entries() {
        return tree.entries();
    }
}
