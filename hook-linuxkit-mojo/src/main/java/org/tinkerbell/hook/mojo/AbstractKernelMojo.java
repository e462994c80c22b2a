package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.maven.plugins.annotations.Parameter;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.kernel.Defconfigs;

/** What the goals have that work on the flavor's kernel: the choices that a person makes in the place of the inventory's. */
abstract class AbstractKernelMojo extends AbstractFlavorMojo {
    private static final String CONFIGURATIONS = "configs";
    private static final String POINT_RELEASE = "KERNEL_POINT_RELEASE";

    /**
     * Where the source of a kernel that Hook compiles comes from: {@code kernel.org}, {@code debian} for the package
     * {@code linux-source-<series>}, or the address of a tarball. Default: what the inventory says, else {@code kernel.org}.
     */
    @Parameter(property = "hook.kernel.source")
    private String source;

    /** Series of the kernel that Hook compiles, such as {@code 6.12}, or {@code longterm} for the newest longterm series. */
    @Parameter(property = "hook.kernel.series")
    private String series;

    /** Point release of the series, such as {@code 58}; {@code KERNEL_POINT_RELEASE} in the environment as well. Default: the newest. */
    @Parameter(property = "hook.kernel.pointRelease")
    private String pointRelease;

    /** The same, by the name that people know. */
    @Parameter(property = POINT_RELEASE)
    private String knownPointRelease;

    /**
     * Configuration of the kernel that Hook compiles: the name of a committed one, such as {@code generic} or {@code tiny}, or the path of a
     * file, with a {@code /} in it, from where Maven was started.
     */
    @Parameter(property = "hook.kernel.config")
    private String config;

    /** The flavor whose kernel this build's flavor boots, with the choices that were made for this build. */
    protected final Flavor kernelFlavor() throws IOException {
        Flavor flavor = inventory().flavor(flavor().kernelId());
        return flavor.withKernel(flavor.kernel().with(
                first(source).map(value -> matching("hook.kernel.source", value, "kernel\\.org|debian|(https?|file):.+",
                        "kernel.org, debian, or an address of a tarball")),
                first(series).map(value -> matching("hook.kernel.series", value, "\\d+\\.\\d+|longterm", "such as 6.12, or longterm")),
                first(pointRelease, knownPointRelease, System.getenv(POINT_RELEASE))
                        .map(value -> matching("hook.kernel.pointRelease", value, "\\d+", "a number such as 58")),
                first(config).map(value -> value.contains("/") ? fromWhereMavenWasStarted(Path.of(value)).toString() : value)));
    }

    /** The committed configurations of hook-kernel-default. */
    protected final Defconfigs defconfigs() {
        return new Defconfigs(project.getBasedir().toPath().resolve(CONFIGURATIONS));
    }

    private static Optional<String> first(String... values) {
        return Stream.of(values).filter(value -> value != null && !value.isBlank()).map(String::trim).findFirst();
    }

    private static String matching(String property, String value, String pattern, String allowed) {
        if (!value.matches(pattern)) {
            throw new HookException(property + " is '" + value + "'; allowed: " + allowed);
        }
        return value;
    }
}
