package org.tinkerbell.hook.container;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.tinkerbell.hook.debian.PackageLock;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;

/** The groups of Debian packages that container images are made from, as package locks have them. */
public final class PackageGroups {
    /** The JDK's modules and the libraries of the runtime that runs inside, for the images' architecture. */
    static final String JAVA = "java-runtime";

    /** The JDK that cuts the runtime, for the architecture of the host. */
    static final String JLINK = "java-jlink";

    /** The certificates of the authorities. */
    static final String CA = "ca-bundle";

    /** Debian's source package, in whose packages' names the number is. */
    static final String JDK = "openjdk-21";

    private static final List<String> RESERVED = List.of(JAVA, JLINK, CA);

    /** What libjvm.so and libzip.so are linked with; all else that Debian's package depends on is for what jlink leaves out. */
    private static final List<String> LIBRARIES = List.of("libc6", "libgcc-s1", "libstdc++6", "zlib1g");

    private static final List<String> NOT_FOR_JAVA = List.of(
            "ca-certificates-java", "java-common", "libjpeg62-turbo", "liblcms2-2", "libnss3", "libpcsclite1", "util-linux");

    private PackageGroups() {}

    /**
     * All groups that a lock of an architecture needs.
     *
     * @throws HookException if an image has the name of a group that is not an image's
     */
    public static List<PackageLock.Group> of(List<ImageDefinition> definitions, Arch arch) {
        List<PackageLock.Group> groups = new ArrayList<>();
        for (ImageDefinition definition : definitions) {
            if (RESERVED.contains(definition.name())) {
                throw new HookException(definition.directory() + ": an image cannot be called " + definition.name()
                        + ", since a group of packages is called that. Rename the directory.");
            }
            image(definition, arch).ifPresent(groups::add);
        }
        if (definitions.stream().anyMatch(ImageDefinition::java)) {
            groups.add(java());
            groups.add(jlink());
        }
        if (definitions.stream().anyMatch(ImageDefinition::caBundle)) {
            groups.add(caBundle());
        }
        return List.copyOf(groups);
    }

    /** The packages of an image, if it is for the architecture and has any. */
    static Optional<PackageLock.Group> image(ImageDefinition definition, Arch arch) {
        List<String> requests = new ArrayList<>();
        definition.packagesFor(arch).forEach(p -> requests.add(p.name() + p.suite().map(suite -> "/" + suite).orElse("")));
        if (definition.java()) {
            LIBRARIES.stream().filter(library -> !definition.without().contains(library)).forEach(requests::add);
        }
        return requests.isEmpty() || !definition.architectures().contains(arch)
                ? Optional.empty()
                : Optional.of(PackageLock.Group.of(definition.name(), requests, definition.without()));
    }

    static PackageLock.Group java() {
        List<String> without = new ArrayList<>(LIBRARIES);
        without.add(JDK + "-jre-headless");
        return PackageLock.Group.of(JAVA, List.of(JDK + "-jdk-headless"), without);
    }

    static PackageLock.Group jlink() {
        return PackageLock.Group.of(JLINK, List.of(JDK + "-jre-headless"), NOT_FOR_JAVA);
    }

    static PackageLock.Group caBundle() {
        return PackageLock.Group.of(CA, List.of("ca-certificates"), List.of("openssl", "debconf"));
    }
}
