package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Directories;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageBuilder;
import org.tinkerbell.hook.oci.ImageConfig;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.toolbox.ToolSet;
import org.tinkerbell.hook.toolbox.Toolbox;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;
import org.tinkerbell.hook.tree.TarFile;
import org.tinkerbell.hook.tree.TarWriter;

/**
 * Makes the image that LinuxKit takes a kernel from: {@code /kernel}, {@code /kernel.tar} with {@code lib/modules/<release>} (LinuxKit,
 * docs/kernels.md), and beside these, for whoever boots by them, {@code /dtbs.tar.gz} with the device trees.
 *
 * <p>Modules stay compressed one by one, as Debian has them. Measured on amd64's 1989 modules that stay: 37.9 MB as they are, 205 MB
 * plain, and the plain ones in an archive 39.2 MB at zstd's level 9 and 38.6 MB at level 19. So the download gains nothing by
 * unpacking them, and the running system, which lives in memory, would lose 167 MB.
 *
 * <p>Everything is kept in the cache under the digest of what it is made from. That digest is known before anything is made, and so is the
 * image's name, by which a kernel is found that was made elsewhere.
 */
public final class KernelImage {
    /** Change it when the same inputs give something else. */
    private static final String FORMAT = "2";

    private static final String DIRECTORY = "kernel";
    private static final String KERNEL = "vmlinuz";
    private static final String MODULES = "modules.tar";
    private static final String DEVICE_TREES = "dtbs.tar.gz";
    private static final String REPORT = "report.json";

    // In the image: the first three by LinuxKit's and Hook's convention.
    private static final String IMAGE_KERNEL = "kernel";
    private static final String IMAGE_MODULES = "kernel.tar";
    private static final String IMAGE_DEVICE_TREES = "dtbs.tar.gz";
    private static final String IMAGE_REPORT = "report.json";
    private static final String INPUTS_LABEL = "org.tinkerbell.hook.kernel.inputs";
    private static final Pattern MODULES_DIRECTORY = Pattern.compile("lib/modules/([^/]+)(?:/.*)?");

    private final Cache cache;
    private final ImageStore store;
    private final Toolbox toolbox;
    private final Progress progress;

    /** Makes images and puts them into a store. */
    public KernelImage(Cache cache, ImageStore store, Toolbox toolbox, Progress progress) {
        this.cache = cache;
        this.store = store;
        this.toolbox = toolbox;
        this.progress = progress;
    }

    /**
     * What a kernel's image is called before it is made.
     *
     * @param reference the version and eight digits of the key are its tag
     * @param arch of the kernel
     * @param key digest of all that the image is made from
     */
    public record Name(ImageReference reference, Arch arch, Digest key) {}

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

    /** Somewhere where kernels may be that were made already. */
    public interface Place {
        /** What to call it. */
        String name();

        /**
         * An image from there, which is in the store afterwards, under its name.
         *
         * @return nothing if it is not there
         * @throws HookException if nobody can tell whether it is
         */
        Optional<Image> image(ImageReference reference, Arch arch) throws IOException;
    }

    /**
     * The name of a kernel's image.
     *
     * @param version of the kernel, such as {@code 6.12.58}
     * @param inputs digest of all that the kernel is made from
     * @param exclude globs of modules below {@code kernel/} that are left out
     * @param keep globs of modules that stay nevertheless
     * @param repository the image's name without tag
     */
    public Name name(Arch arch, String version, Digest inputs, List<String> exclude, List<String> keep, String repository) throws IOException {
        Digest key = Digest.of(String.join("\n", FORMAT, arch.kernelName(), version, inputs.hex(), toolbox.versions(ToolSet.KMOD),
                "exclude", String.join("\n", exclude), "keep", String.join("\n", keep)));
        return new Name(ImageReference.parse(repository + ":" + version + "-" + key.abbreviated(8)), arch, key);
    }

    /**
     * Makes the image, unless it is there already.
     *
     * @param exclude globs of modules below {@code kernel/} that are left out
     * @param keep globs of modules that stay nevertheless
     * @param repository the image's name without tag; the tag is version and eight digits of the inputs' digest
     */
    public Result build(KernelFiles files, List<String> exclude, List<String> keep, String repository) throws IOException,
            InterruptedException {
        return build(files, exclude, keep, repository, false);
    }

