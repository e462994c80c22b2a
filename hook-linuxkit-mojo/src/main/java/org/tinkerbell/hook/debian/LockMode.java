package org.tinkerbell.hook.debian;

import java.util.Arrays;
import java.util.Locale;
import org.tinkerbell.hook.io.HookException;

/** What is done when a package lock does not lead to the files any more. */
public enum LockMode {
    /** What cannot be had as it is locked is resolved anew, with a warning; for everyday builds. */
    LENIENT,
    /** The build stops and says how to renew the lock; for releases. */
    STRICT;

    /** The mode that a person names: {@code lenient} (or nothing) or {@code strict}. */
    public static LockMode of(String text) {
        if (text == null || text.isBlank()) {
            return LENIENT;
        }
        return Arrays.stream(values())
                .filter(mode -> mode.name().toLowerCase(Locale.ROOT).equals(text.trim().toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new HookException("hook.lock is '" + text + "': it is lenient (the default) or strict"));
    }
}
