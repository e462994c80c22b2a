package org.tinkerbell.hook.container;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.tinkerbell.hook.container.ImageDefinition.DirectoryItem;
import org.tinkerbell.hook.container.ImageDefinition.FileItem;
import org.tinkerbell.hook.container.ImageDefinition.Layout;
import org.tinkerbell.hook.container.ImageDefinition.LinkItem;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;

/**
 * The files of an image: the layout, then what is selected of the packages, then the runtime and the certificates, then what
 * the definition itself names, which wins.
 */
final class ImageTree {
    private static final List<String> MERGED = List.of("bin", "lib", "lib64", "sbin");
    private static final int DIRECTORY_MODE = 0755;

    private final ImageDefinition definition;
    private final Arch arch;
    private final FileTree tree = new FileTree();

    private ImageTree(ImageDefinition definition, Arch arch) {
        this.definition = definition;
        this.arch = arch;
    }

    /**
     * The files of an image.
     *
     * @param packages the entries of each package
     * @param selection which of them are taken
     * @param extra entries beside the packages': the Java runtime, the agents' jar, the certificates
     * @throws HookException if two packages, or a package and the definition, cannot both be
     */
    static FileTree of(
            ImageDefinition definition, Arch arch, Collection<List<Entry>> packages, FileSelection selection, List<Entry> extra)
            throws IOException {
        ImageTree image = new ImageTree(definition, arch);
        try {
            image.addPackages(packages, selection);
            extra.forEach(image.tree::put);
            image.addItems();
        } catch (HookException e) {
            throw new HookException("Image " + definition.name() + ": " + e.getMessage(), e);
        }
        return image.tree;
    }

    private void addPackages(Collection<List<Entry>> packages, FileSelection selection) {
        FileTree all = new FileTree();
        if (definition.layout() == Layout.MERGED_USR) {
            // First, so that a package that still has /lib/x has it in /usr/lib.
            layMergedUsr(all);
        }
        for (List<Entry> entries : packages) {
            all.putAll(entries, FileTree.Clash.REFUSE);
        }
        tree.put(Entry.directory("", DIRECTORY_MODE));
        switch (definition.layout()) {
            case MERGED_USR -> layMergedUsr(tree);
            case SPLIT -> List.of("bin", "lib", "sbin").forEach(name -> tree.put(Entry.directory(name, DIRECTORY_MODE)));
            case EMPTY -> {
                // Only what the definition names.
            }
        }
        List<Entry> selected = selection.from(all).stream().filter(e -> !e.path().isEmpty()).toList();
        selected.forEach(entry -> tree.put(entry, FileTree.Clash.REFUSE));
        if (definition.layout() == Layout.SPLIT && tree.resolve(arch.dynamicLoader()).isPresent()) {
            // Programs name their loader by the path that it has on a merged-/usr system: /lib64/ld-linux-x86-64.so.2, /lib/ld-linux-aarch64.so.1.
            tree.put(Entry.symlink(arch.dynamicLoader().substring("usr/".length()), "../" + arch.dynamicLoader()));
        }
    }

    private void layMergedUsr(FileTree to) {
        for (String name : MERGED) {
            // /lib64 is there only where the ABI has the loader in it.
            if (!name.equals("lib64") || arch.dynamicLoader().startsWith("usr/lib64/")) {
                to.put(Entry.directory("usr/" + name, DIRECTORY_MODE));
                to.put(Entry.symlink(name, "usr/" + name));
            }
        }
    }

    private void addItems() throws IOException {
        for (DirectoryItem item : definition.directories()) {
            if (item.architectures().contains(arch)) {
                Entry directory = Entry.directory(item.path(), item.mode()).withOwner(item.uid(), item.gid());
                Optional<Entry> there = tree.resolve(item.path()).filter(e -> e.type() == Entry.Type.DIRECTORY);
                tree.put(there.isPresent() ? directory.withPath(there.get().path()) : directory);
            }
        }
        for (FileItem item : definition.files()) {
            if (item.architectures().contains(arch)) {
                add(item);
            }
        }
        for (LinkItem item : definition.links()) {
            if (item.architectures().contains(arch)) {
                tree.put(Entry.symlink(item.path(), item.target()));
            }
        }
        definition.accounts().ifPresent(accounts -> AccountFiles.of(accounts).forEach(tree::put));
    }

    private void add(FileItem item) throws IOException {
        if (item.contents().isPresent()) {
            tree.put(entry(item, item.path(), Content.of(item.contents().get())));
            return;
        }
        Path source = item.source().orElseThrow();
        for (Path file : sourceFiles(source)) {
            String below = Files.isDirectory(source) ? "/" + source.relativize(file).toString().replace('\\', '/') : "";
            tree.put(entry(item, item.path() + below, Content.of(file)));
        }
    }

    private static Entry entry(FileItem item, String path, Content content) throws IOException {
        int mode = item.mode().isPresent() ? item.mode().get() : isScript(content) ? 0755 : 0644;
        return Entry.file(path, mode, content).withOwner(item.uid(), item.gid());
    }

    private static boolean isScript(Content content) throws IOException {
        try (InputStream in = content.open()) {
            byte[] first = in.readNBytes(2);
            return first.length == 2 && first[0] == '#' && first[1] == '!';
        }
    }

    /**
     * The regular files that a {@code source} means, in the order of their names.
     *
     * @throws HookException if there is something else among them
     */
    static List<Path> sourceFiles(Path source) throws IOException {
        if (!Files.isDirectory(source)) {
            return List.of(source);
        }
        try (Stream<Path> walk = Files.walk(source)) {
            List<Path> files = walk.filter(path -> !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS))
                    // By name, not by the order of a directory, and the same where the separator is another.
                    .sorted(Comparator.comparing(path -> source.relativize(path).toString().replace('\\', '/')))
                    .toList();
            for (Path file : files) {
                if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                    throw new HookException(file + " is no regular file. Name links by the key 'links' of " + ImageDefinition.FILE + ".");
                }
            }
            return files;
        }
    }
}
