package org.tinkerbell.hook.io;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeSet;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.MissingNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLFactory;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * A YAML document that remembers on which line each of its values stands, so that every complaint about it can name the
 * file, the line and the key.
 *
 * <p>A place in the document is a JSON Pointer (<a href="https://www.rfc-editor.org/rfc/rfc6901">RFC 6901</a>).
 */
public final class YamlFile {
    /** Line, text and caret that SnakeYAML puts below each of its sentences; here they would be in one line. */
    private static final Pattern PLACES = Pattern.compile("\\R in reader, line \\d+, column \\d+:(?:\\R .*)*");
    private static final YAMLMapper MAPPER = YAMLMapper.builder(
                    YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
            // Scalars are read one by one out of the running document.
            .disable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final int MOST_ALLOWED_VALUES_SHOWN = 40;

    private final String name;
    private final JsonNode root;
    private final Map<String, Integer> lines;

    private YamlFile(String name, JsonNode root, Map<String, Integer> lines) {
        this.name = name;
        this.root = root;
        this.lines = lines;
    }

    /**
     * Reads a file.
     *
     * @throws HookException if there is no such file, or its text is not YAML
     */
    public static YamlFile read(Path file) throws IOException {
        try {
            return parse(file.toString(), Files.readString(file, StandardCharsets.UTF_8));
        } catch (NoSuchFileException e) {
            throw new HookException("There is no file " + file + ".", e);
        }
    }

    /**
     * Reads a text.
     *
     * @param name what messages call the document
     * @throws HookException if the text is not YAML, or a mapping has the same key twice
     */
    public static YamlFile parse(String name, String text) {
        Map<String, Integer> lines = new HashMap<>();
        try (JsonParser parser = MAPPER.createParser(text)) {
            JsonNode root = parser.nextToken() == null ? MissingNode.getInstance() : value(parser, "", lines);
            if (parser.nextToken() != null) {
                throw new HookException(
                        name + ":" + parser.currentTokenLocation().getLineNr() + ": a second YAML document begins here; one is expected.");
            }
            return new YamlFile(name, root, lines);
        } catch (JacksonException e) {
            TokenStreamLocation at = e.getLocation();
            String line = at == null || at.getLineNr() < 1 ? "" : ":" + at.getLineNr();
            throw new HookException(name + line + ": this is not valid YAML: " + firstLines(e.getOriginalMessage()), e);
        }
    }

    /** Name of the document, as messages have it. */
    public String name() {
        return name;
    }

    /** The document; a {@link MissingNode} where it is empty. */
    public JsonNode root() {
        return root;
    }

    /** {@code file:line} of a value or, where the document has no such value, of the nearest one around it. */
    public String at(String pointer) {
        for (String p = pointer; ; p = p.substring(0, Math.max(0, p.lastIndexOf('/')))) {
            Integer line = lines.get(p);
            if (line != null) {
                return name + ":" + line;
            }
            if (p.isEmpty()) {
                return name;
            }
        }
    }

    /** A complaint about a value, beginning with file, line and key. */
    public HookException error(String pointer, String problem) {
        return new HookException(at(pointer) + ": " + (pointer.isEmpty() ? "" : readable(pointer) + ": ") + problem);
    }

    /**
     * Checks the document against a JSON Schema (draft 2020-12).
     *
     * @param schema name of a class-path resource beside {@code anchor}
     * @return this
     * @throws HookException if the document does not fit, with a line for each problem: file, line, key, what is allowed
     */
    public YamlFile validate(Class<?> anchor, String schema) {
        try (InputStream in = anchor.getResourceAsStream(schema)) {
            if (in == null) {
                throw new IllegalArgumentException("no resource " + schema + " beside " + anchor);
            }
            return validate(SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12).getSchema(in, InputFormat.JSON));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private YamlFile validate(Schema schema) {
        Map<String, String> problems = new LinkedHashMap<>();
        List<Error> errors = new ArrayList<>(schema.validate(root));
        // A choice that fails is reported again for each of its branches: what is said of the deepest place is what helps.
        errors.sort(Comparator.comparing((Error e) -> line(pointer(e))).thenComparing(e -> -pointer(e).length()));
        for (Error error : errors) {
            String pointer = pointer(error);
            if (isBranchSummary(error) && errors.size() > 1) {
                continue;
            }
            problems.merge(pointer, problem(error, schema.getSchemaNode()), (a, b) -> a.contains(b) ? a : a + "; or " + b);
        }
        if (!problems.isEmpty()) {
            StringJoiner text = new StringJoiner(System.lineSeparator());
            problems.forEach((pointer, problem) -> text.add(error(pointer, problem).getMessage()));
            throw new HookException(text.toString());
        }
        return this;
    }

    /**
     * Binds the document to a type.
     *
     * @throws HookException if it does not fit, with file, line and key
     */
    public <T> T as(Class<T> type) {
        return bind("", type);
    }

    /** Binds the value at a place to a type; see {@link #as}. */
    public <T> T bind(String pointer, Class<T> type) {
        try {
            return MAPPER.treeToValue(root.at(pointer), type);
        } catch (DatabindException e) {
            StringBuilder inner = new StringBuilder(pointer);
            e.getPath().forEach(r -> inner.append('/').append(r.getPropertyName() == null ? r.getIndex() : escape(r.getPropertyName())));
            throw new HookException(error(inner.toString(), firstLines(e.getOriginalMessage())).getMessage(), e);
        }
    }

    private static JsonNode value(JsonParser parser, String pointer, Map<String, Integer> lines) {
        lines.putIfAbsent(pointer, parser.currentTokenLocation().getLineNr());
        JsonToken token = parser.currentToken();
        if (token == JsonToken.START_OBJECT) {
            ObjectNode object = JsonNodeFactory.instance.objectNode();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String key = parser.currentName();
                String inner = pointer + "/" + escape(key);
                lines.put(inner, parser.currentTokenLocation().getLineNr());
                parser.nextToken();
                object.set(key, value(parser, inner, lines));
            }
            return object;
        }
        if (token == JsonToken.START_ARRAY) {
            ArrayNode array = JsonNodeFactory.instance.arrayNode();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                array.add(value(parser, pointer + "/" + array.size(), lines));
            }
            return array;
        }
        return MAPPER.readTree(parser);
    }

