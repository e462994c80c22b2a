package org.tinkerbell.hook.agent.bootkit;

import java.io.IOException;
import java.io.InputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.ImageReference;
import org.tinkerbell.hook.agent.Json;

/**
 * The part of the Docker Engine API that bootkit uses. An {@link IOException} means that the engine itself is not there, has gone or hangs;
 * an {@link AgentException} that it answered with an error.
 */
final class DockerEngine {
    private static final int MOST = 4 << 20;
    private static final long SHORT = 5_000;
    /** An emulated or very slow machine takes half a minute for what takes a second elsewhere. */
    private static final long USUAL = 180_000;
    /** The newest version of the API that this is written against; an older engine is asked in its own. */
    private static final int[] API = {1, 47};
    /**
     * An engine with "debug" in its daemon.json writes the body of each request into its log, the worker's environment with the registry's
     * password included; but not a body of more than 4096 bytes ({@code api/server/middleware/debug.go}).
     */
    private static final int UNLOGGED = 4097;

    private final UnixHttp http;
    private String version = "";

    DockerEngine(Path socket) {
        this.http = new UnixHttp(socket);
    }

    /**
     * The state of a container.
     *
     * @param running whether it runs
     * @param exitCode how it ended, if it does not
     * @param error why it could not be started, empty if it could
     */
    record State(boolean running, int exitCode, String error) {
    }

    /**
     * Asks whether the engine is there, and agrees on a version.
     *
     * @throws IOException if it is not
     */
    void ping() throws IOException {
        try (UnixHttp.Response response = http.send("GET", "/_ping", Map.of(), null, SHORT)) {
            response.text(MOST);
            if (response.status() != 200) {
                throw new IOException("the engine answers " + response.status());
            }
            version = version(response.header("api-version"));
        }
    }

    static String version(String offered) {
        String[] parts = offered.split("\\.");
        try {
            int major = Integer.parseInt(parts[0]);
            int minor = Integer.parseInt(parts.length > 1 ? parts[1] : "");
            boolean newer = major > API[0] || major == API[0] && minor > API[1];
            return newer ? "/v" + API[0] + "." + API[1] : "/v" + major + "." + minor;
        } catch (NumberFormatException e) {
            // No answer to that: the engine's own newest.
            return "";
        }
    }

    /**
     * Asks whether an image is there.
     *
     * @param image its name
     * @return whether it is
     * @throws IOException if the engine fails
     */
    boolean hasImage(String image) throws IOException {
        try (UnixHttp.Response response = http.send("GET", version + "/images/" + path(image) + "/json", Map.of(), null, USUAL)) {
            String text = response.text(MOST);
            if (response.status() == 404) {
                return false;
            }
            expect(response, text, 200);
            return true;
        }
    }

    /**
     * Pulls an image.
     *
     * @param image its name
     * @param auth value of {@code X-Registry-Auth}, empty for none
     * @param idleMillis how long there may be no progress
     * @return the engine's last word
     * @throws IOException if the engine fails
     */
    String pull(ImageReference image, String auth, long idleMillis) throws IOException {
        String tag = image.digest().isEmpty() ? image.tag() : image.digest();
        Map<String, String> headers = auth.isEmpty() ? Map.of() : Map.of("X-Registry-Auth", auth);
        String target = version + "/images/create?fromImage=" + query(image.repository()) + "&tag=" + query(tag);
        try (UnixHttp.Response response = http.send("POST", target, headers, null, idleMillis)) {
            if (response.status() != 200) {
                expect(response, response.text(MOST), 200);
            }
            return PullProgress.read(response.body());
        }
    }

    /**
     * Removes a container, running or not.
     *
     * @param name its name or id
     * @return whether there was one
     * @throws IOException if the engine fails
     */
    boolean remove(String name) throws IOException {
        String target = version + "/containers/" + query(name) + "?force=1&v=1";
        try (UnixHttp.Response response = http.send("DELETE", target, Map.of(), null, USUAL)) {
            String text = response.text(MOST);
            if (response.status() == 404) {
                return false;
            }
            expect(response, text, 204);
            return true;
        }
    }

    /**
     * Creates a container.
     *
     * @param name its name
     * @param image its image
     * @param environment its environment, {@code NAME=value}
     * @param binds what of the engine's file system it sees: source → target
     * @return its id
     * @throws IOException if the engine fails
     */
    String create(String name, String image, List<String> environment, Map<String, String> binds) throws IOException {
        List<Object> mounts = new ArrayList<>();
        for (Map.Entry<String, String> bind : binds.entrySet()) {
            Map<String, Object> mount = new LinkedHashMap<>();
            mount.put("Type", "bind");
            mount.put("Source", bind.getKey());
            mount.put("Target", bind.getValue());
            mounts.add(mount);
        }
        Map<String, Object> host = new LinkedHashMap<>();
        host.put("Mounts", mounts);
        host.put("NetworkMode", "host");
        host.put("Privileged", Boolean.TRUE);
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("Image", image);
        body.put("Env", environment);
        body.put("AttachStdout", Boolean.TRUE);
        body.put("AttachStderr", Boolean.TRUE);
        body.put("HostConfig", host);
        String target = version + "/containers/create?name=" + query(name);
        try (UnixHttp.Response response = http.send("POST", target, Map.of(), " ".repeat(UNLOGGED) + Json.write(body), USUAL)) {
            String text = response.text(MOST);
            expect(response, text, 201);
            try {
                return Json.string(Json.readObject(text).get("Id"), "Id");
            } catch (Json.Malformed e) {
                throw new IOException("the engine's answer is not understood", e);
            }
        }
    }

