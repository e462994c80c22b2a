package org.tinkerbell.hook.io;

/**
 * Where long work says what it does and how far it is. Implementations may be called from several threads at once; how
 * often and in what form a person sees it is theirs to decide.
 */
public interface Progress {
    /** Says nothing. */
    Progress SILENT = new Progress() {
        @Override
        public Task start(String what, long total, Unit unit) {
            return amount -> {};
        }

        @Override
        public void info(String message) {}

        @Override
        public void warn(String message) {}
    };

    /** What amounts are counted in. */
    enum Unit {
        BYTES,
        ITEMS
    }

    /** A piece of work under way; closing it ends it, whether it succeeded or not. */
    @FunctionalInterface
    interface Task extends AutoCloseable {
        /** Adds to what is done. */
        void advance(long amount);

        /** Says which part of it is under way, in a few words; it is seen with the next {@link #advance}. */
        default void at(String part) {}

        @Override
        default void close() {}
    }

    /**
     * Begins a piece of work.
     *
     * @param what a phrase such as {@code "Fetching 12 packages"}
     * @param total how much there is to do, or -1 where nobody knows
     */
    Task start(String what, long total, Unit unit);

    /** One line for the person who builds. */
    void info(String message);

    /** One line that the person who builds should not miss. */
    void warn(String message);
}
