package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.linuxkit.Engine;
import org.tinkerbell.hook.linuxkit.LinuxKitConfig;
import org.tinkerbell.hook.oci.ImageStore;

/** Builds a kernel and an initramfs from any LinuxKit YAML, without Docker and, unless it is asked for, without the linuxkit command. */
@Mojo(name = "build", requiresProject = false, aggregator = true, threadSafe = true)
public final class BuildMojo extends AbstractEngineMojo {
    /** The LinuxKit YAML. */
    @Parameter(property = "hook.yaml", required = true)
    private String yaml;

    /** Processor architecture: {@code amd64} or {@code arm64}. Default: the one of this machine. */
    @Parameter(property = "hook.arch")
    private String arch;

    /** What the names of the results begin with. Default: the name of the YAML without its ending. */
    @Parameter(property = "hook.name")
    private String name;

    /** Directory for the results. Default: where Maven was started. */
    @Parameter(property = "hook.outputDirectory")
    private String outputDirectory;

    /** Compression of the initramfs: {@code zstd}, {@code zstd-19}, {@code gzip-9}, {@code xz-6}, {@code none}, … */
    @Parameter(property = "hook.compression")
    private String compression;

    /** Time of every file in the initramfs, in seconds since 1970. */
    @Parameter(property = "hook.mtime", defaultValue = "0")
    private long mtime;

    /** With the engine {@code command}: show all that the command says. Also {@code DEBUG=yes} in the environment. */
    @Parameter(property = "hook.debug", defaultValue = "false")
    private boolean debug;

    @Override
    protected void run() throws IOException {
        Path started = Path.of(session.getExecutionRootDirectory()).toAbsolutePath();
        Path file = started.resolve(yaml);
        LinuxKitConfig config = LinuxKitConfig.read(file);
        Engine chosen = engine(ImageStore.of(cache()), Optional.empty(), debug || "yes".equals(System.getenv("DEBUG"))).engine();
        Engine.Result result = chosen.build(new Engine.Request(
                config,
                isSet(arch) ? Arch.of(arch) : Arch.host(),
                isSet(name) ? name : file.getFileName().toString().replaceFirst("\\.[^.]*$", ""),
                isSet(outputDirectory) ? started.resolve(outputDirectory) : started,
                started,
                isSet(compression) ? Compression.parse(compression) : Compression.DEFAULT,
                mtime));
        result.report().lines().forEach(progress()::info);
        result.kernel().ifPresent(kernel -> progress().info(kernel.toString()));
        progress().info(result.initrd().toString());
    }
}
