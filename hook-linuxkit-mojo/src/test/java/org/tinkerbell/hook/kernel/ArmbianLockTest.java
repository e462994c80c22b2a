package org.tinkerbell.hook.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;

class ArmbianLockTest {
    private static final ArmbianLock LOCK = ArmbianLock.of(List.of(
            new ArmbianLock.Block("board-b", "kernel-b", "6.12.9-S1-D2", "6.12.9", Digest.of("b")),
            new ArmbianLock.Block("board-a", "kernel-a", "6.13.0-rc5-S1-D2", "6.13.0-rc5", Digest.of("a"))));

    @TempDir
    Path directory;

    private ArmbianLock read(String text) throws IOException {
        return ArmbianLock.read(Files.writeString(directory.resolve(ArmbianLock.FILE), text));
    }

    @Test
    void isReadAsItWasWritten() throws IOException {
        LOCK.write(directory.resolve(ArmbianLock.FILE));
        ArmbianLock read = ArmbianLock.read(directory.resolve(ArmbianLock.FILE));
        assertEquals(LOCK, read);
        assertEquals(Optional.of("kernel-b:6.12.9-S1-D2@" + Digest.of("b")), read.find("board-b").map(ArmbianLock.Block::toString));
        assertEquals(Optional.empty(), read.find("board-c"));
        assertEquals(List.of("board-a", "board-b"), List.copyOf(read.blocks().keySet()));
    }

    @Test
    void isEmptyWhereThereIsNone() throws IOException {
        assertEquals(0, ArmbianLock.read(directory.resolve("none.lock")).blocks().size());
    }

    @Test
    void saysWhatHasChanged() {
        ArmbianLock now = ArmbianLock.of(List.of(
                new ArmbianLock.Block("board-a", "kernel-a", "6.13.0-S1-D2", "6.13.0", Digest.of("c")),
                new ArmbianLock.Block("board-b", "kernel-b", "6.12.9-S1-D2", "6.12.9", Digest.of("d")),
                new ArmbianLock.Block("board-c", "kernel-c", "6.1-S1", "6.1", Digest.of("e"))));
        assertEquals(List.of("board-a 6.13.0-rc5-S1-D2 → 6.13.0-S1-D2", "board-b 6.12.9-S1-D2 (the tag stands for another kernel)",
                "+ board-c 6.1-S1"), now.changesSince(LOCK));
        assertEquals(List.of("- board-c 6.1-S1"), ArmbianLock.of(List.of(now.blocks().get("board-a"), now.blocks().get("board-b")))
                .changesSince(now));
        assertEquals(List.of(), LOCK.changesSince(LOCK));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "Format: hook-armbian-lock 1 | Format: hook-armbian-lock 2 | :2: Format",
        "Kernels: 2                  | Kernels: 3                  | :3: Kernels: 3: the file has 2",
        "Tag: 6.12.9-S1-D2           | Tag: ../6.12.9              | :13: Tag: ../6.12.9: not a tag",
        "Tag: 6.12.9-S1-D2           | Label: 6.12.9-S1-D2         | :13: Label",
        "Flavor: board-b             | Flavor: board-a             | :11: Flavor: board-a: it is out of order",
        "Artifact: kernel-b          | #                           | the field Artifact is missing",
        "Digest: sha256:             | Digest: sha256:x            | not sha256: and 64 hexadecimal digits"})
    void saysWhereItWasDamaged(String from, String to, String message) {
        String text = LOCK.toString();
        int at = text.lastIndexOf(from);
        assertTrue(at >= 0, from);
        HookException e = assertThrows(HookException.class, () -> read(text.substring(0, at) + to + text.substring(at + from.length())));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertTrue(e.getMessage().contains(ArmbianLock.FILE) && e.getMessage().contains("mvn hook:lock"), e.getMessage());
    }

    @Test
    void noticesThatItWasCut() throws IOException {
        String text = LOCK.toString();
        for (int length = 0; length < text.length() - 1; length++) {
            String cut = text.substring(0, length);
            assertThrows(HookException.class, () -> read(cut), cut);
        }
        assertEquals(LOCK, read(text));
    }
}
