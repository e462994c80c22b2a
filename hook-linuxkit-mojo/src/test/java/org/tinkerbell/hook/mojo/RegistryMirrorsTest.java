package org.tinkerbell.hook.mojo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tinkerbell.hook.io.HookException;

class RegistryMirrorsTest {
    @Test
    void severalMirrorsOfARegistryKeepTheirOrder() {
        assertEquals(
                Map.of("docker.io", List.of("a:5000", "b"), "ghcr.io", List.of("a:5000")),
                AbstractHookMojo.mirrors("docker.io=a:5000, docker.io=b,ghcr.io=a:5000"));
        assertEquals(Map.of(), AbstractHookMojo.mirrors(" "));
    }

    @Test
    void whatIsNoPairIsSaid() {
        String message = assertThrows(HookException.class, () -> AbstractHookMojo.mirrors("docker.io")).getMessage();
        assertTrue(message.contains("hook.registry.mirrors") && message.contains("docker.io=mirror.example.org"), message);
    }
}
