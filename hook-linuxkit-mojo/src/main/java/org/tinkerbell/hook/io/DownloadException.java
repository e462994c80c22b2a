package org.tinkerbell.hook.io;

/** A file could not be fetched from any of its addresses. */
public final class DownloadException extends HookException {
    private static final long serialVersionUID = 1L;

    private final boolean missing;

    /**
     * @param missing whether at least one server said that it has no such file, and none had a wrong one
     */
    public DownloadException(String message, boolean missing, Throwable cause) {
        super(message, cause);
        this.missing = missing;
    }

    /** Whether the file is gone from the servers, in contrast to servers that cannot be reached or are broken. */
    public boolean missing() {
        return missing;
    }
}
