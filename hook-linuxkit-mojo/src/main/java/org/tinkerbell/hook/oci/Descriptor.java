package org.tinkerbell.hook.oci;

import java.util.Objects;
import org.tinkerbell.hook.io.Digest;

/**
 * What something points to a blob with
 * (<a href="https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md">image-spec, descriptor.md</a>).
 *
 * @param mediaType what the blob is
 * @param digest SHA-256 of it
 * @param size its length in bytes
 */
public record Descriptor(String mediaType, Digest digest, long size) {
    public Descriptor {
        Objects.requireNonNull(mediaType, "mediaType");
        Objects.requireNonNull(digest, "digest");
    }
}
