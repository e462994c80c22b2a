package org.tinkerbell.hook.oci;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.zip.GZIPInputStream;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.FullDisk;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Parallel;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;
import org.tinkerbell.hook.tree.TarFile;

/**
 * Images in a directory, in the layout of the
 * <a href="https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md">OCI image specification</a>.
 *
 * <p>The {@code linuxkit} command (1.8) uses the same directory as its {@code --cache}: it finds an image by the annotation
 * {@code org.opencontainers.image.ref.name} of {@code index.json}, which holds the full name, and there an index of platforms (which it
 * trusts, while it reads a bare image through each time). It locks {@code .lock} by {@code fcntl} to read and write {@code index.json};
 * so does this. A name with the tag {@code latest} is entered without the tag, too, since LinuxKit adds none to what its YAML says.
 *
 * <p>May be used by several threads and processes at once. What is not whole does not count as there: an image is only
 * found if all of its blobs are.
 */
public final class ImageStore {
    private static final String LAYOUT = "{\"imageLayoutVersion\":\"1.0.0\"}";
    private static final int BUFFER = 1 << 16;

    private final Path layout;
    private final Cache cache;

    /**
     * A store in a directory, which is made when something is put into it.
     *
     * @param layout the directory of the layout
     * @param cache where layers are kept uncompressed
     */
    public ImageStore(Path layout, Cache cache) {
        this.layout = layout.toAbsolutePath().normalize();
        this.cache = cache;
    }

    /** The store of a cache: its directory {@code linuxkit}. */
    public static ImageStore of(Cache cache) {
        return new ImageStore(cache.root().resolve("linuxkit"), cache);
    }

    /** The directory of the layout. */
    public Path layout() {
        return layout;
    }

    /** The image of a name for an architecture, if all of it is here. */
    public Optional<Image> find(ImageReference reference, Arch arch) throws IOException {
        for (ImageIndex.Item item : index().items()) {
            if (item.name().filter(reference.toString()::equals).isPresent()) {
                Optional<Image> image = resolve(item, reference, arch);
                if (image.isPresent()) {
                    return image;
                }
            }
        }
        return Optional.empty();
    }

    private Optional<Image> resolve(ImageIndex.Item item, ImageReference reference, Arch arch) throws IOException {
        if (MediaTypes.isManifest(item.descriptor().mediaType())) {
            return image(item.descriptor(), reference.toString()).filter(image -> image.config().arch().filter(arch::equals).isPresent());
        }
        Optional<byte[]> bytes = small(item.descriptor());
        if (bytes.isEmpty()) {
            return Optional.empty();
        }
        for (ImageIndex.Item platform : ImageIndex.parse(bytes.get(), reference.toString()).items()) {
            if (platform.isFor(arch) && MediaTypes.isManifest(platform.descriptor().mediaType())) {
                return image(platform.descriptor(), reference.toString());
            }
        }
        return Optional.empty();
    }

    /** The names of all images with the architectures that they are for, sorted. */
    public List<ImageReference> references() throws IOException {
        TreeMap<String, ImageReference> names = new TreeMap<>();
        for (ImageIndex.Item item : index().items()) {
            item.name().map(ImageReference::parse).ifPresent(reference -> names.put(reference.toString(), reference));
        }
        return List.copyOf(names.values());
    }

    /** The image that a manifest describes, if all of it is here. */
    Optional<Image> image(Descriptor manifest, String label) throws IOException {
        Optional<byte[]> bytes = small(manifest);
        if (bytes.isEmpty()) {
            return Optional.empty();
        }
        Image.Manifest parsed = Image.Manifest.parse(bytes.get(), manifest, label);
        Optional<byte[]> config = small(parsed.config());
        for (Descriptor layer : parsed.layers()) {
            if (!has(layer)) {
                return Optional.empty();
            }
        }
        return config.map(json -> parsed.with(json, label));
    }

