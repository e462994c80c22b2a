package org.tinkerbell.hook.oci;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.tinkerbell.hook.io.NetworkSettings;

/**
 * How registries are talked to.
 *
 * @param network proxies, patience, and whether there is a network
 * @param mirrors hosts to ask before a registry, by the registry's host; for pulling only
 * @param insecure hosts that are asked over plain HTTP; those of the loopback are anyhow
 * @param dockerConfig Docker's {@code config.json}, which need not exist
 */
public record RegistrySettings(NetworkSettings network, Map<String, List<String>> mirrors, Set<String> insecure, Path dockerConfig) {
    private static final Pattern LOOPBACK = Pattern.compile("(?:localhost|127(?:\\.\\d{1,3}){3}|\\[::1\\])(?::\\d+)?");

    public RegistrySettings {
        mirrors = Map.copyOf(mirrors);
        insecure = Set.copyOf(insecure);
    }

    /** No mirrors, no insecure hosts, Docker's configuration where its command line looks for it. */
    public static RegistrySettings of(NetworkSettings network, Map<String, String> environment) {
        String directory = environment.get("DOCKER_CONFIG");
        Path docker = directory == null || directory.isBlank() ? Path.of(System.getProperty("user.home"), ".docker") : Path.of(directory);
        return new RegistrySettings(network, Map.of(), Set.of(), docker.resolve("config.json"));
    }

    /** The same with these mirrors. */
    public RegistrySettings withMirrors(Map<String, List<String>> newMirrors) {
        return new RegistrySettings(network, newMirrors, insecure, dockerConfig);
    }

    /** The same with these hosts asked over plain HTTP. */
    public RegistrySettings withInsecure(Set<String> newInsecure) {
        return new RegistrySettings(network, mirrors, newInsecure, dockerConfig);
    }

    boolean isInsecure(String host) {
        return insecure.contains(host) || LOOPBACK.matcher(host).matches();
    }
}
