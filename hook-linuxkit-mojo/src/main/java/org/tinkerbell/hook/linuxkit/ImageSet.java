package org.tinkerbell.hook.linuxkit;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.tinkerbell.hook.io.HookException;

/** Where the images come from that Hook and the LinuxKit project both have. */
public enum ImageSet {
    /** Hook's own, made of Debian's packages. */
    DEBIAN,
    /** The LinuxKit project's: {@link LinuxKitImages}. */
    LINUXKIT;

    /**
     * The set of a name.
     *
     * @throws HookException if there is none: with the names that there are
     */
    public static ImageSet of(String name) {
        return Arrays.stream(values())
                .filter(set -> set.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new HookException("hook.images is '" + name + "'; allowed: "
                        + Arrays.stream(values()).map(ImageSet::toString).collect(Collectors.joining(", "))));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
