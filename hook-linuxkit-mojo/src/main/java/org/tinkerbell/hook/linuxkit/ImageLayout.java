package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * An image as a directory of the form <a href="https://github.com/opencontainers/image-spec/blob/main/image-layout.md">OCI image
 * layout</a>, the way LinuxKit 1.8.2 lays one into a volume: src/cmd/linuxkit/cache/indexsource.go and layout.go.
 */
public final class ImageLayout {
    private static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";
    private static final Set<String> MANIFESTS =
            Set.of("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json");
    private static final String LAYOUT_FILE = "{\n\t\t\"imageLayoutVersion\": \"1.0.0\"\n\t}";
    private static final JsonMapper JSON = new JsonMapper();

    private ImageLayout() {}

    /** Where the blobs of an image are. */
    @FunctionalInterface
    public interface Blobs {
        /** The blob of a digest. */
        Content blob(Digest digest) throws IOException;
    }

    /**
     * The entries of the directory.
     *
     * @param name full name of the image
     * @param index digest of the image's index
     * @param blobs the blobs of the index and of all that it names for the platforms
     * @param platforms what to limit the blobs to, such as {@code linux/arm64} or {@code linux/arm/v7}; empty: all
     * @throws HookException if the image is not for one of them
     */
    public static List<Entry> of(String name, Digest index, Blobs blobs, List<String> platforms) throws IOException {
        Map<String, Entry> entries = new LinkedHashMap<>();
        List<Entry> fixed = List.of(
                Entry.file("oci-layout", 0644, Content.of(LAYOUT_FILE)),
                Entry.directory("blobs", 0755),
                Entry.directory("blobs/sha256", 0755));
        fixed.forEach(entry -> entries.put(entry.path(), entry));
        Content indexBlob = blobs.blob(index);
        JsonNode manifests = JSON.readTree(indexBlob.bytes()).path("manifests");
        for (String wanted : platforms) {
            if (manifests.valueStream().noneMatch(manifest -> is(manifest.path("platform"), wanted))) {
                throw new HookException("The image " + name + " is not for the platform " + wanted);
            }
        }
        for (JsonNode manifest : manifests) {
            if (MANIFESTS.contains(manifest.path("mediaType").asString("")) && isWanted(manifest.path("platform"), platforms)) {
                Digest digest = Digest.parse(manifest.get("digest").asString());
                Content blob = blobs.blob(digest);
                JsonNode image = JSON.readTree(blob.bytes());
                add(entries, Digest.parse(image.get("config").get("digest").asString()), blobs);
                for (JsonNode layer : image.path("layers")) {
                    add(entries, Digest.parse(layer.get("digest").asString()), blobs);
                }
                add(entries, digest, blobs);
            }
        }
        add(entries, index, blobs);
        ObjectNode top = JsonNodeFactory.instance.objectNode().put("schemaVersion", 2).put("mediaType", OCI_INDEX);
        ObjectNode descriptor = top.putArray("manifests").addObject();
        descriptor.put("mediaType", OCI_INDEX).put("size", indexBlob.size()).put("digest", index.toString());
        descriptor.putObject("annotations").put("org.opencontainers.image.ref.name", name);
        entries.put("index.json", Entry.file("index.json", 0644, Content.of(GoJson.indent(top, "   "))));
        return new ArrayList<>(entries.values());
    }

    private static void add(Map<String, Entry> entries, Digest digest, Blobs blobs) throws IOException {
        String path = "blobs/sha256/" + digest.hex();
        entries.put(path, Entry.file(path, 0644, blobs.blob(digest)));
    }

    private static boolean isWanted(JsonNode platform, List<String> platforms) {
        return platforms.isEmpty() || platforms.stream().anyMatch(wanted -> is(platform, wanted));
    }

    private static boolean is(JsonNode platform, String wanted) {
        String[] parts = wanted.split("/");
        return parts[0].equals(platform.path("os").asString(""))
                && (parts.length < 2 || parts[1].equals(platform.path("architecture").asString("")))
                && (parts.length < 3 || parts[2].equals(platform.path("variant").asString("")));
    }
}
