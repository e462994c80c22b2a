package org.tinkerbell.hook.agent.service;

import org.tinkerbell.hook.agent.Backoff;

/** Decides when a service that ended is started again: after 1 s, doubling up to 60 s, and from 1 s again once it was up for 60 s. */
final class RestartPolicy {
    /** The answer that it is not started again. */
    static final long NEVER = -1;

    private static final long STEADY_MILLIS = 60_000;

    private final Backoff backoff = new Backoff(1000, 60_000);
    private final String rule;

    /** @param rule {@code always}, {@code on-failure}, {@code never}; anything else counts as the first */
    RestartPolicy(String rule) {
        this.rule = rule;
    }

    /**
     * Decides.
     *
     * @param upMillis how long it was up
     * @param status its exit status, negative if it is not known or it did not come up
     * @return milliseconds until the next start, or {@link #NEVER}
     */
    long ended(long upMillis, int status) {
        if (rule.equals("never") || rule.equals("on-failure") && status == 0) {
            return NEVER;
        }
        if (upMillis >= STEADY_MILLIS) {
            backoff.reset();
        }
        return backoff.next();
    }

    /** Starts over: somebody asked for a start. */
    void reset() {
        backoff.reset();
    }
}
