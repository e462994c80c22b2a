package org.tinkerbell.hook.linuxkit;

import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * JSON as Go's {@code json.MarshalIndent(value, "", "    ")} writes it (package encoding/json), so that the files are LinuxKit's
 * byte for byte.
 */
final class GoJson {
    private static final String INDENT = "    ";

    private GoJson() {}

    /** The text of a value, keys in the order that they have in it. */
    static String indent(JsonNode value) {
        return indent(value, INDENT);
    }

    /** Likewise with another indentation. */
    static String indent(JsonNode value, String indent) {
        StringBuilder text = new StringBuilder();
        write(value, "\n", indent, text);
        return text.toString();
    }

    private static void write(JsonNode value, String newLine, String indent, StringBuilder text) {
        if (value.isObject() && value.size() > 0) {
            text.append('{');
            String separator = "";
            for (Map.Entry<String, JsonNode> property : value.properties()) {
                text.append(separator).append(newLine).append(indent);
                quote(property.getKey(), text);
                text.append(": ");
                write(property.getValue(), newLine + indent, indent, text);
                separator = ",";
            }
            text.append(newLine).append('}');
        } else if (value.isArray() && value.size() > 0) {
            text.append('[');
            for (Iterator<JsonNode> items = value.iterator(); items.hasNext(); ) {
                text.append(newLine).append(indent);
                write(items.next(), newLine + indent, indent, text);
                text.append(items.hasNext() ? "," : "");
            }
            text.append(newLine).append(']');
        } else if (value.isString()) {
            quote(value.asString(), text);
        } else {
            text.append(value.isObject() ? "{}" : value.isArray() ? "[]" : value.asString("null"));
        }
    }

    private static void quote(String value, StringBuilder text) {
        text.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '"' -> text.append("\\\"");
                case '\\' -> text.append("\\\\");
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                case '\b' -> text.append("\\b");
                case '\f' -> text.append("\\f");
                default -> {
                    // HTML's own characters and the line separators of JavaScript are escaped too.
                    if (c < ' ' || c == '<' || c == '>' || c == '&' || c == '\u2028' || c == '\u2029') {
                        text.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        text.append(c);
                    }
                }
            }
        }
        text.append('"');
    }
}
