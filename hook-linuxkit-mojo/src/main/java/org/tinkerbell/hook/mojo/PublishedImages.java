package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a module that makes OCI images tells the modules after it, in a small JSON artifact: which images there are and where
 * each one's archive is. So hook-dist needs only this file when the image store has the images already, and finds the rest in
 * any Maven repository.
 *
 * @param arch architecture of all of them
 * @param images in the order of their names
 */
record PublishedImages(Arch arch, List<Image> images) {
    private static final JsonMapper JSON = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    /**
     * One image.
     *
     * @param name short name: the image's directory, or the id of the flavor whose kernel it holds
     * @param reference full name with tag, by which LinuxKit's YAML refers to it
     * @param digest of its manifest
     * @param classifier of the attached OCI archive (type {@code oci.tar}) in the same module
     * @param version of the kernel in it, where it holds one
     */
    record Image(String name, String reference, Digest digest, String classifier, Optional<String> version) {}

    PublishedImages {
        images = List.copyOf(images);
    }

    /** Writes the artifact. */
    void write(Path file) throws IOException {
        ObjectNode root = JSON.createObjectNode().put("arch", arch.kernelName());
        ArrayNode list = root.putArray("images");
        for (Image image : images) {
            ObjectNode node = list.addObject()
                    .put("name", image.name())
                    .put("reference", image.reference())
                    .put("digest", image.digest().toString())
                    .put("classifier", image.classifier());
            image.version().ifPresent(version -> node.put("version", version));
        }
        AtomicFile.write(file, JSON.writeValueAsString(root) + "\n");
    }

    /**
     * Reads the artifact.
     *
     * @throws HookException if it is not one
     */
    static PublishedImages read(Path file) throws IOException {
        try {
            JsonNode root = JSON.readTree(Files.readString(file));
            return new PublishedImages(
                    Arch.of(text(root, "arch")),
                    root.path("images").values().stream()
                            .map(node -> new Image(
                                    text(node, "name"),
                                    text(node, "reference"),
                                    Digest.parse(text(node, "digest")),
                                    text(node, "classifier"),
                                    Optional.ofNullable(node.get("version")).map(JsonNode::asString)))
                            .toList());
        } catch (JacksonException | IllegalArgumentException e) {
            throw new HookException(file + " is not a list of images as Hook's modules publish them (" + e.getMessage()
                    + "). Publish the module again, or remove the file from the local Maven repository.", e);
        }
    }

    private static String text(JsonNode node, String field) {
        JsonNode value = node.path(field);
        if (!value.isString()) {
            throw new IllegalArgumentException("no '" + field + "'");
        }
        return value.asString();
    }
}
