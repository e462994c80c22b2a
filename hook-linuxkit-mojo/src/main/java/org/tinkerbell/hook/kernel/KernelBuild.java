package org.tinkerbell.hook.kernel;

import java.nio.file.Path;
import java.util.Optional;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Progress;

/**
 * A kernel that is to be compiled.
 *
 * @param source the source, with Hook's changes in it
 * @param arch architecture of the kernel
 * @param config a configuration as {@code make savedefconfig} writes it; {@code make olddefconfig} completes it
 * @param work an empty directory of this build's own for whatever the builder needs; the caller deletes it afterwards
 * @param output an empty directory for what is made; it is kept
 * @param jobs how many processes compile at once, at least 1
 * @param progress where the builder says what is being compiled
 */
public record KernelBuild(KernelSource source, Arch arch, Path config, Path work, Path output, int jobs, Progress progress) {
    /**
     * What was made, all of it below the output directory.
     *
     * @param release what {@code uname -r} will say ({@code include/config/kernel.release})
     * @param kernel the image that a boot loader starts: {@code bzImage} on x86_64, {@code Image} or what is made of it on aarch64
     * @param modules the directory {@code lib/modules/<release>} as {@code make modules_install} leaves it, without the links {@code build}
     *     and {@code source}; a kernel with everything built in has no modules in it, but {@code modules.builtin} and its kin
     * @param deviceTrees the directory that {@code make dtbs_install} filled, where the architecture has device trees
     * @param config the whole configuration that was compiled, {@code .config}
     */
    public record Result(String release, Path kernel, Path modules, Optional<Path> deviceTrees, Path config) {}
}
