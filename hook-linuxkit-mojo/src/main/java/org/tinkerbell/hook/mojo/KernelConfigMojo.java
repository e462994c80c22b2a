package org.tinkerbell.hook.mojo;

import java.io.IOException;
import org.apache.maven.plugins.annotations.Mojo;
import org.tinkerbell.hook.kernel.ConfigSession;

/**
 * Opens the kernel's {@code menuconfig} for the flavor's kernel, in the container that compiles it, and puts what is saved back into the tree
 * ({@code hook-kernel-default/configs}), ready to be committed.
 */
@Mojo(name = "kernel-config", aggregator = true, threadSafe = true)
public final class KernelConfigMojo extends AbstractKernelConfigMojo {
    @Override
    protected void run() throws IOException, InterruptedException {
        configure("kernel-config", ConfigSession.Kind.MENU);
    }
}
