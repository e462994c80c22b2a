package org.tinkerbell.hook.agent;

import java.util.ArrayList;
import java.util.List;

/** Time that passes only by sleeping. */
public final class FakeTicker implements Ticker {
    private final List<Long> sleeps = new ArrayList<>();
    private long nanos;

    @Override
    public synchronized long nanos() {
        return nanos;
    }

    @Override
    public synchronized void sleep(long millis) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        sleeps.add(millis);
        nanos += millis * 1_000_000;
    }

    /** @return milliseconds of every sleep so far */
    public synchronized List<Long> sleeps() {
        return List.copyOf(sleeps);
    }
}
