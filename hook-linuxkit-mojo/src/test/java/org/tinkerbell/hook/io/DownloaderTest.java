package org.tinkerbell.hook.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DownloaderTest {
    private static final String PATH = "/pool/file";

    @TempDir
    Path temporary;

    private final byte[] content = new byte[300_000];
    private final AtomicLong advanced = new AtomicLong();
    private final Progress progress = new Progress() {
        @Override
        public Task start(String what, long total, Unit unit) {
            return advanced::addAndGet;
        }

        @Override
        public void info(String message) {}

        @Override
        public void warn(String message) {}
    };

    private TestServer server;
    private Path target;

    @BeforeEach
    void start() throws IOException {
        new Random(1).nextBytes(content);
        server = new TestServer();
        server.put(PATH, content);
        target = temporary.resolve("files/file");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private static NetworkSettings patience(int attempts) {
        return NetworkSettings.defaults().withRetries(attempts, Duration.ofMillis(10), Duration.ofSeconds(3), Duration.ofMillis(1500));
    }

    private Downloader downloader(NetworkSettings settings) {
        return new Downloader(new Cache(temporary.resolve("cache")), settings, progress);
    }

    private Downloader downloader() {
        return downloader(patience(3));
    }

    private Downloader.Request request(URI... urls) {
        return new Downloader.Request("the file", List.of(urls), content.length, Digest.of(content), target);
    }

    private Downloader.Request unknown(URI... urls) {
        return new Downloader.Request("the file", List.of(urls), -1, null, target);
    }

    private void assertFetched() throws IOException {
        assertArrayEquals(content, Files.readAllBytes(target));
        assertNothingLeft(1);
    }

    private void assertNothingLeft(int files) throws IOException {
        try (Stream<Path> listed = Files.list(target.getParent())) {
            List<Path> left = listed.toList();
            assertEquals(files, left.size(), left::toString);
        }
    }

    private DownloadException failure(Downloader downloader, Downloader.Request request) {
        DownloadException failure = assertThrows(DownloadException.class, () -> downloader.fetch(request));
        assertFalse(Files.exists(target), "a final name in spite of a failure");
        return failure;
    }

    @Test
    void fetchesOnceAndReportsEveryByteOnce() throws IOException {
        downloader().fetch(request(server.uri(PATH)));
        assertFetched();
        downloader().fetch(request(server.uri(PATH)));
        assertEquals(List.of("GET " + PATH), server.requests());
        assertEquals(content.length, advanced.get());
    }

    @Test
    void continuesAfterACutLine() throws IOException {
        server.next(PATH, TestServer.cutAfter(100_000), TestServer.cutAfter(100_000));
        downloader().fetch(request(server.uri(PATH)));
        assertFetched();
        assertEquals(3, server.requests().size());
        assertTrue(server.requests().get(1).matches("GET /pool/file bytes=\\d{4,}-"), server.requests()::toString);
        assertEquals(content.length, advanced.get());
    }

    @Test
    void aLineThatBreaksOftenIsPatientlyContinuedAsLongAsBytesCome() throws IOException {
        for (int i = 0; i < 9; i++) {
            server.next(PATH, TestServer.cutAfter(30_000));
        }
        downloader(patience(2)).fetch(request(server.uri(PATH)));
        assertFetched();
    }

    @Test
    void anotherBuildContinuesWhatOneLeft() throws IOException {
        server.next(PATH, TestServer.cutAfter(100_000), TestServer.status(500));
        DownloadException failure = failure(downloader(patience(1)), request(server.uri(PATH)));
        assertTrue(failure.getMessage().contains("500"), failure::getMessage);
        assertFalse(failure.missing());
        downloader().fetch(request(server.uri(PATH)));
        assertFetched();
        assertTrue(server.requests().get(2).contains("bytes="), server.requests()::toString);
    }

    @Test
    void aPartialFileThatBelongsToSomethingElseIsFetchedAgain() throws IOException {
        Files.createDirectories(target.getParent());
        Files.write(target.resolveSibling(".file.part"), new byte[1000]);
        downloader().fetch(request(server.uri(PATH)));
        assertFetched();
        assertEquals(List.of("GET " + PATH + " bytes=1000-", "GET " + PATH), server.requests());
    }

    @Test
    void aPartialFileThatIsTooLongIsThrownAway() throws IOException {
        Files.createDirectories(target.getParent());
        Files.write(target.resolveSibling(".file.part"), new byte[content.length + 1]);
        downloader().fetch(request(server.uri(PATH)));
        assertFetched();
    }

    @Test
    void aServerThatIgnoresRangesIsAllRight() throws IOException {
        server.next(PATH, TestServer.cutAfter(100_000), TestServer.whole());
        downloader().fetch(request(server.uri(PATH)));
        assertFetched();
    }

    @Test
    void withoutADigestThePartIsContinuedOnlyIfTheFileIsTheSame() throws IOException {
        server.next(PATH, TestServer.cutAfter(100_000));
        downloader().fetch(unknown(server.uri(PATH)));
        assertFetched();
        assertTrue(server.requests().get(1).contains("bytes="), server.requests()::toString);
        Files.delete(target);

        byte[] old = new byte[content.length];
        server.next(PATH, (exchange, file) -> TestServer.cutAfter(50_000).answer(exchange, old));
        downloader().fetch(unknown(server.uri(PATH)));
        assertFetched();
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 502, 503, 429, 408})
    void triesAgainAfterAPassingError(int status) throws IOException {
        server.next(PATH, TestServer.status(status), TestServer.status(status));
        downloader().fetch(request(server.uri(PATH)));
        assertFetched();
    }

    @Test
    void givesUpAfterAllAttempts() {
        server.next(PATH, TestServer.status(503), TestServer.status(503), TestServer.status(503));
        DownloadException failure = failure(downloader(), request(server.uri(PATH)));
        assertEquals(3, server.requests().size());
        assertTrue(failure.getMessage().contains("the file") && failure.getMessage().contains(server.uri(PATH) + ": 503"),
                failure::getMessage);
    }

    @Test
    void waitsAsLongAsTheServerAsks() throws IOException {
        server.next(PATH, TestServer.status(429, "Retry-After", "1"));
        long begin = System.nanoTime();
        downloader().fetch(request(server.uri(PATH)));
        assertTrue(System.nanoTime() - begin > 950_000_000L, "it came back before the second was over");
        assertFetched();
    }

    @Test
    void aDateToComeBackAtIsUnderstoodToo() throws IOException {
        String date = DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(2));
        server.next(PATH, TestServer.status(503, "Retry-After", date));
        long begin = System.nanoTime();
        downloader().fetch(request(server.uri(PATH)));
        assertTrue(System.nanoTime() - begin > 700_000_000L, "it came back before the time");
    }

    @Test
    void doesNotWaitForHours() {
        server.next(PATH, TestServer.status(429, "Retry-After", "7200"));
        long begin = System.nanoTime();
        failure(downloader(), request(server.uri(PATH)));
        assertTrue(System.nanoTime() - begin < 2_000_000_000L);
    }

    @Test
    void aMirrorWithoutTheFileIsFollowedByTheNext() throws IOException {
        downloader().fetch(request(server.uri("/gone"), server.uri(PATH)));
        assertFetched();
        assertEquals(List.of("GET /gone", "GET " + PATH), server.requests());
    }

    @Test
    void aMirrorThatIsDownIsFollowedByTheNextAtOnce() throws IOException {
        int free;
        try (ServerSocket socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        downloader().fetch(request(URI.create("http://127.0.0.1:" + free + "/x"), server.uri(PATH)));
        assertFetched();
    }

    @Test
    void aWrongFileIsNotAMissingOne() {
        server.put("/bad", new byte[content.length]);
        assertFalse(failure(downloader(), request(server.uri("/bad"), server.uri("/gone"))).missing());
    }

    @Test
    void sayingThatNobodyHasItIsOtherThanFailing() {
        DownloadException failure = failure(downloader(), request(server.uri("/a"), server.uri("/b")));
        assertTrue(failure.missing());
        assertTrue(failure.getMessage().contains("/a: 404 (not found)") && failure.getMessage().contains("/b: 404"), failure::getMessage);
        assertEquals(2, server.requests().size(), "404 is no reason to try again");
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403})
    void isToldToStayAway(int status) {
        server.next(PATH, TestServer.status(status));
        DownloadException failure = failure(downloader(), request(server.uri(PATH)));
        assertFalse(failure.missing());
        assertEquals(1, server.requests().size());
    }

    @Test
    void wrongBytesOfTheRightLengthNeverGetTheName() throws IOException {
        byte[] wrong = content.clone();
        wrong[150_000] ^= 1;
        server.put("/bad", wrong);
        DownloadException failure = failure(downloader(), request(server.uri("/bad")));
        assertTrue(failure.getMessage().contains(Digest.of(wrong).hex()) && failure.getMessage().contains(Digest.of(content).hex()),
                failure::getMessage);
        downloader().fetch(request(server.uri("/bad"), server.uri(PATH)));
        assertFetched();
    }

    @ParameterizedTest
    @ValueSource(ints = {299_999, 300_001, 0})
    void wrongLengthsAreFoundFromTheHeaders(int length) {
        server.put("/bad", new byte[length]);
        assertTrue(failure(downloader(), request(server.uri("/bad"))).getMessage().contains("instead of 300000"));
    }

    @Test
    void anEndlessAnswerIsNotTakenBeyondTheSize() {
        server.next(PATH, (exchange, file) -> {
            exchange.sendResponseHeaders(200, 0);
            byte[] block = new byte[1 << 16];
            for (int i = 0; i < 1000; i++) {
                exchange.getResponseBody().write(block);
            }
        });
        assertTrue(failure(downloader(), request(server.uri(PATH))).getMessage().contains("more than 300000"));
    }

    @Test
    void silenceIsNoticed() throws IOException {
        server.next(PATH, TestServer.silentAfter(100_000, 6000));
        downloader().fetch(request(server.uri(PATH)));
        assertFetched();
        assertTrue(server.requests().get(1).contains("bytes="));
    }

    @Test
    void followsRedirects() throws IOException {
        server.next("/old", TestServer.status(302, "Location", PATH));
        downloader().fetch(request(server.uri("/old")));
        assertFetched();
    }

    @Test
    void endlessRedirectsEnd() {
        for (int i = 0; i < 20; i++) {
            server.next("/loop", TestServer.status(301, "Location", "/loop"));
        }
        assertTrue(failure(downloader(), request(server.uri("/loop"))).getMessage().contains("redirected"));
    }

    @Test
    void passwordsInAddressesAreSentButNotShown() throws IOException {
        List<String> seen = new ArrayList<>();
        server.next(PATH, (exchange, file) -> {
            seen.add(exchange.getRequestHeaders().getFirst("Authorization"));
            exchange.sendResponseHeaders(403, -1);
        });
        URI withPassword = URI.create(server.uri(PATH).toString().replace("//", "//me:secret@"));
        assertFalse(failure(downloader(), request(withPassword)).getMessage().contains("secret"));
        assertEquals(List.of("Basic " + Base64.getEncoder().encodeToString("me:secret".getBytes(StandardCharsets.UTF_8))), seen);
    }

    @Test
    void fileAddressesAreCheckedAsWell() throws IOException {
        Path source = temporary.resolve("source");
        Files.write(source, content);
        downloader(patience(1).withOffline(true)).fetch(request(source.toUri()));
        assertFetched();
        Files.delete(target);
        Files.write(source, new byte[3]);
        assertTrue(failure(downloader(), request(source.toUri())).getMessage().contains("3 bytes"));
        Files.delete(source);
        assertTrue(failure(downloader(), request(source.toUri())).missing());
    }

    @Test
    void offlineAsksNobody() throws IOException {
        Downloader offline = downloader(patience(1).withOffline(true));
        String message = failure(offline, request(server.uri(PATH))).getMessage();
        assertTrue(message.contains("the file is not in the cache") && message.contains("-o"), message);
        assertEquals(List.of(), server.requests());
        downloader().fetch(request(server.uri(PATH)));
        offline.fetch(request(server.uri(PATH)));
    }

    @Test
    void manyAtOnce() throws IOException {
        List<Downloader.Request> requests = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            byte[] bytes = ("file " + i).getBytes(StandardCharsets.UTF_8);
            server.put("/" + i, bytes);
            requests.add(new Downloader.Request("file " + i, List.of(server.uri("/" + i)), bytes.length, Digest.of(bytes),
                    temporary.resolve("many/" + i)));
        }
        downloader().fetchAll("files", requests);
        for (int i = 0; i < 40; i++) {
            assertEquals("file " + i, Files.readString(temporary.resolve("many/" + i)));
        }
        server.remove("/17");
        Files.delete(temporary.resolve("many/17"));
        assertThrows(DownloadException.class, () -> downloader().fetchAll("files", requests));
    }

    @Test
    void twoAtOnceFetchOnce() throws Exception {
        server.next(PATH, (exchange, file) -> {
            try {
                Thread.sleep(200);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            TestServer.whole().answer(exchange, file);
        });
        Parallel.forEach(2, List.of(1, 2), i -> downloader().fetch(request(server.uri(PATH))));
        assertFetched();
        assertEquals(1, server.requests().size());
    }

    @Test
    void readsSmallFilesAnew() throws IOException {
        server.put("/small", new byte[] {1});
        assertArrayEquals(new byte[] {1}, downloader().read("it", List.of(server.uri("/small")), 10));
        server.put("/small", new byte[] {2});
        assertArrayEquals(new byte[] {2}, downloader().read("it", List.of(server.uri("/small")), 10));
        server.put("/small", new byte[11]);
        assertThrows(DownloadException.class, () -> downloader().read("it", List.of(server.uri("/small")), 10));
    }

    @Test
    void goesThroughAProxyWithAPassword() throws IOException {
        List<String> seen = new ArrayList<>();
        TestServer.Mood ask = TestServer.status(407, "Proxy-Authenticate", "Basic realm=\"proxy\"");
        server.next("/elsewhere", ask, (exchange, file) -> {
            seen.add(exchange.getRequestHeaders().getFirst("Proxy-Authorization") + " " + exchange.getRequestURI());
            TestServer.instead(content).answer(exchange, file);
        });
        ProxySettings proxy = new ProxySettings("http", "127.0.0.1", server.port(), "me", "secret", List.of("*.inside", "127.0.0.1"));
        Downloader downloader = downloader(patience(1).withProxies(List.of(proxy)));
        downloader.fetch(request(URI.create("http://mirror.example/elsewhere")));
        assertFetched();
        assertEquals(List.of("Basic " + Base64.getEncoder().encodeToString("me:secret".getBytes(StandardCharsets.UTF_8))
                + " http://mirror.example/elsewhere"), seen);

        Files.delete(target);
        downloader.fetch(request(server.uri(PATH)));
        assertEquals("GET " + PATH, server.requests().get(2));
        Files.delete(target);

        ProxySettings wrong = new ProxySettings("http", "127.0.0.1", server.port(), null, null, List.of());
        server.next("/elsewhere", ask);
        assertTrue(failure(downloader(patience(1).withProxies(List.of(wrong))), request(URI.create("http://mirror.example/elsewhere")))
                .getMessage().contains("settings.xml"));
    }

    @Test
    void proxiesAreNotForSomeHosts() {
        ProxySettings proxy = new ProxySettings(null, "proxy", 3128, null, null, List.of("localhost", "*.corp.example", "10.*"));
        assertEquals("http", proxy.protocol());
        assertTrue(proxy.excludes("LOCALHOST") && proxy.excludes("a.corp.example") && proxy.excludes("10.1.2.3"));
        assertFalse(proxy.excludes("corp.example.org") || proxy.excludes("mirror.example.org") || proxy.excludes("110.1.2.3"));
    }

    @Test
    void anUnknownHostIsSaidSo() {
        String message = failure(downloader(), request(URI.create("http://does-not-exist.invalid/x"))).getMessage();
        assertTrue(message.contains("the host is not known"), message);
    }

    @Test
    void aFullDiskIsSaidSo() {
        HookException full = assertThrows(HookException.class, () -> FullDisk.check(new IOException("No space left on device"), temporary));
        assertTrue(full.getMessage().contains("disk is full") && full.getMessage().contains("hook.cacheDir"), full::getMessage);
        IOException other = new IOException("Input/output error");
        assertEquals(other, FullDisk.check(other, temporary));
    }
}
