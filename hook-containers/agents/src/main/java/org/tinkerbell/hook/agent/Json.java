package org.tinkerbell.hook.agent;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A strict reader and writer of JSON (RFC 8259), as plain objects: {@link Map} (in the order of the text), {@link List},
 * {@link String}, {@link Boolean}, {@link Num}, {@code null}.
 *
 * <p>Own code instead of a library, for the memory of the booted system: Jackson's streaming core is 600 KB of classes with tables and
 * recycler pools, more than the three programs together, for documents of a few kilobytes. Numbers keep their text, since
 * {@code config.json} goes through here unchanged but for a few members and has 64-bit unsigned values.
 */
public final class Json {
    /** Nesting that is refused: far above any container configuration, far below the stack of a thread with 256 KB. */
    private static final int DEPTH = 64;

    /**
     * A number as it was written.
     *
     * @param text JSON's own notation
     */
    public record Num(String text) {
        /** @return the value, if it is a whole number that fits */
        public long toLong() {
            return Long.parseLong(text);
        }
    }

    /** The text is no JSON; the message names the offset in characters. */
    public static final class Malformed extends RuntimeException {
        Malformed(String message) {
            super(message);
        }
    }

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /**
     * Reads one document.
     *
     * @param text the whole document; white space around the value is allowed, anything else is not
     * @return the value
     * @throws Malformed if it is no JSON, has a member twice, or nests deeper than 64
     */
    public static Object read(String text) {
        Json json = new Json(text);
        Object value = json.value(0);
        json.blank();
        if (json.at != text.length()) {
            throw json.malformed("something follows the value");
        }
        return value;
    }

    /**
     * Reads a document that must be an object.
     *
     * @param text the document
     * @return its members
     * @throws Malformed also if it is something else
     */
    public static Map<String, Object> readObject(String text) {
        return object(read(text), "the document");
    }

    /**
     * Takes a value as an object.
     *
     * @param value a value of a document, {@code null} counts as an empty object
     * @param what what to call it in the error
     * @return its members, writable
     * @throws Malformed if it is something else
     */
    @SuppressWarnings("unchecked")
    public static Map<String, Object> object(Object value, String what) {
        if (value == null) {
            return new LinkedHashMap<>();
        }
        if (value instanceof Map) {
            return (Map<String, Object>) value;
        }
        throw new Malformed(what + " is not an object");
    }

    /**
     * Takes a value as an array.
     *
     * @param value a value of a document, {@code null} counts as an empty array
     * @param what what to call it in the error
     * @return its elements, writable
     * @throws Malformed if it is something else
     */
    @SuppressWarnings("unchecked")
    public static List<Object> array(Object value, String what) {
        if (value == null) {
            return new ArrayList<>();
        }
        if (value instanceof List) {
            return (List<Object>) value;
        }
        throw new Malformed(what + " is not an array");
    }

    /**
     * Takes a value as a string.
     *
     * @param value a value of a document, {@code null} counts as the empty string
     * @param what what to call it in the error
     * @return the string
     * @throws Malformed if it is something else
     */
    public static String string(Object value, String what) {
        if (value == null) {
            return "";
        }
        if (value instanceof String) {
            return (String) value;
        }
        throw new Malformed(what + " is not a string");
    }

    /**
     * Takes a value as an array of strings.
     *
     * @param value a value of a document, {@code null} counts as an empty array
     * @param what what to call it in the error
     * @return the strings
     * @throws Malformed if it is something else
     */
    public static List<String> strings(Object value, String what) {
        List<String> strings = new ArrayList<>();
        for (Object element : array(value, what)) {
            if (!(element instanceof String)) {
                throw new Malformed(what + " has an element that is not a string");
            }
            strings.add((String) element);
        }
        return strings;
    }

    /**
     * Writes a document, without any white space, members in the order of their map.
     *
     * @param value what {@link #read} returns, and {@link Integer} and {@link Long}
     * @return the text; every character outside of printable ASCII is escaped, so that it is the same in every encoding
     */
    public static String write(Object value) {
        StringBuilder out = new StringBuilder(256);
        write(value, out);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out) {
        if (value instanceof Map<?, ?> map) {
            out.append('{');
            Iterator<? extends Map.Entry<?, ?>> members = map.entrySet().iterator();
            while (members.hasNext()) {
                Map.Entry<?, ?> member = members.next();
                quote((String) member.getKey(), out);
                out.append(':');
                write(member.getValue(), out);
                if (members.hasNext()) {
                    out.append(',');
                }
            }
            out.append('}');
        } else if (value instanceof Iterable<?> list) {
            out.append('[');
            Iterator<?> elements = list.iterator();
            while (elements.hasNext()) {
                write(elements.next(), out);
                if (elements.hasNext()) {
                    out.append(',');
                }
            }
            out.append(']');
        } else if (value instanceof Num number) {
            out.append(number.text());
        } else if (value == null || value instanceof Boolean || value instanceof Integer || value instanceof Long) {
            out.append(value);
        } else if (value instanceof String string) {
            quote(string, out);
        } else {
            throw new IllegalArgumentException("no JSON value: " + value.getClass());
        }
    }