    /** Whether a blob of this digest and length is here. What it holds is checked when it is read. */
    boolean has(Descriptor blob) throws IOException {
        try {
            return Files.size(file(blob.digest())) == blob.size();
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Where a blob is, or would be. */
    Path file(Digest digest) {
        return layout.resolve("blobs").resolve("sha256").resolve(digest.hex());
    }

    /** A small blob's bytes; nothing if it is missing or not what its digest says. */
    Optional<byte[]> small(Descriptor blob) throws IOException {
        try {
            byte[] bytes = Files.readAllBytes(file(blob.digest()));
            return Digest.of(bytes).equals(blob.digest()) ? Optional.of(bytes) : Optional.empty();
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /** Puts a small blob; one that is there already is overwritten, since it might be damaged. */
    Descriptor put(String mediaType, byte[] bytes) throws IOException {
        Descriptor descriptor = new Descriptor(mediaType, Digest.of(bytes), bytes.length);
        Optional<byte[]> there = small(descriptor);
        if (there.isEmpty()) {
            AtomicFile.write(file(descriptor.digest()), bytes);
        }
        return descriptor;
    }

    /**
     * Puts a blob whose digest is known.
     *
     * @param in the blob, read to its end; not read if the blob is here
     * @param label where it comes from, for errors
     * @throws HookException if it is another blob
     */
    void put(Descriptor expected, InputStream in, String label) throws IOException {
        if (has(expected)) {
            return;
        }
        AtomicFile.make(file(expected.digest()), temporary -> {
            MessageDigest digest = Digest.algorithm();
            long size;
            try (OutputStream out = new DigestOutputStream(Files.newOutputStream(temporary), digest)) {
                size = in.transferTo(out);
            }
            verify(expected, Digest.of(digest), size, label);
        });
    }

    /** The bytes of an image's configuration, whose SHA-256 is the image's id at a container engine. */
    public byte[] configuration(Image image) throws IOException {
        return small(image.configBlob()).orElseThrow(() -> new HookException("The store " + layout + " has lost the configuration of the image "
                + image.digest() + ": build again, so that it is made or pulled anew"));
    }

    static void verify(Descriptor expected, Digest digest, long size, String label) {
        if (!digest.equals(expected.digest()) || size != expected.size()) {
            throw new HookException(label + ": a blob should be " + expected.digest() + " with " + expected.size() + " bytes and is "
                    + digest + " with " + size + ": it was damaged or replaced on its way");
        }
    }

    /** A temporary file that {@link #adopt} can take. */
    Path temporary() throws IOException {
        Path directory = Files.createDirectories(layout.resolve("blobs").resolve("sha256"));
        return directory.resolve("." + UUID.randomUUID() + AtomicFile.SUFFIX);
    }

    /** Takes a finished, verified file into the store. */
    void adopt(Path temporary, Digest digest) throws IOException {
        Files.move(temporary, file(digest), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /**
     * Gives an image a name. Of what the name meant before, images for other platforms stay.
     *
     * @param image all of whose blobs are here
     */
    public void tag(ImageReference reference, Image image) throws IOException {
        tag(List.of(reference), image);
    }

    /** Gives an image several names. */
    @SuppressWarnings("try")
    public void tag(List<ImageReference> references, Image image) throws IOException {
        List<String> names = new ArrayList<>();
        for (ImageReference reference : references) {
            names.add(reference.toString());
            if (reference.digest().isEmpty() && reference.tag().filter("latest"::equals).isPresent()) {
                names.add(reference.name());
            }
        }
        Files.createDirectories(layout);
        try (Cache.Held held = cache.lock("image-store " + layout);
                FileChannel file = FileChannel.open(layout.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = file.lock()) {
            List<ImageIndex.Item> items = new ArrayList<>(indexLocked().items());
            boolean changed = false;
            for (String name : names) {
                changed |= enter(items, name, ImageIndex.Item.of(image.manifest(), image.config()));
            }
            if (!Files.exists(layout.resolve("oci-layout"))) {
                AtomicFile.write(layout.resolve("oci-layout"), LAYOUT);
            }
            if (changed) {
                AtomicFile.write(layout.resolve("index.json"), new ImageIndex(items).toJson());
            }
            sweep(layout.resolve("blobs").resolve("sha256"));
            sweep(layerDirectory());
        }
    }

    /** Removes what killed builds left half done; nobody works on a file for a day. */
    private static void sweep(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        Instant old = Instant.now().minus(1, ChronoUnit.DAYS);
        try (DirectoryStream<Path> leftovers = Files.newDirectoryStream(directory, ".*" + AtomicFile.SUFFIX)) {
            for (Path leftover : leftovers) {
                try {
                    if (Files.getLastModifiedTime(leftover).toInstant().isBefore(old)) {
                        Files.deleteIfExists(leftover);
                    }
                } catch (NoSuchFileException e) {
                    // Somebody has just finished it, or removed it as well.
                }
            }
        }
    }

    private boolean enter(List<ImageIndex.Item> items, String name, ImageIndex.Item platform) throws IOException {
        List<ImageIndex.Item> platforms = new ArrayList<>();
        ImageIndex.Item old = null;
        for (ImageIndex.Item item : items) {
            if (item.name().filter(name::equals).isPresent()) {
                old = item;
                platforms.addAll(platforms(item, name));
            }
        }
        platforms.removeIf(platform::samePlatform);
        platforms.add(platform);
        platforms.sort(Comparator.comparing(ImageIndex.Item::os).thenComparing(ImageIndex.Item::architecture));
        Descriptor index = put(MediaTypes.INDEX, new ImageIndex(platforms).toJson());
        if (old != null && old.descriptor().equals(index)) {
            return false;
        }
        items.removeIf(item -> item.name().filter(name::equals).isPresent());
        items.add(ImageIndex.Item.named(index, name));
        return true;
    }

    private List<ImageIndex.Item> platforms(ImageIndex.Item item, String name) throws IOException {
        if (MediaTypes.isIndex(item.descriptor().mediaType())) {
            Optional<byte[]> bytes = small(item.descriptor());
            return bytes.isPresent() ? ImageIndex.parse(bytes.get(), name).items() : List.of();
        }
        Optional<Image> image = image(item.descriptor(), name);
        return image.isPresent() ? List.of(ImageIndex.Item.of(item.descriptor(), image.get().config())) : List.of();
    }

    /** The names and their manifests. The file is replaced in one step here; LinuxKit writes over it, under the lock. */
    @SuppressWarnings("try")
    private ImageIndex index() throws IOException {
        try {
            return ImageIndex.parse(Files.readAllBytes(layout.resolve("index.json")), layout.toString());
        } catch (NoSuchFileException e) {
            return new ImageIndex(List.of());
        } catch (HookException e) {
            try (Cache.Held held = cache.lock("image-store " + layout);
                    FileChannel file = FileChannel.open(layout.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = file.lock()) {
                return indexLocked();
            }
        }
    }

    private ImageIndex indexLocked() throws IOException {
        try {
            return ImageIndex.parse(Files.readAllBytes(layout.resolve("index.json")), layout.toString());
        } catch (NoSuchFileException | HookException e) {
            // A LinuxKit that was killed while writing leaves half a file. The names are lost and come back with the images.
            return new ImageIndex(List.of());
        }
    }

    /** The layers of an image, the lowest first; each is uncompressed once and kept in the cache. */
    public List<TarFile> layers(Image image) throws IOException {
        List<Integer> numbers = new ArrayList<>();
        for (int i = 0; i < image.layers().size(); i++) {
            numbers.add(i);
        }
        try {
            return uncompressed(image, numbers);
        } catch (IOException e) {
            throw FullDisk.check(e, cache.root());
        }
    }

    private List<TarFile> uncompressed(Image image, List<Integer> numbers) throws IOException {
        return Parallel.map(Math.max(1, Runtime.getRuntime().availableProcessors()), numbers, i -> layer(image, i));
    }

    private TarFile layer(Image image, int number) throws IOException {
        Descriptor layer = image.layers().get(number);
        Digest diffId = image.config().diffIds().get(number);
        String label = "The image " + image.digest() + ", layer " + (number + 1);
        try {
            return TarFile.cached(cache, layerName(diffId), label, Optional.of(diffId), () -> uncompressed(Files.newInputStream(file(layer.digest()))));
        } catch (IOException | HookException e) {
            Path blob = file(layer.digest());
            if (Files.exists(blob) && !Digest.of(blob).equals(layer.digest())) {
                Files.deleteIfExists(blob);
                throw new HookException(label + " was damaged in the store (" + blob + "). It has been removed: build again, so that it "
                        + "is made or pulled anew", e);
            }
            throw e;
        }
    }

    static String layerName(Digest diffId) {
        return "layers/" + diffId.hex() + ".tar";
    }

    /** Where uncompressed layers are. */
    Path layerDirectory() {
        return cache.root().resolve("layers");
    }

    /** How a stream is compressed, by its first bytes (RFC 1952, section 2.3.1; RFC 8878, section 3.1.1). */
    enum Compression {
        NONE,
        GZIP,
        ZSTD;

        static Compression of(byte[] magic) {
            if (magic.length >= 2 && (magic[0] & 0xff) == 0x1f && (magic[1] & 0xff) == 0x8b) {
                return GZIP;
            }
            boolean zstd = magic.length >= 4 && magic[0] == 0x28 && (magic[1] & 0xff) == 0xb5 && magic[2] == 0x2f && (magic[3] & 0xff) == 0xfd;
            return zstd ? ZSTD : NONE;
        }
    }

    /** A layer without its compression, which its first bytes tell, as with everybody who reads images. */
    static InputStream uncompressed(InputStream in) throws IOException {
        BufferedInputStream buffered = new BufferedInputStream(in, BUFFER);
        try {
            buffered.mark(4);
            byte[] magic = buffered.readNBytes(4);
            buffered.reset();
            return switch (Compression.of(magic)) {
                case GZIP -> new GZIPInputStream(buffered, BUFFER);
                case ZSTD -> new ZstdInputStream(buffered);
                case NONE -> buffered;
            };
        } catch (IOException | RuntimeException e) {
            in.close();
            throw e;
        }
    }

    /** The layers laid over each other (image-spec, layer.md). */
    public FileTree tree(Image image) throws IOException {
        FileTree tree = new FileTree();
        for (TarFile layer : layers(image)) {
            Layering.apply(layer.entries(), tree);
        }
        return tree;
    }

    /** All files of a layout that holds these images, for whoever packs one; the index as a file is his. */
    List<Descriptor> blobs(Image image) {
        List<Descriptor> all = new ArrayList<>(image.layers());
        all.add(image.configBlob());
        all.add(image.manifest());
        return all;
    }

    /** The layers' members, without laying them over each other. */
    public List<List<Entry>> entries(Image image) throws IOException {
        return layers(image).stream().map(TarFile::entries).toList();
    }
}
