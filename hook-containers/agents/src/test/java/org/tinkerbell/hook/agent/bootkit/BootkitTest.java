package org.tinkerbell.hook.agent.bootkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.agent.CommandLine;
import org.tinkerbell.hook.agent.FakeTicker;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Json;
import org.tinkerbell.hook.agent.Redactor;

@Timeout(value = 30, unit = TimeUnit.SECONDS)
class BootkitTest {
    private static final String PASSWORD = "hunter2/ß\\x y";
    private static final String LINE = "docker_registry=r.example:5000 registry_username=me \"registry_password=" + PASSWORD + "\" "
            + "grpc_authority=h:42113 worker_id=02:00:00:00:00:01 tinkerbell_tls=false";
    private static final String IMAGE = "r.example:5000/tink-worker:latest";
    private static final String RUNNING = FakeEngine.json(200, "{\"State\":{\"Running\":true,\"ExitCode\":0,\"Error\":\"\"}}");
    private static final String DEAD = FakeEngine.json(200, "{\"State\":{\"Running\":false,\"ExitCode\":3,\"Error\":\"\"}}");
    private static final String NONE = FakeEngine.json(404, "{\"message\":\"No such thing\"}");
    private static final String DONE = "HTTP/1.1 204 No Content\r\n\r\n";
    private static final String PULLED = FakeEngine.chunked("{\"status\":\"Pulling\"}\r\n", "{\"status\":\"Downloaded\"}\r\n");

    @TempDir
    Path directory;
    private final FakeTicker ticker = new FakeTicker();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private FakeEngine engine;

    @BeforeEach
    void start() throws IOException {
        engine = healthy(new FakeEngine(directory.resolve("s")));
    }

    private static FakeEngine healthy(FakeEngine engine) {
        return engine.on("GET /_ping", "HTTP/1.1 200 OK\r\nApi-Version: 1.43\r\nContent-Length: 2\r\n\r\nOK")
                .on("GET /images/", NONE)
                .on("POST /images/create", PULLED)
                .on("DELETE /containers/tink-worker", NONE)
                .on("POST /containers/create", FakeEngine.json(201, "{\"Id\":\"abc\",\"Warnings\":[]}"))
                .on("POST /containers/abc/start", DONE)
                .on("GET /containers/abc/json", RUNNING)
                .on("GET /containers/abc/logs", "HTTP/1.1 200 OK\r\n\r\n")
                .on("POST /containers/abc/wait", FakeEngine.json(200, "{\"StatusCode\":0}"));
    }

    @AfterEach
    void stop() throws IOException {
        engine.close();
        String said = out.toString(StandardCharsets.UTF_8);
        for (String secret : List.of(PASSWORD, "hunter2", Base64.getEncoder().encodeToString(PASSWORD.getBytes(StandardCharsets.UTF_8)),
                Credentials.header("me", PASSWORD))) {
            assertFalse(said.contains(secret), said);
        }
    }

    private void run(String line) throws InterruptedException {
        run(line, List.of());
    }

    private void run(String line, List<URI> metadata) throws InterruptedException {
        BootkitConfig config = BootkitConfig.of(CommandLine.parse(line));
        Redactor redactor = new Redactor().hide(config.get("registry_password"));
        new Bootkit(config, metadata, new DockerEngine(directory.resolve("s")), redactor,
                new Journal("hook-bootkit", new PrintStream(out, true, StandardCharsets.UTF_8), redactor), ticker, "").run();
    }

    private String said() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void thePlainPath() throws Exception {
        run(LINE);
        assertEquals(List.of("GET /_ping", "GET /images/r.example:5000/tink-worker:latest/json",
                "POST /images/create?fromImage=r.example%3A5000%2Ftink-worker&tag=latest", "DELETE /containers/tink-worker?force=1&v=1",
                "POST /containers/create?name=tink-worker", "POST /containers/abc/start", "GET /containers/abc/json",
                "POST /containers/abc/wait?condition=not-running", "GET /_ping"), engine.lines());
        String auth = engine.last("POST /images/create").headers().get("X-Registry-Auth");
        assertEquals(Map.of("username", "me", "password", PASSWORD),
                Json.readObject(new String(Base64.getUrlDecoder().decode(auth), StandardCharsets.UTF_8)));
        assertEquals("{\"Image\":\"r.example:5000/tink-worker:latest\",\"Env\":[\"DOCKER_REGISTRY=r.example:5000\","
                + "\"REGISTRY_USERNAME=me\",\"REGISTRY_PASSWORD=hunter2/\\u00df\\\\x y\",\"TINKERBELL_GRPC_AUTHORITY=h:42113\","
                + "\"TINKERBELL_TLS=false\",\"TINKERBELL_INSECURE_TLS=\",\"WORKER_ID=02:00:00:00:00:01\",\"ID=02:00:00:00:00:01\","
                + "\"HTTP_PROXY=\",\"HTTPS_PROXY=\",\"NO_PROXY=\"],\"AttachStdout\":true,\"AttachStderr\":true,\"HostConfig\":{\"Mounts\":["
                + "{\"Type\":\"bind\",\"Source\":\"/worker\",\"Target\":\"/worker\"},"
                + "{\"Type\":\"bind\",\"Source\":\"/var/run/docker.sock\",\"Target\":\"/var/run/docker.sock\"},"
                + "{\"Type\":\"bind\",\"Source\":\"/dev\",\"Target\":\"/dev\"},"
                + "{\"Type\":\"bind\",\"Source\":\"/host_root/run\",\"Target\":\"/run\"}],\"NetworkMode\":\"host\",\"Privileged\":true}}",
                engine.last("POST /containers/create").body().strip());
        assertTrue(engine.last("POST /containers/create").body().startsWith(" ".repeat(4097)), "the engine does not log that much");
        assertEquals(List.of(3000L, 3000L), ticker.sleeps());
        assertTrue(said().contains("hook-bootkit: worker tink-worker runs (image " + IMAGE + ", "), said());
    }

