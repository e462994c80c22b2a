package org.tinkerbell.hook.linuxkit;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;

/**
 * The root file system of an image: its layers laid over each other (OCI image specification, layer.md), and then what LinuxKit leaves
 * out, replaces and makes sure of: src/cmd/linuxkit/moby/build/image.go of LinuxKit 1.8.2, {@code exclude}, {@code replace}, {@code touch}.
 *
 * <p>Opaque whiteouts hide nothing, since they do not in LinuxKit (go-containerregistry, {@code mutate.Extract}).
 */
final class ImageRoot {
    /** Where LinuxKit's init has the configuration of name resolution. */
    private static final String RESOLV_CONF = "/run/resolvconf/resolv.conf";

    private static final String WHITEOUT = ".wh.";
    private static final List<String> LEFT_OUT = List.of(".dockerenv", "Dockerfile", "dev/console", "etc/hostname");
    private static final List<String> DIRECTORIES = List.of("dev", "dev/pts", "dev/shm", "etc", "proc", "sys");
    private static final Content HOSTS = Content.of("""
            127.0.0.1       localhost
            ::1     localhost ip6-localhost ip6-loopback
            fe00::0 ip6-localnet
            ff00::0 ip6-mcastprefix
            ff02::1 ip6-allnodes
            ff02::2 ip6-allrouters
            """);
    private static final Content NO_RESOLV_CONF = Content.of("\n# no resolv.conf configured\n");

    private final FileTree tree = new FileTree();
    // Directories that no layer has, but only paths lead through, are not the image's: where it is unpacked there may be a link.
    private final Set<String> named = new HashSet<>();

    private ImageRoot(List<List<Entry>> layers) {
        for (List<Entry> layer : layers) {
            for (Entry entry : layer) {
                if (isWhiteout(entry)) {
                    String name = entry.name().substring(WHITEOUT.length());
                    tree.remove(entry.parent().isEmpty() ? name : entry.parent() + "/" + name);
                }
            }
            for (Entry entry : layer) {
                if (!isWhiteout(entry)) {
                    put(entry);
                }
            }
        }
    }

    private void put(Entry entry) {
        named.add(tree.put(entry, FileTree.Clash.REPLACE).path());
    }

    private static boolean isWhiteout(Entry entry) {
        return entry.name().startsWith(WHITEOUT) && entry.type() != Entry.Type.DIRECTORY;
    }

    /** The layers and nothing else. */
    static ImageRoot raw(List<List<Entry>> layers) {
        return new ImageRoot(layers);
    }

    /**
     * The tree of a container, or of an image of the {@code init} section.
     *
     * @param system whether it is the latter, or a volume: then {@code etc/resolv.conf} is a link to where the init writes it
     */
    static ImageRoot prepared(List<List<Entry>> layers, boolean system) {
        ImageRoot root = new ImageRoot(layers);
        LEFT_OUT.forEach(root.tree::remove);
        DIRECTORIES.forEach(path -> root.put(Entry.directory(path, 0755)));
        if (root.tree.get("etc/mtab").isEmpty()) {
            root.put(Entry.symlink("etc/mtab", "/proc/mounts").withMode(0755));
        }
        root.put(Entry.file("etc/hosts", 0644, HOSTS));
        root.put(system
                ? Entry.symlink("etc/resolv.conf", RESOLV_CONF).withMode(0644)
                : Entry.file("etc/resolv.conf", 0644, NO_RESOLV_CONF));
        return root;
    }

    /** What is at a path. */
    Optional<Entry> get(String path) {
        return tree.get(path);
    }

    /** All entries in the order of their paths. */
    List<Entry> entries() {
        return tree.stream().filter(entry -> named.contains(entry.path())).toList();
    }

    /** All entries below another directory, which itself becomes the root if the image has an entry for that. */
    List<Entry> below(String prefix) {
        return entries().stream()
                .map(entry -> entry.withPath(entry.path().isEmpty() ? prefix : prefix + "/" + entry.path()))
                .toList();
    }
}
