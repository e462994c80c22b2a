package org.tinkerbell.hook.kernel;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.tinkerbell.hook.debian.Deb822;
import org.tinkerbell.hook.debian.DebFile;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarFile;

/**
 * The packages of one of Armbian's kernel artifacts, unpacked. The artifact's file is a tar of Debian packages: {@code
 * global/linux-image-*.deb} with {@code boot/vmlinu*}, {@code lib/modules/<release>} and, for boards, the device trees in {@code
 * usr/lib/linux-image-<release>}; {@code global/linux-dtb-*.deb} with the same trees in {@code boot/dtb-<release>}; and headers, which
 * nobody wants here. (Armbian's build, {@code lib/functions/compilation/kernel-debs.sh}.)
 *
 * @param directory where the packages' files are, as uncompressed tars
 * @param label what to call the artifact in errors
 */
record ArmbianPackages(Path directory, String label) {
    private static final String IMAGE_TAR = "image.tar";
    private static final String TREES_TAR = "dtb.tar";
    private static final Pattern IMAGE_PACKAGE = Pattern.compile("(?:global/)?linux-image-[^/]*\\.deb");
    private static final Pattern TREES_PACKAGE = Pattern.compile("(?:global/)?linux-dtb-[^/]*\\.deb");
    private static final Pattern KERNEL = Pattern.compile("boot/vmlinu[^/]*");
    private static final Pattern MODULE = Pattern.compile("(?:usr/)?lib/modules/([^/]+)/(.+)");
    private static final Pattern TREE = Pattern.compile("usr/lib/linux-image-[^/]+/(.+)");
    private static final Pattern PACKAGED_TREE = Pattern.compile("boot/dtb[^/]*/(.+)");
    private static final Pattern VERSION = Pattern.compile("\\d+\\.\\d+(?:\\.\\d+)?");

    /** Whether {@link #unpack} has been here. */
    boolean isThere() {
        return Files.exists(directory.resolve(IMAGE_TAR));
    }

    /**
     * Unpacks what is wanted of the artifact's file. The tar of the kernel's package comes last: with it, it is all there.
     *
     * @param artifact the file, verified
     * @param arch what the kernel has to be for
     * @throws HookException if it is no sound tar, has no kernel package or two of them, or a package is damaged or for another
     *     architecture
     */
    void unpack(Path artifact, Arch arch) throws IOException {
        List<Entry> members = TarFile.open(artifact, label).entries();
        Content image = only(members, IMAGE_PACKAGE)
                .orElseThrow(() -> new HookException(label + " has no package global/linux-image-*.deb, only " + names(members)
                        + ": it is not one of Armbian's kernels. Check the artifact's name in the inventory"));
        Optional<Content> trees = only(members, TREES_PACKAGE);
        if (trees.isPresent()) {
            unpack(new DebFile(trees.get(), label + ", package linux-dtb"), TREES_TAR, arch);
        }
        unpack(new DebFile(image, label + ", package linux-image"), IMAGE_TAR, arch);
    }

    private Optional<Content> only(List<Entry> members, Pattern name) {
        List<Entry> found = members.stream().filter(entry -> entry.content() != null && name.matcher(entry.path()).matches()).toList();
        if (found.size() > 1) {
            throw new HookException(label + " has several packages where one is expected: " + names(found));
        }
        return found.stream().findFirst().map(Entry::content);
    }

    private static String names(List<Entry> members) {
        return members.stream().filter(entry -> entry.content() != null).map(Entry::path).limit(10).collect(Collectors.joining(", "));
    }

    private void unpack(DebFile deb, String name, Arch arch) throws IOException {
        Path control = directory.resolve("." + name + ".control");
        try (InputStream in = deb.control()) {
            List<Entry> entries = TarFile.index(in, control, deb.label() + " (control)").entries();
            checkArchitecture(deb, entries, arch);
        } finally {
            deleteTar(control);
        }
        try (InputStream in = deb.data()) {
            TarFile.index(in, directory.resolve(name), deb.label());
        }
    }

