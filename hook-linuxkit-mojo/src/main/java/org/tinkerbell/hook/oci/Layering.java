package org.tinkerbell.hook.oci;

import java.util.List;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;

/** Lays a layer over what is below it (<a href="https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md">layer.md</a>). */
public final class Layering {
    /** What stands before the name of something that a layer takes away. */
    public static final String WHITEOUT = ".wh.";
    /** The prefix of AUFS's own files, of which only the opaque mark means something. */
    public static final String AUFS = WHITEOUT + WHITEOUT;
    /** The mark in a directory of which a layer takes away all that is below. */
    public static final String OPAQUE = AUFS + ".opq";

    private Layering() {}

    /** Lays a layer, members in its archive's order, over a tree. */
    public static void apply(List<Entry> layer, FileTree tree) {
        // First what hides, since it hides what is below and never what is in the same layer, in whatever order they come.
        for (Entry entry : layer) {
            String name = entry.name();
            if (name.equals(OPAQUE)) {
                tree.clear(tree.realPath(entry.parent()));
            } else if (name.startsWith(WHITEOUT) && !name.startsWith(AUFS)) {
                String parent = tree.realPath(entry.parent());
                String hidden = name.substring(WHITEOUT.length());
                // A whiteout of "." or ".." is no name; it would otherwise hide a directory above.
                if (!hidden.isEmpty() && !hidden.equals(".") && !hidden.equals("..")) {
                    tree.remove(parent.isEmpty() ? hidden : parent + "/" + hidden);
                }
            }
        }
        for (Entry entry : layer) {
            if (!entry.name().startsWith(WHITEOUT)) {
                tree.put(entry, FileTree.Clash.REPLACE);
            }
        }
    }
}
