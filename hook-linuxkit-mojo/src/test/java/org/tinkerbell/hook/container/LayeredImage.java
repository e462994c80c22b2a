package org.tinkerbell.hook.container;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageArchive;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarWriter;

/** An image with as many layers as a test wants, brought into a store as {@code docker save} writes images. */
final class LayeredImage {
    private LayeredImage() {}

    @SafeVarargs
    static Image of(ImageStore store, Cache cache, Path directory, ImageReference name, List<Entry>... layers) throws IOException {
        List<Entry> archive = new ArrayList<>();
        List<String> files = new ArrayList<>();
        List<String> diffIds = new ArrayList<>();
        for (List<Entry> layer : layers) {
            ByteArrayOutputStream tar = new ByteArrayOutputStream();
            TarWriter.write(layer, tar, 2_000_000_000);
            files.add("\"" + files.size() + "/layer.tar\"");
            diffIds.add("\"" + Digest.of(tar.toByteArray()) + "\"");
            archive.add(Entry.file((files.size() - 1) + "/layer.tar", 0644, Content.of(tar.toByteArray())));
        }
        String history = diffIds.stream().map(d -> "{\"created_by\":\"test\"}").collect(Collectors.joining(","));
        archive.add(Entry.file("config.json", 0644, Content.of("{\"architecture\":\"" + Arch.host().ociName() + "\",\"os\":\"linux\",\"config\":{\"Cmd\":"
                + "[\"/bin/true\"]},\"created\":\"2026-01-01T00:00:00Z\",\"history\":[" + history + "],\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
                + String.join(",", diffIds) + "]}}")));
        archive.add(Entry.file("manifest.json", 0644, Content.of("[{\"Config\":\"config.json\",\"RepoTags\":[\"" + name + "\"],\"Layers\":["
                + String.join(",", files) + "]}]")));
        Path file = Files.createTempFile(directory, "image", ".tar");
        try (var out = Files.newOutputStream(file)) {
            TarWriter.write(archive, out, 0);
        }
        new ImageArchive(store, cache).read(file, Optional.of(name));
        return store.find(name, Arch.host()).orElseThrow();
    }
}
