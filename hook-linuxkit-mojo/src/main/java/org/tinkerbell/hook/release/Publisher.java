package org.tinkerbell.hook.release;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Parallel;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageArchive;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.oci.Registry;

/** Brings images out of the store and into it: to and from registries, to and from archives. */
public final class Publisher {
    private static final int BUFFER = 1 << 16;

    private final ImageStore store;
    private final Registry registry;
    private final ImageArchive archives;
    private final Progress progress;

    /** A publisher of a store's images. */
    public Publisher(ImageStore store, Registry registry, ImageArchive archives, Progress progress) {
        this.store = store;
        this.registry = registry;
        this.archives = archives;
        this.progress = progress;
    }

    /** An image of one architecture by its name. */
    public record Item(ImageReference reference, Arch arch) {}

    /**
     * A name for the images of several architectures.
     *
     * @param reference with a tag, which will stand for an index of the images
     */
    public record Family(ImageReference reference, List<Item> members) {
        public Family {
            members = List.copyOf(members);
        }
    }

    /**
     * Pushes images, each under its own name. One that the registry has already is left alone. A tag comes into being only when all that it
     * stands for is there; what a push that was cut off has brought over is not sent again by the next one.
     *
     * @return those that were pushed now
     * @throws HookException if one is not in the store, or its registry does not take it
     */
    public List<Item> push(List<Item> items) throws IOException {
        List<Image> images = new ArrayList<>();
        for (Item item : items) {
            images.add(image(item));
        }
        List<Item> pushed = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            ImageReference reference = items.get(i).reference();
            Optional<Digest> there = registry.digest(reference);
            if (there.equals(Optional.of(images.get(i).digest()))) {
                continue;
            }
            registry.push(reference, List.of(images.get(i)));
            pushed.add(items.get(i));
        }
        progress.info(pushed.size() + " of " + items.size() + " images pushed" + (items.isEmpty() ? "" : " to " + registries(items))
                + (pushed.size() == items.size() ? "" : "; the others were there"));
        return pushed;
    }

    /**
     * Pushes an index for each family whose members are all in the store. Their images are pushed with it, the index and its tag last.
     *
     * @return those that were pushed
     */
    public List<Family> pushFamilies(List<Family> families) throws IOException {
        List<Family> pushed = new ArrayList<>();
        for (Family family : families) {
            List<Image> images = new ArrayList<>();
            for (Item item : family.members()) {
                store.find(item.reference(), item.arch()).ifPresent(images::add);
            }
            if (family.members().size() > 1 && images.size() == family.members().size()) {
                Digest index = registry.push(family.reference(), images);
                progress.info(family.reference() + " is for " + String.join(" and ", family.members().stream().map(m -> m.arch().ociName()).toList())
                        + ": " + index);
                pushed.add(family);
            }
        }
        return pushed;
    }

    /** Pulls images into the store. */
    public void pull(List<Item> items) throws IOException {
        for (Item item : items) {
            registry.pull(item.reference(), item.arch());
        }
        progress.info(items.size() + " images are in " + store.layout());
    }

    /**
     * Writes each image to an archive of its own for {@code docker load}, {@code skopeo} and {@link #read}: {@code <name>-<tag>.tar.gz}, as
     * upstream's scripts call it, or {@code <name>-<tag>.tar} where the layers are as they are stored, since those are compressed already.
     *
     * @return the archives, in the order of the images
     */
    public List<Path> export(List<Item> items, ImageArchive.Layers layers, Path directory) throws IOException {
        Files.createDirectories(directory);
        List<ImageArchive.Named> images = new ArrayList<>();
        for (Item item : items) {
            images.add(new ImageArchive.Named(item.reference(), image(item)));
        }
        List<Path> written = Parallel.map(Runtime.getRuntime().availableProcessors(), images, named -> {
            Path file = directory.resolve(archiveName(named.reference()) + (layers == ImageArchive.Layers.AS_STORED ? ".tar" : ".tar.gz"));
            AtomicFile.write(file, out -> {
                if (layers == ImageArchive.Layers.AS_STORED) {
                    archives.write(List.of(named), layers, out);
                } else {
                    GZIPOutputStream gzip = new GZIPOutputStream(out, BUFFER);
                    archives.write(List.of(named), layers, gzip);
                    gzip.finish();
                }
            });
            return file;
        });
        progress.info(written.size() + " images exported to " + directory);
        return written;
    }

    /** {@code hook-docker-0123456789ab-amd64} for {@code ghcr.io/tinkerbell/hook/linuxkit/hook-docker:0123456789ab-amd64}. */
    static String archiveName(ImageReference reference) {
        String repository = reference.repository();
        return repository.substring(repository.lastIndexOf('/') + 1) + "-"
                + reference.tag().orElseGet(() -> reference.digest().orElseThrow().abbreviated(12));
    }

    /**
     * Puts the images of archives into the store, under the names that the archives give them.
     *
     * @param places archives, and directories whose {@code .tar} and {@code .tar.gz} are all taken
     * @throws HookException if there is no archive, or one of them holds no image
     */
    public List<ImageArchive.Named> read(List<Path> places) throws IOException {
        List<Path> files = new ArrayList<>();
        for (Path place : places) {
            if (Files.isDirectory(place)) {
                try (DirectoryStream<Path> inside = Files.newDirectoryStream(place, "*.{tar,tar.gz,tgz}")) {
                    inside.forEach(files::add);
                }
            } else if (Files.isRegularFile(place)) {
                files.add(place);
            } else {
                throw new HookException("There is no " + place + ", from which images are to be imported.");
            }
        }
        if (files.isEmpty()) {
            throw new HookException("No archive of images (*.tar, *.tar.gz) is in " + String.join(", ", places.stream().map(Path::toString).toList())
                    + ".");
        }
        files.sort(null);
        List<ImageArchive.Named> all = new ArrayList<>();
        for (Path file : files) {
            all.addAll(archives.read(file, Optional.empty()));
        }
        progress.info(all.size() + " images of " + files.size() + " archives are in " + store.layout());
        return all;
    }

    private Image image(Item item) throws IOException {
        return store.find(item.reference(), item.arch()).orElseThrow(() -> new HookException("The image " + item.reference() + " for "
                + item.arch().ociName() + " is not in the store " + store.layout() + ": build it, or bring it there by hook:pull or hook:import."));
    }

    private static String registries(List<Item> items) {
        return String.join(", ", items.stream().map(item -> item.reference().registry()).distinct().sorted().toList());
    }
}
