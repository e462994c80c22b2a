package org.tinkerbell.hook.oci;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;
import org.tinkerbell.hook.tree.TarFile;
import org.tinkerbell.hook.tree.TarWriter;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Images in one file: a tar of an OCI layout
 * (<a href="https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md">image-layout.md</a>), with the
 * {@code manifest.json} of <a href="https://github.com/moby/docker-image-spec/blob/main/v1.2.md">{@code docker save}</a> added, so that
 * {@code docker load}, {@code podman load}, {@code ctr images import}, {@code skopeo} and {@code linuxkit cache import} read it. The
 * same images give the same bytes.
 */
public final class ImageArchive {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String BLOBS = "blobs/sha256/";

    private final ImageStore store;
    private final Cache cache;

    /**
     * Archives of the images of a store.
     *
     * @param cache where an archive is unpacked while it is read
     */
    public ImageArchive(ImageStore store, Cache cache) {
        this.store = store;
        this.cache = cache;
    }

    /** An image and its name. */
    public record Named(ImageReference reference, Image image) {}

    /** How layers are in an archive. */
    public enum Layers {
        /** As they are in the store, so that the image keeps its digest. Docker before 23.0 cannot read ours then: they are zstd. */
        AS_STORED,
        /** Without compression, which everything reads. The image gets another digest. */
        UNCOMPRESSED
    }

    /** Writes one image to a file, its layers as they are stored. */
    public void write(ImageReference reference, Image image, Path target) throws IOException {
        write(List.of(new Named(reference, image)), Layers.AS_STORED, target);
    }

    /**
     * Writes images to a file. Those of one name, which are for several architectures, are listed by an index of their own.
     *
     * @throws HookException if a blob in the store turns out to be damaged
     */
    public void write(List<Named> images, Layers layers, Path target) throws IOException {
        AtomicFile.write(target, out -> write(images, layers, out));
    }

    /**
     * Writes images to a stream that stays open.
     *
     * @throws HookException if a blob in the store turns out to be damaged
     */
    public void write(List<Named> images, Layers layers, OutputStream out) throws IOException {
        List<Named> written = new ArrayList<>();
        Map<Digest, Path> elsewhere = new HashMap<>();
        for (Named named : images) {
            written.add(layers == Layers.AS_STORED ? named : new Named(named.reference(), uncompressed(named.image(), elsewhere)));
        }
        Map<String, List<Named>> byName = new TreeMap<>();
        written.forEach(named -> byName.computeIfAbsent(named.reference().toString(), n -> new ArrayList<>()).add(named));
        Map<String, Entry> files = new TreeMap<>();
        List<ImageIndex.Item> items = new ArrayList<>();
        ArrayNode docker = JSON.createArrayNode();
        byName.forEach((name, group) -> {
            List<ImageIndex.Item> platforms = new ArrayList<>();
            for (Named named : group) {
                store.blobs(named.image()).forEach(blob -> add(files, blob,
                        new Blob(blob, elsewhere.getOrDefault(blob.digest(), store.file(blob.digest())))));
                platforms.add(ImageIndex.Item.of(named.image().manifest(), named.image().config()));
                dockerManifest(docker.addObject(), named, group.size() == 1);
            }
            Map<String, String> annotations = Map.of(ImageIndex.REF_NAME, name, ImageIndex.CONTAINERD_NAME, name);
            ImageIndex.Item only = platforms.get(0);
            if (platforms.size() > 1) {
                byte[] index = new ImageIndex(platforms).toJson();
                Descriptor descriptor = new Descriptor(MediaTypes.INDEX, Digest.of(index), index.length);
                add(files, descriptor, Content.of(index));
                only = new ImageIndex.Item(descriptor, "", "", new TreeMap<>());
            }
            items.add(new ImageIndex.Item(only.descriptor(), only.os(), only.architecture(), new TreeMap<>(annotations)));
        });
        files.put("oci-layout", Entry.file("oci-layout", 0644, Content.of("{\"imageLayoutVersion\":\"1.0.0\"}")));
        files.put("index.json", Entry.file("index.json", 0644, Content.of(new ImageIndex(items).toJson())));
        files.put("manifest.json", Entry.file("manifest.json", 0644, Content.of(JSON.writeValueAsBytes(docker))));
        files.put("blobs", Entry.directory("blobs", 0755));
        files.put("blobs/sha256", Entry.directory("blobs/sha256", 0755));
        TarWriter.write(files.values(), out, 0);
    }

