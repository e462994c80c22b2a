package org.tinkerbell.hook.dist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.debian.Mirrors;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.media.EfiIso;
import org.tinkerbell.hook.qemu.Accelerator;
import org.tinkerbell.hook.qemu.Console;
import org.tinkerbell.hook.qemu.Emulator;
import org.tinkerbell.hook.qemu.Machine;
import org.tinkerbell.hook.qemu.VirtualMachine;
import org.tinkerbell.hook.toolbox.Tool;
import org.tinkerbell.hook.toolbox.Toolbox;

/** Boots the ISO by UEFI firmware (OVMF, AAVMF) from a CD drive to the prompt of the console. Skipped where none was built. */
class IsoBootIT {
    /** On an emulated machine on two busy processors. */
    private static final Duration BOOT = Duration.ofMinutes(15);
    private static final Duration COMMAND = Duration.ofMinutes(2);

    @TempDir
    Path directory;

    @Test
    void firmwareStartsTheSystemOnTheIso() throws Exception {
        String output = System.getProperty("hook.outputId");
        Path iso = Path.of(System.getProperty("hook.buildDirectory"), "hook-" + output + "-efi-initrd.iso");
        assumeTrue(Files.isRegularFile(iso), "no ISO was built; -Dhook.formats=kernel+initrd,iso builds one");
        Arch arch = Arch.of(System.getProperty("hook.arch"));
        Path logs = Files.createDirectories(Path.of(System.getProperty("hook.buildDirectory"), "boot-test"));

        Cache cache = new Cache(FlavorUnderTest.cacheDirectory());
        Downloader downloader = new Downloader(cache, NetworkSettings.defaults(), Progress.SILENT);
        Mirrors mirrors = Mirrors.of(System.getProperty("hook.debian.mirror"), System.getProperty("hook.debian.securityMirror"),
                System.getProperty("hook.debian.snapshot"), Path.of("/etc/apt"));
        Toolbox toolbox = new Toolbox(cache,
                locks -> new PackageSource(cache, downloader, mirrors, "trixie", locks, LockMode.LENIENT, Progress.SILENT), Progress.SILENT);
        Tool qemu = Emulator.of(arch, Optional.empty(), System.getenv("PATH"), toolbox, Progress.SILENT);
        Machine hardware = new Machine(arch, 2048, 2, Machine.DEFAULT_MAC, new Machine.Start.Medium(iso), Optional.empty(),
                Optional.of(Emulator.firmware(arch, toolbox, directory.resolve("uefi.vars"))), false);
        long switchedOn = System.nanoTime();
        try (VirtualMachine machine = VirtualMachine.start(qemu, Accelerator.of(arch, qemu), hardware, logs.resolve("iso-" + output + ".txt"))) {
            Console console = machine.console();
            console.expect(Pattern.compile("Linux version \\S+"), BOOT);
            System.out.printf("The kernel starts %.1f s after power-on%n", (System.nanoTime() - switchedOn) / 1e9);
            // The getty says on which console it is when a login shell is there.
            console.expect(Pattern.compile("# $"), BOOT);
            System.out.printf("The console's prompt is there %.1f s after power-on%n", (System.nanoTime() - switchedOn) / 1e9);
            console.run("dmesg -n 1", COMMAND);
            assertTrue(succeeds(console, "cat /etc/os-release").contains("Hook"), "it says what it is");
            String commandLine = succeeds(console, "cat /proc/cmdline").strip();
            assertTrue(commandLine.endsWith(EfiIso.consoles(arch) + " " + EfiIso.PLACEHOLDER), commandLine);
            assertEquals(0, console.run("test -d /sys/firmware/efi", COMMAND).status(), "it was started by UEFI");
        }
    }

    private static String succeeds(Console console, String command) throws Exception {
        Console.Result result = console.run(command, COMMAND);
        assertEquals(0, result.status(), () -> command + ": " + result.output());
        return result.output();
    }
}