    @Test
    void credentialsStayAtHome() throws Exception {
        run(LINE + " tink_worker_image=r.example/tink-worker:v1");
        assertNull(engine.last("POST /images/create").headers().get("X-Registry-Auth"));
        assertTrue(said().contains("credentials are not sent to r.example,"), said());
    }

    @Test
    void aDigestIsPulledByDigest() throws Exception {
        String digest = "sha256:" + "0".repeat(64);
        run("worker_id=a tink_worker_image=r.example/w@" + digest);
        assertEquals("POST /images/create?fromImage=r.example%2Fw&tag=" + digest.replace(":", "%3A"), engine.last("POST /images").line());
    }

    @Test
    void aFailingPullIsTriedAgainWithLongerPauses() throws Exception {
        String refused = FakeEngine.json(500, "{\"message\":\"dial tcp: connection refused, auth "
                + Credentials.header("me", PASSWORD) + "\"}");
        String inStream = FakeEngine.chunked("{\"status\":\"Pulling\"}\r\n", "{\"errorDetail\":{\"message\":\"unexpected EOF "
                + "hunter2/ß\\\\x y\"},\"error\":\"unexpected EOF\"}\r\n");
        engine.on("POST /images/create", refused, refused, inStream, PULLED);
        run(LINE);
        assertEquals(List.of(500L, 1000L, 2000L, 3000L, 3000L), ticker.sleeps());
        assertTrue(said().contains("unexpected EOF ***"), said());
    }

    @Test
    void anImageThatIsThereIsGoodEnough() throws Exception {
        engine.on("GET /images/", FakeEngine.json(200, "{\"Id\":\"sha256:1\"}"))
                .on("POST /images/create", FakeEngine.json(500, "{\"message\":\"no route to host\"}"));
        run(LINE);
        assertTrue(said().contains("pulling failed, the image that is there is used: no route to host"), said());
        assertEquals(List.of(3000L, 3000L), ticker.sleeps());
    }

    @Test
    void aRegistryThatNeverAnswersIsTriedForEver() throws Exception {
        String[] answers = new String[45];
        java.util.Arrays.fill(answers, FakeEngine.json(500, "{\"message\":\"no\"}"));
        answers[44] = PULLED;
        engine.on("POST /images/create", answers);
        run(LINE);
        assertTrue(said().contains("failed for 15 minutes"), said());
        assertTrue(ticker.sleeps().stream().allMatch(s -> s <= 30_000), ticker.sleeps().toString());
        assertTrue(ticker.sleeps().contains(5000L));
        assertTrue(said().contains("tink-worker runs"), said());
    }

    @Test
    void anOldWorkerIsRemoved() throws Exception {
        engine.on("DELETE /containers/tink-worker", DONE);
        run(LINE);
        assertTrue(said().contains("an older worker was removed"), said());
    }

    @Test
    void anyFailureIsTriedAgainAfterFiveSeconds() throws Exception {
        engine.on("DELETE /containers/tink-worker", FakeEngine.json(409, "{\"message\":\"removal is already in progress\"}"), NONE)
                .on("POST /containers/create", FakeEngine.json(500, "not even JSON " + PASSWORD), FakeEngine.json(201, "{\"Id\":\"abc\"}"))
                .on("POST /containers/abc/start", FakeEngine.json(400, "{\"message\":\"OCI runtime create failed\"}"), DONE)
                .on("GET /containers/abc/json", DEAD, RUNNING);
        run(LINE);
        assertEquals(List.of(5000L, 5000L, 5000L, 3000L, 5000L, 3000L, 3000L), ticker.sleeps());
        assertTrue(said().contains("removal is already in progress (409)"), said());
        assertTrue(said().contains("not even JSON ***"), said());
        assertTrue(said().contains("the worker does not run: it ended with status 3"), said());
    }