    /**
     * Makes the image.
     *
     * @param anew whether to make it even if it is there
     */
    Result build(KernelFiles files, List<String> exclude, List<String> keep, String repository, boolean anew)
            throws IOException, InterruptedException {
        Name name = name(files.arch(), files.version(), files.inputs(), exclude, keep, repository);
        Path directory = directory(name);
        try (Cache.Held held = cache.lock(directory.toString())) {
            if (anew) {
                Directories.delete(directory);
            }
            if (!Files.isDirectory(directory)) {
                make(files, exclude, keep, directory);
            }
            Optional<Image> there = anew ? Optional.empty() : store.find(name.reference(), name.arch());
            return result(name, directory, there.filter(image -> isOf(name, image, store.layout().toString())));
        }
    }

    /**
     * A kernel that was made already, here or elsewhere: in the cache, in the store, or in one of the places.
     *
     * @param places asked in this order
     */
    public Optional<Result> find(Name name, List<Place> places) throws IOException {
        Path directory = directory(name);
        try (Cache.Held held = cache.lock(directory.toString())) {
            Optional<Image> image =
                    store.find(name.reference(), name.arch()).filter(found -> isOf(name, found, store.layout().toString()));
            if (Files.isDirectory(directory)) {
                return Optional.of(result(name, directory, image));
            }
            if (image.isPresent()) {
                unpack(image.get(), name.reference(), directory);
                return Optional.of(result(name, directory, image));
            }
            for (Place place : places) {
                image = ask(place, name);
                if (image.isPresent() && isOf(name, image.get(), place.name())) {
                    progress.info("The kernel " + name.reference() + " comes from " + place.name());
                    unpack(image.get(), name.reference(), directory);
                    return Optional.of(result(name, directory, image));
                }
            }
            return Optional.empty();
        }
    }

    private Optional<Image> ask(Place place, Name name) throws IOException {
        try {
            return place.image(name.reference(), name.arch());
        } catch (HookException e) {
            // What cannot be found can be made.
            progress.info("Whether " + place.name() + " has the kernel " + name.reference() + " cannot be said: " + e.getMessage());
            return Optional.empty();
        }
    }

    /** Eight digits may be the same by chance, and tags can be moved. */
    private boolean isOf(Name name, Image image, String place) {
        boolean same = name.key().toString().equals(image.config().labels().get(INPUTS_LABEL));
        if (!same) {
            progress.warn("The image " + name.reference() + " in " + place + " is not the kernel that its name stands for; it is not used");
        }
        return same;
    }

    /**
     * The kernel of an image as it is, whatever it was made from.
     *
     * @param image in the store
     * @throws HookException if it is not an image of a kernel
     */
    public Result of(ImageReference reference, Image image) throws IOException {
        Path directory = cache.directory(DIRECTORY).resolve("image-" + image.digest().abbreviated(32));
        try (Cache.Held held = cache.lock(directory.toString())) {
            if (!Files.isDirectory(directory)) {
                unpack(image, reference, directory);
            }
            Arch arch = image.config().arch().orElseThrow();
            return result(new Name(reference, arch, image.digest()), directory, Optional.of(image));
        }
    }

    private Path directory(Name name) throws IOException {
        return cache.directory(DIRECTORY).resolve(name.key().abbreviated(32));
    }

    private Result result(Name name, Path directory, Optional<Image> there) throws IOException {
        Path trees = directory.resolve(DEVICE_TREES);
        Optional<Path> deviceTrees = Files.exists(trees) ? Optional.of(trees) : Optional.empty();
        KernelReport report = KernelReport.parse(Files.readString(directory.resolve(REPORT)));
        Image image = there.isPresent() ? there.get() : image(name, report, directory, deviceTrees);
        return new Result(name.reference(), image, report.release(), directory.resolve(KERNEL), directory.resolve(MODULES), deviceTrees, report);
    }