    /**
     * The same image with layers that are not compressed.
     *
     * @param elsewhere takes up where these layers are: the cache has them anyhow, so they need not be in the store as well
     */
    private Image uncompressed(Image image, Map<Digest, Path> elsewhere) throws IOException {
        List<Descriptor> layers = new ArrayList<>();
        for (TarFile tar : store.layers(image)) {
            layers.add(new Descriptor(MediaTypes.LAYER, tar.digest(), Files.size(tar.path())));
            elsewhere.put(tar.digest(), tar.path());
        }
        Descriptor manifest = store.put(MediaTypes.MANIFEST, Image.Manifest.json(image.configBlob(), layers));
        return new Image(manifest, image.configBlob(), layers, image.config(), image.configJson());
    }

    private static void add(Map<String, Entry> files, Descriptor blob, Content content) {
        String path = BLOBS + blob.digest().hex();
        files.put(path, Entry.file(path, 0644, content));
    }

    private static void dockerManifest(ObjectNode node, Named named, boolean tagged) {
        node.put("Config", BLOBS + named.image().configBlob().digest().hex());
        ArrayNode tags = node.putArray("RepoTags");
        if (tagged) {
            named.reference().tag().ifPresent(tag -> tags.add(named.reference().name() + ":" + tag));
        }
        ArrayNode layers = node.putArray("Layers");
        named.image().layers().forEach(layer -> layers.add(BLOBS + layer.digest().hex()));
    }

    /** A blob that is checked before it is copied, so that no archive is made of a damaged one. */
    private static final class Blob implements Content {
        private final Descriptor descriptor;
        private final Path file;

        Blob(Descriptor descriptor, Path file) {
            this.descriptor = descriptor;
            this.file = file;
        }

        @Override
        public long size() {
            return descriptor.size();
        }

        @Override
        public InputStream open() throws IOException {
            if (!Digest.of(file).equals(descriptor.digest())) {
                Files.deleteIfExists(file);
                throw new HookException("The blob " + file + " was damaged and has been removed: build again, so that it is made or pulled anew");
            }
            return Files.newInputStream(file);
        }

        @Override
        public Digest digest() {
            return descriptor.digest();
        }
    }

    /**
     * Puts the images of an archive into the store, under the names that it gives them. Of the platforms those come that
     * Hook builds for. Archives of {@code docker save}, old and new, are read as well, also compressed ones.
     *
     * @param as the name if the archive's own is not wanted, or there is none; the archive has to hold one name then
     * @throws HookException if the archive is hostile, damaged, or not one of images
     */
    public List<Named> read(Path archive, Optional<ImageReference> as) throws IOException {
        Path copy = cache.directory("import").resolve(UUID.randomUUID() + ".tar");
        try (InputStream in = ImageStore.uncompressed(Files.newInputStream(archive))) {
            FileTree tree = new FileTree();
            tree.putAll(TarFile.index(in, copy, archive.toString()).entries(), FileTree.Clash.REPLACE);
            Map<Image, List<String>> found = new LinkedHashMap<>();
            if (tree.get("index.json").isPresent()) {
                layout(tree, archive.toString(), found);
            } else if (tree.get("manifest.json").isPresent()) {
                docker(tree, archive.toString(), found);
            } else {
                throw new HookException(archive + " is no archive of images: it has neither index.json nor manifest.json");
            }
            return tag(found, archive.toString(), as);
        } finally {
            Files.deleteIfExists(copy);
            Files.deleteIfExists(copy.resolveSibling(copy.getFileName() + TarFile.INDEX));
        }
    }

    private List<Named> tag(Map<Image, List<String>> found, String label, Optional<ImageReference> as) throws IOException {
        if (found.isEmpty()) {
            throw new HookException(label + " holds no image for an architecture that Hook builds for");
        }
        List<Named> images = new ArrayList<>();
        if (as.isPresent() && found.keySet().stream().map(i -> i.config().architecture()).distinct().count() != found.size()) {
            throw new HookException(label + " holds several images, which cannot all be " + as.get());
        }
        for (Map.Entry<Image, List<String>> entry : found.entrySet()) {
            List<ImageReference> references = as.isPresent() ? List.of(as.get()) : entry.getValue().stream().map(ImageReference::parse).toList();
            if (references.isEmpty()) {
                throw new HookException(label + " does not name its image " + entry.getKey().digest() + ": say under which name it is wanted");
            }
            store.tag(references, entry.getKey());
            references.forEach(reference -> images.add(new Named(reference, entry.getKey())));
        }
        return images;
    }

