package org.tinkerbell.hook.media;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;

class EfiIsoTest {
    private static String configuration(String commandLine) {
        return EfiIso.configuration(new EfiIso.Content(Arch.X86_64, "Hook's own", Path.of("k"), Path.of("i"), commandLine, 0));
    }

    @Test
    void bootsAtOnceWithTheCommandLineAndThePlaceholder() {
        String configuration = configuration(EfiIso.consoles(Arch.X86_64));
        assertTrue(configuration.contains("    linux /boot/vmlinuz console=tty0 console=ttyS0,115200 " + EfiIso.PLACEHOLDER + "\n"), configuration);
        assertTrue(configuration.contains("menuentry 'Hooks own' {"), configuration);
        assertEquals(1024, EfiIso.PLACEHOLDER.length(), "what Tinkerbell's server looks for");
        assertEquals("console=tty0 console=ttyAMA0,115200", EfiIso.consoles(Arch.AARCH64));
    }

    @Test
    void whatMeansSomethingToGrubIsNoMoreThanACharacter() {
        String configuration = configuration("a=$b;c={d}|e grpc_authority=10.0.0.1:42113");
        assertTrue(configuration.contains(" a=\\$b\\;c=\\{d\\}\\|e grpc_authority=10.0.0.1:42113 "), configuration);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a=\"b c\"", "it's", "a\\b", "a\nb", "größe=1"})
    void whatGrubWouldHandOnOtherwiseIsRefused(String commandLine) {
        assertTrue(assertThrows(HookException.class, () -> configuration(commandLine)).getMessage().contains("hook.iso.cmdline"));
    }

    @Test
    void refusesWhatNoKernelReads() {
        configuration("x".repeat(1022));
        assertTrue(assertThrows(HookException.class, () -> configuration("x".repeat(1023))).getMessage().contains("2047"));
    }
}
