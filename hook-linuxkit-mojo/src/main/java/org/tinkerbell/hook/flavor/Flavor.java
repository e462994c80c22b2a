package org.tinkerbell.hook.flavor;

import java.util.List;
import java.util.Optional;

/**
 * One buildable Hook: an architecture, a kernel and where it comes from, a LinuxKit template.
 *
 * @param id name of the flavor and of its Maven profile
 * @param description one line about it
 * @param arch architecture of the machines that boot it
 * @param aliases other names of it
 * @param kernel where the kernel comes from
 * @param template name of a LinuxKit template, or the absolute path of one of a site's own
 * @param tags words that release pipelines select by
 * @param iso whether an ISO image can be made of it
 * @param forcedOutputId what stands before the architecture in the output id of a kernel from source
 * @param excludedModules globs below {@code lib/modules/<version>/kernel} that are left out
 * @param keptModules globs that are kept though an exclusion names them too, those of {@code keep} and of {@code keepAlso}
 * @param firmware globs below {@code lib/firmware} that are taken in
 * @param linuxkit release of the {@code linuxkit} command for builds with it
 */
public record Flavor(
        String id,
        String description,
        Arch arch,
        List<String> aliases,
        Kernel kernel,
        String template,
        List<String> tags,
        boolean iso,
        Optional<String> forcedOutputId,
        List<String> excludedModules,
        List<String> keptModules,
        List<String> firmware,
        LinuxKitRelease linuxkit) {

    public Flavor {
        aliases = List.copyOf(aliases);
        tags = List.copyOf(tags);
        excludedModules = List.copyOf(excludedModules);
        keptModules = List.copyOf(keptModules);
        firmware = List.copyOf(firmware);
    }

    /**
     * What the files are called by: {@code hook_<output-id>.tar.gz}. For kernels from source the architecture alone, or
     * {@code <forced>-<architecture>}; else the flavor's id. Existing Tinkerbell set-ups look the files up by these names.
     */
    public String outputId() {
        if (kernel.method() != Kernel.Method.DEFAULT) {
            return id;
        }
        return forcedOutputId.map(forced -> forced + "-" + arch.kernelName()).orElse(arch.kernelName());
    }

    /** Whether the kernel is compiled here ({@code source}) or taken as somebody else made it ({@code external}). */
    public String type() {
        return kernel.method() == Kernel.Method.DEFAULT ? "source" : "external";
    }

    /** The same with another kernel. */
    public Flavor withKernel(Kernel newKernel) {
        return new Flavor(
                id, description, arch, aliases, newKernel, template, tags, iso, forcedOutputId, excludedModules, keptModules, firmware, linuxkit);
    }

    /** Id of the flavor whose kernel it boots: its own, unless it takes another's. */
    public String kernelId() {
        return kernel.of().orElse(id);
    }
}
