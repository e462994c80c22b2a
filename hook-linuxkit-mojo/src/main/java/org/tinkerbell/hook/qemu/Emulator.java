package org.tinkerbell.hook.qemu;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.toolbox.Tool;
import org.tinkerbell.hook.toolbox.ToolSet;
import org.tinkerbell.hook.toolbox.Toolbox;

/** Which QEMU runs guests of an architecture: the host's if it is good enough, else one out of Debian's packages. */
public final class Emulator {
    /**
     * The first version that is good enough. QEMU 7.2, which Debian 12 has, emulates the 16-byte compare-and-exchange with wrong flags, and
     * Linux 6.12 crashes by it; what is older than 9 is no longer maintained upstream.
     */
    public static final int LEAST_VERSION = 9;

    private static final Pattern VERSION = Pattern.compile("QEMU emulator version (\\d+)\\.(\\d+)");

    private Emulator() {}

    /**
     * The QEMU to use.
     *
     * @param named a program that somebody wants to be used, whatever its version
     * @param path directories to look in, as in the environment's {@code PATH}
     * @throws HookException if the host has none and cannot run one out of packages
     */
    public static Tool of(Arch guest, Optional<Path> named, String path, Toolbox toolbox, Progress progress) throws IOException,
            InterruptedException {
        if (named.isPresent()) {
            if (!Files.isExecutable(named.get())) {
                throw new HookException("There is no program " + named.get() + ", which -Dhook.qemu.executable names.");
            }
            return Tool.installed("QEMU", named.get());
        }
        String name = "qemu-system-" + guest.qemuName();
        for (String directory : Arrays.asList(path.split(File.pathSeparator))) {
            Path candidate = Path.of(directory, name);
            if (!directory.isEmpty() && Files.isExecutable(candidate)) {
                Tool installed = Tool.installed("QEMU", candidate);
                int version = version(installed);
                if (version >= LEAST_VERSION) {
                    return installed;
                }
                progress.info(candidate + " is QEMU " + (version == 0 ? "of an unknown version" : version) + ", and " + LEAST_VERSION
                        + " is the oldest that runs current kernels right: one out of Debian's packages is used");
                break;
            }
        }
        return toolbox.qemu(guest);
    }

    /** The major version; 0 if it does not say. */
    static int version(Tool qemu) throws IOException, InterruptedException {
        try {
            Matcher matcher = VERSION.matcher(qemu.run("--version").out());
            return matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
        } catch (HookException e) {
            return 0;
        }
    }

    /**
     * UEFI firmware for guests of an architecture, out of Debian's packages whichever QEMU runs it.
     *
     * @param variables file for what the firmware remembers; made from the firmware's template if it is not there
     */
    public static Machine.Firmware firmware(Arch guest, Toolbox toolbox, Path variables) throws IOException {
        Path root = toolbox.root(ToolSet.qemu(guest));
        boolean arm = guest == Arch.AARCH64;
        if (!Files.exists(variables)) {
            Files.createDirectories(variables.toAbsolutePath().getParent());
            Files.copy(root.resolve(arm ? "usr/share/AAVMF/AAVMF_VARS.fd" : "usr/share/OVMF/OVMF_VARS_4M.fd"), variables,
                    StandardCopyOption.REPLACE_EXISTING);
        }
        return new Machine.Firmware(root.resolve(arm ? "usr/share/AAVMF/AAVMF_CODE.fd" : "usr/share/OVMF/OVMF_CODE_4M.fd"), variables);
    }
}
