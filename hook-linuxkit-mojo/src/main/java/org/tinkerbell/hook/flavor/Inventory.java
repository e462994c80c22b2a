package org.tinkerbell.hook.flavor;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.text.similarity.LevenshteinDistance;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.YamlFile;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * All flavors, in the order of the inventory's file; {@code flavors.schema.json} beside this class describes its form.
 *
 * @param flavors the flavors
 */
public record Inventory(List<Flavor> flavors) {
    private static final int MOST_SUGGESTIONS = 3;

    public Inventory {
        flavors = List.copyOf(flavors);
    }

    /**
     * Reads the inventory.
     *
     * @param file the built-in inventory, {@code flavors.yaml}
     * @param site a site's own file in the same form, whose fields take the place of the built-in ones
     * @throws HookException if a file is missing or has a wrong field: file, line, field, what is allowed
     */
    public static Inventory read(Path file, Optional<Path> site) throws IOException {
        List<YamlFile> files = new ArrayList<>();
        files.add(validated(file));
        if (site.isPresent()) {
            files.add(validated(site.get()));
        }
        ObjectNode defaults = JsonNodeFactory.instance.objectNode();
        Map<String, ObjectNode> merged = new LinkedHashMap<>();
        Map<String, YamlFile> latest = new LinkedHashMap<>();
        for (YamlFile each : files) {
            overlay(defaults, absolute(each, each.root().path("defaults")));
            for (Map.Entry<String, JsonNode> flavor : each.root().path("flavors").properties()) {
                overlay(merged.computeIfAbsent(flavor.getKey(), id -> JsonNodeFactory.instance.objectNode()), absolute(each, flavor.getValue()));
                latest.put(flavor.getKey(), each);
            }
        }
        List<Flavor> flavors = new ArrayList<>();
        merged.forEach((id, own) -> {
            ObjectNode all = defaults.deepCopy();
            overlay(all, own);
            flavors.add(flavor(id, all, latest.get(id)));
        });
        Inventory inventory = new Inventory(flavors);
        inventory.check(latest);
        return inventory;
    }

    /**
     * The flavor of an id or alias.
     *
     * @throws HookException if there is none, naming the nearest ids
     */
    public Flavor flavor(String id) {
        return find(id).orElseThrow(() -> new HookException("There is no flavor '" + id + "'. " + suggestion(id)));
    }

    /** A sentence with the ids that are nearest to what somebody wrote. */
    public String suggestion(String id) {
        return nearest(id).stream().collect(Collectors.joining("', '", "Did you mean '", "'? ")) + "mvn hook:flavors lists all of them.";
    }

    private Optional<Flavor> find(String id) {
        return flavors.stream().filter(f -> f.id().equals(id) || f.aliases().contains(id)).findFirst();
    }

    /** The flavor that is meant when nobody names one: Hook's own kernel for the machine that builds. */
    public static String defaultId(Arch host) {
        return "hook-default-" + host.debianName();
    }

    private List<String> nearest(String id) {
        LevenshteinDistance distance = LevenshteinDistance.getDefaultInstance();
        return flavors.stream()
                .flatMap(f -> Stream.concat(Stream.of(f.id()), f.aliases().stream()))
                .sorted(Comparator.comparing((String known) -> distance.apply(id, known)).thenComparing(Comparator.naturalOrder()))
                .limit(MOST_SUGGESTIONS)
                .toList();
    }

    private void check(Map<String, YamlFile> files) {
        Map<String, String> owners = new LinkedHashMap<>();
        flavors.forEach(f -> owners.put(f.id(), f.id()));
        for (Flavor flavor : flavors) {
            String pointer = "/flavors/" + flavor.id();
            YamlFile file = files.get(flavor.id());
            for (String alias : flavor.aliases()) {
                String other = owners.putIfAbsent(alias, flavor.id());
                if (other != null) {
                    throw file.error(pointer + "/aliases", "'" + alias + "' names flavor " + other + " already");
                }
            }
            flavor.kernel().of().ifPresent(of -> {
                Flavor other = find(of).orElseThrow(() -> file.error(
                        pointer + "/kernel/of", "there is no flavor '" + of + "'; the nearest: " + String.join(", ", nearest(of))));
                if (other.arch() != flavor.arch()) {
                    throw file.error(pointer + "/kernel/of", other.id() + " is for " + other.arch().kernelName() + ", this flavor for "
                            + flavor.arch().kernelName());
                }
                if (other.kernel().of().isPresent()) {
                    throw file.error(pointer + "/kernel/of", other.id() + " takes another's kernel itself; name " + other.kernelId());
                }
            });
        }
    }

