package org.tinkerbell.hook.media;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.debian.Mirrors;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.toolbox.Tool;
import org.tinkerbell.hook.toolbox.ToolSet;
import org.tinkerbell.hook.toolbox.Toolbox;

/** ISOs with stand-ins for kernel and initramfs, for both architectures on this one; hook-dist boots a real one. */
class EfiIsoIT {
    @TempDir
    Path directory;

    private Toolbox toolbox;
    private Path kernel;
    private Path initramfs;

    @BeforeEach
    void tools() throws Exception {
        String given = System.getProperty("hook.cacheDir", System.getenv("CACHE_DIR"));
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path root = given != null && !given.isBlank() ? Path.of(given)
                : (xdg == null || xdg.isBlank() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(xdg)).resolve("hook");
        Cache cache = new Cache(root);
        Downloader downloader = new Downloader(cache, NetworkSettings.defaults(), Progress.SILENT);
        Mirrors mirrors = Mirrors.of(System.getProperty("hook.debian.mirror"), System.getProperty("hook.debian.securityMirror"),
                System.getProperty("hook.debian.snapshot"), Path.of("/etc/apt"));
        toolbox = new Toolbox(cache,
                locks -> new PackageSource(cache, downloader, mirrors, "trixie", locks, LockMode.LENIENT, Progress.SILENT), Progress.SILENT);
        kernel = Files.writeString(directory.resolve("the-kernel"), "kernel");
        initramfs = Files.writeString(directory.resolve("the-initramfs"), "initramfs");
    }

    private boolean write(Arch arch, String commandLine, Path iso) throws Exception {
        return new EfiIso(toolbox, Progress.SILENT).write(
                new EfiIso.Content(arch, "Hook test", kernel, initramfs, commandLine, 1_700_000_000), iso);
    }

    @ParameterizedTest
    @EnumSource(Arch.class)
    void isBootableFromADriveAndFromAStick(Arch arch) throws Exception {
        Path iso = directory.resolve("a.iso");
        assertTrue(write(arch, "a=b", iso));
        Tool xorriso = toolbox.tool(ToolSet.IMAGES, "usr/bin/xorriso");
        String report = xorriso.run("-indev", iso.toString(), "-report_el_torito", "plain", "-report_system_area", "plain", "-find", "/", "-type",
                "f").out();
        assertTrue(Pattern.compile("El Torito boot img :\\s+1\\s+UEFI\\s+y").matcher(report).find(), report);
        assertTrue(report.contains("GPT"), report);
        for (String file : new String[] {"'/.disk/info'", "'/boot/grub/grub.cfg'", "'/boot/vmlinuz'", "'/boot/initramfs'"}) {
            assertTrue(report.contains(file), report);
        }

        Path out = directory.resolve("out");
        xorriso.run("-osirrox", "on", "-indev", iso.toString(), "-extract", "/boot", out.toString());
        assertEquals("kernel", Files.readString(out.resolve("vmlinuz")));
        assertEquals("initramfs", Files.readString(out.resolve("initramfs")));

        // The partition that the GPT names is a FAT image with GRUB under the name that firmware looks for.
        Matcher start = Pattern.compile("GPT start and size :\\s+2\\s+(\\d+)\\s+(\\d+)").matcher(report);
        assertTrue(start.find(), report);
        Tool mtools = toolbox.tool(ToolSet.IMAGES, "usr/bin/mtools");
        Path grub = directory.resolve("grub.efi");
        mtools.run("-c", "mcopy", "-i", iso + "@@" + Long.parseLong(start.group(1)) * 512,
                "::/EFI/BOOT/" + (arch == Arch.AARCH64 ? "BOOTAA64.EFI" : "BOOTX64.EFI"), grub.toString());
        byte[] program = Files.readAllBytes(grub);
        int pe = program[0x3c] & 0xff | (program[0x3d] & 0xff) << 8;
        int machine = program[pe + 4] & 0xff | (program[pe + 5] & 0xff) << 8;
        // IMAGE_FILE_MACHINE_ARM64 and IMAGE_FILE_MACHINE_AMD64 of Microsoft's PE format.
        assertEquals(arch == Arch.AARCH64 ? 0xaa64 : 0x8664, machine);
    }

    @Test
    void givesTheSameBytesTwiceAndTheCommandLineAsItIs() throws Exception {
        Path first = directory.resolve("first/a.iso");
        Path second = directory.resolve("second/a.iso");
        write(Arch.X86_64, "a=b", first);
        Files.setLastModifiedTime(kernel, FileTime.fromMillis(0));
        write(Arch.X86_64, "a=b", second);
        assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(second));
        String bytes = Files.readString(first, StandardCharsets.ISO_8859_1);
        assertTrue(bytes.contains(" a=b " + EfiIso.PLACEHOLDER + "\n"), "Tinkerbell's server finds the place where the parameters go");
    }

    @Test
    void isMadeAgainForWhatHasChangedAndForNothingElse() throws Exception {
        Path iso = directory.resolve("a.iso");
        assertTrue(write(Arch.AARCH64, "a=b", iso));
        assertFalse(write(Arch.AARCH64, "a=b", iso));
        assertTrue(write(Arch.AARCH64, "a=c", iso), "the command line");
        Files.writeString(initramfs, "another");
        assertTrue(write(Arch.AARCH64, "a=c", iso), "the initramfs");
        Files.writeString(iso, "tampered");
        assertTrue(write(Arch.AARCH64, "a=c", iso), "the ISO");
        assertEquals(Optional.empty(), Files.list(directory).filter(f -> f.getFileName().toString().startsWith(".iso")).findAny());
    }
}