    private static void quote(String string, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < string.length(); i++) {
            char c = string.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c >= ' ' && c < 0x7f) {
                out.append(c);
            } else {
                out.append("\\u");
                for (int shift = 12; shift >= 0; shift -= 4) {
                    out.append(Character.forDigit(c >> shift & 15, 16));
                }
            }
        }
        out.append('"');
    }

    private Object value(int depth) {
        if (depth > DEPTH) {
            throw malformed("nested too deeply");
        }
        blank();
        char c = peek();
        switch (c) {
            case '{':
                return members(depth);
            case '[':
                return elements(depth);
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> members(int depth) {
        Map<String, Object> members = new LinkedHashMap<>();
        at++;
        blank();
        if (peek() == '}') {
            at++;
            return members;
        }
        while (true) {
            blank();
            if (peek() != '"') {
                throw malformed("a member's name is expected");
            }
            String name = string();
            blank();
            expect(':');
            Object value = value(depth + 1);
            // Two readers that take different ones of the two is how a check is got round.
            if (members.containsKey(name)) {
                throw malformed("the member \"" + name + "\" is there twice");
            }
            members.put(name, value);
            blank();
            if (peek() == ',') {
                at++;
            } else {
                expect('}');
                return members;
            }
        }
    }

    private List<Object> elements(int depth) {
        List<Object> elements = new ArrayList<>();
        at++;
        blank();
        if (peek() == ']') {
            at++;
            return elements;
        }
        while (true) {
            elements.add(value(depth + 1));
            blank();
            if (peek() == ',') {
                at++;
            } else {
                expect(']');
                return elements;
            }
        }
    }

    private String string() {
        at++;
        int start = at;
        StringBuilder unescaped = null;
        while (true) {
            char c = peek();
            if (c == '"') {
                String rest = text.substring(start, at++);
                return unescaped == null ? rest : unescaped.append(rest).toString();
            }
            if (c < ' ') {
                throw malformed("a control character in a string");
            }
            at++;
            if (c == '\\') {
                if (unescaped == null) {
                    unescaped = new StringBuilder();
                }
                unescaped.append(text, start, at - 1).append(escaped());
                start = at;
            }
        }
    }

    private char escaped() {
        char c = peek();
        at++;
        switch (c) {
            case '"':
            case '\\':
            case '/':
                return c;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                int code = 0;
                for (int i = 0; i < 4; i++, at++) {
                    char hex = peek();
                    int digit = hex < 128 ? Character.digit(hex, 16) : -1;
                    if (digit < 0) {
                        throw malformed("four hexadecimal digits are expected");
                    }
                    code = code << 4 | digit;
                }
                return (char) code;
            default:
                at--;
                throw malformed("an unknown escape");
        }
    }

    private Num number() {
        int start = at;
        if (has('-')) {
            at++;
        }
        if (has('0')) {
            at++;
        } else {
            digits();
        }
        if (has('.')) {
            at++;
            digits();
        }
        if (has('e') || has('E')) {
            at++;
            if (has('+') || has('-')) {
                at++;
            }
            digits();
        }
        return new Num(text.substring(start, at));
    }

    private void digits() {
        int start = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        if (at == start) {
            throw malformed("a value is expected");
        }
    }

    private boolean has(char c) {
        return at < text.length() && text.charAt(at) == c;
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw malformed("a value is expected");
        }
        at += word.length();
        return value;
    }

    private void expect(char c) {
        if (peek() != c) {
            throw malformed("'" + c + "' is expected");
        }
        at++;
    }

    private char peek() {
        if (at >= text.length()) {
            throw malformed("the text ends too early");
        }
        return text.charAt(at);
    }

    private void blank() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
                return;
            }
            at++;
        }
    }

    private Malformed malformed(String what) {
        return new Malformed("no JSON: " + what + ", at character " + at);
    }
}