    private static void checkArchitecture(DebFile deb, List<Entry> control, Arch arch) throws IOException {
        Entry file = control.stream().filter(entry -> entry.path().equals("control") && entry.content() != null).findFirst()
                .orElseThrow(() -> new HookException(deb.label() + " has no control file"));
        try (Deb822 reader = new Deb822(new ByteArrayInputStream(file.content().bytes()), deb.label() + "/control", Set.of())) {
            Deb822.Stanza stanza = reader.next();
            String architecture = stanza == null ? "none" : stanza.require("Architecture");
            if (!architecture.equals(arch.debianName())) {
                throw new HookException(deb.label() + " is for " + architecture + ", and the flavor for " + arch.debianName()
                        + ": the inventory names another architecture's artifact");
            }
        }
    }

    /** Deletes a tar with its index. */
    static void deleteTar(Path tar) throws IOException {
        Files.deleteIfExists(tar);
        Files.deleteIfExists(tar.resolveSibling(tar.getFileName() + TarFile.INDEX));
    }

    /**
     * The kernel in the packages, as it is: what boot loaders of boards start is what Armbian has packed, an uncompressed image or a
     * compressed one.
     *
     * @param source for people: what the kernel is out of
     * @param inputs digest of all that it is made from
     * @throws HookException if the package has no kernel, or no modules or those of several releases
     */
    KernelFiles kernel(Arch arch, String source, Digest inputs) throws IOException {
        List<Entry> kernels = new ArrayList<>();
        List<Entry> modules = new ArrayList<>();
        List<Entry> trees = new ArrayList<>();
        SortedSet<String> releases = new TreeSet<>();
        for (Entry entry : TarFile.open(directory.resolve(IMAGE_TAR), label).entries()) {
            Matcher module = MODULE.matcher(entry.path());
            Matcher tree = TREE.matcher(entry.path());
            if (module.matches()) {
                releases.add(module.group(1));
                modules.add(entry.withPath(module.group(2)));
            } else if (tree.matches()) {
                trees.add(entry.withPath(tree.group(1)));
            } else if (entry.content() != null && KERNEL.matcher(entry.path()).matches()) {
                kernels.add(entry);
            }
        }
        if (releases.size() != 1) {
            throw new HookException(label + ": its package linux-image has " + (releases.isEmpty() ? "no lib/modules/<release>"
                    : "modules of several releases, " + String.join(", ", releases)) + ": its layout is not the one that Hook knows");
        }
        Path packagedTrees = directory.resolve(TREES_TAR);
        if (trees.isEmpty() && Files.exists(packagedTrees)) {
            for (Entry entry : TarFile.open(packagedTrees, label).entries()) {
                Matcher tree = PACKAGED_TREE.matcher(entry.path());
                if (tree.matches()) {
                    trees.add(entry.withPath(tree.group(1)));
                }
            }
        }
        String release = releases.first();
        Matcher version = VERSION.matcher(release);
        if (!version.lookingAt()) {
            throw new HookException(label + " has a kernel whose release '" + release + "' begins with no version");
        }
        return new KernelFiles(arch, source, release, version.group(), inputs, kernel(kernels, release), modules, trees);
    }

    private Content kernel(List<Entry> kernels, String release) {
        for (String name : List.of("boot/vmlinuz-" + release, "boot/vmlinux-" + release)) {
            for (Entry entry : kernels) {
                if (entry.path().equals(name)) {
                    return entry.content();
                }
            }
        }
        if (kernels.size() != 1) {
            throw new HookException(label + ": its package linux-image has " + (kernels.isEmpty() ? "no kernel (boot/vmlinu*)"
                    : "several kernels, of which none is that of " + release + ": " + names(kernels))
                    + ": its layout is not the one that Hook knows");
        }
        return kernels.get(0).content();
    }
}
