package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tinkerbell.hook.debian.LockedPackage;
import org.tinkerbell.hook.debian.PackageLock;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

/**
 * The source as Debian has it, with Debian's patches: the package {@code linux-source-<series>}, which holds one tarball
 * ({@code usr/src/linux-source-<series>.tar.xz}). What vouches for it is Debian's signed archive and the package lock.
 */
public final class DebianSource {
    // Tools to unpack and compile it with.
    private static final List<String> WITHOUT = List.of("binutils", "xz-utils");
    private static final Pattern PACKAGE = Pattern.compile("linux-source-(\\d+\\.\\d+)");
    private static final Pattern VERSION = Pattern.compile("(?:\\d+:)?(\\d+\\.\\d+(?:\\.\\d+)?)\\D.*");

    private final PackageSource packages;

    /** Sources out of these packages. */
    public DebianSource(PackageSource packages) {
        this.packages = packages;
    }

    /**
     * What a package lock has to hold for a series.
     *
     * @param series such as {@code 6.12}, or {@code longterm} for what Debian's release has, by the package {@code linux-source}
     */
    public static PackageLock.Group group(String series) {
        String name = series.equals("longterm") ? "linux-source" : "linux-source-" + series;
        return PackageLock.Group.of(name, List.of(name), WITHOUT);
    }

    /**
     * The source of a series, as the lock has it.
     *
     * @param series see {@link #group}
     * @param pointRelease if a certain one is wanted; Debian has only one at a time
     * @param arch architecture of the lock; the package is the same for all
     * @throws HookException if it cannot be had, or is another release
     */
    public KernelSource source(String series, Optional<String> pointRelease, Arch arch) throws IOException {
        PackageLock.Group group = group(series);
        for (LockedPackage candidate : packages.packages(group.name(), arch, group.requested(), group.without())) {
            Matcher matcher = PACKAGE.matcher(candidate.name());
            if (matcher.matches()) {
                return source(candidate, matcher.group(1), pointRelease);
            }
        }
        throw new HookException("The package " + group.name() + " leads to no kernel's source: it depends on no linux-source-<series>.");
    }

    private KernelSource source(LockedPackage locked, String series, Optional<String> pointRelease) throws IOException {
        Matcher matcher = VERSION.matcher(locked.version());
        KernelVersion version = (matcher.matches() ? KernelVersion.of(matcher.group(1)) : Optional.<KernelVersion>empty())
                .filter(found -> found.series().equals(series))
                .orElseThrow(() -> new HookException("The version of the package " + locked + " is not one of Linux " + series + "."));
        if (pointRelease.isPresent() && !pointRelease.get().equals(String.valueOf(version.point()))) {
            throw new HookException("The package " + locked + " is Linux " + version + ", but the point release " + pointRelease.get()
                    + " is wanted. Take the source from kernel.org, where all releases are (-Dhook.kernel.source=kernel.org), or no point release.");
        }
        // The package's digest stands for what is in it, without reading it.
        return new KernelSource("package " + locked, version.toString(), locked.sha256(), () -> tarball(locked));
    }

    private Content tarball(LockedPackage locked) throws IOException {
        String path = "usr/src/" + locked.name() + ".tar.xz";
        for (Entry entry : packages.entries(locked)) {
            if (entry.path().equals(path) && entry.content() != null) {
                return entry.content();
            }
        }
        throw new HookException("The package " + locked + " has no " + path + ": its layout is not the one that Hook knows.");
    }
}
