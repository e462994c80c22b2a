package org.tinkerbell.hook.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The checksums that go with a file that people download.
 *
 * @param sha256 64 hexadecimal digits
 * @param sha512 128 hexadecimal digits
 */
public record Checksums(String sha256, String sha512) {
    private static final int BUFFER = 1 << 18;

    /** Computes both in one pass over the file. */
    public static Checksums of(Path file) throws IOException {
        MessageDigest sha256 = Digest.algorithm();
        MessageDigest sha512;
        try {
            sha512 = MessageDigest.getInstance("SHA-512");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-512", e);
        }
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                sha256.update(buffer, 0, n);
                sha512.update(buffer, 0, n);
            }
        }
        HexFormat hex = HexFormat.of();
        return new Checksums(hex.formatHex(sha256.digest()), hex.formatHex(sha512.digest()));
    }
}
