package org.tinkerbell.hook.kernel;

import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The version of a release of the kernel, always of three numbers: {@code 6.12.58}, and {@code 6.12.0} for what kernel.org calls 6.12.
 *
 * @param major the first number
 * @param minor the second
 * @param point the point release; 0 is the first release of a series
 */
record KernelVersion(int major, int minor, int point) implements Comparable<KernelVersion> {
    private static final Pattern FORM = Pattern.compile("(\\d{1,9})\\.(\\d{1,9})(?:\\.(\\d{1,9}))?");
    private static final Comparator<KernelVersion> ORDER = Comparator.comparingInt(KernelVersion::major)
            .thenComparingInt(KernelVersion::minor).thenComparingInt(KernelVersion::point);

    /** The version that a text writes; nothing for release candidates and whatever else is none. */
    static Optional<KernelVersion> of(String text) {
        Matcher matcher = FORM.matcher(text);
        return matcher.matches()
                ? Optional.of(new KernelVersion(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)),
                        matcher.group(3) == null ? 0 : Integer.parseInt(matcher.group(3))))
                : Optional.empty();
    }

    /** {@code 6.12} of {@code 6.12.58}. */
    String series() {
        return major + "." + minor;
    }

    /** As names of files have it: {@code 6.12} for {@code 6.12.0}. */
    String fileForm() {
        return point == 0 ? series() : toString();
    }

    @Override
    public int compareTo(KernelVersion other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return series() + "." + point;
    }
}
