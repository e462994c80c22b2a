package org.tinkerbell.hook.oci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.io.ProxySettings;

class RegistryTest {
    private static final NetworkSettings QUICK = NetworkSettings.defaults()
            .withRetries(3, Duration.ofMillis(5), Duration.ofMillis(50), Duration.ofSeconds(10));

    @TempDir
    Path directory;

    private FakeRegistry fake;
    private ImageStore source;
    private ImageStore target;
    private ImageReference name;
    private Image amd64;
    private Image arm64;

    @BeforeEach
    void start() throws IOException {
        fake = new FakeRegistry();
        name = ImageReference.parse(fake.host() + "/a/b:1");
        source = ImageStore.of(new Cache(directory.resolve("source")));
        target = ImageStore.of(new Cache(directory.resolve("target")));
        amd64 = new ImageBuilder(source).build(name, ImageStoreTest.config(Arch.X86_64), ImageStoreTest.tree("x"), 0);
        arm64 = new ImageBuilder(source).build(name, ImageStoreTest.config(Arch.AARCH64), ImageStoreTest.tree("y"), 0);
    }

    @AfterEach
    void stop() {
        fake.close();
    }

    private Registry registry(ImageStore store) {
        return new Registry(store, settings(), Progress.SILENT);
    }

    private RegistrySettings settings() {
        return RegistrySettings.of(QUICK, Map.of("DOCKER_CONFIG", directory.resolve("docker").toString()));
    }

    private Digest push(Image... images) throws IOException {
        return registry(source).push(name, List.of(images));
    }

    private HookException pullFails() {
        HookException e = assertThrows(HookException.class, () -> registry(target).pull(name, Arch.X86_64));
        assertTrue(e.getMessage().startsWith(fake.host()) || e.getMessage().startsWith("127.0.0.1"), e.getMessage());
        return e;
    }

    private void docker(String json) throws IOException {
        Files.createDirectories(directory.resolve("docker"));
        Files.writeString(directory.resolve("docker/config.json"), json);
    }

    private String auths(String fields) {
        return "{\"auths\":{\"" + fake.host() + "\":{" + fields + "}}}";
    }

    private static String joe() {
        return "\"auth\":\"" + FakeRegistry.basic().substring(6) + "\"";
    }

    @Test
    void whatIsPushedIsPulledByArchitecture() throws Exception {
        Digest index = push(amd64, arm64);
        assertEquals(Optional.of(index), registry(target).digest(name));
        assertEquals(arm64, registry(target).pull(name, Arch.AARCH64));
        assertEquals(arm64, target.find(name, Arch.AARCH64).orElseThrow());
        assertTrue(target.find(name, Arch.X86_64).isEmpty());
        assertEquals(amd64, registry(target).pull(name, Arch.X86_64));
        for (Descriptor blob : source.blobs(amd64)) {
            assertArrayEquals(Files.readAllBytes(source.file(blob.digest())), Files.readAllBytes(target.file(blob.digest())));
        }
        ImageReference pinned = ImageReference.parse(name + "@" + index);
        assertEquals(amd64, registry(target).pull(pinned, Arch.X86_64));
        assertEquals(amd64, target.find(pinned, Arch.X86_64).orElseThrow());
    }

    @Test
    void whatIsThereIsNotTransferredAgain() throws Exception {
        push(amd64);
        registry(target).pull(name, Arch.X86_64);
        fake.requests.clear();
        push(amd64);
        registry(target).pull(name, Arch.X86_64);
        assertFalse(fake.requests.stream().anyMatch(r -> r.startsWith("POST") || r.startsWith("GET /v2/a/b/blobs")), fake.requests.toString());
    }

    @Test
    void theTagGoesLast() throws Exception {
        push(amd64, arm64);
        List<String> puts = fake.requests.stream().filter(r -> r.startsWith("PUT")).toList();
        assertEquals("PUT /v2/a/b/manifests/1", puts.get(puts.size() - 1));
        assertTrue(puts.subList(puts.size() - 3, puts.size() - 1).stream().allMatch(p -> p.startsWith("PUT /v2/a/b/manifests/sha256:")), puts.toString());
    }

