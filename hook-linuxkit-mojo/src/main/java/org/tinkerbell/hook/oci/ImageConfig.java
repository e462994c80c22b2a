package org.tinkerbell.hook.oci;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * How an image is to be run, and what its layers are
 * (<a href="https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md">image-spec, config.md</a>).
 *
 * @param architecture as {@link Arch#ociName()} has it
 * @param os {@code linux}
 * @param user name or number, with a group after a colon; empty for root
 * @param env {@code NAME=value}
 * @param entrypoint the command and its first arguments
 * @param cmd the arguments after that, which whoever runs the image may replace
 * @param workingDir absolute path; empty for {@code /}
 * @param labels texts by name
 * @param diffIds SHA-256 of each uncompressed layer, the lowest first
 */
public record ImageConfig(
        String architecture,
        String os,
        String user,
        List<String> env,
        List<String> entrypoint,
        List<String> cmd,
        String workingDir,
        SortedMap<String, String> labels,
        List<Digest> diffIds) {
    private static final JsonMapper JSON = new JsonMapper();

    public ImageConfig {
        env = List.copyOf(env);
        entrypoint = List.copyOf(entrypoint);
        cmd = List.copyOf(cmd);
        labels = Collections.unmodifiableSortedMap(new TreeMap<>(labels));
        diffIds = List.copyOf(diffIds);
    }

    /** A configuration that says nothing yet. */
    public static ImageConfig of(Arch arch) {
        return new ImageConfig(arch.ociName(), "linux", "", List.of(), List.of(), List.of(), "", Collections.emptySortedMap(), List.of());
    }

    /** The same, run by this user. */
    public ImageConfig withUser(String newUser) {
        return new ImageConfig(architecture, os, newUser, env, entrypoint, cmd, workingDir, labels, diffIds);
    }

    /** The same with this environment. */
    public ImageConfig withEnv(List<String> newEnv) {
        return new ImageConfig(architecture, os, user, newEnv, entrypoint, cmd, workingDir, labels, diffIds);
    }

    /** The same with this entry point. */
    public ImageConfig withEntrypoint(List<String> newEntrypoint) {
        return new ImageConfig(architecture, os, user, env, newEntrypoint, cmd, workingDir, labels, diffIds);
    }

    /** The same with this command. */
    public ImageConfig withCmd(List<String> newCmd) {
        return new ImageConfig(architecture, os, user, env, entrypoint, newCmd, workingDir, labels, diffIds);
    }

    /** The same in this directory. */
    public ImageConfig withWorkingDir(String newWorkingDir) {
        return new ImageConfig(architecture, os, user, env, entrypoint, cmd, newWorkingDir, labels, diffIds);
    }

    /** The same with these labels. */
    public ImageConfig withLabels(Map<String, String> newLabels) {
        return new ImageConfig(architecture, os, user, env, entrypoint, cmd, workingDir, new TreeMap<>(newLabels), diffIds);
    }

    /** The same with these layers. */
    ImageConfig withDiffIds(List<Digest> newDiffIds) {
        return new ImageConfig(architecture, os, user, env, entrypoint, cmd, workingDir, labels, newDiffIds);
    }

    /** The architecture, if it is one that Hook knows. */
    public Optional<Arch> arch() {
        for (Arch arch : Arch.values()) {
            if (arch.ociName().equals(architecture)) {
                return Optional.of(arch);
            }
        }
        return Optional.empty();
    }

    /**
     * Reads an image's configuration.
     *
     * @param label what to call the image in errors
     */
    static ImageConfig parse(byte[] json, String label) {
        try {
            JsonNode root = JSON.readTree(json);
            JsonNode config = root.path("config");
            List<Digest> diffIds = new ArrayList<>();
            for (JsonNode id : root.path("rootfs").path("diff_ids")) {
                diffIds.add(Digest.parse(id.asString()));
            }
            SortedMap<String, String> labels = new TreeMap<>();
            config.path("Labels").properties().forEach(e -> labels.put(e.getKey(), e.getValue().asString("")));
            return new ImageConfig(root.path("architecture").asString(""), root.path("os").asString(""), config.path("User").asString(""),
                    texts(config.path("Env")), texts(config.path("Entrypoint")), texts(config.path("Cmd")),
                    config.path("WorkingDir").asString(""), labels, diffIds);
        } catch (JacksonException | IllegalArgumentException e) {
            throw new HookException(label + ": its configuration is not that of an image: " + e.getMessage(), e);
        }
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asString("")));
        return texts;
    }

    /** The JSON of an image that is built here: made at the epoch, by one step. */
    byte[] toJson() {
        ObjectNode root = JSON.createObjectNode();
        root.put("architecture", architecture);
        ObjectNode config = root.putObject("config");
        put(config, "Cmd", cmd);
        put(config, "Entrypoint", entrypoint);
        put(config, "Env", env);
        if (!labels.isEmpty()) {
            ObjectNode object = config.putObject("Labels");
            labels.forEach(object::put);
        }
        if (!user.isEmpty()) {
            config.put("User", user);
        }
        if (!workingDir.isEmpty()) {
            config.put("WorkingDir", workingDir);
        }
        root.put("created", "1970-01-01T00:00:00Z");
        ArrayNode history = root.putArray("history");
        diffIds.forEach(id -> history.addObject().put("created", "1970-01-01T00:00:00Z").put("created_by", "hook"));
        root.put("os", os);
        ObjectNode rootfs = root.putObject("rootfs");
        ArrayNode ids = rootfs.putArray("diff_ids");
        diffIds.forEach(id -> ids.add(id.toString()));
        rootfs.put("type", "layers");
        return JSON.writeValueAsBytes(root);
    }

    private static void put(ObjectNode config, String key, List<String> texts) {
        if (!texts.isEmpty()) {
            ArrayNode array = config.putArray(key);
            texts.forEach(array::add);
        }
    }
}
