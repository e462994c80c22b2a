package org.tinkerbell.hook.tree;

import java.io.IOException;
import java.io.InputStream;
import org.tinkerbell.hook.io.Digest;

/** The bytes of a regular file, held by reference: they can be opened as often as they are wanted, in any order. */
public interface Content {
    /** Length in bytes. */
    long size();

    /** The bytes from the first on; the caller closes the stream. */
    InputStream open() throws IOException;

    /** SHA-256 of the bytes; computed at most once where it is not known from the start. */
    Digest digest() throws IOException;
}
