package org.tinkerbell.hook.agent;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The kernel's command line, split by the kernel's own rules ({@code next_arg} in {@code lib/cmdline.c}): white space separates,
 * unless it stands between double quotes; quotes around a whole parameter or around a value are dropped, others stay. There is no escape.
 */
public final class CommandLine {
    private final Map<String, String> values;

    private CommandLine(Map<String, String> values) {
        this.values = values;
    }

    /**
     * Reads {@code /proc/cmdline}, or a file that stands for it.
     *
     * @param file the file, UTF-8
     * @return its parameters
     * @throws IOException if it cannot be read
     */
    public static CommandLine read(Path file) throws IOException {
        return parse(new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
    }

    /**
     * Splits a command line.
     *
     * @param line the whole line, a line break at its end does not matter
     * @return its parameters; of one that is there twice the last counts, as in the kernel
     */
    public static CommandLine parse(String line) {
        Map<String, String> values = new LinkedHashMap<>();
        int at = 0;
        while (at < line.length()) {
            if (space(line.charAt(at))) {
                at++;
                continue;
            }
            int end = at;
            boolean quoted = false;
            while (end < line.length() && (quoted || !space(line.charAt(end)))) {
                quoted ^= line.charAt(end) == '"';
                end++;
            }
            put(values, line.substring(at, end));
            at = end;
        }
        return new CommandLine(values);
    }

    private static void put(Map<String, String> values, String parameter) {
        String text = parameter;
        if (text.startsWith("\"")) {
            text = text.substring(1, text.length() > 1 && text.endsWith("\"") ? text.length() - 1 : text.length());
        }
        int equals = text.indexOf('=');
        if (equals < 0) {
            values.put(text, "");
            return;
        }
        String value = text.substring(equals + 1);
        if (value.startsWith("\"")) {
            value = value.substring(1, value.length() > 1 && value.endsWith("\"") ? value.length() - 1 : value.length());
        }
        values.put(text.substring(0, equals), value);
    }

    private static boolean space(char c) {
        return c == ' ' || c >= '\t' && c <= '\r' || c == 0;
    }

    /**
     * Looks a parameter up.
     *
     * @param name its exact name
     * @return its value, empty if the parameter is not there or has none
     */
    public String get(String name) {
        return values.getOrDefault(name, "");
    }

    /**
     * Tells whether a parameter is there at all.
     *
     * @param name its exact name
     * @return whether it is, with or without a value
     */
    public boolean has(String name) {
        return values.containsKey(name);
    }
}
