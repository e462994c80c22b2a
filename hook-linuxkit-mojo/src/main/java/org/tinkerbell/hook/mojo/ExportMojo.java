package org.tinkerbell.hook.mojo;

import java.io.IOException;
import org.apache.maven.plugins.annotations.Mojo;
import org.tinkerbell.hook.flavor.Flavor;

/**
 * Writes the flavor's container images and kernel to archives, one an image, that {@code docker load}, {@code skopeo} and hook:import read.
 * {@code EXPORT_LK_CONTAINERS=yes} and {@code EXPORT_KERNEL_IMAGE=yes} do the same during the build.
 */
@Mojo(name = "export", aggregator = true, requiresProject = true)
public final class ExportMojo extends AbstractImagesMojo {
    @Override
    protected void run() throws IOException {
        Flavor flavor = flavor();
        publisher().export(containers(flavor), exportLayers(), exportDirectory(Exported.CONTAINERS));
        publisher().export(kernels(flavor), exportLayers(), exportDirectory(Exported.KERNEL));
    }
}
