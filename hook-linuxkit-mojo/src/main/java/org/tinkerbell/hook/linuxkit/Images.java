package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.util.List;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.tree.Entry;
import tools.jackson.databind.JsonNode;

/** Where an engine gets its images. May be asked by several threads at once. */
public interface Images {
    /**
     * An image with its layers.
     *
     * @param digest of its manifest
     * @param layers members of each layer's tar, the lowest layer first, in the tar's order; whiteouts are files named
     *     {@code .wh.…} (OCI image specification, layer.md)
     * @param config the {@code config} object of the image's configuration (OCI image specification, config.md)
     */
    record Layered(Digest digest, List<List<Entry>> layers, JsonNode config) {
        public Layered {
            layers = List.copyOf(layers);
        }
    }

    /**
     * The image of a name for an architecture, fetched if it is not here.
     *
     * @param name full name: registry, repository and, where they were given, tag and digest
     * @throws org.tinkerbell.hook.io.HookException if there is none
     */
    Layered image(String name, Arch arch) throws IOException;

    /**
     * The files of an OCI image layout (OCI image specification, image-layout.md) that holds an image, as LinuxKit makes it for
     * volumes of the format {@code oci}.
     *
     * @param name full name
     * @param platforms what to limit it to, such as {@code linux/amd64}; empty: every platform that the image is for
     */
    List<Entry> layout(String name, List<String> platforms) throws IOException;
}
