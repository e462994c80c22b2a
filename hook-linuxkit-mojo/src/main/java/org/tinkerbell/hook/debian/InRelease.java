package org.tinkerbell.hook.debian;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.openpgp.ClearSigned;
import org.tinkerbell.hook.openpgp.Keyring;

/**
 * The signed index of a suite: which index files belong to it, by digest. Source:
 * <a href="https://wiki.debian.org/DebianRepository/Format">Debian repository format</a>.
 *
 * @param suite its name by role, such as {@code stable-security}
 * @param codename its name, such as {@code trixie-security}
 * @param date when it was made
 * @param architectures for which there are packages
 * @param packagesOfAll whether packages of architecture {@code all} have an index of their own only
 * @param byHash whether index files can be asked for by digest
 * @param files index files by their path below the suite's directory
 */
public record InRelease(
        String suite,
        String codename,
        Instant date,
        Set<String> architectures,
        boolean packagesOfAll,
        boolean byHash,
        Map<String, IndexFile> files) {
    private static final String ADVICE = "The mirror, a proxy on the way, or this machine's clock is wrong; try another mirror with "
            + "-Dhook.debian.mirror.";
    private static final Duration CLOCK_TOLERANCE = Duration.ofHours(1);

    /** An index file as the signed index names it; the size is in bytes. */
    public record IndexFile(long size, Digest digest) {}

    /**
     * Checks a clear-signed index and reads it.
     *
     * @param bytes the whole file
     * @param source name for messages, usually its address
     * @param clock what time it is
     * @param expected code name, or name by role, of the suite that was asked for
     * @throws HookException if it is not signed by a key of the ring, has expired, or is another suite's
     */
    public static InRelease verify(byte[] bytes, String source, Keyring keyring, Clock clock, String expected) {
        Instant now = clock.instant();
        String body = ClearSigned.text(bytes, source, "signed index (InRelease)", keyring, ADVICE, now);
        InRelease release = read(body.getBytes(StandardCharsets.ISO_8859_1), source, now);
        if (!release.codename().equals(expected) && !release.suite().equals(expected)) {
            throw new HookException(source + " is the index of " + release.codename() + " (" + release.suite() + "), not of " + expected);
        }
        return release;
    }

    private static InRelease read(byte[] body, String source, Instant now) {
        Deb822.Stanza stanza;
        try (Deb822 reader = new Deb822(new ByteArrayInputStream(body), source, Set.of())) {
            stanza = reader.next();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (stanza == null) {
            throw new HookException(source + " is empty");
        }
        Instant date = time(stanza, "Date");
        if (date.isAfter(now.plus(CLOCK_TOLERANCE))) {
            throw new HookException(source + " was made on " + date + ", which is in the future by this machine's clock (" + now
                    + "): set the clock");
        }
        if (stanza.get("Valid-Until") != null && time(stanza, "Valid-Until").isBefore(now)) {
            throw new HookException(source + " has expired: it was valid until " + time(stanza, "Valid-Until") + ", and now is " + now
                    + ". The mirror is no longer kept up to date, or this machine's clock is wrong; try another mirror with "
                    + "-Dhook.debian.mirror (or -Dhook.debian.securityMirror).");
        }
        boolean all = List.of(stanza.find("Architectures").orElse("").split("\\s+")).contains("all");
        boolean unsupported = List.of(stanza.find("No-Support-for-Architecture-all").orElse("").split("\\s+")).contains("Packages");
        return new InRelease(
                stanza.find("Suite").orElse(""),
                stanza.find("Codename").orElse(""),
                date,
                Set.copyOf(List.of(stanza.require("Architectures").split("\\s+"))),
                all && !unsupported,
                stanza.find("Acquire-By-Hash").orElse("").equalsIgnoreCase("yes"),
                files(stanza));
    }

    private static Map<String, IndexFile> files(Deb822.Stanza stanza) {
        Map<String, IndexFile> files = new HashMap<>();
        for (String line : stanza.require("SHA256").split("\n")) {
            String[] parts = line.trim().split("\\s+");
            if (parts.length != 3) {
                continue;
            }
            try {
                files.put(parts[2], new IndexFile(Long.parseLong(parts[1]), Digest.parse(parts[0])));
            } catch (IllegalArgumentException e) {
                throw new HookException(stanza.place("SHA256") + ": not a line of digest, size and path: " + line.trim(), e);
            }
        }
        return Map.copyOf(files);
    }

    private static Instant time(Deb822.Stanza stanza, String field) {
        String value = stanza.require(field);
        try {
            return ZonedDateTime.parse(value.replaceFirst("(UTC|GMT|\\+0000|Z)$", "GMT"),
                    DateTimeFormatter.ofPattern("EEE, d MMM yyyy H:mm:ss z", Locale.ROOT)).toInstant();
        } catch (DateTimeException e) {
            throw new HookException(stanza.place(field) + ": not a time: " + value, e);
        }
    }
}
