package org.tinkerbell.hook.agent.bootkit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.CommandLine;
import org.tinkerbell.hook.agent.Json;

/** What bootkit knows: the command line's parameters, and the metadata's where the command line is silent. */
final class BootkitConfig {
    /** What can be filled in, by the names of the command line. */
    static final List<String> NAMES = List.of("docker_registry", "registry_username", "registry_password", "grpc_authority", "worker_id",
            "tink_worker_image", "tinkerbell_tls", "tinkerbell_insecure_tls", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY");

    private final Map<String, String> values;

    private BootkitConfig(Map<String, String> values) {
        this.values = values;
    }

    /**
     * Takes the command line.
     *
     * @param line the command line
     * @return what it says
     */
    static BootkitConfig of(CommandLine line) {
        Map<String, String> values = new HashMap<>();
        for (String name : NAMES) {
            values.put(name, line.get(name).trim());
        }
        return new BootkitConfig(values);
    }

    /**
     * Fills in what is missing.
     *
     * @param metadata the metadata service's JSON: {@code id} is the worker's; members by the command line's names count too
     * @return the whole
     * @throws Json.Malformed if it is no JSON object
     */
    BootkitConfig with(String metadata) {
        Map<String, Object> json = Json.readObject(metadata);
        Map<String, String> filled = new HashMap<>(values);
        for (String name : NAMES) {
            fill(filled, name, json.get(name));
        }
        fill(filled, "worker_id", json.get("id"));
        // The three belong together: the command line's password does not go to a registry that another source names.
        boolean named = !get("docker_registry").isEmpty();
        boolean credentials = !get("registry_username").isEmpty() || !get("registry_password").isEmpty();
        if (!named && credentials) {
            filled.put("docker_registry", "");
        } else if (credentials) {
            filled.put("registry_username", get("registry_username"));
            filled.put("registry_password", get("registry_password"));
        }
        return new BootkitConfig(filled);
    }

    private static void fill(Map<String, String> values, String name, Object value) {
        if (values.get(name).isEmpty() && value instanceof String) {
            values.put(name, ((String) value).trim());
        }
    }

    /** @return a parameter's value, empty if it is not known */
    String get(String name) {
        return values.get(name);
    }

    /** @return whether the metadata could add what a worker cannot do without */
    boolean lacks() {
        return get("worker_id").isEmpty() || get("grpc_authority").isEmpty()
                || get("tink_worker_image").isEmpty() && get("docker_registry").isEmpty();
    }

    /** @return whether the metadata could add anything that the command line usually gives */
    boolean mayLearn() {
        return lacks() || get("docker_registry").isEmpty() || get("registry_username").isEmpty();
    }

    /**
     * Tells the worker's image.
     *
     * @return its name
     * @throws AgentException if neither the image nor a registry is known
     */
    String image() {
        String image = get("tink_worker_image");
        if (!image.isEmpty()) {
            return image;
        }
        String registry = get("docker_registry");
        if (registry.isEmpty()) {
            throw new AgentException("no worker image: neither tink_worker_image nor docker_registry is on the command line or in the metadata");
        }
        while (registry.endsWith("/")) {
            registry = registry.substring(0, registry.length() - 1);
        }
        return registry + "/tink-worker:latest";
    }

    /** @return the worker's environment, each variable there even if it is empty */
    List<String> environment() {
        List<String> environment = new ArrayList<>();
        environment.add("DOCKER_REGISTRY=" + get("docker_registry"));
        environment.add("REGISTRY_USERNAME=" + get("registry_username"));
        environment.add("REGISTRY_PASSWORD=" + get("registry_password"));
        environment.add("TINKERBELL_GRPC_AUTHORITY=" + get("grpc_authority"));
        environment.add("TINKERBELL_TLS=" + get("tinkerbell_tls"));
        environment.add("TINKERBELL_INSECURE_TLS=" + get("tinkerbell_insecure_tls"));
        environment.add("WORKER_ID=" + get("worker_id"));
        environment.add("ID=" + get("worker_id"));
        environment.add("HTTP_PROXY=" + get("HTTP_PROXY"));
        environment.add("HTTPS_PROXY=" + get("HTTPS_PROXY"));
        environment.add("NO_PROXY=" + get("NO_PROXY"));
        return environment;
    }
}
