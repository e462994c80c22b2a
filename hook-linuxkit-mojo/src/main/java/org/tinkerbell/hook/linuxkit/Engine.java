package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.io.HookException;

/** Turns a LinuxKit YAML into a system that boots. */
public interface Engine {
    /** Which engine. */
    enum Kind {
        /** {@link EmbeddedEngine}. */
        EMBEDDED,
        /** {@link CommandEngine}. */
        COMMAND;

        /**
         * The engine of a name.
         *
         * @throws HookException if there is none: with the names that there are
         */
        public static Kind of(String name) {
            for (Kind kind : values()) {
                if (kind.toString().equals(name)) {
                    return kind;
                }
            }
            throw new HookException("hook.engine is '" + name + "'; allowed: "
                    + Arrays.stream(values()).map(Kind::toString).collect(Collectors.joining(", ")));
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * What to build.
     *
     * @param config the YAML
     * @param arch processor architecture that the images are for
     * @param name what the names of the results begin with
     * @param directory where the results go; made if it is missing
     * @param sources directory that a relative {@code source} of the {@code files} section starts from; the
     *     {@code linuxkit} command takes the current one
     * @param compression of the initramfs
     * @param mtime time of every file in the initramfs, in seconds since 1970
     * @param formats what is wanted; an engine makes {@link Formats#KERNEL_INITRD}, {@link Formats#TAR} where
     *     {@link Formats#needsTar()}, and those {@link Formats#ofLinuxKitOnly()} that it can, and leaves the others to its caller
     */
    record Request(
            LinuxKitConfig config, Arch arch, String name, Path directory, Path sources, Compression compression, long mtime, Formats formats) {
        /** The same for kernel and initramfs alone. */
        public Request(LinuxKitConfig config, Arch arch, String name, Path directory, Path sources, Compression compression, long mtime) {
            this(config, arch, name, directory, sources, compression, mtime, Formats.DEFAULT);
        }
    }

    /**
     * What was built: LinuxKit's format {@code kernel+initrd}, and what else was wanted.
     *
     * @param kernel {@code NAME-kernel}; empty if the YAML has no kernel
     * @param initrd {@code NAME-initrd.img}
     * @param cmdline {@code NAME-cmdline}; empty if the YAML has no command line
     * @param report what went in
     * @param reportFile the report as JSON, {@code NAME-report.json}
     * @param others the files of each further format of the request that is the engine's to make, as LinuxKit names them:
     *     {@code NAME.tar}, {@code NAME-efi.qcow2}, …
     */
    record Result(
            Optional<Path> kernel, Path initrd, Optional<Path> cmdline, Report report, Path reportFile, Map<String, List<Path>> others) {
        /** Kernel and initramfs alone. */
        public Result(Optional<Path> kernel, Path initrd, Optional<Path> cmdline, Report report, Path reportFile) {
            this(kernel, initrd, cmdline, report, reportFile, Map.of());
        }
    }

    /**
     * Builds. Results of an earlier build with the same name are replaced, each in one step.
     *
     * @throws org.tinkerbell.hook.io.HookException if the YAML or an image is at fault
     */
    Result build(Request request) throws IOException;
}
