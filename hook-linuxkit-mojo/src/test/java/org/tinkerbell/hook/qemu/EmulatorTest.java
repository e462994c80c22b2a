package org.tinkerbell.hook.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.toolbox.Toolbox;

@EnabledOnOs(OS.LINUX)
class EmulatorTest {
    @TempDir
    Path directory;

    private Path qemu(String directoryName, String version) throws IOException {
        Path file = Files.createDirectories(directory.resolve(directoryName)).resolve("qemu-system-x86_64");
        Files.writeString(file, "#!/bin/sh\necho 'QEMU emulator version " + version + " (Debian)'\n");
        assertTrue(file.toFile().setExecutable(true));
        return file;
    }

    private Toolbox toolbox() {
        return new Toolbox(new Cache(directory.resolve("cache")), locks -> {
            throw new HookException("unpacked");
        }, Progress.SILENT);
    }

    @Test
    void takesTheHostsIfItIsGoodEnough() throws Exception {
        Path good = qemu("good", "10.0.2");
        String path = directory.resolve("nothing") + ":" + good.getParent();
        assertEquals(good.toString(), Emulator.of(Arch.X86_64, Optional.empty(), path, toolbox(), Progress.SILENT).prefix().get(0));
    }

    @Test
    void unpacksOneOtherwise() throws Exception {
        Path old = qemu("old", "7.2.17");
        for (String path : new String[] {"", old.getParent().toString()}) {
            assertEquals("unpacked",
                    assertThrows(HookException.class, () -> Emulator.of(Arch.X86_64, Optional.empty(), path, toolbox(),
                            Progress.SILENT)).getMessage());
        }
        assertEquals(old.toString(), Emulator.of(Arch.X86_64, Optional.of(old), "", toolbox(), Progress.SILENT).prefix().get(0),
                "who names one gets it");
        assertThrows(HookException.class, () -> Emulator.of(Arch.X86_64, Optional.of(old.resolve("x")), "", toolbox(), Progress.SILENT));
    }
}
