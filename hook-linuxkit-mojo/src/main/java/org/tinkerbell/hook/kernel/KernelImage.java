package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Directories;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageBuilder;
import org.tinkerbell.hook.oci.ImageConfig;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.toolbox.Tool;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;
import org.tinkerbell.hook.tree.TarWriter;

/**
 * Makes the image that LinuxKit takes a kernel from: {@code /kernel}, {@code /kernel.tar} with {@code lib/modules/<release>} (LinuxKit,
 * docs/kernels.md), and beside these, for whoever boots by them, {@code /dtbs.tar.gz} with the device trees.
 *
 * <p>Modules stay compressed one by one, as Debian has them. Measured on amd64's 1989 modules that stay: 37.9 MB as they are, 205 MB
 * plain, and the plain ones in an archive 39.2 MB at zstd's level 9 and 38.6 MB at level 19. So the download gains nothing by
 * unpacking them, and the running system, which lives in memory, would lose 167 MB.
 *
 * <p>Everything is kept in the cache under the digest of what it is made from.
 */
public final class KernelImage {
    /** Change it when the same inputs give something else. */
    private static final String FORMAT = "1";

    private static final String DIRECTORY = "kernel";
    private static final String KERNEL = "vmlinuz";
    private static final String MODULES = "modules.tar";
    private static final String DEVICE_TREES = "dtbs.tar.gz";
    private static final String REPORT = "report.json";

    private final Cache cache;
    private final ImageStore store;
    private final Tool depmod;
    private final Progress progress;

    /** Makes images and puts them into a store. */
    public KernelImage(Cache cache, ImageStore store, Tool depmod, Progress progress) {
        this.cache = cache;
        this.store = store;
        this.depmod = depmod;
        this.progress = progress;
    }

    /**
     * A kernel that is ready.
     *
     * @param reference name of its image in the store
     * @param image the image
     * @param release what {@code uname -r} says
     * @param kernel the file that a boot loader starts
     * @param modules a tar with {@code lib/modules/<release>}
     * @param deviceTrees a tar with device trees, where the architecture has them
     * @param report what was left out
     */
    public record Result(
            ImageReference reference, Image image, String release, Path kernel, Path modules, Optional<Path> deviceTrees,
                    KernelReport report) {}

    /**
     * Makes the image, unless it is there already.
     *
     * @param exclude globs of modules below {@code kernel/} that are left out
     * @param keep globs of modules that stay nevertheless
     * @param repository the image's name without tag; the tag is version and eight digits of the inputs' digest
     */
    public Result build(KernelFiles files, List<String> exclude, List<String> keep, String repository) throws IOException,
            InterruptedException {
        Digest key = key(files, exclude, keep);
        ImageReference reference = ImageReference.parse(repository + ":" + files.version() + "-" + key.abbreviated(8));
        Path directory = cache.directory(DIRECTORY).resolve(key.abbreviated(32));
        try (Cache.Held held = cache.lock(directory.toString())) {
            if (!Files.isDirectory(directory)) {
                make(files, exclude, keep, directory);
            }
            Path trees = directory.resolve(DEVICE_TREES);
            Optional<Path> deviceTrees = Files.exists(trees) ? Optional.of(trees) : Optional.empty();
            Image image = image(reference, files, directory, deviceTrees);
            return new Result(reference, image, files.release(), directory.resolve(KERNEL), directory.resolve(MODULES), deviceTrees,
                    KernelReport.parse(Files.readString(directory.resolve(REPORT))));
        }
    }

    private Digest key(KernelFiles files, List<String> exclude, List<String> keep) {
        // The directory of an unpacked tool is named by the digest of its packages.
        return Digest.of(String.join("\n", FORMAT, files.arch().kernelName(), files.release(), files.inputs().hex(),
                depmod.root().getFileName().toString(),
                "exclude", String.join("\n", exclude), "keep", String.join("\n", keep)));
    }

    private void make(KernelFiles files, List<String> exclude, List<String> keep, Path directory) throws IOException, InterruptedException {
        Path temporary = directory.resolveSibling("." + directory.getFileName() + AtomicFile.SUFFIX);
        Path scratch = directory.resolveSibling("." + directory.getFileName() + ".depmod" + AtomicFile.SUFFIX);
        // Whoever left them behind does not hold the lock any more.
        Directories.delete(temporary);
        Directories.delete(scratch);
        try (Progress.Task task = progress.start("Selecting and indexing the modules of " + files.source(), -1, Progress.Unit.ITEMS)) {
            Files.createDirectories(temporary);
            ModuleSelection selection = ModuleSelection.of(files.modules(), exclude, keep);
            List<Entry> modules = new Depmod(depmod).index(selection.kept(), files.release(), scratch);
            Files.write(temporary.resolve(KERNEL), files.kernel().bytes());
            try (OutputStream out = Files.newOutputStream(temporary.resolve(MODULES))) {
                write(modules, "lib/modules/" + files.release(), out);
            }
            if (!files.deviceTrees().isEmpty()) {
                try (OutputStream out = Compression.parse("gzip-9").over(Files.newOutputStream(temporary.resolve(DEVICE_TREES)), false)) {
                    write(files.deviceTrees(), "", out);
                }
            }
            Files.writeString(temporary.resolve(REPORT), KernelReport.of(files, selection).json());
            task.advance(modules.size());
            Files.move(temporary, directory);
        } finally {
            Directories.delete(temporary);
            Directories.delete(scratch);
        }
    }

    private static void write(List<Entry> entries, String below, OutputStream out) throws IOException {
        FileTree tree = new FileTree();
        for (Entry entry : entries) {
            tree.put(entry.withOwner(0, 0).withPath(below.isEmpty() ? entry.path() : below + "/" + entry.path()));
        }
        TarWriter.write(tree, out, 0);
    }

    private Image image(ImageReference reference, KernelFiles files, Path directory, Optional<Path> deviceTrees) throws IOException {
        Arch arch = files.arch();
        Optional<Image> there = store.find(reference, arch);
        if (there.isPresent()) {
            return there.get();
        }
        List<Entry> tree = new ArrayList<>();
        tree.add(Entry.file("kernel", 0644, Content.of(directory.resolve(KERNEL))));
        tree.add(Entry.file("kernel.tar", 0644, Content.of(directory.resolve(MODULES))));
        if (deviceTrees.isPresent()) {
            tree.add(Entry.file("dtbs.tar.gz", 0644, Content.of(deviceTrees.get())));
        }
        // https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys
        ImageConfig config = ImageConfig.of(arch).withLabels(Map.of("org.opencontainers.image.version", files.release(),
                "org.opencontainers.image.title", "Linux " + files.release() + " from " + files.source()));
        return new ImageBuilder(store).build(reference, config, tree, 0);
    }
}
