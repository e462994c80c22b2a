package org.tinkerbell.hook.io;

/**
 * A failure that a person can act on. The message names what was wrong, in which file and line or which package, and
 * what to do about it; it is shown as it stands, without a stack trace.
 */
public class HookException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** A failure with a complete message. */
    public HookException(String message) {
        super(message);
    }

    /** A failure with a complete message, and the cause for whoever asks Maven for it with {@code -e}. */
    public HookException(String message, Throwable cause) {
        super(message, cause);
    }
}
