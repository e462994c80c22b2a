package org.tinkerbell.hook.agent.service;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.Json;

/**
 * The {@code config.json} with which a container is run: the built one with an absolute root (containerd runs it from a directory of its own)
 * and, where {@code runtime.json} asks for something between create and start, a hook that calls this program back. Neither
 * {@code runc run} nor {@code ctr run} can pause there.
 */
final class Bundle {
    /** An annotation of a service (YAML: {@code annotations}): {@code always} (as without it), {@code on-failure}, {@code never}. */
    static final String RESTART = "org.tinkerbell.hook.restart";

    /** An annotation of a service: {@code "true"} copies its standard output to the console as well. */
    static final String CONSOLE = "org.tinkerbell.hook.console";

    /** An annotation of a service: a whole number, 50 without it; services are started in its order, then in that of their names. */
    static final String ORDER = "org.tinkerbell.hook.order";

    private static final int USUAL_ORDER = 50;

    private final Map<String, Object> spec;

    private Bundle(Map<String, Object> spec) {
        this.spec = spec;
    }

    /**
     * Reads a container's specification.
     *
     * @param container the container's directory
     * @param config its {@code runtime.json}
     * @param callback program and arguments of this program, for the hook
     * @return the specification to run
     * @throws AgentException if it is malformed, with its path
     * @throws IOException if it cannot be read
     */
    static Bundle read(Path container, RuntimeConfig config, List<String> callback) throws IOException {
        Path file = container.resolve("config.json");
        try {
            Map<String, Object> spec = Json.readObject(Files.readString(file));
            Map<String, Object> root = Json.object(spec.get("root"), "root");
            root.put("path", container.toAbsolutePath().resolve("rootfs").toString());
            spec.put("root", root);
            if (config.afterCreate()) {
                hook(spec, container, callback);
            }
            return new Bundle(spec);
        } catch (Json.Malformed e) {
            throw new AgentException(file + ": " + e.getMessage());
        }
    }

    private static void hook(Map<String, Object> spec, Path container, List<String> callback) {
        List<Object> arguments = new ArrayList<>(callback);
        arguments.add("service");
        arguments.add("created");
        arguments.add(container.toAbsolutePath().toString());
        Map<String, Object> hook = new LinkedHashMap<>();
        hook.put("path", callback.get(0));
        hook.put("args", arguments);
        hook.put("env", List.of("PATH=" + SYSTEM_PATH));
        hook.put("timeout", 60);
        Map<String, Object> hooks = Json.object(spec.get("hooks"), "hooks");
        // Runs in the host's namespaces, after the container's exist (runtime specification, "POSIX-platform Hooks").
        List<Object> created = Json.array(hooks.get("createRuntime"), "hooks.createRuntime");
        created.add(0, hook);
        hooks.put("createRuntime", created);
        spec.put("hooks", hooks);
    }

    /** The search path of programs on the host. */
    static final String SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /** @return what the annotation {@link #RESTART} says, {@code always} if it is not there */
    String restart() {
        String restart = Json.string(Json.object(spec.get("annotations"), "annotations").get(RESTART), RESTART);
        return restart.isEmpty() ? "always" : restart;
    }

    /**
     * Tells when a service is started.
     *
     * @param container its directory
     * @return what the annotation {@link #ORDER} says; the usual number if that or the whole file cannot be read
     */
    static int order(Path container) {
        try {
            Map<String, Object> spec = Json.readObject(Files.readString(container.resolve("config.json")));
            return Integer.parseInt(Json.string(Json.object(spec.get("annotations"), "annotations").get(ORDER), ORDER));
        } catch (IOException | Json.Malformed | NumberFormatException e) {
            return USUAL_ORDER;
        }
    }

    /** @return whether its standard output belongs on the console as well */
    boolean console() {
        return "true".equals(Json.object(spec.get("annotations"), "annotations").get(CONSOLE));
    }

    /**
     * Writes the specification.
     *
     * @param directory where, made if it is not there
     * @return the file
     * @throws IOException if it cannot be written
     */
    Path write(Path directory) throws IOException {
        Files.createDirectories(directory);
        Path file = directory.resolve("config.json");
        Files.writeString(file, Json.write(spec));
        return file;
    }
}
