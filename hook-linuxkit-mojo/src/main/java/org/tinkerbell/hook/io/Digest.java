package org.tinkerbell.hook.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A SHA-256 digest, written {@code sha256:<64 hex>} as in the
 * <a href="https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests">OCI image specification</a>.
 *
 * @param hex 64 lower-case hexadecimal digits
 */
public record Digest(String hex) implements Comparable<Digest> {
    private static final int DIGITS = 64;
    private static final String PREFIX = "sha256:";
    private static final int BUFFER = 1 << 16;

    public Digest {
        if (!isHex(hex)) {
            throw new IllegalArgumentException("not a SHA-256 digest in hexadecimal: " + hex);
        }
    }

    // Not by a pattern: lists of files are read with a digest each.
    private static boolean isHex(String text) {
        if (text.length() != DIGITS) {
            return false;
        }
        for (int i = 0; i < DIGITS; i++) {
            char c = text.charAt(i);
            if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
                return false;
            }
        }
        return true;
    }

    /** The digest that {@code text} writes, with or without the {@code sha256:} prefix. */
    public static Digest parse(String text) {
        return new Digest(text.startsWith(PREFIX) ? text.substring(PREFIX.length()) : text);
    }

    /** The digest of these bytes. */
    public static Digest of(byte[] bytes) {
        return finish(algorithm(), bytes);
    }

    /** The digest of the UTF-8 bytes of a text. */
    public static Digest of(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    /** The digest of a file's content. */
    public static Digest of(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return of(in);
        }
    }

    /** The digest of all that is left in a stream, which is read to its end and not closed. */
    public static Digest of(InputStream in) throws IOException {
        MessageDigest digest = algorithm();
        byte[] buffer = new byte[BUFFER];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            digest.update(buffer, 0, n);
        }
        return of(digest);
    }

    /** What a finished {@link #algorithm()} says; the algorithm is reset. */
    public static Digest of(MessageDigest digest) {
        return finish(digest, new byte[0]);
    }

    /** A fresh SHA-256, for digesting what streams by. */
    public static MessageDigest algorithm() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** The first hexadecimal digits, for names that people read. */
    public String abbreviated(int digits) {
        return hex.substring(0, digits);
    }

    @Override
    public int compareTo(Digest other) {
        return hex.compareTo(other.hex);
    }

    /** {@code sha256:<hex>}. */
    @Override
    public String toString() {
        return PREFIX + hex;
    }

    private static Digest finish(MessageDigest digest, byte[] last) {
        return new Digest(HexFormat.of().formatHex(digest.digest(last)));
    }
}
