package org.tinkerbell.hook.linuxkit;

import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.oci.ImageReference;

/**
 * The full name of an image, as LinuxKit writes it (util.ReferenceExpand): {@code redis} is {@code docker.io/library/redis},
 * {@code a/b} is {@code docker.io/a/b}. No tag is added.
 *
 * @param text registry, repository and, where they were given, tag and digest
 */
record ImageName(String text) {
    /** The full name of what a YAML calls an image. */
    static ImageName of(String written) {
        String[] parts = written.split("/", -1);
        String full = written;
        if (parts.length == 1) {
            full = "docker.io/library/" + written;
        } else if (parts.length == 2 && !parts[0].contains(".") && !parts[0].contains(":") && !parts[0].equals("localhost")) {
            full = "docker.io/" + written;
        }
        try {
            ImageReference.parse(full);
        } catch (HookException e) {
            String hint = written.startsWith("@pkg:") ? ". LinuxKit packages are built with 'linuxkit pkg build'; write the tag that it shows"
                    : written.contains("${") ? ". The template knows no such variable" : "";
            throw new HookException(e.getMessage().replace(full, written) + hint, e);
        }
        return new ImageName(full);
    }

    @Override
    public String toString() {
        return text;
    }
}
