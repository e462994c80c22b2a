package org.tinkerbell.hook.io;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A web server on the loopback device that has files, ranges of them, and all the moods that real ones have. */
public final class TestServer implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, byte[]> files = new ConcurrentHashMap<>();
    private final Map<String, Queue<Mood>> moods = new ConcurrentHashMap<>();
    private final List<String> requests = Collections.synchronizedList(new ArrayList<>());

    /** Answers one request in the place of the file. */
    @FunctionalInterface
    public interface Mood {
        void answer(HttpExchange exchange, byte[] file) throws IOException;
    }

    public TestServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    /** The address of a path that begins with a slash. */
    public URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port() + path);
    }

    public int port() {
        return server.getAddress().getPort();
    }

    /** Puts a file there. */
    public void put(String path, byte[] bytes) {
        files.put(path, bytes.clone());
    }

    public byte[] get(String path) {
        return files.get(path);
    }

    public void remove(String path) {
        files.remove(path);
    }

    /** The paths of all files. */
    public List<String> paths() {
        return files.keySet().stream().sorted().toList();
    }

    /** The next requests for a path are answered in these ways, one after the other. */
    public void next(String path, Mood... next) {
        moods.computeIfAbsent(path, p -> new ConcurrentLinkedQueue<>()).addAll(List.of(next));
    }

    /** What was asked for: {@code GET /path} and, if there was one, the range. */
    public List<String> requests() {
        synchronized (requests) {
            return List.copyOf(requests);
        }
    }

    /** An error. */
    public static Mood status(int status, String... headers) {
        return (exchange, file) -> {
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
            }
            exchange.sendResponseHeaders(status, -1);
        };
    }

    /** Announces all of the file (or of the range that is asked for), sends so many bytes of it and hangs up. */
    public static Mood cutAfter(int bytes) {
        return (exchange, file) -> {
            int from = from(exchange);
            headers(exchange, file, from);
            exchange.sendResponseHeaders(from > 0 ? 206 : 200, file.length - from);
            OutputStream out = exchange.getResponseBody();
            out.write(file, from, Math.min(bytes, file.length - from));
            out.flush();
        };
    }

    /** Sends so many bytes and then nothing for a while. */
    public static Mood silentAfter(int bytes, long millis) {
        return (exchange, file) -> {
            cutAfter(bytes).answer(exchange, file);
            try {
                Thread.sleep(millis);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        };
    }

    /** Another content in the place of the file. */
    public static Mood instead(byte[] other) {
        return (exchange, file) -> send(exchange, other, false);
    }

    /** All of the file, whatever range is asked for. */
    public static Mood whole() {
        return (exchange, file) -> send(exchange, file, false);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            // A proxy gets whole addresses; here both mean the path.
            String path = exchange.getRequestURI().getRawPath();
            String range = exchange.getRequestHeaders().getFirst("Range");
            requests.add(exchange.getRequestMethod() + " " + path + (range == null ? "" : " " + range));
            Queue<Mood> queue = moods.get(path);
            Mood mood = queue == null ? null : queue.poll();
            byte[] file = files.get(path);
            if (mood != null) {
                mood.answer(exchange, file);
            } else if (file == null) {
                exchange.sendResponseHeaders(404, -1);
            } else {
                send(exchange, file, true);
            }
        }
    }

    private static void send(HttpExchange exchange, byte[] file, boolean ranges) throws IOException {
        int from = ranges ? from(exchange) : 0;
        String condition = exchange.getRequestHeaders().getFirst("If-Range");
        if (condition != null && !condition.equals(tag(file))) {
            from = 0;
        }
        headers(exchange, file, from);
        if (from > file.length) {
            exchange.sendResponseHeaders(416, -1);
            return;
        }
        exchange.sendResponseHeaders(from > 0 ? 206 : 200, file.length == from ? -1 : file.length - from);
        if (file.length > from) {
            exchange.getResponseBody().write(file, from, file.length - from);
        }
    }

    private static void headers(HttpExchange exchange, byte[] file, int from) {
        exchange.getResponseHeaders().set("ETag", tag(file));
        if (from > 0) {
            exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + (file.length - 1) + "/" + file.length);
        }
    }

    private static String tag(byte[] file) {
        return "\"" + Digest.of(file).abbreviated(16) + "\"";
    }

    private static int from(HttpExchange exchange) {
        String range = exchange.getRequestHeaders().getFirst("Range");
        return range == null ? 0 : Integer.parseInt(range.replaceFirst("bytes=(\\d+)-", "$1"));
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
