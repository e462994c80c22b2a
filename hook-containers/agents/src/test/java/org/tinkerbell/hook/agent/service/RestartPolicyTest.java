package org.tinkerbell.hook.agent.service;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class RestartPolicyTest {
    @Test
    void pausesGrowUntilItWasUpForAMinute() {
        RestartPolicy policy = new RestartPolicy("always");
        assertEquals(1000, policy.ended(10, 1));
        assertEquals(2000, policy.ended(59_999, 0));
        assertEquals(4000, policy.ended(0, -1));
        assertEquals(1000, policy.ended(60_000, 1));
        for (int i = 0; i < 10; i++) {
            policy.ended(0, 1);
        }
        assertEquals(60_000, policy.ended(0, 1));
        policy.reset();
        assertEquals(1000, policy.ended(0, 1));
    }

    @Test
    void rulesAreKept() {
        assertEquals(RestartPolicy.NEVER, new RestartPolicy("never").ended(0, 1));
        assertEquals(RestartPolicy.NEVER, new RestartPolicy("on-failure").ended(0, 0));
        assertEquals(1000, new RestartPolicy("on-failure").ended(0, 1));
        assertEquals(1000, new RestartPolicy("on-failure").ended(0, -1));
        assertEquals(1000, new RestartPolicy("what?").ended(0, 0));
    }
}
