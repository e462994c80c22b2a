package org.tinkerbell.hook.oci;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A list of manifests, of a layout or of an image's platforms
 * (<a href="https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md">image-spec, image-index.md</a>).
 */
record ImageIndex(List<Item> items) {
    /** The annotation with an image's name (image-spec, annotations.md). */
    static final String REF_NAME = "org.opencontainers.image.ref.name";
    /** Containerd's annotation with the full name; LinuxKit's import looks for this one. */
    static final String CONTAINERD_NAME = "io.containerd.image.name";

    private static final JsonMapper JSON = new JsonMapper();

    ImageIndex {
        items = List.copyOf(items);
    }

    /**
     * One manifest of the list.
     *
     * @param os empty where the list says nothing about the platform
     * @param architecture likewise
     */
    record Item(Descriptor descriptor, String os, String architecture, SortedMap<String, String> annotations) {
        Item {
            annotations = Collections.unmodifiableSortedMap(new TreeMap<>(annotations));
        }

        static Item named(Descriptor descriptor, String name) {
            return new Item(descriptor, "", "", new TreeMap<>(Map.of(REF_NAME, name)));
        }

        static Item of(Descriptor descriptor, ImageConfig config) {
            return new Item(descriptor, config.os(), config.architecture(), Collections.emptySortedMap());
        }

        boolean isFor(Arch arch) {
            return os.equals("linux") && architecture.equals(arch.ociName());
        }

        boolean samePlatform(Item other) {
            return os.equals(other.os) && architecture.equals(other.architecture);
        }

        Optional<String> name() {
            return Optional.ofNullable(annotations.get(REF_NAME));
        }
    }

    static ImageIndex parse(byte[] json, String label) {
        try {
            List<Item> items = new ArrayList<>();
            JsonNode root = JSON.readTree(json);
            if (!root.path("manifests").isArray()) {
                throw new IllegalArgumentException("there are no \"manifests\"");
            }
            for (JsonNode node : root.path("manifests")) {
                SortedMap<String, String> annotations = new TreeMap<>();
                node.path("annotations").properties().forEach(e -> annotations.put(e.getKey(), e.getValue().asString("")));
                JsonNode platform = node.path("platform");
                items.add(new Item(Image.descriptor(node), platform.path("os").asString(""), platform.path("architecture").asString(""),
                        annotations));
            }
            return new ImageIndex(items);
        } catch (JacksonException | IllegalArgumentException e) {
            throw new HookException(label + ": its index is not one of images: " + e.getMessage(), e);
        }
    }

    byte[] toJson() {
        ObjectNode root = JSON.createObjectNode();
        root.put("schemaVersion", 2);
        root.put("mediaType", MediaTypes.INDEX);
        ArrayNode array = root.putArray("manifests");
        for (Item item : items) {
            ObjectNode node = array.addObject();
            Image.put(node, item.descriptor());
            if (!item.os().isEmpty()) {
                node.putObject("platform").put("architecture", item.architecture()).put("os", item.os());
            }
            if (!item.annotations().isEmpty()) {
                ObjectNode annotations = node.putObject("annotations");
                item.annotations().forEach(annotations::put);
            }
        }
        return JSON.writeValueAsBytes(root);
    }
}
