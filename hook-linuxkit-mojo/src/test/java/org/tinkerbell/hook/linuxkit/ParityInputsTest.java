package org.tinkerbell.hook.linuxkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.tinkerbell.hook.io.YamlFile;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** That the comparison of the engines leaves no key of LinuxKit's YAML out. */
class ParityInputsTest {
    private static final List<String> SECTIONS = List.of("onboot[]", "onshutdown[]", "services[]");

    private static JsonNode schema() throws IOException {
        try (InputStream in = LinuxKitConfig.class.getResourceAsStream("linuxkit.schema.json")) {
            return new JsonMapper().readTree(in);
        }
    }

    /** The keys that a schema knows, by their places. */
    private static void known(JsonNode rule, String place, JsonNode schema, TreeSet<String> keys) {
        if (rule.has("$ref")) {
            known(schema.at(rule.get("$ref").asString().substring(1)), place, schema, keys);
        }
        for (String choice : List.of("anyOf", "oneOf", "allOf")) {
            rule.path(choice).forEach(inner -> known(inner, place, schema, keys));
        }
        rule.path("properties").properties().forEach(property -> {
            String inner = place.isEmpty() ? property.getKey() : place + "." + property.getKey();
            keys.add(inner);
            known(property.getValue(), inner, schema, keys);
        });
        if (rule.has("items")) {
            known(rule.get("items"), place + "[]", schema, keys);
        }
    }

    /** The three sections have the same entries: a key counts for all of them. */
    private static String folded(String key) {
        return SECTIONS.stream().filter(section -> key.startsWith(section + ".")).findFirst()
                .map(section -> "services[]" + key.substring(section.length())).orElse(key);
    }

    @Test
    void everyKeyIsInAnInput() throws IOException {
        TreeSet<String> missing = new TreeSet<>();
        TreeSet<String> known = new TreeSet<>();
        known(schema(), "", schema(), known);
        known.forEach(key -> missing.add(folded(key)));
        assertTrue(missing.size() > 120, "the schema has " + missing);
        for (Path file : ParityInputs.files()) {
            ParityInputs.keys(LinuxKitConfig.read(file).source().root()).forEach(key -> missing.remove(folded(key)));
        }
        // Two names for what LinuxKit ignores; one is enough.
        missing.remove("trust.image");
        assertEquals(new TreeSet<>(), missing);
    }

    @Test
    void everyKeyOfAnEntryIsInTheLabel() throws IOException {
        TreeSet<String> missing = new TreeSet<>();
        schema().at("/$defs/container/properties").propertyNames().forEach(missing::add);
        missing.removeAll(ParityInputs.keys(YamlFile.parse("label", ParityInputs.LABEL).root()));
        // Neither is for labels: the first two are refused there; the others say what is added to the label's.
        assertEquals(new TreeSet<>(List.of("binds.add", "capabilities.add", "image", "name")), missing);
    }
}
