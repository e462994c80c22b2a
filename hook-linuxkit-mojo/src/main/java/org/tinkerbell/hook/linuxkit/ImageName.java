package org.tinkerbell.hook.linuxkit;

import java.util.regex.Pattern;
import org.tinkerbell.hook.io.HookException;

/**
 * The full name of an image, as LinuxKit writes it (util.ReferenceExpand): {@code redis} is {@code docker.io/library/redis},
 * {@code a/b} is {@code docker.io/a/b}. No tag is added.
 *
 * @param text registry, repository and, where they were given, tag and digest
 */
record ImageName(String text) {
    /** Of github.com/distribution/reference, with the tag and the digest that may be left out. */
    private static final Pattern FORM = Pattern.compile(
            "[A-Za-z0-9.-]+(?::\\d+)?(?:/[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*)+(?::\\w[\\w.-]{0,127})?(?:@[a-z0-9]+:[0-9a-f]{32,})?");

    /** The full name of what a YAML calls an image. */
    static ImageName of(String written) {
        String[] parts = written.split("/", -1);
        String full = written;
        if (parts.length == 1) {
            full = "docker.io/library/" + written;
        } else if (parts.length == 2 && !parts[0].contains(".") && !parts[0].contains(":") && !parts[0].equals("localhost")) {
            full = "docker.io/" + written;
        }
        if (!FORM.matcher(full).matches()) {
            String hint = written.startsWith("@pkg:") ? " (build the LinuxKit package first and write its tag)"
                    : written.contains("${") ? " (no such variable is known to the template)" : "";
            throw new HookException("'" + written + "' is not the name of an image" + hint);
        }
        return new ImageName(full);
    }

    @Override
    public String toString() {
        return text;
    }
}
