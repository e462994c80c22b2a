package org.tinkerbell.hook.kernel;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.tinkerbell.hook.debian.TestDeb;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.oci.FakeRegistry;

/** One of Armbian's kernel artifacts for the fake registry: a manifest, a configuration of nothing, and a tar of packages. */
final class TestArtifact {
    private final Map<String, byte[]> members = new LinkedHashMap<>();
    private String created = "";
    private byte[] config = "{}".getBytes(StandardCharsets.UTF_8);
    private int layers = 1;
    private int cut;

    /** With a kernel package of a release and what else Armbian puts beside it. */
    static TestArtifact of(String release, String kernel) {
        return new TestArtifact()
                .member("global/linux-libc-dev-edge-board_1_arm64.deb", new TestDeb("linux-libc-dev-edge-board", "1", "arm64").bytes())
                .member("global/linux-image-edge-board_1_arm64.deb", image(release, kernel, "arm64").bytes())
                .member("global/linux-dtb-edge-board_1_arm64.deb", new TestDeb("linux-dtb-edge-board", "1", "arm64")
                        .file("./boot/dtb-" + release + "/vendor/board.dtb", "packaged tree of " + kernel).bytes());
    }

    /** A kernel package as Armbian builds it. */
    static TestDeb image(String release, String kernel, String architecture) {
        return withoutTrees(release, kernel, architecture)
                .file("./usr/lib/linux-image-" + release + "/vendor/board.dtb", "tree of " + kernel);
    }

    /** The same without device trees. */
    static TestDeb withoutTrees(String release, String kernel, String architecture) {
        return new TestDeb("linux-image-edge-board", "1", architecture)
                .file("./boot/vmlinuz-" + release, kernel)
                .file("./boot/System.map-" + release, "map")
                .file("./boot/config-" + release, "CONFIG_X=y")
                .file("./lib/modules/" + release + "/kernel/drivers/net/board.ko", "module")
                .file("./lib/modules/" + release + "/modules.order", "kernel/drivers/net/board.ko\n")
                .link("./lib/modules/" + release + "/build", "/usr/src/linux-headers-" + release, (byte) '2');
    }

    TestArtifact member(String path, byte[] bytes) {
        members.put(path, bytes);
        return this;
    }

    TestArtifact without(String path) {
        members.keySet().removeIf(name -> name.startsWith(path));
        return this;
    }

    TestArtifact created(String time) {
        created = time;
        return this;
    }

    TestArtifact config(String text) {
        config = text.getBytes(StandardCharsets.UTF_8);
        return this;
    }

    TestArtifact layers(int number) {
        layers = number;
        return this;
    }

    /** Leaves so many bytes away from the end of the tar, before anybody takes its digest. */
    TestArtifact cut(int bytes) {
        cut = bytes;
        return this;
    }

    /** Puts it into a registry under a tag, and gives the manifest's digest. */
    Digest push(FakeRegistry registry, String tag) {
        byte[] tar = tar();
        String layer = descriptor("application/vnd.unknown.layer.v1+tar", tar);
        String json = "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
                + "\"artifactType\":\"application/vnd.unknown.artifact.v1\",\"config\":"
                + descriptor("application/vnd.unknown.config.v1+json", config)
                + ",\"layers\":[" + String.join(",", java.util.Collections.nCopies(layers, layer)) + "]"
                + (created.isEmpty() ? "" : ",\"annotations\":{\"org.opencontainers.image.created\":\"" + created + "\"}") + "}";
        byte[] manifest = json.getBytes(StandardCharsets.UTF_8);
        registry.blobs.put(Digest.of(tar).toString(), tar);
        registry.blobs.put(Digest.of(config).toString(), config);
        registry.manifests.put(Digest.of(manifest).toString(), manifest);
        registry.manifests.put(tag, manifest);
        registry.types.put(tag, "application/vnd.oci.image.manifest.v1+json");
        return Digest.of(manifest);
    }

    /** Digest of the tar. */
    String layer() {
        return Digest.of(tar()).toString();
    }

    private static String descriptor(String type, byte[] bytes) {
        return "{\"mediaType\":\"" + type + "\",\"digest\":\"" + Digest.of(bytes) + "\",\"size\":" + bytes.length + "}";
    }

    private byte[] tar() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream out = new TarArchiveOutputStream(bytes)) {
            for (Map.Entry<String, byte[]> member : members.entrySet()) {
                TarArchiveEntry entry = new TarArchiveEntry(member.getKey(), true);
                entry.setSize(member.getValue().length);
                entry.setModTime(1_000_000L);
                out.putArchiveEntry(entry);
                out.write(member.getValue());
                out.closeArchiveEntry();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return java.util.Arrays.copyOf(bytes.toByteArray(), bytes.size() - cut);
    }
}
