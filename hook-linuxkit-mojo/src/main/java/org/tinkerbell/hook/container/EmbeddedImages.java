package org.tinkerbell.hook.container;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.io.YamlFile;
import org.tinkerbell.hook.linuxkit.StoreImages;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.tree.Entry;
import tools.jackson.databind.JsonNode;

/**
 * An {@code images.yaml}: the images that are in the system from the start. Its keys are documented in
 * {@code hook-containers/images/embedded.schema.json}.
 */
public final class EmbeddedImages {
    /** Name of the list beside an {@code image.yaml}. */
    public static final String FILE = "images.yaml";

    private static final String SCHEMA = "embedded.schema.json";
    /** Raised when the same images give other entries. */
    private static final String FORMAT = "embedded 1";

    private final YamlFile yaml;
    private final List<Item> items;

    private EmbeddedImages(YamlFile yaml, List<Item> items) {
        this.yaml = yaml;
        this.items = items;
    }

    /**
     * An item of the list; one of {@code source} and {@code own} is there.
     *
     * @param source name in a registry
     * @param own directory of an image of this tree
     * @param names by which the engine shall know it
     */
    private record Item(String pointer, Optional<ImageReference> source, Optional<String> own, List<ImageReference> names, Set<Arch> arches) {}

    private record Resolved(Image image, List<ImageReference> names) {}

    /**
     * Reads a list.
     *
     * @throws HookException if it is not right, with file, line, key and what is allowed
     */
    public static EmbeddedImages read(Path file) throws IOException {
        YamlFile yaml = YamlFile.read(file).validate(EmbeddedImages.class, SCHEMA);
        List<Item> items = new ArrayList<>();
        for (JsonNode node : yaml.root().path("images")) {
            String pointer = "/images/" + items.size();
            Optional<ImageReference> source = reference(yaml, pointer, node, "source");
            Optional<ImageReference> tag = reference(yaml, pointer, node, "tag");
            if (tag.isPresent() && tag.get().digest().isPresent()) {
                throw yaml.error(pointer + "/tag", "a name that is given cannot have a digest: " + tag.get());
            }
            List<ImageReference> names = new ArrayList<>();
            if (node.path("dropSource").asBoolean(false)) {
                if (tag.isEmpty()) {
                    throw yaml.error(pointer + "/dropSource", "without its source's name the image needs a 'tag', else nothing could name it");
                }
            } else {
                source.ifPresent(names::add);
            }
            tag.ifPresent(names::add);
            Set<Arch> arches = EnumSet.noneOf(Arch.class);
            node.path("arch").forEach(name -> arches.add(Arch.of(name.asString())));
            items.add(new Item(pointer, source, node.has("own") ? Optional.of(node.path("own").asString()) : Optional.empty(), names,
                    arches.isEmpty() ? EnumSet.allOf(Arch.class) : arches));
        }
        return new EmbeddedImages(yaml, List.copyOf(items));
    }

    private static Optional<ImageReference> reference(YamlFile yaml, String pointer, JsonNode node, String key) {
        if (!node.has(key)) {
            return Optional.empty();
        }
        try {
            return Optional.of(ImageReference.parse(node.path(key).asString()));
        } catch (HookException e) {
            throw yaml.error(pointer + "/" + key, e.getMessage());
        }
    }

    /**
     * Finds the images of an architecture; those that the store lacks are pulled.
     *
     * @param mode {@link LockMode#STRICT}: a source without a digest is an error
     * @param own the images of this tree
     * @param directory below which the entries go
     * @param progress is warned of what of an image cannot be in an initramfs
     * @throws HookException if an image is not to be had
     */
    public ContainerImages.Addition resolve(
            ImageStore store,
            Arch arch,
            LockMode mode,
            StoreImages.Pull pull,
            List<ContainerImages.Built> own,
            String directory,
            Progress progress)
            throws IOException {
        List<Resolved> images = new ArrayList<>();
        for (Item item : items) {
            if (item.arches().contains(arch)) {
                Image image = item.own().isPresent() ? own(item, own) : fetched(item, store, arch, mode, pull);
                images.add(new Resolved(image, item.names()));
            }
        }
        String key = images.stream().map(i -> i.image().digest() + " " + i.names()).collect(Collectors.joining("\n", FORMAT + "\n", ""));
        return new ContainerImages.Addition() {
            @Override
            public String key() {
                return Digest.of(key).hex();
            }

            @Override
            public List<Entry> entries() throws IOException {
                EngineStore engine = new EngineStore(store);
                for (Resolved image : images) {
                    engine.add(image.image(), image.names());
                }
                if (!engine.losses().isEmpty()) {
                    progress.warn("Extended attributes, such as programs' capabilities, cannot be in an initramfs; of the embedded images these files "
                            + "lose theirs: " + String.join(", ", engine.losses()));
                }
                return engine.entries().stream().map(entry -> entry.withPath(directory + "/" + entry.path())).toList();
            }
        };
    }

    private Image own(Item item, List<ContainerImages.Built> own) {
        return own.stream()
                .filter(built -> built.name().equals(item.own().orElseThrow()))
                .findFirst()
                .map(ContainerImages.Built::image)
                .orElseThrow(() -> yaml.error(item.pointer() + "/own", "there is no image " + item.own().orElseThrow() + " in this tree; there are: "
                        + own.stream().map(ContainerImages.Built::name).collect(Collectors.joining(", "))));
    }

    private Image fetched(Item item, ImageStore store, Arch arch, LockMode mode, StoreImages.Pull pull) throws IOException {
        ImageReference source = item.source().orElseThrow();
        if (mode == LockMode.STRICT && source.digest().isEmpty()) {
            throw yaml.error(item.pointer() + "/source", source + " has no digest, and hook.lock is strict: write " + source
                    + "@sha256:…, the digest that `docker buildx imagetools inspect " + source + "` shows");
        }
        Optional<Image> found = store.find(source, arch);
        if (found.isEmpty()) {
            try {
                pull.pull(source, arch);
            } catch (HookException e) {
                throw new HookException(yaml.error(item.pointer() + "/source", e.getMessage()).getMessage(), e);
            }
            found = store.find(source, arch);
        }
        return found.orElseThrow(() -> yaml.error(item.pointer() + "/source", "the image " + source + " is not for " + arch.ociName()));
    }
}
