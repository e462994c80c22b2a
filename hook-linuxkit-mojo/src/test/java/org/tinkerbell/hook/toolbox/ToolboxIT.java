package org.tinkerbell.hook.toolbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.debian.Mirrors;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;

/** Unpacks real tools from a Debian archive and runs them. */
@EnabledOnOs(OS.LINUX)
class ToolboxIT {
    @TempDir
    static Path directory;

    private static Cache cache;
    private static Toolbox toolbox;

    @BeforeAll
    static void open() throws IOException {
        // Packages may come out of the cache that everybody has; what is unpacked is new.
        cache = new Cache(directory.resolve("cache"));
        toolbox = toolbox();
    }

    private static Toolbox toolbox() throws IOException {
        Mirrors mirrors = Mirrors.of(System.getProperty("hook.debian.mirror"), System.getProperty("hook.debian.security"), null,
                Path.of("/etc/apt"));
        Downloader downloader = new Downloader(cache, NetworkSettings.defaults(), Progress.SILENT);
        return new Toolbox(cache, locks -> new PackageSource(cache, downloader, mirrors, "trixie", locks, LockMode.LENIENT,
                Progress.SILENT),
                Progress.SILENT);
    }

    @Test
    void runsAProgramThatIsNotInstalled() throws Exception {
        Tool kmod = toolbox.tool(ToolSet.KMOD, "usr/sbin/depmod");
        assertTrue(kmod.run("--version").out().startsWith("kmod version"), "started by its own loader, and under its own name");
        HookException failure = assertThrows(HookException.class, () -> kmod.run("--nonsense it's"));
        assertTrue(failure.getMessage().contains("'--nonsense it'\\''s'"), failure.getMessage());
        String line = failure.getMessage().substring(failure.getMessage().lastIndexOf('\n'));
        assertEquals(1, new ProcessBuilder("sh", "-c",
                line.strip()).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start().waitFor(), "the command line of the message can be repeated");
    }

    @Test
    void runsTheJdk() throws Exception {
        Tool jlink = toolbox.tool(ToolSet.JDK, "usr/lib/jvm/java-21-openjdk-" + Arch.host().debianName() + "/bin/jlink");
        Path runtime = directory.resolve("runtime");
        jlink.run("--module-path", jlink.prefix().get(jlink.prefix().size() - 1).replace("bin/jlink", "jmods"), "--add-modules",
                "java.base",
                "--output", runtime.toString());
        assertTrue(Files.exists(runtime.resolve("lib/modules")));
    }

    @Test
    void runsBothEmulators() throws Exception {
        for (Arch arch : Arch.values()) {
            Tool qemu = toolbox.qemu(arch);
            assertTrue(qemu.run("--version").out().contains("version 10."), qemu.toString());
            // A machine with a network card wants the firmware, the card's and the option ROMs; nothing of the host's.
            qemu.run("-machine", arch == Arch.X86_64 ? "q35" : "virt", "-device", "virtio-net-pci", "-display", "none", "-S", "-monitor",
                    "null",
                    "-serial", "null", "-device", "help");
        }
        assertTrue(Files.size(toolbox.root(ToolSet.QEMU_AARCH64).resolve("usr/share/AAVMF/AAVMF_VARS.fd")) > 0);
        assertTrue(Files.size(toolbox.root(ToolSet.QEMU_X86_64).resolve("usr/share/OVMF/OVMF_CODE_4M.fd")) > 0);
    }

    @Test
    void isUnpackedOnceByTwoAtOnce() throws Exception {
        Toolbox one = toolbox();
        Toolbox other = toolbox();
        CompletableFuture<Path> first = CompletableFuture.supplyAsync(() -> root(one));
        assertEquals(root(other), first.get());
        try (Stream<Path> left = Files.list(root(one).getParent())) {
            assertTrue(left.noneMatch(path -> path.toString().endsWith(".part")));
        }
    }

    @Test
    void saysWhatIsMissing() {
        String message = assertThrows(HookException.class, () -> toolbox.tool(ToolSet.KMOD, "usr/bin/nothing")).getMessage();
        assertTrue(message.contains("kmod") && message.contains("usr/bin/nothing"), message);
        Set<String> groups = Arrays.stream(Arch.values()).flatMap(arch -> Toolbox.groups(arch).stream()).map(g -> g.name()).collect(
                Collectors.toSet());
        assertEquals(ToolSet.values().length, groups.size(), "each set is in the lock of one architecture at least");
        assertTrue(List.of(ToolSet.values()).contains(ToolSet.qemu(Arch.AARCH64)));
    }

    private static Path root(Toolbox toolbox) {
        try {
            return toolbox.root(ToolSet.SHELLCHECK);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
