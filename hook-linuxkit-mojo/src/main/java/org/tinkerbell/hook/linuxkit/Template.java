package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.tinkerbell.hook.io.HookException;

/**
 * A LinuxKit YAML with variables. Each <code>${NAME}</code> of a closed list of names is replaced; whatever else has a {@code $} stays as
 * it is, so shell and passwords need no escaping.
 *
 * <p>A line whose first word is {@value #DEBUG_MARK} belongs to debug builds: there the mark and the blank after it are
 * taken away, elsewhere it is the comment that it looks like. {@value #UPSTREAM_MARK}, the mark of upstream Hook's template, does the same, but the
 * blanks after it stay. In comments a variable without a value is no error.
 *
 * <p>The result has the template's lines one for one, so that a complaint about the result's line 7 is one about the template's.
 */
public final class Template {
    /** What a line of debug builds begins with, after any blanks. */
    public static final String DEBUG_MARK = "#DEBUG#";
    /** The mark of upstream's template. */
    public static final String UPSTREAM_MARK = "#SSH_SERVER";

    private static final Pattern VARIABLE = Pattern.compile("\\$\\{([A-Za-z_][A-Za-z0-9_]*)}");
    private static final Pattern DEBUG_LINE = Pattern.compile("^([ \\t]*)(?:" + DEBUG_MARK + " ?|" + UPSTREAM_MARK + "\\b)", Pattern.MULTILINE);

    private final String name;
    private final String text;

    private Template(String name, String text) {
        this.name = name;
        this.text = text;
    }

    /** A template in a file. */
    public static Template read(Path file) throws IOException {
        try {
            return of(file.toString(), Files.readString(file, StandardCharsets.UTF_8));
        } catch (NoSuchFileException e) {
            throw new HookException("There is no template " + file + ".", e);
        }
    }

    /**
     * A template in memory.
     *
     * @param name what messages call it
     */
    public static Template of(String name, String text) {
        return new Template(name, text);
    }

    /**
     * Puts the values in.
     *
     * @param variables the names that are variables
     * @param values their values, each a single line; a name that is no variable is ignored
     * @param debug whether the lines of debug builds count
     * @throws HookException if a variable that is used has no value or one of several lines, with file, line and name of each
     */
    public String render(Set<String> variables, Map<String, String> values, boolean debug) {
        StringBuilder problems = new StringBuilder();
        StringBuilder result = new StringBuilder();
        String source = debug ? DEBUG_LINE.matcher(text).replaceAll("$1") : text;
        int number = 0;
        for (String line : source.split("(?<=\n)")) {
            number++;
            boolean comment = line.stripLeading().startsWith("#");
            Matcher matcher = VARIABLE.matcher(line);
            int end = 0;
            while (matcher.find()) {
                String variable = matcher.group(1);
                String value = variables.contains(variable) ? values.get(variable) : null;
                result.append(line, end, matcher.start());
                end = matcher.end();
                if (value != null && value.indexOf('\n') < 0 && value.indexOf('\r') < 0) {
                    result.append(value);
                    continue;
                }
                result.append(matcher.group());
                if (variables.contains(variable) && !comment) {
                    problems.append(problems.length() == 0 ? "" : System.lineSeparator()).append(name).append(':').append(number)
                            .append(": the variable ").append(variable)
                            .append(value == null ? " has no value" : " has a value of several lines, which would break the YAML");
                }
            }
            result.append(line, end, line.length());
        }
        if (problems.length() > 0) {
            throw new HookException(problems.toString());
        }
        return result.toString();
    }

    /** The variables of a list that the template uses outside of comments, debug builds included. */
    public Set<String> used(Set<String> variables) {
        return DEBUG_LINE.matcher(text).replaceAll("$1").lines()
                .filter(line -> !line.stripLeading().startsWith("#"))
                .flatMap(line -> VARIABLE.matcher(line).results())
                .map(result -> result.group(1))
                .filter(variables::contains)
                .collect(Collectors.toUnmodifiableSet());
    }
}
