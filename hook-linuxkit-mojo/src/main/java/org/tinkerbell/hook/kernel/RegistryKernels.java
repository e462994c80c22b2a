package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.util.Optional;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.Registry;

/** The kernels that were pushed to a registry. */
public final class RegistryKernels implements KernelImage.Place {
    private final Registry registry;

    /** Those of a registry, which is named by the images. */
    public RegistryKernels(Registry registry) {
        this.registry = registry;
    }

    @Override
    public String name() {
        return "the registry";
    }

    @Override
    public Optional<Image> image(ImageReference reference, Arch arch) throws IOException {
        return registry.digest(reference).isPresent() ? Optional.of(registry.pull(reference, arch)) : Optional.empty();
    }
}
