package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Directories;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;

/**
 * Somebody at a terminal changes a kernel's configuration, with the kernel's own tools and the toolchain that it is compiled with: what Kconfig
 * offers depends on the compiler. What is saved goes back to the tree as {@code make savedefconfig} writes it.
 */
public final class ConfigSession {
    private static final String SAVED = "source/defconfig";

    private static final int DIGITS = 12;

    private static final String MENU = """
            cd source && make -s olddefconfig && make -s menuconfig && make -s savedefconfig""";

    private static final String SHELL = """
            cd source && make -s olddefconfig || exit 1
            cat <<'END'

            This is the source of Linux %1$s for %2$s, with its configuration in .config.

              make menuconfig                     look at it and change it
              make olddefconfig                   after .config was changed by hand: the rest to fit it
              make savedefconfig                  keep it: what is in ./defconfig when this shell ends becomes
                                                  %3$s
              make -j%4$d %5$s                    try whether it compiles; nothing of that is kept

            ARCH and CROSS_COMPILE are set. exit ends it.

            END
            sh -i
            true""";

    private final Cache cache;
    private final Terminal terminal;
    private final Progress progress;

    /** A place with compiler and tools, connected to the terminal of whoever runs this. */
    @FunctionalInterface
    public interface Terminal {
        /**
         * Runs a command and waits for it.
         *
         * @param directory what the command has as its working directory
         * @return its exit code
         * @throws HookException if that cannot be done here
         */
        int run(Path directory, List<String> command, Map<String, String> environment) throws IOException, InterruptedException;
    }

    /** What somebody wants to do. */
    public enum Kind {
        /** {@code make menuconfig}, and then the configuration is saved. */
        MENU,
        /** A shell in which everything else can be done. */
        SHELL
    }

    /** Sessions in a place. */
    public ConfigSession(Cache cache, Terminal terminal, Progress progress) {
        this.cache = cache;
        this.terminal = terminal;
        this.progress = progress;
    }

    /**
     * Lets somebody change a configuration.
     *
     * @param from the configuration to begin with
     * @param to where the changed one goes, which may be the same file
     * @return whether {@code to} has changed
     * @throws HookException if a command fails; {@code to} is as it was then
     */
    public boolean run(Kind kind, KernelSource source, Arch arch, Path from, Path to) throws IOException, InterruptedException {
        String name = to.toAbsolutePath().normalize().toString();
        Path work = Files.createDirectories(cache.directory("kernel-config")).resolve("." + Digest.of(name).abbreviated(DIGITS) + AtomicFile.SUFFIX);
        // Two at once would undo each other's changes.
        try (Cache.Held held = cache.lock(name)) {
            // Left by a session whose terminal was closed.
            Directories.delete(work);
            try {
                return run(kind, source, arch, from, to, work);
            } finally {
                Directories.delete(work);
            }
        }
    }

    private boolean run(Kind kind, KernelSource source, Arch arch, Path from, Path to, Path work) throws IOException, InterruptedException {
        try (Progress.Task task = progress.start("Unpacking " + source.origin(), -1, Progress.Unit.ITEMS)) {
            source.unpack(work.resolve("source"), task);
        }
        Files.copy(from, work.resolve("source/.config"));
        String command = kind == Kind.MENU ? MENU : SHELL.formatted(source.version(), arch.kernelName(), to,
                Runtime.getRuntime().availableProcessors(), arch == Arch.X86_64 ? "bzImage" : "Image");
        int exit = terminal.run(work, List.of("sh", "-c", command), CompileScript.environment(arch, Arch.host()));
        if (exit != 0) {
            throw new HookException("The configuration was not saved, since its tools ended with the code " + exit + "; " + to + " is as it was.");
        }
        Path saved = work.resolve(SAVED);
        if (!Files.exists(saved)) {
            progress.info("Nothing was saved (make savedefconfig), so " + to + " is as it was.");
            return false;
        }
        return take(saved, to);
    }

    private boolean take(Path saved, Path to) throws IOException {
        byte[] text = Files.readAllBytes(saved);
        if (Files.exists(to) && Arrays.equals(text, Files.readAllBytes(to))) {
            progress.info(to + " has not changed.");
            return false;
        }
        Files.createDirectories(to.toAbsolutePath().getParent());
        AtomicFile.write(to, text);
        progress.info(to + " is changed. Build and boot a flavor with it, then commit it.");
        return true;
    }
}
