package org.tinkerbell.hook.tree;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tinkerbell.hook.io.Digest;

/** Content that is a whole file of the host. */
final class FileContent implements Content {
    private final Path file;
    private final long size;
    private Digest digest;

    FileContent(Path file, long size) {
        this.file = file;
        this.size = size;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public InputStream open() throws IOException {
        return Files.newInputStream(file);
    }

    @Override
    public synchronized Digest digest() throws IOException {
        if (digest == null) {
            digest = Digest.of(file);
        }
        return digest;
    }

    @Override
    public String toString() {
        return file.toString();
    }
}
