package org.tinkerbell.hook.agent.docker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.CommandLine;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Redactor;
import org.tinkerbell.hook.agent.Ticker;

@Timeout(value = 30, unit = TimeUnit.SECONDS)
class RegistryCertificateTest {
    /** Self-signed, EC P-256, CN=test CA; made for this test by openssl. */
    private static final String PEM = """
            -----BEGIN CERTIFICATE-----
            MIIBezCCASGgAwIBAgIUCQaDp/p8r6/B7CiOwR1j949XsjEwCgYIKoZIzj0EAwIw
            EjEQMA4GA1UEAwwHdGVzdCBDQTAgFw0yNjExMjIyMzM2MDhaGA8yMTI2MTAyOTIz
            MzYwOFowEjEQMA4GA1UEAwwHdGVzdCBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEH
            A0IABO9BUJwOOvF+sxkS63yU2DD5JVVaPm+y0buQ+vwH1C8K9W7pCzIfs1gyFgGP
            VzwsCC9OTcPu/8uHe6UGqEuBaEyjUzBRMB0GA1UdDgQWBBSJwY20OEkXR7iJd+n1
            6UCO3b+R5jAfBgNVHSMEGDAWgBSJwY20OEkXR7iJd+n16UCO3b+R5jAPBgNVHRMB
            Af8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCWE4uUBV4QNcbXha+M/883rYca
            CBNDN+cnPUMGH2YScAIgQS2YYpnDL9lXsywoGs/1Cnx1l2NDcytGmLfmiHVWjiQ=
            -----END CERTIFICATE-----
            """;

    @TempDir
    Path directory;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private HttpServer server;
    private volatile int status = 200;
    private volatile byte[] body = PEM.getBytes(StandardCharsets.US_ASCII);

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String path = exchange.getRequestURI().getPath();
            int answer = path.equals("/ca.pem") ? status : path.equals("/other") ? 200 : 404;
            exchange.getResponseHeaders().add("Location", "/other");
            exchange.sendResponseHeaders(answer, answer == 200 ? body.length : -1);
            if (answer == 200) {
                exchange.getResponseBody().write(body);
            }
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private void fetch(String line) throws InterruptedException {
        Journal journal = new Journal("hook-docker", new PrintStream(out, true, StandardCharsets.UTF_8), new Redactor());
        RegistryCertificate.of(CommandLine.parse(line), directory, journal, Ticker.SYSTEM).beforeEngine();
    }

    private String host() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private Path installed(String registry) {
        return directory.resolve(registry).resolve("ca.crt");
    }

    private String said() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void itIsInstalledForTheRegistry() throws Exception {
        fetch("docker_registry=r.example:5000/path tinkerbell=" + host());
        assertEquals(PEM, Files.readString(installed("r.example:5000")));
        assertTrue(said().contains("CA certificate of r.example:5000 installed from " + host() + "/ca.pem"), said());
    }

    @Test
    void theOlderNameAndTheImagesRegistryDoAsWell() throws Exception {
        fetch("tink_worker_image=q.example/x/w:1 packet_base_url=" + host() + "/misc/osie");
        assertEquals(PEM, Files.readString(installed("q.example")));
    }

    @Test
    void noHostOrNoRegistryIsNoDelay() throws Exception {
        long start = System.nanoTime();
        fetch("docker_registry=r.example");
        fetch("tinkerbell=" + host());
        fetch("docker_registry=r.example tinkerbell=ftp://x");
        fetch("docker_registry=../../etc tinkerbell=" + host());
        assertTrue(System.nanoTime() - start < 1_000_000_000L);
        try (java.util.stream.Stream<Path> files = Files.list(directory)) {
            assertEquals(0, files.count());
        }
    }

    @Test
    void aHostWithoutOneIsNoDelay() throws Exception {
        status = 404;
        long start = System.nanoTime();
        fetch("docker_registry=r.example tinkerbell=" + host());
        assertTrue(System.nanoTime() - start < 2_000_000_000L);
        assertFalse(Files.exists(installed("r.example")));
        assertTrue(said().contains("answers 404"), said());
        assertFalse(said().contains("asked again"), said());
    }

    @Test
    void whatIsNoCertificateIsNotInstalled() throws Exception {
        for (String bad : new String[] {"<html>login</html>", "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            PEM + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
            body = bad.getBytes(StandardCharsets.US_ASCII);
            fetch("docker_registry=r.example tinkerbell=" + host());
            assertFalse(Files.exists(installed("r.example")), bad);
        }
        assertTrue(said().contains("no usable CA certificate"), said());
    }

    @Test
    void aRedirectIsNotFollowed() throws Exception {
        status = 302;
        fetch("docker_registry=r.example tinkerbell=" + host());
        assertFalse(Files.exists(installed("r.example")));
    }

    @Test
    void aHostThatHangsDelaysByBoundedTimeAndIsAskedAgain() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            long start = System.nanoTime();
            fetch("docker_registry=r.example tinkerbell=http://127.0.0.1:" + silent.getLocalPort());
            long took = (System.nanoTime() - start) / 1_000_000;
            assertTrue(took >= 2500 && took < 6500, took + " ms");
        }
        assertTrue(said().contains("the engine starts without"), said());
    }

    @Test
    void aHostThatComesLateIsStillOfUse() throws Exception {
        status = 503;
        fetch("docker_registry=r.example tinkerbell=" + host());
        assertFalse(Files.exists(installed("r.example")));
        status = 200;
        for (int i = 0; i < 100 && !Files.exists(installed("r.example")); i++) {
            Thread.sleep(100);
        }
        assertTrue(Files.exists(installed("r.example")), said());
    }

    @Test
    void tooMuchIsRefused() throws Exception {
        body = new byte[2 << 20];
        fetch("docker_registry=r.example tinkerbell=" + host());
        assertFalse(Files.exists(installed("r.example")));
    }

    @Test
    void registriesAreCheckedSinceTheyNameADirectory() {
        assertEquals("r.example:5000", RegistryCertificate.registry(CommandLine.parse("docker_registry=r.example:5000/x/y")));
        assertEquals("", RegistryCertificate.registry(CommandLine.parse("")));
        for (String bad : new String[] {"..", ".", "a b", "-x", "a..b", "https:"}) {
            assertThrows(AgentException.class, () -> RegistryCertificate.registry(CommandLine.parse("\"docker_registry=" + bad + "\"")), bad);
        }
    }
}
