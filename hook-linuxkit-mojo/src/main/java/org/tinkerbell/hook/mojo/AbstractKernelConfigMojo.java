package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.flavor.Kernel;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.kernel.ConfigSession;
import org.tinkerbell.hook.kernel.Defconfigs;
import org.tinkerbell.hook.kernel.HostBuilder;
import org.tinkerbell.hook.kernel.KernelSource;

/** What the goals have by which somebody changes the configuration of the flavor's kernel. */
abstract class AbstractKernelConfigMojo extends AbstractKernelMojo {
    /**
     * Lets somebody change the configuration of the flavor's kernel.
     *
     * @throws HookException if the kernel is not compiled here, or nobody is there
     */
    protected final void configure(String goal, ConfigSession.Kind kind) throws IOException, InterruptedException {
        Flavor flavor = kernelFlavor();
        Kernel kernel = flavor.kernel();
        switch (kernel.method()) {
            case DEBIAN -> throw new HookException("The kernel of " + flavor.id() + " is Debian's: it is configured in Debian's source package linux, "
                    + "debian/config (https://salsa.debian.org/kernel-team/linux). Which of its modules go into the system is said by the flavor, "
                    + "modules in flavors.yaml. A kernel of your own is that of a flavor of the method default, such as hook-default-amd64.");
            case ARMBIAN -> throw new HookException("The kernel of " + flavor.id() + " is Armbian's: it is configured in Armbian's build framework, "
                    + "config/kernel (https://github.com/armbian/build). Which of its modules go into the system is said by the flavor, "
                    + "modules in flavors.yaml. A kernel of your own is that of a flavor of the method default, such as hook-default-arm64.");
            case DEFAULT -> {
                // Below.
            }
        }
        if (!Files.isDirectory(kernelModule())) {
            throw new HookException("There is no " + kernelModule() + ": hook:" + goal + " changes the configurations in Hook's own source tree; run it "
                    + "at its root.");
        }
        InteractiveTerminal.require("hook:" + goal);
        KernelSource source = kernelSources().of(flavor);
        String name = kernel.config().orElseThrow();
        Path from = defconfigs().file(name, source.series(), flavor.arch());
        Path to = name.contains("/") ? from
                : kernelModule().resolve("configs").resolve(Defconfigs.fileName(name, source.series(), flavor.arch()));
        if (!from.equals(to)) {
            progress().info("There is no " + to.getFileName() + "; it begins as " + from.getFileName() + ", completed with the defaults of what is new.");
        }
        InteractiveTerminal terminal;
        if (isHostBuilder()) {
            HostBuilder.ofThisMachine().fingerprint(flavor.arch());
            terminal = InteractiveTerminal.onThisMachine();
        } else {
            terminal = InteractiveTerminal.in(toolchain());
        }
        new ConfigSession(cache(), terminal, progress()).run(kind, source, flavor.arch(), from, to);
    }

    /** The goals are run at the root of the tree, once for all of it. */
    @Override
    protected final Path kernelModule() {
        return session.getRequest().getMultiModuleProjectDirectory().toPath().resolve(Kernel.Method.DEFAULT.module());
    }
}
