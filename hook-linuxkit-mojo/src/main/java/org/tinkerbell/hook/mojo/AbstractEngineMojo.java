package org.tinkerbell.hook.mojo;

import java.io.File;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.maven.plugins.annotations.Parameter;
import org.tinkerbell.hook.flavor.LinuxKitRelease;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.linuxkit.CommandEngine;
import org.tinkerbell.hook.linuxkit.EmbeddedEngine;
import org.tinkerbell.hook.linuxkit.Engine;
import org.tinkerbell.hook.linuxkit.LinuxKitCommand;
import org.tinkerbell.hook.linuxkit.LinuxKitCommands;
import org.tinkerbell.hook.oci.ImageStore;

/** What the goals have that build with one of the engines: the choice, and where the {@code linuxkit} command comes from. */
abstract class AbstractEngineMojo extends AbstractFlavorMojo {
    /** What makes the system of the YAML: {@code embedded}, in pure Java, or {@code command}, the {@code linuxkit} command. */
    @Parameter(property = "hook.engine", defaultValue = "embedded")
    private String engine;

    /** File of the {@code linuxkit} command for the engine {@code command}. Default: one of the wanted version on the PATH, else the release's. */
    @Parameter(property = "hook.linuxkit.bin")
    private File linuxkit;

    /** Version of the {@code linuxkit} command. Default: {@code LINUXKIT_VERSION} of the environment, else the flavor's, else 1.8.2. */
    @Parameter(property = "hook.linuxkit.version")
    private String linuxkitVersion;

    /** SHA-256 of the release's binary for this machine; without it, or one in the inventory, none is downloaded. */
    @Parameter(property = "hook.linuxkit.sha256")
    private String linuxkitSha256;

    /** Address below which LinuxKit's releases are, as {@code v<version>/linuxkit-<os>-<arch>}. */
    @Parameter(property = "hook.linuxkit.url", defaultValue = LinuxKitCommands.RELEASES)
    private String linuxkitUrl;

    /**
     * An engine, and what its results depend on besides the inputs.
     *
     * @param identity differs where another engine, or another command, is at work
     */
    protected record Chosen(Engine engine, String identity) {}

    /**
     * The engine that was chosen.
     *
     * @param release what the flavor says about the command
     * @param debug whether all that the command says is shown
     */
    protected final Chosen engine(ImageStore store, Optional<LinuxKitRelease> release, boolean debug) throws IOException {
        if (Engine.Kind.of(engine) == Engine.Kind.EMBEDDED) {
            return new Chosen(new EmbeddedEngine(images(store), cache(), progress()), "embedded");
        }
        LinuxKitCommand command = new LinuxKitCommands(cache(), downloader(), progress()).find(wanted(release));
        progress().info("The linuxkit command: " + command.executable());
        return new Chosen(new CommandEngine(command, images(store), cache(), progress(), debug), "command " + Digest.of(command.executable()));
    }

    private LinuxKitCommands.Wanted wanted(Optional<LinuxKitRelease> release) {
        String environment = System.getenv("LINUXKIT_VERSION");
        String version = isSet(linuxkitVersion) ? linuxkitVersion
                : isSet(environment) ? environment
                : release.flatMap(LinuxKitRelease::version).orElse(LinuxKitCommands.DEFAULT_VERSION);
        Map<String, Digest> digests = new LinkedHashMap<>();
        // The inventory's sums are those of the flavor's version.
        if (release.flatMap(LinuxKitRelease::version).orElse(LinuxKitCommands.DEFAULT_VERSION).equals(version)) {
            release.ifPresent(r -> r.sha256().forEach((host, sum) -> digests.put(host, new Digest(sum))));
        }
        if (isSet(linuxkitSha256)) {
            if (!linuxkitSha256.trim().matches("[0-9a-f]{64}")) {
                throw new HookException("hook.linuxkit.sha256 is '" + linuxkitSha256 + "'; allowed: the 64 lower-case hexadecimal digits of a SHA-256");
            }
            digests.put(LinuxKitCommands.host(), new Digest(linuxkitSha256.trim()));
        }
        Optional<Path> named = Optional.ofNullable(linuxkit).map(File::toPath).map(this::fromWhereMavenWasStarted);
        return new LinuxKitCommands.Wanted(named, version, digests, linuxkitUrl, searchPath(System.getenv("PATH")));
    }

    private static List<Path> searchPath(String text) {
        List<Path> directories = new ArrayList<>();
        for (String directory : text == null ? new String[0] : text.split(File.pathSeparator)) {
            try {
                if (!directory.isBlank()) {
                    directories.add(Path.of(directory));
                }
            } catch (InvalidPathException e) {
                // Nothing can be in a directory that cannot be.
                continue;
            }
        }
        return directories;
    }

    protected static boolean isSet(String text) {
        return text != null && !text.isBlank();
    }
}
