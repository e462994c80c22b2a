package org.tinkerbell.hook.linuxkit;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A structure of Go's, by the rules with which Go's packages read it from YAML and write it again: encoding/json and
 * gopkg.in/yaml.v2, the two that LinuxKit writes its configuration with.
 */
final class GoType {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final List<Field> fields = new ArrayList<>();

    /** What is written. */
    enum Form {
        JSON,
        YAML
    }

    /** Kinds of fields, which differ in what stands for one that is not set. */
    enum Kind {
        TEXT,
        NUMBER,
        FLAG,
        /** A pointer to, or an interface of, any of the others. */
        POINTER,
        LIST,
        MAP,
        STRUCT
    }

    private record Field(String yaml, String json, Kind kind, GoType type, boolean yamlOmitsEmpty, boolean jsonOmitsEmpty) {
        String name(Form form) {
            return form == Form.JSON ? json : yaml;
        }

        boolean omitsEmpty(Form form) {
            return form == Form.JSON ? jsonOmitsEmpty : yamlOmitsEmpty;
        }
    }

    /** A field that is written always, by the same name in both forms. */
    GoType always(Kind kind, String... names) {
        for (String name : names) {
            fields.add(new Field(name, name, kind, null, false, false));
        }
        return this;
    }

    /** Likewise a structure, or a list of them. */
    GoType always(Kind kind, String name, GoType of) {
        fields.add(new Field(name, name, kind, of, false, false));
        return this;
    }

    /** A field that is written unless it is empty. */
    GoType unlessEmpty(Kind kind, String... names) {
        for (String name : names) {
            fields.add(new Field(name, name, kind, null, true, true));
        }
        return this;
    }

    /** Likewise a structure, a pointer to one, or a list of them. */
    GoType unlessEmpty(Kind kind, String name, GoType of) {
        fields.add(new Field(name, name, kind, of, true, true));
        return this;
    }

    /** A field of the runtime specification: YAML has it always, in lower case; JSON unless it is empty. */
    GoType spec(Kind kind, String... names) {
        for (String name : names) {
            fields.add(new Field(name.toLowerCase(Locale.ROOT), name, kind, null, false, true));
        }
        return this;
    }

    /** Likewise a structure. */
    GoType spec(Kind kind, String name, GoType of) {
        fields.add(new Field(name.toLowerCase(Locale.ROOT), name, kind, of, false, true));
        return this;
    }

    /** Likewise a field that JSON has always. */
    GoType specAlways(Kind kind, String... names) {
        for (String name : names) {
            fields.add(new Field(name.toLowerCase(Locale.ROOT), name, kind, null, false, false));
        }
        return this;
    }

    /** A structure as it is written. */
    ObjectNode write(JsonNode value, Form form) {
        ObjectNode result = JSON.objectNode();
        for (Field field : fields) {
            JsonNode there = value.path(field.yaml);
            if (!field.omitsEmpty(form) || !isEmpty(field, there, form)) {
                result.set(field.name(form), write(field, there, form));
            }
        }
        return result;
    }

    private static boolean isEmpty(Field field, JsonNode value, Form form) {
        return switch (field.kind) {
            case TEXT -> value.asString("").isEmpty();
            case NUMBER -> value.asLong(0) == 0;
            case FLAG -> !value.asBoolean(false);
            case POINTER -> value.isMissingNode();
            case LIST, MAP -> value.isEmpty();
            case STRUCT -> form == Form.YAML && field.type.fields.stream().allMatch(f -> isEmpty(f, value.path(f.yaml), form));
        };
    }

    private static JsonNode write(Field field, JsonNode value, Form form) {
        boolean absent = value.isMissingNode();
        return switch (field.kind) {
            case TEXT -> JSON.stringNode(value.asString(""));
            case NUMBER -> absent ? JSON.numberNode(0) : value;
            case FLAG -> JSON.booleanNode(value.asBoolean(false));
            case POINTER -> absent ? JSON.nullNode() : any(value, field.type, form);
            case LIST -> absent ? form == Form.JSON ? JSON.nullNode() : JSON.arrayNode() : any(value, field.type, form);
            case MAP -> absent ? form == Form.JSON ? JSON.nullNode() : JSON.objectNode() : any(value, field.type, form);
            case STRUCT -> field.type.write(value, form);
        };
    }

    private static JsonNode any(JsonNode value, GoType type, Form form) {
        if (value.isArray()) {
            ArrayNode array = JSON.arrayNode();
            value.forEach(item -> array.add(any(item, type, form)));
            return array;
        }
        if (value.isObject() && type != null) {
            return type.write(value, form);
        }
        if (value.isObject()) {
            ObjectNode sorted = JSON.objectNode();
            new TreeSet<>(value.propertyNames()).forEach(name -> sorted.set(name, any(value.get(name), null, form)));
            return sorted;
        }
        return value;
    }
}
