package org.tinkerbell.hook.agent.bootkit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.Json;

/**
 * Reads the stream of a pull. The engine has answered 200 before it knows whether the pull works: what failed comes as a message with
 * {@code error} or {@code errorDetail} (Docker Engine API, "Create an image").
 */
final class PullProgress {
    private static final int MOST_MESSAGE = 65_536;

    private PullProgress() {
    }

    /**
     * Reads to the end.
     *
     * @param stream JSON objects, a line each
     * @return the last status, for example {@code Status: Downloaded newer image for …}
     * @throws AgentException if the registry or the engine reports an error
     * @throws IOException if the stream is cut or is no such stream
     */
    static String read(InputStream stream) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        byte[] buffer = new byte[4096];
        String status = "";
        while (true) {
            int count = stream.read(buffer);
            for (int i = 0; i < count; i++) {
                if (buffer[i] != '\n') {
                    line.write(buffer[i]);
                    if (line.size() > MOST_MESSAGE) {
                        throw new IOException("the engine sent a message without an end");
                    }
                } else {
                    status = message(line, status);
                }
            }
            if (count < 0) {
                return message(line, status);
            }
        }
    }

    private static String message(ByteArrayOutputStream line, String status) throws IOException {
        String text = line.toString(StandardCharsets.UTF_8).trim();
        line.reset();
        if (text.isEmpty()) {
            return status;
        }
        Map<String, Object> message;
        try {
            message = Json.readObject(text);
        } catch (Json.Malformed e) {
            throw new IOException("the engine's progress is not understood", e);
        }
        Object detail = message.get("errorDetail");
        if (detail instanceof Map<?, ?> && ((Map<?, ?>) detail).get("message") instanceof String) {
            throw new AgentException((String) ((Map<?, ?>) detail).get("message"));
        }
        if (message.get("error") != null) {
            throw new AgentException(message.get("error") instanceof String ? (String) message.get("error") : "unknown error");
        }
        return message.get("status") instanceof String ? (String) message.get("status") : status;
    }
}
