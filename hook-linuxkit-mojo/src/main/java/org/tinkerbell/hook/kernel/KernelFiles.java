package org.tinkerbell.hook.kernel;

import java.util.List;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

/**
 * A kernel as somebody built it, wherever it came from; what every kernel method ends in.
 *
 * @param source for people: the package or artifact that it is out of
 * @param release what {@code uname -r} says, the name of its directory below {@code lib/modules}
 * @param version the release's number alone, such as {@code 6.12.117}
 * @param inputs digest of all that it was made from
 * @param kernel the image that a boot loader starts
 * @param modules the entries below {@code lib/modules/<release>}, by their paths in it
 * @param deviceTrees the entries of the directory of device trees; empty where the architecture has none
 */
public record KernelFiles(
        Arch arch, String source, String release, String version, Digest inputs, Content kernel, List<Entry> modules,
                List<Entry> deviceTrees) {
    public KernelFiles {
        modules = List.copyOf(modules);
        deviceTrees = List.copyOf(deviceTrees);
    }
}
