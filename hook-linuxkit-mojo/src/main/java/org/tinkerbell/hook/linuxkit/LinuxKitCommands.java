package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;

/**
 * Where the {@code linuxkit} command comes from: the file that somebody names, the PATH if the version there is the wanted one, the cache, the
 * release on the network. What comes over the network is run only if its SHA-256 was known before.
 *
 * @param cache keeps what was downloaded
 */
public record LinuxKitCommands(Cache cache, Downloader downloader, Progress progress) {
    /** The version that Hook's engines are compared with. */
    public static final String DEFAULT_VERSION = "1.8.2";

    /** Where LinuxKit publishes its releases. */
    public static final String RELEASES = "https://github.com/linuxkit/linuxkit/releases/download/";

    private static final String DIRECTORY = "linuxkit-command";

    /**
     * Which command.
     *
     * @param named its file, which is taken whatever its version; empty: it is looked for
     * @param version such as {@code 1.8.2}
     * @param digests SHA-256 of the release's binaries by operating system and architecture, such as {@code linux-amd64}
     * @param releases address that {@code v<version>/linuxkit-<os>-<arch>} is below
     * @param path directories in which commands are looked for
     */
    public record Wanted(Optional<Path> named, String version, Map<String, Digest> digests, String releases, List<Path> path) {
        public Wanted {
            digests = Map.copyOf(digests);
            path = List.copyOf(path);
            if (!version.matches("[0-9A-Za-z][0-9A-Za-z.+-]*")) {
                throw new HookException("'" + version + "' is no version of LinuxKit; one is written like " + DEFAULT_VERSION);
            }
        }
    }

    /**
     * The command.
     *
     * @throws HookException if there is none and none may be fetched: with what to do
     */
    public LinuxKitCommand find(Wanted wanted) throws IOException {
        if (wanted.named().isPresent()) {
            return named(wanted.named().get(), wanted.version());
        }
        List<String> others = new ArrayList<>();
        for (Path directory : wanted.path()) {
            Path file = directory.resolve(executableName("linuxkit"));
            if (Files.isRegularFile(file) && Files.isExecutable(file)) {
                LinuxKitCommand command = new LinuxKitCommand(file);
                Optional<String> version = command.version();
                if (version.filter(wanted.version()::equals).isPresent()) {
                    return command;
                }
                others.add(file + " " + version.map(v -> "is version " + v).orElse("does not say its version"));
            }
        }
        String host = host();
        String name = executableName("linuxkit-" + host);
        String url = wanted.releases() + (wanted.releases().endsWith("/") ? "" : "/") + "v" + wanted.version() + "/" + name;
        Digest digest = wanted.digests().get(host);
        if (digest == null) {
            throw new HookException("There is no linuxkit " + wanted.version() + " on the PATH"
                    + (others.isEmpty() ? "" : " (" + String.join("; ", others) + ")") + ", and " + url + " is not run unless its SHA-256 is known. "
                    + "Pin it with -Dhook.linuxkit.sha256=<64 hexadecimal digits>, or for good in the inventory under defaults.linuxkit.sha256."
                    + host + "; LinuxKit publishes it beside the file. Or name a command with -Dhook.linuxkit.bin=<file>.");
        }
        return fetched(name, wanted.version(), url, digest);
    }

    private LinuxKitCommand named(Path file, String wanted) throws IOException {
        if (!Files.isRegularFile(file) || !Files.isExecutable(file)) {
            throw new HookException("hook.linuxkit.bin is '" + file + "', which is no file that can be run.");
        }
        LinuxKitCommand command = new LinuxKitCommand(file.toAbsolutePath());
        Optional<String> version = command.version();
        if (version.filter(wanted::equals).isEmpty()) {
            progress.warn(file + " " + version.map(v -> "is linuxkit " + v).orElse("does not say its version") + "; " + wanted + " was expected. "
                    + "It is used since hook.linuxkit.bin names it.");
        }
        return command;
    }

    private LinuxKitCommand fetched(String name, String version, String url, Digest digest) throws IOException {
        // The name holds the digest: what was pinned differently is another file.
        Path target = cache.root().resolve(DIRECTORY).resolve(digest.abbreviated(16) + "-" + version).resolve(name);
        if (Files.exists(target) && !Digest.of(target).equals(digest)) {
            progress.warn(target + " was damaged and is fetched again.");
            Files.delete(target);
        }
        downloader.fetch(new Downloader.Request("linuxkit " + version, List.of(URI.create(url)), -1, digest, target));
        if (!Files.isExecutable(target)) {
            Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        return new LinuxKitCommand(target);
    }

    /** This machine as the names of LinuxKit's binaries have it, such as {@code linux-amd64}. */
    public static String host() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        return (os.contains("win") ? "windows" : os.contains("mac") ? "darwin" : "linux") + "-" + Arch.host().ociName();
    }

    private static String executableName(String name) {
        return host().startsWith("windows") ? name + ".exe" : name;
    }
}
