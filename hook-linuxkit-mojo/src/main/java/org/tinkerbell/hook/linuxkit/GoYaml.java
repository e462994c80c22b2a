package org.tinkerbell.hook.linuxkit;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.api.StreamDataWriter;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.emitter.Emitter;
import org.snakeyaml.engine.v2.events.DocumentEndEvent;
import org.snakeyaml.engine.v2.events.DocumentStartEvent;
import org.snakeyaml.engine.v2.events.ImplicitTuple;
import org.snakeyaml.engine.v2.events.MappingEndEvent;
import org.snakeyaml.engine.v2.events.MappingStartEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.events.SequenceEndEvent;
import org.snakeyaml.engine.v2.events.SequenceStartEvent;
import org.snakeyaml.engine.v2.events.StreamEndEvent;
import org.snakeyaml.engine.v2.events.StreamStartEvent;
import tools.jackson.databind.JsonNode;

/**
 * YAML as Go's {@code yaml.Marshal} of gopkg.in/yaml.v2 writes it (encode.go, resolve.go): block style, lists not indented, texts of several
 * lines as literal blocks, and texts that YAML 1.1 would take for something else in double quotes. SnakeYAML's emitter descends
 * from the same libyaml as that one's does.
 */
final class GoYaml {
    /** What YAML 1.1 has for booleans, nothing and numbers that are none. */
    private static final Set<String> WORDS = Set.of(
            "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE",
            "n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE",
            "", "~", "null", "Null", "NULL", ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF",
            "-.inf", "-.Inf", "-.INF");

    private static final Pattern NUMBER = Pattern.compile(
            "[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|[0-9][0-9_]*|(?:\\.[0-9]+|[0-9]+(?:\\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)");
    private static final Pattern BASE_60 = Pattern.compile("[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\\.[0-9_]*)?");
    private static final Pattern TIME = Pattern.compile("\\d{4}-\\d{1,2}-\\d{1,2}(?:(?:[Tt]|[ \\t]+)\\d{1,2}:\\d\\d:\\d\\d.*)?");

    private final StringBuilder text = new StringBuilder();
    private final Emitter emitter;

    private GoYaml() {
        emitter = new Emitter(DumpSettings.builder().setIndent(2).setWidth(80).build(), new StreamDataWriter() {
            @Override
            public void write(String part) {
                text.append(part);
            }

            @Override
            public void write(String part, int from, int length) {
                text.append(part, from, from + length);
            }
        });
    }

    /** The text of a mapping, keys in the order that they have in it. */
    static String write(JsonNode mapping) {
        GoYaml yaml = new GoYaml();
        yaml.emitter.emit(new StreamStartEvent());
        yaml.emitter.emit(new DocumentStartEvent(false, Optional.empty(), Map.of()));
        yaml.emit(mapping);
        yaml.emitter.emit(new DocumentEndEvent(false));
        yaml.emitter.emit(new StreamEndEvent());
        return yaml.text.toString();
    }

    private void emit(JsonNode value) {
        if (value.isObject()) {
            emitter.emit(new MappingStartEvent(Optional.empty(), Optional.empty(), true, style(value)));
            for (Map.Entry<String, JsonNode> property : value.properties()) {
                text(property.getKey());
                emit(property.getValue());
            }
            emitter.emit(new MappingEndEvent());
        } else if (value.isArray()) {
            emitter.emit(new SequenceStartEvent(Optional.empty(), Optional.empty(), true, style(value)));
            value.forEach(this::emit);
            emitter.emit(new SequenceEndEvent());
        } else if (value.isString()) {
            text(value.asString());
        } else {
            scalar(value.isNull() ? "null" : value.asString(), ScalarStyle.PLAIN);
        }
    }

    private static FlowStyle style(JsonNode value) {
        return value.isEmpty() ? FlowStyle.FLOW : FlowStyle.BLOCK;
    }

    private void text(String value) {
        boolean otherwiseRead = WORDS.contains(value) || NUMBER.matcher(value).matches() || BASE_60.matcher(value).matches()
                || TIME.matcher(value).matches();
        scalar(value, value.contains("\n") ? ScalarStyle.LITERAL : otherwiseRead ? ScalarStyle.DOUBLE_QUOTED : ScalarStyle.PLAIN);
    }

    private void scalar(String value, ScalarStyle style) {
        emitter.emit(new ScalarEvent(Optional.empty(), Optional.empty(), new ImplicitTuple(true, true), value, style));
    }
}