    /**
     * Starts a container.
     *
     * @param id its id
     * @throws IOException if the engine fails
     */
    void start(String id) throws IOException {
        try (UnixHttp.Response response = http.send("POST", version + "/containers/" + query(id) + "/start", Map.of(), null, USUAL)) {
            String text = response.text(MOST);
            if (response.status() != 304) {
                expect(response, text, 204);
            }
        }
    }

    /**
     * Looks at a container.
     *
     * @param id its id
     * @return its state
     * @throws IOException if the engine fails
     */
    State state(String id) throws IOException {
        try (UnixHttp.Response response = http.send("GET", version + "/containers/" + query(id) + "/json", Map.of(), null, USUAL)) {
            String text = response.text(MOST);
            expect(response, text, 200);
            try {
                Map<String, Object> state = Json.object(Json.readObject(text).get("State"), "State");
                Object exit = state.get("ExitCode");
                return new State(Boolean.TRUE.equals(state.get("Running")),
                        exit instanceof Json.Num ? (int) ((Json.Num) exit).toLong() : 0, Json.string(state.get("Error"), "Error"));
            } catch (Json.Malformed | NumberFormatException e) {
                throw new IOException("the engine's answer is not understood", e);
            }
        }
    }

    /**
     * Waits until a container does not run any more, for as long as that takes.
     *
     * @param id its id
     * @return its exit status
     * @throws IOException if the engine goes away meanwhile
     */
    long await(String id) throws IOException {
        String target = version + "/containers/" + query(id) + "/wait?condition=not-running";
        // The engine is silent for hours here and rightly so; that it hangs is not told from that, that it ends closes the connection.
        try (UnixHttp.Response response = http.send("POST", target, Map.of(), null, 0)) {
            String text = response.text(MOST);
            expect(response, text, 200);
            try {
                Object status = Json.readObject(text).get("StatusCode");
                return status instanceof Json.Num ? ((Json.Num) status).toLong() : 0;
            } catch (Json.Malformed | NumberFormatException e) {
                throw new IOException("the engine's answer is not understood", e);
            }
        }
    }

    /**
     * Reads the end of a container's log.
     *
     * @param id its id
     * @param lines how many lines
     * @return those of both streams
     * @throws IOException if the engine fails
     */
    List<String> log(String id, int lines) throws IOException {
        String target = version + "/containers/" + query(id) + "/logs?stdout=1&stderr=1&tail=" + lines;
        try (UnixHttp.Response response = http.send("GET", target, Map.of(), null, SHORT)) {
            if (response.status() != 200) {
                expect(response, response.text(MOST), 200);
            }
            return demultiplex(response.body().readNBytes(65_536));
        }
    }

    /** Frames of a stream's number, three zeros, a length of four bytes, and that many bytes (Docker Engine API, "Attach"). */
    static List<String> demultiplex(byte[] frames) {
        StringBuilder text = new StringBuilder();
        int at = 0;
        while (at + 8 <= frames.length) {
            int length = (frames[at + 4] & 255) << 24 | (frames[at + 5] & 255) << 16 | (frames[at + 6] & 255) << 8 | frames[at + 7] & 255;
            int count = Math.min(Math.max(0, length), frames.length - at - 8);
            text.append(new String(frames, at + 8, count, StandardCharsets.UTF_8));
            at += 8 + count;
        }
        List<String> lines = new ArrayList<>();
        for (String line : text.toString().split("\n")) {
            if (!line.isBlank()) {
                lines.add(line.stripTrailing());
            }
        }
        return lines;
    }

    private static void expect(UnixHttp.Response response, String text, int status) {
        if (response.status() == status) {
            return;
        }
        String message = text.trim();
        try {
            message = Json.string(Json.readObject(text).get("message"), "message");
        } catch (Json.Malformed e) {
            // Then the text itself is the message.
        }
        throw new AgentException(message.isEmpty() ? "the engine answers " + response.status() : message + " (" + response.status() + ")");
    }

    /** A name in a path: its slashes and colons are the engine's to read. */
    private static String path(String name) {
        return query(name).replace("%2F", "/").replace("%3A", ":").replace("%40", "@");
    }

    private static String query(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
