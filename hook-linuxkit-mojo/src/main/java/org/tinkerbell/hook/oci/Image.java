package org.tinkerbell.hook.oci;

import java.util.ArrayList;
import java.util.List;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * An image of one platform.
 *
 * @param manifest what points to its manifest
 * @param configBlob what points to its configuration
 * @param layers what points to its layers, the lowest first
 * @param config its configuration
 * @param configJson the configuration as it is stored, for what {@link ImageConfig} has no name for
 */
public record Image(Descriptor manifest, Descriptor configBlob, List<Descriptor> layers, ImageConfig config, JsonNode configJson) {
    private static final JsonMapper JSON = new JsonMapper();

    public Image {
        layers = List.copyOf(layers);
    }

    /** Digest of the manifest. */
    public Digest digest() {
        return manifest.digest();
    }

    /** A manifest without the configuration that it points to. */
    record Manifest(Descriptor self, Descriptor config, List<Descriptor> layers) {
        /** All that has to be there for the image to be complete. */
        List<Descriptor> blobs() {
            List<Descriptor> all = new ArrayList<>(layers);
            all.add(config);
            return all;
        }

        Image with(byte[] configBytes, String label) {
            ImageConfig parsed = ImageConfig.parse(configBytes, label);
            if (parsed.diffIds().size() != layers.size()) {
                throw new HookException(label + ": its manifest has " + layers.size() + " layers and its configuration "
                        + parsed.diffIds().size());
            }
            return new Image(self, config, layers, parsed, JSON.readTree(configBytes));
        }

        /**
         * Reads a manifest (image-spec, manifest.md).
         *
         * @param self what points to it
         * @param label what to call the image in errors
         */
        static Manifest parse(byte[] json, Descriptor self, String label) {
            try {
                JsonNode root = JSON.readTree(json);
                List<Descriptor> layers = new ArrayList<>();
                root.path("layers").forEach(layer -> layers.add(descriptor(layer)));
                return new Manifest(self, descriptor(root.path("config")), layers);
            } catch (JacksonException | IllegalArgumentException e) {
                throw new HookException(label + ": its manifest is not that of an image: " + e.getMessage(), e);
            }
        }

        static byte[] json(Descriptor config, List<Descriptor> layers) {
            ObjectNode root = JSON.createObjectNode();
            root.put("schemaVersion", 2);
            root.put("mediaType", MediaTypes.MANIFEST);
            put(root.putObject("config"), config);
            ArrayNode array = root.putArray("layers");
            layers.forEach(layer -> put(array.addObject(), layer));
            return JSON.writeValueAsBytes(root);
        }
    }

    static Descriptor descriptor(JsonNode node) {
        String type = node.path("mediaType").asString("");
        String digest = node.path("digest").asString("");
        long size = node.path("size").asLong(-1);
        if (type.isEmpty() || size < 0) {
            throw new IllegalArgumentException("a descriptor without media type or size");
        }
        if (!digest.startsWith("sha256:")) {
            throw new IllegalArgumentException("the digest '" + digest + "' is not sha256, which is all that is known here");
        }
        return new Descriptor(type, Digest.parse(digest), size);
    }

    static void put(ObjectNode node, Descriptor descriptor) {
        node.put("mediaType", descriptor.mediaType());
        node.put("digest", descriptor.digest().toString());
        node.put("size", descriptor.size());
    }
}
