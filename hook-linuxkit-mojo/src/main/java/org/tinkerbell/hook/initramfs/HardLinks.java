package org.tinkerbell.hook.initramfs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

/**
 * Finds which regular files of a tree become hard links of each other and gives every entry its inode.
 *
 * <p>Files with the same bytes, mode, owner and extended attributes are one inode wherever they are, with two exceptions that
 * stay links only of those names that the image itself linked. What the running system may write in place is not shared:
 * outside of {@code containers/} (whose trees are read-only or lower layers of overlays) that is everything which is not a
 * program, library or firmware. And empty files are not: there is nothing to share, and locks and marks are made of them.
 */
final class HardLinks {
    /** Trees whose files nothing writes in place: those of containers, and where the system's own programs are. */
    private static final Pattern NEVER_WRITTEN = Pattern.compile("(containers|usr|s?bin|lib|lib32|lib64|libx32|libo32|opt)/.*");

    private static final Pattern CONTAINER = Pattern.compile("(containers/[^/]+/[^/]+)/.*");

    private final Map<Identity, List<Entry>> names = new HashMap<>();
    private final Map<String, Identity> identities = new HashMap<>();
    private final Set<CpioWriter.Inode> taken = new HashSet<>();
    private final Map<Identity, CpioWriter.Inode> inodes = new HashMap<>();

    /**
     * What makes files the same.
     *
     * @param content null where files anywhere may be the same, else the content that they have in common
     * @param within empty likewise, else the tree that they are in
     */
    private record Identity(Digest digest, int mode, int uid, int gid, Map<String, String> xattrs, Content content, String within) {}

    /** Takes the tree in, whose regular files must know their digests or be able to compute them. */
    HardLinks(Iterable<Entry> tree) throws IOException {
        for (Entry entry : tree) {
            if (entry.type() == Entry.Type.FILE) {
                Identity identity = identity(entry);
                identities.put(entry.path(), identity);
                names.computeIfAbsent(identity, i -> new ArrayList<>(1)).add(entry);
            }
        }
    }

    /** How many names the inode of an entry has. */
    int links(Entry entry) {
        return entry.type() == Entry.Type.FILE ? group(entry).size() : entry.type() == Entry.Type.DIRECTORY ? 2 : 1;
    }

    /** Whether the entry is the first name of its inode in the tree's order. */
    boolean isFirst(Entry entry) {
        return group(entry).get(0).path().equals(entry.path());
    }

    /** All names of a file's inode in the tree's order. */
    List<Entry> group(Entry file) {
        return names.get(identities.get(file.path()));
    }

    /** Every inode that has more than one name, by its names. */
    List<List<Entry>> shared() {
        return names.values().stream().filter(group -> group.size() > 1).toList();
    }

    /**
     * The inode of an entry: derived from what it is, not from where it is in the archive, so that a change elsewhere leaves
     * it as it was.
     */
    CpioWriter.Inode inode(Entry entry) {
        if (links(entry) == 1 || entry.type() != Entry.Type.FILE) {
            return free("path\0" + entry.path());
        }
        Identity identity = identities.get(entry.path());
        CpioWriter.Inode known = inodes.get(identity);
        if (known == null) {
            known = free("file\0" + identity.digest + "\0" + identity.mode + "\0" + identity.uid + "\0" + identity.gid + "\0"
                    + identity.xattrs + "\0" + (identity.content == null ? "" : group(entry).get(0).path()));
            inodes.put(identity, known);
        }
        return known;
    }

    private CpioWriter.Inode free(String seed) {
        for (int attempt = 0; ; attempt++) {
            MessageDigest algorithm = Digest.algorithm();
            algorithm.update(seed.getBytes(StandardCharsets.UTF_8));
            algorithm.update((byte) attempt);
            ByteBuffer bytes = ByteBuffer.wrap(algorithm.digest());
            CpioWriter.Inode inode = new CpioWriter.Inode(bytes.getInt(), bytes.getInt(), bytes.getInt());
            if (inode.number() != 0 && taken.add(inode)) {
                return inode;
            }
        }
    }

    private static Identity identity(Entry file) throws IOException {
        boolean anywhere = file.content().size() > 0 && NEVER_WRITTEN.matcher(file.path()).matches();
        Matcher container = CONTAINER.matcher(file.path());
        return new Identity(file.content().digest(), file.mode(), file.uid(), file.gid(), file.xattrs(),
                anywhere ? null : file.content(), anywhere ? "" : container.matches() ? container.group(1) : "/");
    }
}
