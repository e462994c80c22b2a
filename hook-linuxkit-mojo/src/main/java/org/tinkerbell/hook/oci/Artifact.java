package org.tinkerbell.hook.oci;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a registry holds that need not be an image: files as they were pushed, each a layer
 * (<a href="https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage">image-spec,
 * manifest.md, guidelines for artifact usage</a>).
 *
 * @param json the manifest as the registry has it
 * @param digest of the manifest
 * @param config what points to its configuration, whose media type may be anybody's
 * @param layers what points to its files
 * @param annotations what the manifest says about itself, by key
 */
public record Artifact(String json, Digest digest, Descriptor config, List<Descriptor> layers, SortedMap<String, String> annotations) {
    private static final JsonMapper JSON = new JsonMapper();

    public Artifact {
        layers = List.copyOf(layers);
        annotations = Collections.unmodifiableSortedMap(new TreeMap<>(annotations));
    }

    /**
     * Reads a manifest.
     *
     * @param label what to call the artifact in errors
     * @throws HookException if it is the manifest of nothing, or an index
     */
    public static Artifact parse(String json, String label) {
        try {
            JsonNode root = JSON.readTree(json);
            if (root.has("manifests")) {
                throw new HookException(label + " is an index of several artifacts, where one is wanted");
            }
            List<Descriptor> layers = new ArrayList<>();
            root.path("layers").forEach(layer -> layers.add(Image.descriptor(layer)));
            SortedMap<String, String> annotations = new TreeMap<>();
            root.path("annotations").properties().forEach(each -> annotations.put(each.getKey(), each.getValue().asString("")));
            return new Artifact(json, Digest.of(json.getBytes(StandardCharsets.UTF_8)), Image.descriptor(root.path("config")), layers,
                    annotations);
        } catch (JacksonException | IllegalArgumentException e) {
            throw new HookException(label + ": its manifest is not that of an artifact: " + e.getMessage(), e);
        }
    }
}
