package org.tinkerbell.hook.kernel;

import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A tag of one of Armbian's kernel artifacts: {@code 6.12.9-S1234-D5678-P9abc-…} or {@code 6.13.0-rc5-S1234-…}. Before {@code -S}
 * stands the version of the source; what follows are abbreviated digests of source, drivers, patches, configuration and scripts,
 * which have no order (Armbian's build, {@code lib/functions/artifacts/artifact-kernel.sh}).
 *
 * @param text the tag
 * @param number the version's parts
 * @param candidate which release candidate it is; {@link #RELEASE} for a release
 */
record ArmbianTag(String text, List<Integer> number, int candidate) {
    /** Comes after every candidate. */
    static final int RELEASE = Integer.MAX_VALUE;

    private static final Pattern TAG =
            Pattern.compile("(\\d{1,5}\\.\\d{1,5}(?:\\.\\d{1,5}){0,2})(?:-rc(\\d{1,4}))?-S[0-9A-Za-z]+(?:[-.][\\w.-]*)?");

    /** Orders by version alone; several tags of one version are equal here. */
    static final Comparator<ArmbianTag> BY_VERSION =
            Comparator.comparing(ArmbianTag::number, ArmbianTag::compareNumbers).thenComparing(ArmbianTag::candidate);

    ArmbianTag {
        number = List.copyOf(number);
    }

    /** Reads a tag; nothing if it is one of another form, such as {@code latest}. */
    static Optional<ArmbianTag> parse(String text) {
        Matcher matcher = TAG.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        List<Integer> number = Arrays.stream(matcher.group(1).split("\\.")).map(Integer::valueOf).toList();
        return Optional.of(new ArmbianTag(text, number, matcher.group(2) == null ? RELEASE : Integer.parseInt(matcher.group(2))));
    }

    /**
     * Of these tags those with the highest version, sorted by their text; tags of another form do not count.
     *
     * @param version such as {@code 6.12.9} or {@code 6.13.0-rc5} if only that one is wanted
     * @return more than one where a version was built several times; empty if there is none
     */
    static List<ArmbianTag> newest(Collection<String> tags, Optional<String> version) {
        List<ArmbianTag> candidates = tags.stream().map(ArmbianTag::parse).flatMap(Optional::stream)
                .filter(tag -> version.isEmpty() || tag.version().equals(version.get())).toList();
        return candidates.stream().max(BY_VERSION)
                .map(highest -> candidates.stream().filter(tag -> BY_VERSION.compare(tag, highest) == 0)
                        .sorted(Comparator.comparing(ArmbianTag::text)).toList())
                .orElse(List.of());
    }

    /** The version, such as {@code 6.12.9} or {@code 6.13.0-rc5}. */
    String version() {
        return text.substring(0, text.indexOf("-S"));
    }

    private static int compareNumbers(List<Integer> a, List<Integer> b) {
        for (int i = 0; i < Math.max(a.size(), b.size()); i++) {
            int order = Integer.compare(i < a.size() ? a.get(i) : 0, i < b.size() ? b.get(i) : 0);
            if (order != 0) {
                return order;
            }
        }
        return 0;
    }
}
