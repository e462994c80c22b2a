package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.linuxkit.Engine;
import org.tinkerbell.hook.linuxkit.FileList;
import org.tinkerbell.hook.linuxkit.Formats;
import org.tinkerbell.hook.linuxkit.LinuxKitConfig;
import org.tinkerbell.hook.media.EfiIso;
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

    /**
     * In which forms the system is wanted, parted by commas: {@code kernel+initrd} (always made), {@code tar} (the root file system, as
     * {@code NAME.tar}), {@code filelist} (its paths, {@code NAME.filelist}), {@code iso} ({@code NAME-efi-initrd.iso}, for UEFI firmware), and with
     * the linuxkit command whatever else that makes. Default: the environment's {@code LINUXKIT_ISO} and {@code OUTPUT_TARBALL_FILELIST}.
     */
    @Parameter(property = "hook.formats")
    private String formats;

    /** The kernel's parameters on the ISO. Default: the YAML's {@code kernel.cmdline}. What Tinkerbell's server overwrites comes after them. */
    @Parameter(property = "hook.iso.cmdline")
    private String isoCommandLine;

    /** Time of every file in the initramfs, in seconds since 1970. */
    @Parameter(property = "hook.mtime", defaultValue = "0")
    private long mtime;

    /** With the engine {@code command}: show all that the command says. Also {@code DEBUG=yes} in the environment. */
    @Parameter(property = "hook.debug", defaultValue = "false")
    private boolean debug;

    @Override
    protected void run() throws IOException, InterruptedException {
        Path started = Path.of(session.getExecutionRootDirectory()).toAbsolutePath();
        Path file = started.resolve(yaml);
        Formats wanted = Formats.parse(formats, knownSettings());
        LinuxKitConfig config = LinuxKitConfig.read(file);
        Engine chosen = engine(ImageStore.of(cache()), Optional.empty(), debug || "yes".equals(System.getenv("DEBUG"))).engine();
        Engine.Request request = new Engine.Request(
                config,
                isSet(arch) ? Arch.of(arch) : Arch.host(),
                isSet(name) ? name : file.getFileName().toString().replaceFirst("\\.[^.]*$", ""),
                isSet(outputDirectory) ? started.resolve(outputDirectory) : started,
                started,
                isSet(compression) ? Compression.parse(compression) : Compression.DEFAULT,
                mtime,
                wanted);
        Engine.Result result = chosen.build(request);
        result.report().lines().forEach(progress()::info);
        result.kernel().ifPresent(kernel -> progress().info(kernel.toString()));
        progress().info(result.initrd().toString());
        for (Map.Entry<String, List<Path>> other : result.others().entrySet()) {
            if (!other.getKey().equals(Formats.TAR)) {
                other.getValue().forEach(made -> progress().info(made.toString()));
                continue;
            }
            Path tar = other.getValue().get(0);
            if (wanted.has(Formats.FILE_LIST)) {
                Path list = request.directory().resolve(request.name() + ".filelist");
                FileList.write(tar, list);
                progress().info(list.toString());
            }
            if (wanted.has(Formats.TAR)) {
                progress().info(tar.toString());
            } else {
                Files.delete(tar);
            }
        }
        if (wanted.has(Formats.ISO)) {
            progress().info(iso(config, request, result).toString());
        }
    }

    /** An ISO of what was built, under the name that LinuxKit gives it. */
    private Path iso(LinuxKitConfig config, Engine.Request request, Engine.Result result) throws IOException, InterruptedException {
        Path kernel = result.kernel().orElseThrow(() -> config.source().error("", "an ISO needs a kernel; this YAML has none"));
        String commandLine = isSet(isoCommandLine) ? isoCommandLine
                : result.cmdline().isPresent() ? Files.readString(result.cmdline().get()).strip()
                : EfiIso.consoles(request.arch());
        Path iso = request.directory().resolve(request.name() + "-efi-initrd.iso");
        new EfiIso(toolbox(), progress())
                .write(new EfiIso.Content(request.arch(), request.name(), kernel, result.initrd(), commandLine, request.mtime()), iso);
        return iso;
    }
}
