package org.tinkerbell.hook.tree;

import java.util.Objects;
import java.util.regex.Pattern;

/**
 * A pattern for paths of a file tree: {@code *} and {@code ?} stand for characters within a name, {@code **} also for
 * several names, <code>{a,b}</code> for either text, {@code [abc]}, {@code [a-c]} and {@code [!abc]} for one character. A
 * pattern that fits a directory fits everything below it. It means the same on every host, whatever that one's file names are
 * like, which {@link java.nio.file.PathMatcher} does not promise.
 */
public final class Glob {
    private final String text;
    private final Pattern pattern;

    private Glob(String text, Pattern pattern) {
        this.text = text;
        this.pattern = pattern;
    }

    /**
     * The pattern that a text writes.
     *
     * @param text the pattern, from the root of the tree; a leading slash makes no difference
     * @throws IllegalArgumentException if a bracket or brace is left open, or the pattern is empty
     */
    public static Glob of(String text) {
        String relative = text.startsWith("/") ? text.substring(1) : text;
        if (relative.isEmpty() || relative.endsWith("/")) {
            throw new IllegalArgumentException("'" + text + "' is no pattern: it ends where a name should stand");
        }
        StringBuilder regex = new StringBuilder();
        int braces = 0;
        for (int i = 0; i < relative.length(); i++) {
            char c = relative.charAt(i);
            switch (c) {
                case '*' -> {
                    if (relative.startsWith("**/", i)) {
                        regex.append("(?:.*/)?");
                        i += 2;
                    } else if (relative.startsWith("**", i)) {
                        regex.append(".*");
                        i++;
                    } else {
                        regex.append("[^/]*");
                    }
                }
                case '?' -> regex.append("[^/]");
                case '{' -> {
                    braces++;
                    regex.append("(?:");
                }
                case '}' -> {
                    if (--braces < 0) {
                        throw new IllegalArgumentException("'" + text + "' is no pattern: a } without its {");
                    }
                    regex.append(')');
                }
                case ',' -> regex.append(braces > 0 ? "|" : ",");
                case '[' -> {
                    int end = relative.indexOf(']', i + 2);
                    if (end < 0) {
                        throw new IllegalArgumentException("'" + text + "' is no pattern: a [ without its ]");
                    }
                    String set = relative.substring(i + 1, end).replace("\\", "\\\\").replace("[", "\\[").replace("&&", "&\\&");
                    regex.append("(?!/)[").append(set.startsWith("!") ? "^" + set.substring(1) : set).append(']');
                    i = end;
                }
                default -> regex.append(Pattern.quote(String.valueOf(c)));
            }
        }
        if (braces > 0) {
            throw new IllegalArgumentException("'" + text + "' is no pattern: a { without its }");
        }
        return new Glob(text, Pattern.compile("(?:" + regex + ")(?:/.*)?", Pattern.DOTALL));
    }

    /** Whether the pattern fits a path or a directory above it. */
    public boolean matches(String path) {
        return pattern.matcher(path).matches();
    }

    /** The pattern as it was written. */
    @Override
    public String toString() {
        return text;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Glob glob && glob.text.equals(text);
    }

    @Override
    public int hashCode() {
        return Objects.hash(text);
    }
}
