package org.tinkerbell.hook.agent;

/** Pauses between attempts that double, from a first one up to a bound. Not for several threads. */
public final class Backoff {
    private final long first;
    private final long most;
    private long next;

    /**
     * @param first milliseconds of the first pause
     * @param most milliseconds that a pause has at most
     */
    public Backoff(long first, long most) {
        this.first = first;
        this.most = most;
        this.next = first;
    }

    /** @return milliseconds to wait now; the next answer is twice that, within the bound */
    public long next() {
        long now = next;
        next = Math.min(most, now * 2);
        return now;
    }

    /** Starts over: what was tried has worked. */
    public void reset() {
        next = first;
    }
}
