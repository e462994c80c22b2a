package org.tinkerbell.hook.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class BackoffTest {
    @Test
    void pausesDoubleUpToTheBoundAndStartOver() {
        Backoff backoff = new Backoff(1000, 60_000);
        long[] expected = {1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000};
        for (long pause : expected) {
            assertEquals(pause, backoff.next());
        }
        backoff.reset();
        assertEquals(1000, backoff.next());
    }
}
