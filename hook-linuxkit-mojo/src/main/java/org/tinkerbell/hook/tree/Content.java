package org.tinkerbell.hook.tree;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tinkerbell.hook.io.Digest;

/** The bytes of a regular file, held by reference: they can be opened as often as they are wanted, in any order. */
public interface Content {
    /** Length in bytes. */
    long size();

    /** The bytes from the first on; the caller closes the stream. */
    InputStream open() throws IOException;

    /** SHA-256 of the bytes; computed at most once where it is not known from the start. */
    Digest digest() throws IOException;

    /** All bytes, for files that are known to be small. */
    default byte[] bytes() throws IOException {
        try (InputStream in = open()) {
            return in.readAllBytes();
        }
    }

    /** Bytes in memory, for small files that are made up; they are copied. */
    static Content of(byte[] bytes) {
        return new BytesContent(bytes.clone());
    }

    /** A text in memory, as UTF-8. */
    static Content of(String text) {
        return new BytesContent(text.getBytes(StandardCharsets.UTF_8));
    }

    /** A file of the host, which has to stay as it is while the content is used. */
    static Content of(Path file) throws IOException {
        return new FileContent(file, Files.size(file));
    }
}