    @Test
    void aPushThatIsCutLeavesNoTag() throws Exception {
        fake.trouble = exchange -> {
            if (exchange.getRequestURI().toString().contains("digest=" + amd64.layers().get(0).digest())) {
                exchange.getRequestBody().readNBytes(10);
                exchange.close();
                return true;
            }
            return false;
        };
        assertThrows(HookException.class, () -> push(amd64));
        assertEquals(List.of(), registry(source).tags(name));
        assertTrue(registry(source).digest(name).isEmpty());
        fake.trouble = exchange -> false;
        push(amd64);
        assertEquals(List.of("1"), registry(source).tags(name));
    }

    @ParameterizedTest
    @CsvSource({"401, wants a login", "403, does not let anybody read", "404, has no a/b (404)", "429, too often (429)", "500, failed (500) 3 times",
            "503, failed (503) 3 times"})
    void refusalsAreSaidInWords(int status, String words) throws Exception {
        push(amd64);
        AtomicInteger asked = new AtomicInteger();
        fake.trouble = exchange -> {
            asked.incrementAndGet();
            FakeRegistry.answer(exchange, status, FakeRegistry.error("the reason"));
            return true;
        };
        HookException e = pullFails();
        assertTrue(e.getMessage().contains(words), e.getMessage());
        assertEquals(status == 429 || status >= 500 ? 3 : 2, asked.get());
        assertTrue(status == 401 || status == 403 || e.getMessage().contains("It says: the reason"), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 500, 502, 0})
    void troubleThatPassesIsWaitedFor(int status) throws Exception {
        AtomicInteger count = new AtomicInteger();
        fake.trouble = exchange -> {
            if (count.getAndIncrement() % 5 > 1) {
                return false;
            }
            exchange.getRequestBody().readAllBytes();
            if (status == 0) {
                exchange.close();
            } else {
                exchange.getResponseHeaders().set("Retry-After", "1");
                FakeRegistry.answer(exchange, status, new byte[0]);
            }
            return true;
        };
        Registry patient = new Registry(source, RegistrySettings.of(QUICK.withRetries(30, Duration.ofMillis(1), Duration.ofMillis(5), Duration.ofSeconds(10)),
                Map.of("DOCKER_CONFIG", directory.toString())), Progress.SILENT);
        patient.push(name, List.of(amd64));
        assertEquals(amd64, new Registry(target, RegistrySettings.of(QUICK.withRetries(30, Duration.ofMillis(1), Duration.ofMillis(5),
                Duration.ofSeconds(10)), Map.of("DOCKER_CONFIG", directory.toString())), Progress.SILENT).pull(name, Arch.X86_64));
    }

    @Test
    void aCutDownloadIsContinued() throws Exception {
        push(amd64);
        byte[] layer = Files.readAllBytes(source.file(amd64.layers().get(0).digest()));
        List<String> ranges = new ArrayList<>();
        fake.trouble = exchange -> {
            if (exchange.getRequestURI().getPath().endsWith(amd64.layers().get(0).digest().toString())) {
                String range = exchange.getRequestHeaders().getFirst("Range");
                ranges.add(range);
                if (range == null) {
                    FakeRegistry.cut(exchange, layer, layer.length / 2);
                    return true;
                }
            }
            return false;
        };
        assertEquals(amd64, registry(target).pull(name, Arch.X86_64));
        assertEquals(2, ranges.size(), ranges.toString());
        assertArrayEquals(layer, Files.readAllBytes(target.file(amd64.layers().get(0).digest())));
    }

