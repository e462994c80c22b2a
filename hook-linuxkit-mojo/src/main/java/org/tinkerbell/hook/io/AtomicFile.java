package org.tinkerbell.hook.io;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Writes files so that a final name never stands for half a file: the bytes go to a temporary name in the same
 * directory, which takes the final name in one step when all of them are there, and goes away when something fails.
 */
public final class AtomicFile {
    /** What temporary names end with; a leftover of a killed process may be removed at any time. */
    public static final String SUFFIX = ".part";

    private static final int BUFFER = 1 << 16;

    private AtomicFile() {}

    /** Something that writes to a stream. */
    @FunctionalInterface
    public interface Writer {
        void writeTo(OutputStream out) throws IOException;
    }

    /** Something that makes a file under the name that it is given. */
    @FunctionalInterface
    public interface Maker {
        void make(Path temporary) throws IOException;
    }

    /** Writes a file through a stream. Missing parent directories are made. */
    public static void write(Path target, Writer writer) throws IOException {
        make(target, temporary -> {
            try (OutputStream out = new BufferedOutputStream(
                    Files.newOutputStream(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), BUFFER)) {
                writer.writeTo(out);
            }
        });
    }

    /** Writes a file's bytes. */
    public static void write(Path target, byte[] bytes) throws IOException {
        write(target, out -> out.write(bytes));
    }

    /** Writes a text as UTF-8. */
    public static void write(Path target, String text) throws IOException {
        write(target, text.getBytes(StandardCharsets.UTF_8));
    }

    /** Makes a file by something that wants a name, not a stream. */
    public static void make(Path target, Maker maker) throws IOException {
        Path directory = target.toAbsolutePath().getParent();
        Files.createDirectories(directory);
        Path temporary = directory.resolve("." + target.getFileName() + "." + UUID.randomUUID() + SUFFIX);
        try {
            maker.make(temporary);
            move(temporary, target);
        } catch (IOException e) {
            throw FullDisk.check(e, directory);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
