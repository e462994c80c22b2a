package org.tinkerbell.hook.oci;

import com.github.luben.zstd.ZstdOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.List;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.FullDisk;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarFile;

/**
 * Makes an image of one layer from a file tree. The same tree and configuration give the same bytes on every host.
 *
 * <p>The layer is compressed with zstd, which is several times faster than gzip at a better ratio and is read by
 * everything that reads our images: Docker since 23.0, containerd since 1.5, skopeo and podman (containers/image 5), and LinuxKit 1.8.2
 * (go-containerregistry 0.20.3, {@code pkg/v1/partial/compressed.go}, which looks at the first bytes). One thread compresses, by the
 * pinned zstd-jni, since zstd's own threads cut the stream by their number.
 */
public final class ImageBuilder {
    /** The largest gain for the least time on Debian's binaries; what counts is the initramfs, which is compressed anew. */
    private static final int LEVEL = 3;

    private final ImageStore store;

    /** A builder that puts what it makes into a store. */
    public ImageBuilder(ImageStore store) {
        this.store = store;
    }

    /**
     * Makes an image and puts it into the store under a name.
     *
     * @param config all but the layers
     * @param tree the files, each path once; their times are those of the entries, if they are not after {@code latest}
     * @param latest seconds since 1970; later times become this one
     */
    public Image build(ImageReference reference, ImageConfig config, Iterable<Entry> tree, long latest) throws IOException {
        Path temporary = store.temporary();
        try {
            MessageDigest digest = Digest.algorithm();
            TarFile tar;
            try (OutputStream file = new DigestOutputStream(Files.newOutputStream(temporary), digest);
                    OutputStream compressed = new Unflushed(new ZstdOutputStream(file, LEVEL))) {
                tar = TarFile.write(tree, store.layerDirectory(), latest, compressed);
            }
            Descriptor layer = new Descriptor(MediaTypes.LAYER_ZSTD, Digest.of(digest), Files.size(temporary));
            store.adopt(temporary, layer.digest());
            ImageConfig complete = config.withDiffIds(List.of(tar.digest()));
            Descriptor configBlob = store.put(MediaTypes.CONFIG, complete.toJson());
            Descriptor manifest = store.put(MediaTypes.MANIFEST, Image.Manifest.json(configBlob, List.of(layer)));
            Image image = store.image(manifest, reference.toString())
                    .orElseThrow(() -> new IOException("The image " + reference + " vanished from " + store.layout() + " while it was made"));
            store.tag(reference, image);
            return image;
        } catch (IOException e) {
            throw FullDisk.check(e, store.layout());
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /** Keeps a flush from ending a block of zstd, so that the bytes do not depend on when somebody flushes. */
    private static final class Unflushed extends FilterOutputStream {
        Unflushed(OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            out.write(bytes, from, length);
        }

        @Override
        public void flush() {
            // Everything goes out when the stream is closed.
        }

        @Override
        public void close() throws IOException {
            out.close();
        }
    }
}
