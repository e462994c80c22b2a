package org.tinkerbell.hook.agent.bootkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UnixHttpTest {
    @TempDir
    Path directory;
    private FakeEngine engine;
    private UnixHttp http;

    @BeforeEach
    void start() throws IOException {
        engine = new FakeEngine(directory.resolve("s"));
        http = new UnixHttp(directory.resolve("s"));
    }

    @AfterEach
    void stop() throws IOException {
        engine.close();
    }

    private String get(String answer) throws IOException {
        engine.on("GET", answer);
        try (UnixHttp.Response response = http.send("GET", "/x", Map.of(), null, 300)) {
            return response.status() + " " + response.text(10_000);
        }
    }

    @Test
    void bodiesByLengthInChunksAndUpToTheEnd() throws IOException {
        assertEquals("200 {\"ä\":1}", get(FakeEngine.json(200, "{\"ä\":1}")));
        assertEquals("200 abcdef", get(FakeEngine.chunked("a", "bcd", "ef")));
        assertEquals("200 ", get(FakeEngine.chunked()));
        assertEquals("200 to the end", get("HTTP/1.0 200 OK\r\n\r\nto the end"));
        assertEquals("200 abc", get("HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: z\r\n\r\n"));
        assertEquals("204 ", get("HTTP/1.1 204 No Content\r\n\r\n" + FakeEngine.HANG));
        assertEquals("404 {}", get("HTTP/1.1 100 Continue\r\n\r\n" + FakeEngine.json(404, "{}")));
        assertEquals("200 a", get("HTTP/1.1 200\nContent-Length: 1\n\na"));
    }

    @Test
    void theBodyIsNotReadBeyondItsEnd() throws IOException {
        assertEquals("200 ab", get("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcd" + FakeEngine.HANG));
        assertEquals("200 ab", get("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nmore" + FakeEngine.HANG));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n"})
    void anAnswerThatIsCutOffIsAnError(String answer) {
        assertThrows(EOFException.class, () -> get(answer));
    }

    @ParameterizedTest
    @ValueSource(strings = {"SSH-2.0-x\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nno header\r\n\r\n", "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n"})
    void whatIsNotHttpIsAnError(String answer) {
        assertThrows(IOException.class, () -> get(answer));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"})
    void aSilentEngineIsGivenUp(String start) {
        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(5),
                () -> assertThrows(SocketTimeoutException.class, () -> get(start + FakeEngine.HANG)));
    }

    @Test
    void anAnswerThatIsTooLargeIsAnError() {
        assertThrows(IOException.class, () -> get("HTTP/1.1 200 OK\r\n\r\n" + "x".repeat(10_001)));
        assertThrows(IOException.class, () -> get("HTTP/1.1 200 OK\r\nX: " + "x".repeat(70_000) + "\r\n\r\n"));
        assertThrows(IOException.class, () -> get("HTTP/1.1 200 OK\r\n" + "X: y\r\n".repeat(40_000) + "\r\n"));
    }

    @Test
    void theRequestIsWhole() throws IOException {
        engine.on("POST", FakeEngine.json(200, "{}"));
        http.send("POST", "/a?b=c", Map.of("X-Registry-Auth", "abc="), "{\"x\":\"ä\"}", 300).close();
        FakeEngine.Request request = engine.last("POST");
        assertEquals("POST /a?b=c", request.line());
        assertEquals("{\"x\":\"ä\"}", request.body());
        assertEquals("abc=", request.headers().get("X-Registry-Auth"));
        assertEquals("docker", request.headers().get("Host"));
        assertEquals("application/json", request.headers().get("Content-Type"));
    }

    @Test
    void aLargeRequestIsSentWhole() throws IOException {
        engine.on("POST", FakeEngine.json(200, "{}"));
        String body = "\"" + "x".repeat(2_000_000) + "\"";
        http.send("POST", "/a", Map.of(), body, 2000).close();
        assertEquals(body.length(), engine.last("POST").body().length());
    }

    @Test
    void noSocketIsAnError() {
        UnixHttp absent = new UnixHttp(directory.resolve("absent"));
        IOException error = assertThrows(IOException.class, () -> absent.send("GET", "/", Map.of(), null, 300));
        assertTrue(error.getMessage().contains("No such file"), error.getMessage());
    }
}
