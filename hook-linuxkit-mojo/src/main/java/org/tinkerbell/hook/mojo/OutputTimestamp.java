package org.tinkerbell.hook.mojo;

import java.time.Instant;
import java.time.format.DateTimeParseException;
import org.tinkerbell.hook.io.HookException;

/** The property {@code project.build.outputTimestamp}, by which Maven's plugins stamp what they pack. */
final class OutputTimestamp {
    private OutputTimestamp() {}

    /**
     * Seconds since 1970; 0 where nothing is said.
     *
     * @param text as ISO 8601 or in seconds since 1970
     */
    static long seconds(String text) {
        if (text == null || text.isBlank()) {
            return 0;
        }
        if (text.matches("\\d+")) {
            return Long.parseLong(text);
        }
        try {
            return Instant.parse(text).getEpochSecond();
        } catch (DateTimeParseException e) {
            throw new HookException("project.build.outputTimestamp is '" + text + "'; allowed: a time such as 2026-11-22T00:00:00Z, or seconds "
                    + "since 1970", e);
        }
    }
}
