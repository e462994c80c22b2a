package org.tinkerbell.hook.kernel;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.flavor.Kernel;
import org.tinkerbell.hook.flavor.LinuxKitRelease;

/** Flavors with nothing but a kernel. */
final class TestFlavors {
    private TestFlavors() {}

    /** One with Debian's kernel. */
    static Flavor debian(String packageName, Arch arch) {
        return of(arch, new Kernel(Kernel.Method.DEBIAN, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(),
                Optional.empty(), Optional.empty(), Optional.empty(), Optional.of(packageName)));
    }

    /** One with a kernel from source. */
    static Flavor source(String source, String series, Optional<String> pointRelease, String config, Arch arch) {
        return of(arch, new Kernel(Kernel.Method.DEFAULT, Optional.empty(), Optional.of(source), Optional.of(series), pointRelease,
                Optional.of(config), Optional.empty(), Optional.empty(), Optional.empty()));
    }

    /** One with Armbian's kernel. */
    static Flavor armbian(String artifact, Optional<String> version, Arch arch) {
        return of(arch, new Kernel(Kernel.Method.ARMBIAN, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(),
                Optional.empty(), Optional.of(artifact), version, Optional.empty()));
    }

    /** One with any kernel. */
    static Flavor of(Arch arch, Kernel kernel) {
        return of(arch, kernel, List.of());
    }

    /** One that leaves out modules. */
    static Flavor of(Arch arch, Kernel kernel, List<String> excludedModules) {
        return new Flavor("test-" + arch.ociName(), "", arch, List.of(), kernel, "hook", List.of(), false, Optional.empty(), excludedModules,
                List.of(), List.of(), new LinuxKitRelease(Optional.empty(), Map.of()));
    }
}
