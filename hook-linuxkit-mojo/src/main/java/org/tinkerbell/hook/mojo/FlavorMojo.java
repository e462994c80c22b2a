package org.tinkerbell.hook.mojo;

import java.io.IOException;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.linuxkit.Formats;

/** Says which flavor is built, and stops at once if it is one that cannot be. */
@Mojo(name = "flavor", defaultPhase = LifecyclePhase.VALIDATE, threadSafe = true)
public final class FlavorMojo extends AbstractFlavorMojo {
    /** In which forms the system is wanted; see hook:linuxkit. */
    @Parameter(property = "hook.formats")
    private String formats;

    @Override
    protected void run() throws IOException {
        Flavor flavor = flavor();
        if (Formats.parse(formats, knownSettings()).has(Formats.ISO)) {
            requireIso(flavor);
        }
        flavorFiles().template(flavor);
        progress().info("Flavor " + flavor.id() + (flavor.description().isEmpty() ? "" : ": " + flavor.description()) + " ("
                + flavor.arch().kernelName() + ", kernel by " + flavor.kernel().method().module() + ")");
    }
}
