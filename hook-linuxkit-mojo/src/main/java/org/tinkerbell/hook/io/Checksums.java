package org.tinkerbell.hook.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * The checksums that go with a file that people download.
 *
 * @param sha256 64 hexadecimal digits
 * @param sha512 128 hexadecimal digits
 */
public record Checksums(String sha256, String sha512) {
    private static final int BUFFER = 1 << 18;

    /** Computes both at the same time, each with a reader of its own: what one of them takes from the disk the other finds in memory. */
    public static Checksums of(Path file) throws IOException {
        List<String> sums = Parallel.map(2, List.of("SHA-256", "SHA-512"), algorithm -> sum(file, algorithm));
        return new Checksums(sums.get(0), sums.get(1));
    }

    private static String sum(Path file, String algorithm) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256 and SHA-512", e);
        }
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
