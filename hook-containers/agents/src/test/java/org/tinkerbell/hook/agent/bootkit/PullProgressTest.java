package org.tinkerbell.hook.agent.bootkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.tinkerbell.hook.agent.AgentException;

class PullProgressTest {
    private static String read(String stream) throws IOException {
        return PullProgress.read(new ByteArrayInputStream(stream.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void theLastStatusIsTheResult() throws IOException {
        assertEquals("", read(""));
        assertEquals("done", read("{\"status\":\"Pulling\",\"id\":\"latest\"}\r\n{\"status\":\"Downloading\",\"progressDetail\":{\"current\":1,"
                + "\"total\":2},\"progress\":\"[=>]\",\"id\":\"abc\"}\r\n\r\n{\"status\":\"done\"}"));
    }

    @Test
    void anErrorInTheStreamIsAnError() {
        String message = "manifest for x not found: manifest unknown";
        assertEquals(message, assertThrows(AgentException.class, () -> read("{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\""
                + message + "\"},\"error\":\"" + message + "\"}\r\n")).getMessage());
        assertEquals("x", assertThrows(AgentException.class, () -> read("{\"error\":\"x\"}")).getMessage());
        assertEquals("unknown error", assertThrows(AgentException.class, () -> read("{\"error\":7}")).getMessage());
        assertThrows(AgentException.class, () -> read("{\"error\":\"x\"}\n{\"status\":\"done\"}\n"));
    }

    @Test
    void whatIsNoProgressIsAnError() {
        assertThrows(IOException.class, () -> read("<html>"));
        assertThrows(IOException.class, () -> read("{\"status\":\"cut"));
        assertThrows(IOException.class, () -> read("x".repeat(100_000)));
    }
}
