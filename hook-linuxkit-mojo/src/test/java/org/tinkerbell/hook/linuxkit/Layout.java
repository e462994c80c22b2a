package org.tinkerbell.hook.linuxkit;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarFile;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** An OCI image layout that the linuxkit command takes for its cache, and the same images for the embedded engine. */
final class Layout implements Images {
    private final Path directory;
    private final ArrayNode manifests = JsonNodeFactory.instance.arrayNode();
    private final Map<String, Digest> indices = new HashMap<>();
    private final Map<String, Layered> images = new HashMap<>();

    Layout(Path directory) throws IOException {
        this.directory = directory;
        Files.createDirectories(directory.resolve("blobs/sha256"));
        Files.writeString(directory.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    }

    /** A tar under construction. */
    static final class Tar {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final TarArchiveOutputStream out = new TarArchiveOutputStream(bytes, "UTF-8");

        Tar() {
            out.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
            out.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
        }

        Tar dir(String path, int mode) {
            return add(path + "/", TarConstants.LF_DIR, mode, 0, 0, "", new byte[0]);
        }

        Tar file(String path, int mode, String text) {
            return file(path, mode, 0, 0, text);
        }

        Tar file(String path, int mode, int uid, int gid, String text) {
            return add(path, TarConstants.LF_NORMAL, mode, uid, gid, "", text.getBytes(StandardCharsets.UTF_8));
        }

        Tar file(String path, byte[] content) {
            return add(path, TarConstants.LF_NORMAL, 0644, 0, 0, "", content);
        }

        Tar symlink(String path, String target) {
            return add(path, TarConstants.LF_SYMLINK, 0777, 0, 0, target, new byte[0]);
        }

        Tar link(String path, String target) {
            return add(path, TarConstants.LF_LINK, 0644, 0, 0, target, new byte[0]);
        }

        Tar device(String path, int major, int minor) {
            try {
                TarArchiveEntry entry = new TarArchiveEntry(path, TarConstants.LF_CHR);
                entry.setMode(0660);
                entry.setDevMajor(major);
                entry.setDevMinor(minor);
                out.putArchiveEntry(entry);
                out.closeArchiveEntry();
                return this;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private Tar add(String path, byte type, int mode, int uid, int gid, String link, byte[] content) {
            try {
                TarArchiveEntry entry = new TarArchiveEntry(path, type);
                entry.setMode(mode);
                entry.setIds(uid, gid);
                entry.setModTime(1_600_000_000_000L);
                entry.setLinkName(link);
                entry.setSize(content.length);
                out.putArchiveEntry(entry);
                out.write(content);
                out.closeArchiveEntry();
                return this;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        byte[] bytes() {
            try {
                out.close();
                return bytes.toByteArray();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Adds an image; {@code config} is the JSON of its config object. */
    Layout image(String name, String config, Tar... layers) throws IOException {
        JsonNode configObject = new JsonMapper().readTree(config);
        ObjectNode configuration = JsonNodeFactory.instance.objectNode().put("architecture", "amd64").put("os", "linux");
        configuration.set("config", configObject);
        ObjectNode manifest = JsonNodeFactory.instance.objectNode()
                .put("schemaVersion", 2).put("mediaType", "application/vnd.oci.image.manifest.v1+json");
        ArrayNode diffs = configuration.putObject("rootfs").put("type", "layers").putArray("diff_ids");
        ArrayNode layerDescriptors = JsonNodeFactory.instance.arrayNode();
        List<List<Entry>> entries = new ArrayList<>();
        for (Tar layer : layers) {
            byte[] bytes = layer.bytes();
            ObjectNode descriptor = blob("application/vnd.oci.image.layer.v1.tar", bytes);
            diffs.add(descriptor.get("digest"));
            layerDescriptors.add(descriptor);
            Path tar = directory.resolveSibling(directory.getFileName() + "-tars").resolve(Digest.of(bytes).hex());
            entries.add(TarFile.index(new ByteArrayInputStream(bytes), tar, name).entries());
        }
        manifest.set("config", blob("application/vnd.oci.image.config.v1+json", configuration.toString().getBytes(StandardCharsets.UTF_8)));
        manifest.set("layers", layerDescriptors);
        ObjectNode index = JsonNodeFactory.instance.objectNode()
                .put("schemaVersion", 2).put("mediaType", "application/vnd.oci.image.index.v1+json");
        ObjectNode inIndex = blob("application/vnd.oci.image.manifest.v1+json", manifest.toString().getBytes(StandardCharsets.UTF_8));
        inIndex.putObject("platform").put("architecture", "amd64").put("os", "linux");
        index.putArray("manifests").add(inIndex);
        ObjectNode top = blob("application/vnd.oci.image.index.v1+json", index.toString().getBytes(StandardCharsets.UTF_8));
        top.putObject("annotations").put("org.opencontainers.image.ref.name", name);
        manifests.add(top);
        Files.writeString(directory.resolve("index.json"),
                JsonNodeFactory.instance.objectNode().put("schemaVersion", 2).set("manifests", manifests).toString());
        indices.put(name, Digest.parse(top.get("digest").asString()));
        images.put(name, new Layered(Digest.parse(inIndex.get("digest").asString()), entries, configObject));
        return this;
    }

    private ObjectNode blob(String type, byte[] bytes) throws IOException {
        Digest digest = Digest.of(bytes);
        Files.write(directory.resolve("blobs/sha256").resolve(digest.hex()), bytes);
        return JsonNodeFactory.instance.objectNode().put("mediaType", type).put("digest", digest.toString()).put("size", bytes.length);
    }

    @Override
    public Layered image(String name, Arch arch) {
        Layered image = images.get(name);
        if (image == null) {
            throw new HookException("There is no image " + name + " for " + arch.ociName());
        }
        return image;
    }

    @Override
    public List<Entry> layout(String name, List<String> platforms) throws IOException {
        return ImageLayout.of(name, indices.get(name),
                digest -> Content.of(directory.resolve("blobs/sha256").resolve(digest.hex())), platforms);
    }
}