    private void layout(FileTree tree, String label, Map<Image, List<String>> found) throws IOException {
        for (ImageIndex.Item item : ImageIndex.parse(content(tree, "index.json", label).bytes(), label).items()) {
            List<String> names = name(item).map(List::of).orElse(List.of());
            List<ImageIndex.Item> manifests = List.of(item);
            if (MediaTypes.isIndex(item.descriptor().mediaType())) {
                manifests = ImageIndex.parse(blob(tree, item.descriptor(), label), label).items().stream()
                        .filter(m -> Arrays.stream(Arch.values()).anyMatch(m::isFor)).toList();
            }
            for (ImageIndex.Item manifest : manifests) {
                if (MediaTypes.isManifest(manifest.descriptor().mediaType())) {
                    Image image = image(tree, manifest.descriptor(), label);
                    if (image.config().arch().isPresent()) {
                        found.merge(image, names, (a, b) -> Stream.concat(a.stream(), b.stream()).distinct().toList());
                    }
                }
            }
        }
    }

    /** The full name that an index gives; {@code ref.name} alone is often just a tag. */
    private static Optional<String> name(ImageIndex.Item item) {
        return Optional.ofNullable(item.annotations().get(ImageIndex.CONTAINERD_NAME)).or(() -> item.name().filter(n -> n.contains("/")));
    }

    private Image image(FileTree tree, Descriptor manifest, String label) throws IOException {
        byte[] json = blob(tree, manifest, label);
        for (Descriptor blob : Image.Manifest.parse(json, manifest, label).blobs()) {
            try (InputStream in = content(tree, BLOBS + blob.digest().hex(), label).open()) {
                store.put(blob, in, label);
            }
        }
        store.put(manifest.mediaType(), json);
        return complete(manifest, label);
    }

    private Image complete(Descriptor manifest, String label) throws IOException {
        return store.image(manifest, label).orElseThrow(() -> new IOException(label + ": blobs vanished from the store while it was read"));
    }

    private static byte[] blob(FileTree tree, Descriptor descriptor, String label) throws IOException {
        byte[] bytes = content(tree, BLOBS + descriptor.digest().hex(), label).bytes();
        ImageStore.verify(descriptor, Digest.of(bytes), bytes.length, label);
        return bytes;
    }

    private static Content content(FileTree tree, String path, String label) {
        return tree.resolve(path).map(Entry::content).orElseThrow(() -> new HookException(label + " is incomplete: it has no file " + path));
    }

    private void docker(FileTree tree, String label, Map<Image, List<String>> found) throws IOException {
        try {
            for (JsonNode node : JSON.readTree(content(tree, "manifest.json", label).bytes())) {
                byte[] config = content(tree, node.path("Config").asString(""), label).bytes();
                List<Descriptor> layers = new ArrayList<>();
                for (JsonNode layer : node.path("Layers")) {
                    layers.add(layer(content(tree, layer.asString(""), label), label));
                }
                Descriptor configBlob = store.put(MediaTypes.CONFIG, config);
                Image image = complete(store.put(MediaTypes.MANIFEST, Image.Manifest.json(configBlob, layers)), label);
                // Nothing but the configuration's diffIDs vouches for the layers here, so they are checked at once.
                store.layers(image);
                List<String> names = new ArrayList<>();
                node.path("RepoTags").forEach(tag -> names.add(tag.asString("")));
                if (image.config().arch().isPresent()) {
                    found.put(image, names);
                }
            }
        } catch (JacksonException e) {
            throw new HookException(label + ": its manifest.json is none: " + e.getMessage(), e);
        }
    }

    private Descriptor layer(Content content, String label) throws IOException {
        byte[] magic;
        try (InputStream in = content.open()) {
            magic = in.readNBytes(4);
        }
        String type = switch (ImageStore.Compression.of(magic)) {
            case GZIP -> MediaTypes.LAYER_GZIP;
            case ZSTD -> MediaTypes.LAYER_ZSTD;
            case NONE -> MediaTypes.LAYER;
        };
        Descriptor descriptor = new Descriptor(type, content.digest(), content.size());
        try (InputStream in = content.open()) {
            store.put(descriptor, in, label);
        }
        return descriptor;
    }
}
