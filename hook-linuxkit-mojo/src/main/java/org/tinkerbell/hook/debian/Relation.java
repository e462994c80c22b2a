package org.tinkerbell.hook.debian;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * One item of a relationship field: alternatives of which one has to be met. Source:
 * <a href="https://www.debian.org/doc/debian-policy/ch-relationships.html">Debian policy, chapter 7</a>.
 *
 * @param alternatives at least one, the preferred first
 */
public record Relation(List<Alternative> alternatives) {
    private static final Pattern ALTERNATIVE = Pattern.compile(
            "(?<name>[a-zA-Z0-9][a-zA-Z0-9+.-]*)(?::(?<qualifier>[a-z0-9-]+))?"
                    + "\\s*(?:\\(\\s*(?<operator><<|<=|=|>=|>>|<|>)\\s*(?<version>[^\\s)]+)\\s*\\))?"
                    + "\\s*(?:\\[(?<architectures>[^\\]]*)\\])?\\s*(?:<[^>]*>\\s*)*");

    /** How versions are compared. */
    public enum Operator {
        EARLIER("<<"),
        EARLIER_OR_EQUAL("<="),
        EQUAL("="),
        LATER_OR_EQUAL(">="),
        LATER(">>");

        private final String symbol;

        Operator(String symbol) {
            this.symbol = symbol;
        }

        static Operator of(String symbol) {
            return switch (symbol) {
                case "<<" -> EARLIER;
                // The old signs mean "or equal", whatever they look like (policy 7.1).
                case "<=", "<" -> EARLIER_OR_EQUAL;
                case "=" -> EQUAL;
                case ">=", ">" -> LATER_OR_EQUAL;
                case ">>" -> LATER;
                default -> throw new IllegalArgumentException(symbol);
            };
        }

        boolean accepts(int comparison) {
            return switch (this) {
                case EARLIER -> comparison < 0;
                case EARLIER_OR_EQUAL -> comparison <= 0;
                case EQUAL -> comparison == 0;
                case LATER_OR_EQUAL -> comparison >= 0;
                case LATER -> comparison > 0;
            };
        }
    }

    /**
     * A package name with what is asked of it.
     *
     * @param qualifier {@code any}, {@code native}, the name of an architecture, or empty
     * @param operator how its version compares with the one given; null where any version will do
     * @param version the version given, or null
     * @param architectures architectures that the item is for, or with {@code !} is not for; empty for all
     */
    public record Alternative(String name, String qualifier, Operator operator, DebianVersion version, List<String> architectures) {
        /** Whether a version is what is asked for. */
        public boolean accepts(DebianVersion candidate) {
            return operator == null || operator.accepts(candidate.compareTo(version));
        }

        /** Whether the item counts on an architecture ({@code [amd64 !i386]}). */
        public boolean isFor(String architecture) {
            if (architectures.isEmpty()) {
                return true;
            }
            boolean negative = architectures.get(0).startsWith("!");
            boolean named = architectures.stream()
                    .map(a -> a.startsWith("!") ? a.substring(1) : a)
                    .anyMatch(a -> a.equals(architecture) || a.equals("any") || a.equals("linux-any")
                            || a.equals("any-" + architecture));
            return named != negative;
        }

        /** Whether the qualifier lets a package of this architecture do; {@code :any} and {@code :native} mean the same here. */
        boolean qualifies(String architecture) {
            return qualifier.isEmpty() || qualifier.equals("any") || qualifier.equals("native") || qualifier.equals(architecture);
        }

        @Override
        public String toString() {
            return name + (qualifier.isEmpty() ? "" : ":" + qualifier)
                    + (operator == null ? "" : " (" + operator.symbol + " " + version + ")");
        }
    }

    public Relation {
        alternatives = List.copyOf(alternatives);
    }

    /**
     * The items of a field such as {@code Depends}.
     *
     * @param field its value; null and blank give no items
     * @throws IllegalArgumentException if it is not well-formed
     */
    public static List<Relation> parse(String field) {
        if (field == null || field.isBlank()) {
            return List.of();
        }
        List<Relation> relations = new ArrayList<>();
        for (String item : field.split(",")) {
            if (item.isBlank()) {
                continue;
            }
            List<Alternative> alternatives = new ArrayList<>();
            for (String alternative : item.split("\\|")) {
                alternatives.add(alternative(alternative.trim()));
            }
            relations.add(new Relation(alternatives));
        }
        return relations;
    }

    private static Alternative alternative(String text) {
        Matcher matcher = ALTERNATIVE.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not a package relation: '" + text + "'");
        }
        String operator = matcher.group("operator");
        String architectures = matcher.group("architectures");
        return new Alternative(
                matcher.group("name").toLowerCase(Locale.ROOT),
                matcher.group("qualifier") == null ? "" : matcher.group("qualifier"),
                operator == null ? null : Operator.of(operator),
                operator == null ? null : DebianVersion.of(matcher.group("version")),
                architectures == null || architectures.isBlank() ? List.of() : List.of(architectures.trim().split("\\s+")));
    }

    @Override
    public String toString() {
        return alternatives.stream().map(Alternative::toString).collect(Collectors.joining(" | "));
    }
}