    private void make(KernelFiles files, List<String> exclude, List<String> keep, Path directory) throws IOException, InterruptedException {
        try (Progress.Task task = progress.start("Selecting and indexing the modules of " + files.source(), -1, Progress.Unit.ITEMS)) {
            ModuleSelection selection = ModuleSelection.of(files.modules(), exclude, keep);
            Path temporary = directory.resolveSibling("." + directory.getFileName() + AtomicFile.SUFFIX);
            Path scratch = directory.resolveSibling("." + directory.getFileName() + ".depmod" + AtomicFile.SUFFIX);
            // Whoever left them behind does not hold the lock any more.
            Directories.delete(temporary);
            Directories.delete(scratch);
            try {
                Files.createDirectories(temporary);
                List<Entry> modules = !Depmod.isNeeded(selection.kept()) ? List.of()
                        : new Depmod(toolbox.tool(ToolSet.KMOD, "usr/sbin/depmod")).index(selection.kept(), files.release(), scratch);
                Files.write(temporary.resolve(KERNEL), files.kernel().bytes());
                try (OutputStream out = Files.newOutputStream(temporary.resolve(MODULES))) {
                    write(modules, "lib/modules/" + files.release(), out);
                }
                if (!files.deviceTrees().isEmpty()) {
                    try (OutputStream out =
                            Compression.parse("gzip-9").over(Files.newOutputStream(temporary.resolve(DEVICE_TREES)), false)) {
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
    }

    private static void write(List<Entry> entries, String below, OutputStream out) throws IOException {
        FileTree tree = new FileTree();
        if (!below.isEmpty()) {
            tree.makeDirectories(below);
        }
        for (Entry entry : entries) {
            tree.put(entry.withOwner(0, 0).withPath(below.isEmpty() ? entry.path() : below + "/" + entry.path()));
        }
        TarWriter.write(tree, out, 0);
    }

    /** Makes the directory of a kernel out of its image. */
    private void unpack(Image image, ImageReference reference, Path directory) throws IOException {
        FileTree tree = store.tree(image);
        Path temporary = directory.resolveSibling("." + directory.getFileName() + AtomicFile.SUFFIX);
        // Whoever left it behind does not hold the lock any more.
        Directories.delete(temporary);
        try {
            Files.createDirectories(temporary);
            copy(tree, IMAGE_KERNEL, temporary.resolve(KERNEL), reference);
            copy(tree, IMAGE_MODULES, temporary.resolve(MODULES), reference);
            if (tree.get(IMAGE_DEVICE_TREES).isPresent()) {
                copy(tree, IMAGE_DEVICE_TREES, temporary.resolve(DEVICE_TREES), reference);
            }
            if (tree.get(IMAGE_REPORT).isPresent()) {
                copy(tree, IMAGE_REPORT, temporary.resolve(REPORT), reference);
            } else {
                Files.writeString(temporary.resolve(REPORT), report(reference, temporary).json());
            }
            Files.move(temporary, directory);
        } finally {
            Directories.delete(temporary);
        }
    }

    private static void copy(FileTree tree, String path, Path target, ImageReference reference) throws IOException {
        Content content = tree.get(path).map(Entry::content).orElseThrow(() -> new HookException("The image " + reference
                + " is not one of a kernel: it has no file /" + path + "."));
        try (InputStream in = content.open()) {
            Files.copy(in, target);
        }
    }

    /** What can be said about a kernel from an image that was made by something else than this. */
    private static KernelReport report(ImageReference reference, Path directory) throws IOException {
        Path modules = directory.resolve(MODULES);
        try {
            List<Entry> entries = TarFile.open(modules, reference + ", kernel.tar").entries();
            String release = entries.stream().map(entry -> MODULES_DIRECTORY.matcher(entry.path())).filter(Matcher::matches)
                    .map(matcher -> matcher.group(1)).findFirst()
                    .orElseThrow(() -> new HookException("The image " + reference + " has no lib/modules/<release> in its kernel.tar."));
            return KernelReport.of(reference.toString(), release, Files.size(directory.resolve(KERNEL)), entries);
        } finally {
            Files.deleteIfExists(modules.resolveSibling(modules.getFileName() + TarFile.INDEX));
        }
    }

    private Image image(Name name, KernelReport report, Path directory, Optional<Path> deviceTrees) throws IOException {
        List<Entry> tree = new ArrayList<>();
        tree.add(Entry.file(IMAGE_KERNEL, 0644, Content.of(directory.resolve(KERNEL))));
        tree.add(Entry.file(IMAGE_MODULES, 0644, Content.of(directory.resolve(MODULES))));
        if (deviceTrees.isPresent()) {
            tree.add(Entry.file(IMAGE_DEVICE_TREES, 0644, Content.of(deviceTrees.get())));
        }
        tree.add(Entry.file(IMAGE_REPORT, 0644, Content.of(directory.resolve(REPORT))));
        // https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys
        ImageConfig config = ImageConfig.of(name.arch()).withLabels(Map.of("org.opencontainers.image.version", report.release(),
                "org.opencontainers.image.title", "Linux " + report.release() + " from " + report.source(),
                INPUTS_LABEL, name.key().toString()));
        return new ImageBuilder(store).build(name.reference(), config, tree, 0);
    }
}
