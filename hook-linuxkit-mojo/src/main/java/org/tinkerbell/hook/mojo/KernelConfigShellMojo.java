package org.tinkerbell.hook.mojo;

import java.io.IOException;
import org.apache.maven.plugins.annotations.Mojo;
import org.tinkerbell.hook.kernel.ConfigSession;

/**
 * Opens a shell in the source of the flavor's kernel, in the container that compiles it, and says what can be done there. What
 * {@code make savedefconfig} leaves there is put back into the tree.
 */
@Mojo(name = "kernel-config-shell", aggregator = true, threadSafe = true)
public final class KernelConfigShellMojo extends AbstractKernelConfigMojo {
    @Override
    protected void run() throws IOException, InterruptedException {
        configure("kernel-config-shell", ConfigSession.Kind.SHELL);
    }
}
