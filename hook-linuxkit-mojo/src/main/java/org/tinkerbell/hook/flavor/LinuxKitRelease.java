package org.tinkerbell.hook.flavor;

import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The release of the {@code linuxkit} command that a flavor is built with, if it is built with that at all.
 *
 * @param version such as {@code 1.8.2}; empty: the one that Hook is compared with
 * @param sha256 of the release's binaries, as hexadecimal digits, by operating system and architecture such as {@code linux-amd64}
 */
public record LinuxKitRelease(Optional<String> version, Map<String, String> sha256) {
    public LinuxKitRelease {
        sha256 = Collections.unmodifiableMap(new TreeMap<>(sha256));
    }
}
