package org.tinkerbell.hook.kernel;

import java.io.IOException;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.io.HookException;

/** A way to come by a kernel; there is one class for each {@link org.tinkerbell.hook.flavor.Kernel.Method}. */
@FunctionalInterface
public interface KernelMethod {
    /**
     * The kernel of a flavor.
     *
     * @param flavor one whose kernel is of this method and its own
     * @throws HookException if it cannot be had, is not genuine, or is no kernel
     */
    KernelFiles kernel(Flavor flavor) throws IOException, InterruptedException;
}
