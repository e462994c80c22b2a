package org.tinkerbell.hook.kernel;

import java.io.IOException;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;

/** Compiles kernels. */
public interface KernelBuilder {
    /**
     * All that the compiled bytes depend on besides the {@link KernelBuild}: the exact versions of compiler and tools, and the steps
     * (recipe, {@code make} arguments, {@code KBUILD_BUILD_*}). It goes into the hash that says whether a kernel was built before, so it
     * does not hold what differs between machines without changing a byte: paths, times, numbers of processors, and the architecture
     * of the machine that compiles.
     *
     * <p>It is asked for before every build, also where a kernel is found that was built already; so it does not pull or make an image.
     *
     * @param target architecture of the kernel
     * @return any text
     * @throws HookException if this builder cannot be used here at all, naming the choices there are
     */
    String fingerprint(Arch target) throws IOException;

    /**
     * Compiles a kernel. The cross-compiler is used where the machine has another architecture than the kernel.
     *
     * @return what is in {@link KernelBuild#output()} now
     * @throws HookException if it cannot be compiled; with the end of what the compiler said, and where all of it is
     */
    KernelBuild.Result build(KernelBuild build) throws IOException, InterruptedException;
}
