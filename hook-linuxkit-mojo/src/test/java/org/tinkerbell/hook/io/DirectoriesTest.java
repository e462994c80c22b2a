package org.tinkerbell.hook.io;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoriesTest {
    @Test
    void deletesWhatIsInADirectoryAndNotWhatItsLinksLeadTo(@TempDir Path directory) throws IOException {
        Path kept = Files.createDirectories(directory.resolve("kept"));
        Files.writeString(kept.resolve("file"), "x");
        Path gone = Files.createDirectories(directory.resolve("gone").resolve("deep")).getParent();
        Files.writeString(gone.resolve("deep").resolve("file"), "x");
        Files.createSymbolicLink(gone.resolve("link"), kept);
        Directories.delete(gone);
        assertFalse(Files.exists(gone));
        assertTrue(Files.exists(kept.resolve("file")));
        Directories.delete(gone);
    }
}