    @Test
    void silenceIsNotWaitedForForEver() throws Exception {
        push(amd64);
        byte[] layer = Files.readAllBytes(source.file(amd64.layers().get(0).digest()));
        CountDownLatch end = new CountDownLatch(1);
        AtomicInteger silences = new AtomicInteger();
        fake.trouble = exchange -> {
            boolean blob = exchange.getRequestURI().getPath().endsWith(amd64.layers().get(0).digest().toString());
            boolean manifest = exchange.getRequestURI().getPath().contains("/manifests/");
            if ((blob || manifest) && silences.getAndIncrement() % 2 == 0) {
                if (blob) {
                    exchange.sendResponseHeaders(200, layer.length);
                    exchange.getResponseBody().write(layer, 0, 100);
                    exchange.getResponseBody().flush();
                }
                await(end);
                return true;
            }
            return false;
        };
        RegistrySettings impatient = RegistrySettings.of(QUICK.withRetries(3, Duration.ofMillis(5), Duration.ofMillis(50), Duration.ofSeconds(2)),
                Map.of("DOCKER_CONFIG", directory.toString()));
        assertEquals(amd64, new Registry(target, impatient, Progress.SILENT).pull(name, Arch.X86_64));
        assertEquals(4, silences.get());
        end.countDown();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aLineThatIsAlwaysCutIsAnError() throws Exception {
        push(amd64);
        byte[] layer = Files.readAllBytes(source.file(amd64.layers().get(0).digest()));
        fake.trouble = exchange -> {
            if (exchange.getRequestURI().getPath().contains("/blobs/")) {
                FakeRegistry.cut(exchange, layer, 0);
                return true;
            }
            return false;
        };
        pullFails();
        assertTrue(target.find(name, Arch.X86_64).isEmpty());
        assertNothingLeft();
    }

    private void assertNothingLeft() throws IOException {
        try (Stream<Path> files = Files.walk(target.layout())) {
            assertEquals(List.of(), files.filter(f -> f.toString().endsWith(".part")).toList());
        }
    }

    @Test
    void tamperedContentIsRefused() throws Exception {
        push(amd64, arm64);
        Map<String, byte[]> blobs = Map.copyOf(fake.blobs);
        for (String digest : List.of(amd64.layers().get(0).digest().toString(), amd64.configBlob().digest().toString())) {
            byte[] tampered = blobs.get(digest).clone();
            tampered[tampered.length / 2] ^= 1;
            fake.blobs.put(digest, tampered);
            target = ImageStore.of(new Cache(directory.resolve("target" + digest.substring(7, 15))));
            HookException e = assertThrows(HookException.class, () -> registry(target).pull(name, Arch.X86_64));
            assertTrue(e.getMessage().contains("a blob should be " + digest), e.getMessage());
            assertTrue(target.find(name, Arch.X86_64).isEmpty());
            fake.blobs.put(digest, blobs.get(digest));
        }
        byte[] manifest = fake.manifests.get(amd64.digest().toString()).clone();
        manifest[20] ^= 1;
        fake.manifests.put(amd64.digest().toString(), manifest);
        HookException e = assertThrows(HookException.class, () -> registry(target).pull(name, Arch.X86_64));
        assertTrue(e.getMessage().contains("should be " + amd64.digest()), e.getMessage());
        assertNothingLeft();
    }

    @Test
    void anImageForAnotherArchitectureIsNoAnswer() throws Exception {
        push(arm64);
        HookException e = assertThrows(HookException.class, () -> registry(target).pull(name, Arch.X86_64));
        assertEquals(name + " is not there for linux/amd64, only for linux/arm64", e.getMessage());
        assertTrue(target.find(name, Arch.AARCH64).isEmpty());
    }

    @Test
    void tagsAreListedOverAllPages() throws Exception {
        List<String> all = new ArrayList<>();
        for (int i = 10; i < 17; i++) {
            registry(source).push(name.withTag("t" + i), List.of(amd64));
            all.add("t" + i);
        }
        assertEquals(all, registry(source).tags(name));
    }

    @ParameterizedTest
    @ValueSource(strings = {"basic", "token"})
    void accountsOfDockerAreUsed(String auth) throws Exception {
        fake.auth = auth;
        HookException e = assertThrows(HookException.class, () -> push(amd64));
        assertTrue(e.getMessage().contains("wants a login"), e.getMessage());
        docker(auths("\"auth\":\"am9lOndyb25n\""));
        e = assertThrows(HookException.class, () -> push(amd64));
        assertTrue(e.getMessage().contains("does not accept the account of " + directory.resolve("docker/config.json")), e.getMessage());
        docker(auths(joe()));
        push(amd64);
        assertEquals(amd64, registry(target).pull(name, Arch.X86_64));
    }

    @Test
    void aTokenThatEndedIsReplaced() throws Exception {
        fake.auth = "token";
        docker(auths(joe()));
        Registry registry = registry(source);
        registry.push(name, List.of(amd64));
        fake.token = "another-token";
        registry.push(name, List.of(arm64));
        assertEquals(Optional.of(arm64.digest()), registry.digest(name));
    }

    @Test
    void identityTokensAreExchanged() throws Exception {
        fake.auth = "token";
        docker(auths("\"auth\":\"\",\"identitytoken\":\"identity\""));
        push(amd64);
        assertEquals(amd64, registry(target).pull(name, Arch.X86_64));
        docker(auths("\"identitytoken\":\"old\""));
        HookException e = assertThrows(HookException.class, () -> push(amd64));
        assertTrue(e.getMessage().contains("does not accept the account"), e.getMessage());
    }

    @Test
    void aHelperThatIsMissingAndAFileThatIsBrokenAreNamed() throws Exception {
        docker("{\"credHelpers\":{\"" + fake.host() + "\":\"no-such-helper\"}}");
        HookException e = assertThrows(HookException.class, () -> push(amd64));
        assertTrue(e.getMessage().contains("docker-credential-no-such-helper"), e.getMessage());
        docker("{");
        e = assertThrows(HookException.class, () -> push(amd64));
        assertTrue(e.getMessage().contains("config.json cannot be read"), e.getMessage());
        docker(auths("\"auth\":\"!!\""));
        e = assertThrows(HookException.class, () -> push(amd64));
        assertTrue(e.getMessage().contains("docker login"), e.getMessage());
    }

    @Test
    void aMirrorIsAskedFirstAndMayFail() throws Exception {
        push(amd64);
        ImageReference upstream = ImageReference.parse("registry.invalid/a/b:1");
        try (FakeRegistry empty = new FakeRegistry()) {
            RegistrySettings mirrored = settings().withMirrors(Map.of("registry.invalid", List.of(empty.host(), fake.host())));
            assertEquals(amd64, new Registry(target, mirrored, Progress.SILENT).pull(upstream, Arch.X86_64));
            assertEquals(List.of("GET /v2/", "GET /v2/a/b/manifests/1"), empty.requests);
        }
        assertEquals(amd64, target.find(upstream, Arch.X86_64).orElseThrow());
    }

    @Test
    void aProxyIsUsedAndItsExceptionsAre() throws Exception {
        ImageReference elsewhere = ImageReference.parse("registry.invalid/a/b:1");
        fake.trouble = exchange -> false;
        push(amd64);
        int port = Integer.parseInt(fake.host().substring(fake.host().indexOf(':') + 1));
        ProxySettings proxy = new ProxySettings("http", "127.0.0.1", port, null, null, List.of("127.*"));
        RegistrySettings proxied = RegistrySettings.of(QUICK.withProxies(List.of(proxy)), Map.of("DOCKER_CONFIG", directory.toString()))
                .withInsecure(Set.of("registry.invalid"));
        assertEquals(amd64, new Registry(target, proxied, Progress.SILENT).pull(elsewhere, Arch.X86_64));
        assertTrue(fake.requests.stream().anyMatch(r -> r.contains("http://registry.invalid/v2/")), fake.requests.toString());
    }

    @Test
    void withoutANetworkItSaysSo() throws Exception {
        Registry offline = new Registry(target, RegistrySettings.of(QUICK.withOffline(true), Map.of()), Progress.SILENT);
        HookException e = assertThrows(HookException.class, () -> offline.pull(name, Arch.X86_64));
        assertTrue(e.getMessage().contains("offline"), e.getMessage());
        fake.close();
        e = pullFails();
        assertTrue(e.getMessage().contains("cannot be reached, tried 3 times: connection refused. Check"), e.getMessage());
    }

    @Test
    void plainHttpWhereTlsIsExpectedIsNamed() throws Exception {
        // Not a host that is known to be insecure: it is talked to in TLS, which it does not know.
        try (ServerSocket server = new ServerSocket(0)) {
            Thread thread = new Thread(() -> {
                while (!server.isClosed()) {
                    try (var socket = server.accept()) {
                        // Its hello is read first and its end waited for: a reset could reach the client before the answer does.
                        socket.getInputStream().read(new byte[8192]);
                        socket.getOutputStream().write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes());
                        socket.shutdownOutput();
                        socket.getInputStream().transferTo(OutputStream.nullOutputStream());
                    } catch (IOException e) {
                        // The client hung up, or the test is over.
                    }
                }
            });
            thread.setDaemon(true);
            thread.start();
            ImageReference tls = ImageReference.parse(InetAddress.getLocalHost().getHostName() + ":" + server.getLocalPort() + "/a/b:1");
            HookException e = assertThrows(HookException.class, () -> registry(target).pull(tls, Arch.X86_64));
            assertTrue(e.getMessage().contains("TLS"), e.getMessage());
        }
    }
}
