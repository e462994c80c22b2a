package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.apache.maven.plugin.BuildPluginManager;
import org.apache.maven.plugins.annotations.Parameter;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.kernel.ArmbianKernel;
import org.tinkerbell.hook.kernel.ArmbianLock;
import org.tinkerbell.hook.kernel.ContainerBuilder;
import org.tinkerbell.hook.kernel.DebianSource;
import org.tinkerbell.hook.kernel.Defconfigs;
import org.tinkerbell.hook.kernel.HostBuilder;
import org.tinkerbell.hook.kernel.KernelBuilder;
import org.tinkerbell.hook.kernel.KernelOrg;
import org.tinkerbell.hook.kernel.SourceKernel;
import org.tinkerbell.hook.oci.ImageStore;

/** What the goals have that work on the flavor's kernel: the choices that a person makes in the place of the inventory's. */
abstract class AbstractKernelMojo extends AbstractFlavorMojo {
    private static final String CONFIGURATIONS = "configs";
    private static final String POINT_RELEASE = "KERNEL_POINT_RELEASE";
    private static final String ARMBIAN_VERSION = "ARMBIAN_KERNEL_VERSION";

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

    /**
     * Servers with the files of kernel.org, parted by commas, which are asked in this order: below each address lie {@code releases.json} and
     * {@code pub/linux/kernel/}. Default: {@code https://www.kernel.org/,https://cdn.kernel.org/}.
     */
    @Parameter(property = "hook.kernel.mirror")
    private String mirror;

    /**
     * A file with ASCII-armored OpenPGP keys that may sign the kernel's source besides the pinned ones: those of kernel.org's checksum
     * autosigner, of Greg Kroah-Hartman and of Linus Torvalds. Some old series are signed by Sasha Levin.
     */
    @Parameter(property = "hook.kernel.keyring")
    private String keyring;

    /** SHA-256 of the tarball where {@code hook.kernel.source} is the address of one; then it needs no signature. */
    @Parameter(property = "hook.kernel.sha256")
    private String sha256;

    /** How many processes compile a kernel at once. Default: as many as there are processors. */
    @Parameter(property = "hook.kernel.jobs", defaultValue = "0")
    private int jobs;

    /**
     * What compiles a kernel: {@code docker}, a container with a compiler of a known version; or {@code host}, the tools of this machine.
     */
    @Parameter(property = "hook.kernel.builder", defaultValue = "docker")
    private String builder;

    /**
     * The image that the container is built on by {@code toolchain/Dockerfile}, such as {@code debian:stable}, which needs a registry and Debian's
     * archive from within the engine. Default: none; the container is made of the packages that {@code toolchain/packages-*.lock} names.
     */
    @Parameter(property = "hook.kernel.toolchainBase")
    private String toolchainBase;

    /** Registry and path below which Armbian's artifacts are; also {@code ARMBIAN_BASE_ORAS_REF} in the environment. Default: ghcr.io/armbian/os. */
    @Parameter(property = "hook.armbian.ociBase")
    private String armbianBase;

    /**
     * Tag of Armbian's kernel, or a version such as {@code 6.12.9} of which the newest build is taken; also of that name in the
     * environment. Default: what the lock names, else the newest.
     */
    @Parameter(property = ARMBIAN_VERSION)
    private String armbianVersion;

    @Inject
    private BuildPluginManager pluginManager;

    /** Kernels that are compiled from source. */
    protected final SourceKernel sourceKernel() throws IOException {
        return new SourceKernel(cache(), kernelSources(), defconfigs(), kernelBuilder(),
                jobs > 0 ? jobs : Runtime.getRuntime().availableProcessors(), progress());
    }

    /** Where the source of a kernel comes from. */
    protected final SourceKernel.Sources kernelSources() throws IOException {
        KernelOrg.Signers signers = KernelOrg.Signers.pinned();
        if (keyring != null) {
            signers = signers.with(fromWhereMavenWasStarted(Path.of(keyring)));
        }
        KernelOrg kernelOrg =
                new KernelOrg(cache(), downloader(), KernelOrg.servers(mirror), signers, Clock.systemUTC(), progress());
        return SourceKernel.Sources.of(kernelOrg, new DebianSource(packageSource(kernelModule())),
                first(sha256).map(text -> Digest.parse(matching("hook.kernel.sha256", text, "[0-9a-f]{64}", "64 hexadecimal digits"))));
    }

    /** What compiles kernels. */
    protected final KernelBuilder kernelBuilder() throws IOException {
        return isHostBuilder() ? HostBuilder.ofThisMachine() : new ContainerBuilder(toolchain());
    }

    /** Whether the tools of the machine compile. */
    protected final boolean isHostBuilder() {
        return matching("hook.kernel.builder", builder, "docker|host", "docker, host").equals("host");
    }

    /** The container in which kernels are compiled. */
    protected final KernelToolchain toolchain() throws IOException {
        Path directory = kernelModule().resolve("toolchain");
        return new KernelToolchain(new DockerPlugin(session, project, pluginManager), cache(), packageSource(directory), directory,
                first(toolchainBase), progress());
    }

    /** Where the module is that has the configurations. */
    protected Path kernelModule() {
        return project.getBasedir().toPath();
    }

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
        return new Defconfigs(kernelModule().resolve(CONFIGURATIONS));
    }

    /**
     * Armbian's kernels.
     *
     * @param record where a lock with what was taken is written to
     */
    protected final ArmbianKernel armbianKernel(Path record) {
        return new ArmbianKernel(registry(ImageStore.of(cache())), cache(), new ArmbianKernel.Settings(
                first(armbianBase, System.getenv("ARMBIAN_BASE_ORAS_REF")).orElse(ArmbianKernel.REGISTRY),
                project.getBasedir().toPath().resolve(ArmbianLock.FILE), record, lockMode(),
                first(armbianVersion, System.getenv(ARMBIAN_VERSION))), progress());
    }

    /** The first text that says something. */
    protected static Optional<String> first(String... values) {
        return Stream.of(values).filter(value -> value != null && !value.isBlank()).map(String::trim).findFirst();
    }

    private static String matching(String property, String value, String pattern, String allowed) {
        if (!value.matches(pattern)) {
            throw new HookException(property + " is '" + value + "'; allowed: " + allowed);
        }
        return value;
    }
}
