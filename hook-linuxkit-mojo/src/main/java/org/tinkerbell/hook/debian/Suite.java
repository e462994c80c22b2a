package org.tinkerbell.hook.debian;

import java.util.List;

/**
 * A suite of an archive, as a line of APT's sources names it.
 *
 * @param archive the archive's directory on mirrors: {@code debian} or {@code debian-security}
 * @param codename such as {@code trixie-updates}
 * @param components parts of it that are used
 * @param onRequest whether its packages are taken only where {@code name/codename} asks for them, as with backports
 */
public record Suite(String archive, String codename, List<String> components, boolean onRequest) {
    /** The archive of releases, updates and backports. */
    public static final String MAIN_ARCHIVE = "debian";
    /** The archive of security updates. */
    public static final String SECURITY_ARCHIVE = "debian-security";

    public Suite {
        components = List.copyOf(components);
    }

    /** A release with its updates, security updates, and backports on request. */
    public static List<Suite> ofRelease(String codename) {
        // Firmware for network and storage cards is in non-free-firmware since Debian 12.
        List<String> components = List.of("main", "non-free-firmware");
        return List.of(
                new Suite(MAIN_ARCHIVE, codename, components, false),
                new Suite(MAIN_ARCHIVE, codename + "-updates", components, false),
                new Suite(SECURITY_ARCHIVE, codename + "-security", components, false),
                new Suite(MAIN_ARCHIVE, codename + "-backports", components, true));
    }
}