    private int line(String pointer) {
        String at = at(pointer);
        int colon = at.lastIndexOf(':');
        return at.equals(name) || colon < name.length() ? 0 : Integer.parseInt(at.substring(colon + 1));
    }

    private static boolean isBranchSummary(Error error) {
        return List.of("oneOf", "anyOf", "allOf", "$ref").contains(error.getKeyword());
    }

    private static String pointer(Error error) {
        StringBuilder pointer = new StringBuilder();
        for (int i = 0; i < error.getInstanceLocation().getNameCount(); i++) {
            pointer.append('/').append(escape(String.valueOf(error.getInstanceLocation().getElement(i))));
        }
        // The value at fault is the unknown key itself, not the mapping around it.
        if (List.of("additionalProperties", "unevaluatedProperties").contains(error.getKeyword()) && error.getProperty() != null) {
            pointer.append('/').append(escape(error.getProperty()));
        }
        return pointer.toString();
    }

    private static String problem(Error error, JsonNode schema) {
        JsonNode rule = error.getSchemaNode();
        return switch (error.getKeyword()) {
            case "additionalProperties", "unevaluatedProperties" -> "there is no such key here" + allowedKeys(error, schema);
            case "required" -> "the key '" + error.getProperty() + "' is missing";
            case "enum" -> shown(error.getInstanceNode()) + " is not allowed; allowed: " + list(rule);
            case "type" -> shown(error.getInstanceNode()) + " is not allowed; allowed: " + types(rule);
            case "pattern" -> shown(error.getInstanceNode()) + " does not fit the pattern " + rule.asString();
            default -> error.getMessage();
        };
    }

    private static String allowedKeys(Error error, JsonNode schema) {
        String rule = error.getSchemaLocation().getFragment().toString();
        JsonNode known = schema.at(rule.substring(0, rule.lastIndexOf('/')) + "/properties");
        return known.isObject() ? "; allowed: " + String.join(", ", new TreeSet<>(known.propertyNames())) : "";
    }

    private static String shown(JsonNode node) {
        if (node == null || node.isMissingNode()) {
            return "nothing";
        }
        return node.isContainer() ? (node.isArray() ? "a list" : "a mapping") : "'" + node.asString() + "'";
    }

    private static String types(JsonNode rule) {
        return rule.isArray() ? list(rule) : type(rule.asString());
    }

    private static String type(String jsonType) {
        return switch (jsonType) {
            case "object" -> "a mapping";
            case "array" -> "a list";
            case "string" -> "a text";
            case "integer" -> "a whole number";
            case "boolean" -> "true or false";
            case "null" -> "nothing";
            default -> "a " + jsonType;
        };
    }

    private static String list(JsonNode values) {
        StringJoiner joined = new StringJoiner(", ");
        int shown = 0;
        for (JsonNode value : values) {
            if (shown++ == MOST_ALLOWED_VALUES_SHOWN) {
                return joined + ", …";
            }
            joined.add(value.asString());
        }
        return joined.toString();
    }

    private static String readable(String pointer) {
        StringBuilder text = new StringBuilder();
        for (String part : pointer.substring(1).split("/", -1)) {
            String key = part.replace("~1", "/").replace("~0", "~");
            if (key.matches("\\d+") && text.length() > 0) {
                text.append('[').append(key).append(']');
            } else {
                text.append(text.length() > 0 ? "." : "").append(key);
            }
        }
        return text.toString();
    }

    private static String escape(String key) {
        return key.replace("~", "~0").replace("/", "~1");
    }

    private static String firstLines(String message) {
        String text = message == null ? "" : message.strip();
        int end = text.indexOf("\n at [");
        return PLACES.matcher(end < 0 ? text : text.substring(0, end)).replaceAll("").replaceAll("\\s*\\R\\s*", ", ");
    }
}
