package org.tinkerbell.hook.debian;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.tinkerbell.hook.io.HookException;

/**
 * Reads control data: stanzas of {@code Field: value} lines, continued by lines that begin with a blank, parted by empty
 * lines. Source: <a href="https://manpages.debian.org/deb822.5">deb822(5)</a>.
 *
 * <p>It reads a stream once and keeps no more than one stanza; fields that nobody asked for are passed over as bytes.
 */
public final class Deb822 implements Closeable {
    private static final int BUFFER = 1 << 16;
    private static final int NONE = -1;

    private final InputStream in;
    private final String source;
    private final byte[][] wanted;
    private final String[] wantedNames;

    private byte[] buffer = new byte[BUFFER];
    private int at;
    private int end;
    private boolean ended;
    private int line;

    /**
     * @param in UTF-8 text; closed with this
     * @param source name for messages, usually the file
     * @param wanted the fields to keep, or an empty set for all of them
     */
    public Deb822(InputStream in, String source, Set<String> wanted) {
        this.in = in;
        this.source = source;
        this.wantedNames = wanted.toArray(String[]::new);
        this.wanted = new byte[wantedNames.length][];
        for (int i = 0; i < wantedNames.length; i++) {
            this.wanted[i] = wantedNames[i].getBytes(StandardCharsets.US_ASCII);
        }
    }

    /** One stanza; it knows where it stood. */
    public static final class Stanza {
        private final String source;
        private final int line;
        // Of a reader that keeps chosen fields only: their names, shared by all stanzas, and the values in that order.
        private final String[] names;
        private final String[] values;
        // Of a reader that keeps everything: value and line by name.
        private final Map<String, String> fields;
        private final Map<String, Integer> lines;

        private Stanza(String source, int line, String[] names, String[] values, Map<String, String> fields, Map<String, Integer> lines) {
            this.source = source;
            this.line = line;
            this.names = names;
            this.values = values;
            this.fields = fields;
            this.lines = lines;
        }

        /** Number of its first line, from 1. */
        public int line() {
            return line;
        }

        /** The names of its fields in the order in which they stand there; only of a reader that keeps them all. */
        public Set<String> names() {
            return lines.keySet();
        }

        /**
         * A field's value, or null; continuation lines are parted by line feeds and have lost their first blank.
         *
         * @param name in the case that the reader was told or, if that keeps everything, in any
         */
        public String get(String name) {
            if (fields != null) {
                return fields.get(name);
            }
            for (int i = 0; i < names.length; i++) {
                if (names[i].equals(name)) {
                    return values[i];
                }
            }
            return null;
        }

        /** A field's value if it is there. */
        public Optional<String> find(String name) {
            return Optional.ofNullable(get(name));
        }

        /** A field's value; a person is told where it is missing. */
        public String require(String name) {
            String value = get(name);
            if (value == null || value.isEmpty()) {
                throw new HookException(source + ":" + line + ": the field " + name + " is missing");
            }
            return value;
        }

        /** {@code file:line} of a field, or of the stanza where only that is known, for messages. */
        public String place(String name) {
            return source + ":" + (lines == null ? line : lines.getOrDefault(name, line));
        }
    }

    /** The next stanza, or null after the last. */
    public Stanza next() throws IOException {
        boolean all = wanted.length == 0;
        Map<String, String> fields = all ? new TreeMap<>(String.CASE_INSENSITIVE_ORDER) : null;
        Map<String, Integer> lines = all ? new LinkedHashMap<>() : null;
        String[] values = new String[wanted.length];
        int first = 0;
        int current = NONE;
        String name = null;
        while (true) {
            int stop = lineEnd();
            if (stop < 0) {
                return first == 0 ? null : new Stanza(source, first, wantedNames, values, fields, lines);
            }
            int from = at;
            at = Math.min(stop + 1, end);
            line++;
            int to = stop;
            while (to > from && isBlank(buffer[to - 1])) {
                to--;
            }
            if (to == from) {
                if (first > 0) {
                    return new Stanza(source, first, wantedNames, values, fields, lines);
                }
                continue;
            }
            if (buffer[from] == '#') {
                continue;
            }
            if (isBlank(buffer[from])) {
                if (first == 0) {
                    throw new HookException(source + ":" + line + ": a continuation line without a field before it");
                }
                if (all) {
                    fields.merge(name, text(from + 1, to), (a, b) -> a + "\n" + b);
                } else if (current >= 0) {
                    values[current] += "\n" + text(from + 1, to);
                }
                continue;
            }
            int colon = from;
            while (colon < to && buffer[colon] != ':') {
                colon++;
            }
            if (colon == to || colon == from) {
                throw new HookException(source + ":" + line + ": not a 'Field: value' line: " + shortened(text(from, to)));
            }
            first = first == 0 ? line : first;
            current = all ? NONE : index(from, colon);
            if (!all && current == NONE) {
                continue;
            }
            int value = colon + 1;
            while (value < to && isBlank(buffer[value])) {
                value++;
            }
            String old;
            if (all) {
                name = text(from, colon);
                old = fields.put(name, text(value, to));
                lines.put(name, line);
            } else {
                name = wantedNames[current];
                old = values[current];
                values[current] = text(value, to);
            }
            if (old != null) {
                throw new HookException(source + ":" + line + ": the field " + name + " is there twice");
            }
        }
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t' || b == '\r';
    }

    /** Index of the line feed that ends the line at {@link #at}, or the end of the data; -1 where there is no line any more. */
    private int lineEnd() throws IOException {
        int scan = at;
        while (true) {
            while (scan < end) {
                if (buffer[scan] == '\n') {
                    return scan;
                }
                scan++;
            }
            if (ended) {
                return at < end ? end : -1;
            }
            int offset = scan - at;
            fill();
            scan = at + offset;
        }
    }

    private void fill() throws IOException {
        int kept = end - at;
        byte[] next = kept * 2 > buffer.length ? new byte[buffer.length * 2] : buffer;
        System.arraycopy(buffer, at, next, 0, kept);
        buffer = next;
        at = 0;
        int n = in.read(buffer, kept, buffer.length - kept);
        end = kept + Math.max(n, 0);
        ended = n < 0;
    }

    private int index(int from, int to) {
        for (int i = 0; i < wanted.length; i++) {
            if (wanted[i].length == to - from && matches(wanted[i], from)) {
                return i;
            }
        }
        return NONE;
    }

    private boolean matches(byte[] name, int from) {
        for (int i = 0; i < name.length; i++) {
            // Field names differ in no more than the case of ASCII letters.
            if (((name[i] ^ buffer[from + i]) & ~0x20) != 0) {
                return false;
            }
        }
        return true;
    }

    private String text(int from, int to) {
        return new String(buffer, from, to - from, StandardCharsets.UTF_8);
    }

    private static String shortened(String text) {
        return text.length() > 60 ? text.substring(0, 60) + "…" : text;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