    private static YamlFile validated(Path file) throws IOException {
        return YamlFile.read(file).validate(Inventory.class, "flavors.schema.json");
    }

    private static void overlay(ObjectNode below, JsonNode above) {
        for (Map.Entry<String, JsonNode> field : above.properties()) {
            if (field.getValue().isObject() && below.get(field.getKey()) instanceof ObjectNode inner) {
                overlay(inner, field.getValue());
            } else {
                below.set(field.getKey(), field.getValue().deepCopy());
            }
        }
    }

    /** Paths in a file are relative to that file, wherever Maven was started. */
    private static JsonNode absolute(YamlFile file, JsonNode flavor) {
        String template = flavor.path("template").asString("");
        if (!isPath(template)) {
            return flavor;
        }
        ObjectNode copy = (ObjectNode) flavor.deepCopy();
        Path directory = Path.of(file.name()).toAbsolutePath().getParent();
        return copy.put("template", directory.resolve(template).normalize().toString());
    }

    private static boolean isPath(String template) {
        return template.contains("/") || template.endsWith(".yaml") || template.endsWith(".yml");
    }

    private static Flavor flavor(String id, ObjectNode all, YamlFile file) {
        JsonNode kernel = all.path("kernel");
        Kernel.Method method = Kernel.Method.of(required(id, all, "kernel/method", file));
        if (kernel.path("of").isMissingNode()) {
            switch (method) {
                case DEFAULT -> {
                    required(id, all, "kernel/series", file);
                    required(id, all, "kernel/config", file);
                }
                case ARMBIAN -> required(id, all, "kernel/artifact", file);
                case DEBIAN -> required(id, all, "kernel/package", file);
            }
        }
        return new Flavor(
                id,
                all.path("description").asString(""),
                Arch.of(required(id, all, "arch", file)),
                texts(all.path("aliases")),
                new Kernel(
                        method,
                        text(kernel, "of"),
                        text(kernel, "source"),
                        text(kernel, "series"),
                        text(kernel, "pointRelease"),
                        text(kernel, "config"),
                        text(kernel, "artifact"),
                        text(kernel, "version"),
                        text(kernel, "package")),
                required(id, all, "template", file),
                texts(all.path("tags")),
                all.path("iso").asBoolean(false),
                text(all, "outputId"),
                texts(all.path("modules").path("exclude")),
                Stream.of("keep", "keepAlso").flatMap(key -> texts(all.path("modules").path(key)).stream()).toList(),
                texts(all.path("firmware").path("include")),
                release(all.path("linuxkit")));
    }

    private static LinuxKitRelease release(JsonNode linuxkit) {
        Map<String, String> sums = new LinkedHashMap<>();
        linuxkit.path("sha256").properties().forEach(sum -> sums.put(sum.getKey(), sum.getValue().asString()));
        return new LinuxKitRelease(text(linuxkit, "version"), sums);
    }

    private static String required(String id, JsonNode all, String field, YamlFile file) {
        JsonNode value = all.at("/" + field);
        if (value.isMissingNode()) {
            throw file.error("/flavors/" + id, "the key '" + field.replace('/', '.') + "' is missing");
        }
        return value.asString();
    }

    private static Optional<String> text(JsonNode node, String field) {
        return Optional.ofNullable(node.get(field)).map(JsonNode::asString);
    }

    private static List<String> texts(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(item -> texts.add(item.asString()));
        return texts;
    }
}
