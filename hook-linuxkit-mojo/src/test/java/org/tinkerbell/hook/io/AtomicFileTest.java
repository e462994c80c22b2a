package org.tinkerbell.hook.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
    @TempDir
    Path directory;

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(f -> f.getFileName().toString()).toList();
        }
    }

    @Test
    void aFinalNameIsThereOnlyWhenAllBytesAre() throws IOException {
        Path target = directory.resolve("file");
        AtomicFile.write(target, out -> {
            out.write(1);
            assertFalse(Files.exists(target));
            out.write(2);
        });
        assertEquals(2, Files.size(target));
        assertEquals(List.of("file"), names());
    }

    @Test
    void aFailureLeavesTheOldFileAndNothingElse() throws IOException {
        Path target = Files.writeString(directory.resolve("file"), "old");
        assertThrows(IOException.class, () -> AtomicFile.write(target, out -> {
            out.write(1);
            throw new IOException("the disk is full");
        }));
        assertEquals("old", Files.readString(target));
        assertEquals(List.of("file"), names());
    }

    @Test
    void parentsAreMade() throws IOException {
        Path target = directory.resolve("a").resolve("b").resolve("file");
        AtomicFile.write(target, "text");
        assertTrue(Files.isRegularFile(target));
    }
}
