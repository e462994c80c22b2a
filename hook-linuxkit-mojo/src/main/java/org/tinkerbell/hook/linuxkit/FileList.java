package org.tinkerbell.hook.linuxkit;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tinkerbell.hook.io.AtomicFile;

/** Hook's format {@link Formats#FILE_LIST}. */
public final class FileList {
    private FileList() {}

    /**
     * Writes what {@code tar --list} says: a path a line in the archive's order, directories with a slash at the end.
     *
     * @param tar uncompressed
     * @param list is replaced in one step
     */
    public static void write(Path tar, Path list) throws IOException {
        StringBuilder lines = new StringBuilder();
        try (TarArchiveInputStream in = new TarArchiveInputStream(new BufferedInputStream(Files.newInputStream(tar)), "UTF-8")) {
            for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                lines.append(entry.getName()).append('\n');
            }
        }
        AtomicFile.write(list, lines.toString());
    }
}
