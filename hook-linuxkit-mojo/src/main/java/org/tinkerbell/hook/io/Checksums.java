package org.tinkerbell.hook.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The checksums that go with a file that people download.
 *
 * @param sha256 64 hexadecimal digits
 * @param sha512 128 hexadecimal digits
 */
public record Checksums(String sha256, String sha512) {
    private static final int BUFFER = 1 << 18;
    private static final String SHA_256 = "sha256";
    private static final String SHA_512 = "sha512";

    /** Computes both at the same time, each with a reader of its own: what one of them takes from the disk the other finds in memory. */
    public static Checksums of(Path file) throws IOException {
        List<String> sums = Parallel.map(2, List.of("SHA-256", "SHA-512"), algorithm -> sum(file, algorithm));
        return new Checksums(sums.get(0), sums.get(1));
    }

    /**
     * Computes both and writes them beside the file, {@code <file>.sha256} and {@code <file>.sha512}, in the form of coreutils'
     * {@code sha256sum}. Both get the file's time; where they have it already the file is as it was then, and is not read again.
     */
    public static Checksums beside(Path file) throws IOException {
        FileTime time = Files.getLastModifiedTime(file);
        Optional<String> first = written(file, SHA_256, time);
        Optional<String> second = written(file, SHA_512, time);
        if (first.isPresent() && second.isPresent()) {
            return new Checksums(first.get(), second.get());
        }
        Checksums made = of(file);
        write(file, SHA_256, made.sha256, time);
        write(file, SHA_512, made.sha512, time);
        return made;
    }

    /** The files that {@link #beside} has written, by their endings without the dot. */
    public static SortedMap<String, Path> files(Path file) {
        return new TreeMap<>(Map.of(SHA_256, sibling(file, SHA_256), SHA_512, sibling(file, SHA_512)));
    }

    private static Path sibling(Path file, String ending) {
        return file.resolveSibling(file.getFileName() + "." + ending);
    }

    private static Optional<String> written(Path file, String ending, FileTime time) throws IOException {
        Path sums = sibling(file, ending);
        if (!Files.isRegularFile(sums) || !Files.getLastModifiedTime(sums).equals(time)) {
            return Optional.empty();
        }
        String text = Files.readString(sums);
        String rest = "  " + file.getFileName() + "\n";
        return text.endsWith(rest) ? Optional.of(text.substring(0, text.length() - rest.length())) : Optional.empty();
    }

    private static void write(Path file, String ending, String hex, FileTime time) throws IOException {
        Path sums = sibling(file, ending);
        AtomicFile.write(sums, hex + "  " + file.getFileName() + "\n");
        Files.setLastModifiedTime(sums, time);
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
