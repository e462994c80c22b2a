package org.tinkerbell.hook.debian;

import java.time.Instant;
import java.util.Objects;
import org.tinkerbell.hook.io.Digest;

/**
 * One package as an archive had it: everything that is needed to get the very same file again.
 *
 * @param name binary package
 * @param version as Debian writes it, with epoch and revision
 * @param architecture Debian's name of the architecture, or {@code all}
 * @param archive directory of the archive on mirrors: {@code debian} or {@code debian-security}
 * @param suite code name of the suite that it was taken from, such as {@code trixie-security}
 * @param component {@code main}, {@code non-free-firmware}, …
 * @param size length of the file in bytes
 * @param sha256 digest of the file
 * @param filename path of the file below the archive's directory
 * @param archiveTime date of the signed index that named it; Debian's snapshot service has the archive by time
 */
public record LockedPackage(
        String name,
        String version,
        String architecture,
        String archive,
        String suite,
        String component,
        long size,
        Digest sha256,
        String filename,
        Instant archiveTime) {
    public LockedPackage {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(version, "version");
        Objects.requireNonNull(architecture, "architecture");
        Objects.requireNonNull(sha256, "sha256");
    }

    /** Name, version and architecture, for people: {@code bash 5.2-3 (amd64)}. */
    @Override
    public String toString() {
        return name + " " + version + " (" + architecture + ")";
    }
}