    @Test
    void theLastWordsOfAWorkerAreTold() throws Exception {
        engine.on("GET /containers/abc/json", DEAD, RUNNING)
                .on("GET /containers/abc/logs", "HTTP/1.1 200 OK\r\n\r\n\1\0\0\0\0\0\0\15cannot reach\n\2\0\0\0\0\0\0\10hunter2\n");
        run(LINE.replace(PASSWORD, "hunter2"));
        assertTrue(said().contains("hook-bootkit:   cannot reach\n"), said());
        assertTrue(said().contains("hook-bootkit:   ***\n"), said());
    }

    @Test
    void aWorkerThatFailsLaterIsStartedAgain() throws Exception {
        engine.on("POST /containers/abc/wait", FakeEngine.json(200, "{\"StatusCode\":137}"), FakeEngine.json(200, "{\"StatusCode\":0}"));
        run(LINE);
        assertTrue(said().contains("ended with status 137; it is started again"), said());
        assertEquals(List.of(3000L, 5000L, 3000L, 3000L), ticker.sleeps());
    }

    @Test
    void anEngineThatGoesAwayBringsANewWorkerUnlessTheOldOneRuns() throws Exception {
        engine.on("POST /containers/abc/wait", "", "", FakeEngine.json(200, "{\"StatusCode\":0}"))
                .on("GET /containers/abc/json", RUNNING, RUNNING, DEAD, RUNNING);
        run(LINE);
        assertTrue(said().contains("worker tink-worker still runs"), said());
        assertTrue(said().contains("the worker ended with the engine"), said());
        assertEquals(2, engine.lines().stream().filter("POST /containers/create?name=tink-worker"::equals).count());
    }

    @Test
    void anEngineThatIsCutInTheMidstOfAPullIsWaitedFor() throws Exception {
        engine.on("POST /images/create", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"st", PULLED);
        run(LINE);
        assertTrue(said().contains("the Docker Engine failed: EOFException"), said());
        assertEquals(List.of(5000L, 3000L, 3000L), ticker.sleeps());
    }

    @Test
    void anEngineThatIsNotThereYetIsWaitedFor() throws Exception {
        engine.close();
        java.nio.file.Files.delete(directory.resolve("s"));
        Thread late = new Thread(() -> {
            try {
                while (ticker.sleeps().size() < 100) {
                    Thread.sleep(1);
                }
                engine = healthy(new FakeEngine(directory.resolve("s")));
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        late.start();
        run(LINE);
        late.join();
        assertTrue(said().contains("waiting for the Docker Engine"), said());
        assertTrue(ticker.sleeps().stream().allMatch(s -> s <= 5000), ticker.sleeps().toString());
    }

    @Test
    void anEngineThatHangsIsGivenUpAndAskedAgain() throws Exception {
        engine.on("GET /_ping", FakeEngine.HANG, "HTTP/1.1 200 OK\r\nApi-Version: 1.43\r\nContent-Length: 2\r\n\r\nOK");
        run(LINE);
        assertTrue(said().contains("waiting for the Docker Engine: SocketTimeoutException: the engine has been silent for 5 s"), said());
        assertTrue(said().contains("tink-worker runs"), said());
    }

    @Test
    void neitherImageNorRegistryIsToldAndTriedAgain() throws Exception {
        Thread main = Thread.currentThread();
        Thread stopper = new Thread(() -> {
            while (!said().contains("no worker image: neither")) {
                Thread.onSpinWait();
            }
            main.interrupt();
        });
        stopper.start();
        org.junit.jupiter.api.Assertions.assertThrows(InterruptedException.class, () -> run("worker_id=a"));
        stopper.join();
        assertEquals(List.of(), engine.lines());
    }

    @Test
    void metadataFillWhatIsMissing() throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/metadata", exchange -> {
            byte[] body = ("{\"id\":\"11:22\",\"docker_registry\":\"r.example:5000\",\"registry_username\":\"me\","
                    + "\"registry_password\":" + Json.write(PASSWORD) + "}").getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        try {
            engine.on("POST /containers/create", FakeEngine.json(500, "{\"message\":" + Json.write("no " + PASSWORD) + "}"),
                    FakeEngine.json(201, "{\"Id\":\"abc\"}"));
            run("grpc_authority=h:1", List.of(URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/metadata")));
        } finally {
            server.stop(0);
        }
        assertTrue(engine.last("POST /containers/create").body().contains("\"WORKER_ID=11:22\",\"ID=11:22\""));
        assertTrue(engine.last("POST /images/create").headers().containsKey("X-Registry-Auth"));
        assertTrue(said().contains("no ***"), said());
    }

    @Test
    void versionsAreNegotiated() {
        assertEquals("/v1.41", DockerEngine.version("1.41"));
        assertEquals("/v1.47", DockerEngine.version("1.52"));
        assertEquals("/v1.47", DockerEngine.version("2.0"));
        assertEquals("", DockerEngine.version(""));
        assertEquals("", DockerEngine.version("x.y"));
    }
}
