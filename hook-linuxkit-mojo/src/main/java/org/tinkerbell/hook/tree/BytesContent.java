package org.tinkerbell.hook.tree;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import org.tinkerbell.hook.io.Digest;

/** Content that is small and made up, so it lives in memory. */
final class BytesContent implements Content {
    private final byte[] bytes;
    private final Digest digest;

    BytesContent(byte[] bytes) {
        this.bytes = bytes;
        this.digest = Digest.of(bytes);
    }

    @Override
    public long size() {
        return bytes.length;
    }

    @Override
    public InputStream open() {
        return new ByteArrayInputStream(bytes);
    }

    @Override
    public Digest digest() {
        return digest;
    }
}
