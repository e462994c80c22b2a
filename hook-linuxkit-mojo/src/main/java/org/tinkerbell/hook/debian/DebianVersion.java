package org.tinkerbell.hook.debian;

import java.util.Objects;
import java.util.regex.Pattern;

/**
 * A package version {@code [epoch:]upstream[-revision]} with the order of
 * <a href="https://www.debian.org/doc/debian-policy/ch-controlfields.html#version">Debian policy, section 5.6.12</a>.
 *
 * <p>Versions that compare as equal are equal, however they are written ({@code 1.0} and {@code 0:1.0-0}).
 */
public final class DebianVersion implements Comparable<DebianVersion> {
    private static final Pattern SYNTAX = Pattern.compile("(?:\\d+:)?[0-9A-Za-z.+~:-]+");

    private final String text;
    private final int epoch;
    private final String upstream;
    private final String revision;

    private DebianVersion(String text) {
        this.text = text;
        int colon = text.indexOf(':');
        int dash = text.lastIndexOf('-');
        this.epoch = colon < 0 ? 0 : Integer.parseInt(text.substring(0, colon));
        this.upstream = text.substring(colon + 1, dash > colon ? dash : text.length());
        this.revision = dash > colon ? text.substring(dash + 1) : "";
    }

    /**
     * The version that a text writes.
     *
     * @throws IllegalArgumentException if it cannot be one
     */
    public static DebianVersion of(String text) {
        if (!SYNTAX.matcher(text).matches()) {
            throw new IllegalArgumentException("not a Debian version: '" + text + "'");
        }
        try {
            return new DebianVersion(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("not a Debian version, its epoch is no small number: '" + text + "'", e);
        }
    }

    @Override
    public int compareTo(DebianVersion other) {
        int result = Integer.compare(epoch, other.epoch);
        if (result == 0) {
            result = compare(upstream, other.upstream);
        }
        return result == 0 ? compare(revision, other.revision) : result;
    }

    /** Runs of non-digits and of digits by turns, as policy says. */
    private static int compare(String a, String b) {
        int i = 0;
        int j = 0;
        while (i < a.length() || j < b.length()) {
            while (i < a.length() && !isDigit(a.charAt(i)) || j < b.length() && !isDigit(b.charAt(j))) {
                int result = Integer.compare(weight(a, i), weight(b, j));
                if (result != 0) {
                    return result;
                }
                i++;
                j++;
            }
            i = skipZeros(a, i);
            j = skipZeros(b, j);
            int firstDifference = 0;
            while (i < a.length() && isDigit(a.charAt(i)) && j < b.length() && isDigit(b.charAt(j))) {
                if (firstDifference == 0) {
                    firstDifference = Character.compare(a.charAt(i), b.charAt(j));
                }
                i++;
                j++;
            }
            if (i < a.length() && isDigit(a.charAt(i))) {
                return 1;
            }
            if (j < b.length() && isDigit(b.charAt(j))) {
                return -1;
            }
            if (firstDifference != 0) {
                return firstDifference;
            }
        }
        return 0;
    }

    private static int skipZeros(String text, int from) {
        int at = from;
        while (at < text.length() && text.charAt(at) == '0') {
            at++;
        }
        return at;
    }

    /** Tilde before the end, the end (or a digit) before letters, letters before all else. */
    private static int weight(String text, int at) {
        if (at >= text.length() || isDigit(text.charAt(at))) {
            return 0;
        }
        char c = text.charAt(at);
        if (c == '~') {
            return -1;
        }
        boolean letter = c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z';
        return letter ? c : c + 256;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof DebianVersion version && compareTo(version) == 0;
    }

    /** The same for versions that are equal: digits without leading zeros, and without the parts that count as empty. */
    @Override
    public int hashCode() {
        return Objects.hash(epoch, normal(upstream), normal(revision));
    }

    private static String normal(String part) {
        String trimmed = part.replaceAll("(?<!\\d)0+(?=\\d)", "");
        return trimmed.replaceAll("(?<!\\d)0(?!\\d)", "");
    }

    /** As it was written. */
    @Override
    public String toString() {
        return text;
    }
}
