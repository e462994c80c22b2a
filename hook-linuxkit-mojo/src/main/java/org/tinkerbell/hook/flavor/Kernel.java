package org.tinkerbell.hook.flavor;

import java.util.Locale;
import java.util.Optional;

/**
 * Where a flavor's kernel comes from.
 *
 * @param method which module makes it
 * @param of id of the flavor whose kernel this is, where it is another's
 * @param source for {@link Method#DEFAULT}: {@code kernel.org} (also where there is none), {@code debian} for the package
 *     {@code linux-source-<series>}, or the address of a tarball, {@code https:}, {@code http:} or {@code file:}
 * @param series for {@link Method#DEFAULT}: {@code major.minor}, or {@code longterm} for the newest longterm series
 * @param pointRelease for {@link Method#DEFAULT}: a fixed point release instead of the newest
 * @param config for {@link Method#DEFAULT}: name of a committed configuration
 * @param artifact for {@link Method#ARMBIAN}: name of the OCI artifact
 * @param version for {@link Method#ARMBIAN}: a fixed tag instead of the newest
 * @param packageName for {@link Method#DEBIAN}: the package that depends on the newest kernel package
 */
public record Kernel(
        Method method,
        Optional<String> of,
        Optional<String> source,
        Optional<String> series,
        Optional<String> pointRelease,
        Optional<String> config,
        Optional<String> artifact,
        Optional<String> version,
        Optional<String> packageName) {

    /** The source of {@link Method#DEFAULT} where none is named. */
    public static final String KERNEL_ORG = "kernel.org";

    /** The source that is Debian's package. */
    public static final String DEBIAN_SOURCE = "debian";

    /**
     * The same with other choices for {@link Method#DEFAULT}; a choice that is empty leaves what is there. A point release belongs to a
     * series, so with another series the inventory's is dropped.
     *
     * @param newSource see {@link #source}
     * @param newSeries see {@link #series}
     * @param newPointRelease see {@link #pointRelease}
     * @param newConfig see {@link #config}
     */
    public Kernel with(
            Optional<String> newSource, Optional<String> newSeries, Optional<String> newPointRelease, Optional<String> newConfig) {
        boolean sameSeries = newSeries.isEmpty() || newSeries.equals(series);
        return new Kernel(
                method, of, newSource.or(() -> source), newSeries.or(() -> series),
                newPointRelease.or(() -> sameSeries ? pointRelease : Optional.empty()), newConfig.or(() -> config), artifact, version,
                packageName);
    }

    /** How a kernel is come by. */
    public enum Method {
        /** Compiled from source. */
        DEFAULT,
        /** Armbian's OCI artifact. */
        ARMBIAN,
        /** Debian's package. */
        DEBIAN;

        /** As the inventory writes it. */
        public String id() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** The module of the reactor that makes such kernels. */
        public String module() {
            return "hook-kernel-" + id();
        }

        /** The method that the inventory means. */
        public static Method of(String id) {
            return valueOf(id.toUpperCase(Locale.ROOT));
        }
    }
}
