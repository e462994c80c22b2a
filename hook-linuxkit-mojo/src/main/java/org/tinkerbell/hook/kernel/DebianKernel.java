package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tinkerbell.hook.debian.LockedPackage;
import org.tinkerbell.hook.debian.PackageLock;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

/**
 * Debian's kernel. The package that the inventory names, such as {@code linux-image-amd64}, has no files of its own and depends on
 * the newest image package of the suites, whose name has the kernel's release: only that one is unpacked. Layout of
 * it: the <a href="https://kernel-team.pages.debian.net/kernel-handbook/ch-packaging.html">Debian Linux Kernel Handbook</a>, chapter 3.
 */
public final class DebianKernel implements KernelMethod {
    // An initramfs of the system is not made here, and neither are the things that the maintainer scripts of the image want.
    private static final List<String> WITHOUT = List.of("initramfs-tools", "kmod", "linux-base", "linux-initramfs-tool");
    private static final Pattern IMAGE = Pattern.compile("linux-image-(\\d+\\.\\d+(?:\\.\\d+)?\\S*)");
    private static final Pattern VERSION = Pattern.compile("\\d+\\.\\d+(?:\\.\\d+)?");

    private final PackageSource packages;

    /** Kernels out of these packages. */
    public DebianKernel(PackageSource packages) {
        this.packages = packages;
    }

    /**
     * What a package lock has to hold for a kernel.
     *
     * @param packageName as the inventory has it
     */
    public static PackageLock.Group group(String packageName) {
        return PackageLock.Group.of(packageName, List.of(packageName), WITHOUT);
    }

    /**
     * The newest kernel, as the lock has it.
     *
     * @throws HookException if it cannot be had or does not look like a kernel
     */
    @Override
    public KernelFiles kernel(Flavor flavor) throws IOException {
        String packageName = flavor.kernel().packageName().orElseThrow();
        Arch arch = flavor.arch();
        PackageLock.Group group = group(packageName);
        for (LockedPackage candidate : packages.packages(group.name(), arch, group.requested(), group.without())) {
            Matcher matcher = IMAGE.matcher(candidate.name());
            if (matcher.matches()) {
                return files(candidate, matcher.group(1), arch);
            }
        }
        throw new HookException("The package " + packageName + " of the inventory leads to no kernel: what it depends on has no package "
                + "linux-image-<release>.");
    }

    private KernelFiles files(LockedPackage image, String release, Arch arch) throws IOException {
        String kernelPath = "boot/vmlinuz-" + release;
        Pattern modulesPath = Pattern.compile("(?:usr/)?lib/modules/" + Pattern.quote(release) + "/(.+)");
        Pattern treesPath = Pattern.compile("usr/lib/linux-image-" + Pattern.quote(release) + "/(.+)");
        Content kernel = null;
        List<Entry> modules = new ArrayList<>();
        List<Entry> trees = new ArrayList<>();
        for (Entry entry : packages.entries(image)) {
            Matcher module = modulesPath.matcher(entry.path());
            Matcher tree = treesPath.matcher(entry.path());
            if (entry.path().equals(kernelPath)) {
                kernel = entry.content();
            } else if (module.matches()) {
                modules.add(entry.withPath(module.group(1)));
            } else if (tree.matches()) {
                trees.add(entry.withPath(tree.group(1)));
            }
        }
        if (kernel == null || modules.isEmpty()) {
            throw new HookException("The package " + image + " has no " + (kernel == null ? kernelPath : "lib/modules/" + release)
                    + ": its layout is not the one that Hook knows.");
        }
        Matcher version = VERSION.matcher(release);
        if (!version.lookingAt()) {
            throw new HookException("The package " + image + " has a kernel whose release '" + release + "' begins with no version.");
        }
        return new KernelFiles(arch, image.toString(), release, version.group(), image.sha256(), kernel, modules, trees);
    }
}
