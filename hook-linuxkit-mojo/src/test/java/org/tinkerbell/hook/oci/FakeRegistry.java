package org.tinkerbell.hook.oci;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import org.tinkerbell.hook.io.Digest;

/** A registry on the loopback that does what it is told, also wrong things. */
public final class FakeRegistry implements AutoCloseable {
    public final Map<String, byte[]> blobs = new ConcurrentHashMap<>();
    public final Map<String, byte[]> manifests = new ConcurrentHashMap<>();
    public final Map<String, String> types = new ConcurrentHashMap<>();
    public final List<String> requests = Collections.synchronizedList(new ArrayList<>());
    /** Asked before anything else; says true if it has answered. */
    public volatile Trouble trouble = exchange -> false;
    /** "", "basic" or "token". */
    public volatile String auth = "";
    public volatile String token = "secret-token";
    private final HttpServer server;

    /** Something else than an answer. */
    public interface Trouble {
        boolean handle(HttpExchange exchange) throws IOException;
    }

    public FakeRegistry() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", this::handle);
        server.start();
    }

    public String host() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        requests.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
        try (exchange) {
            if (trouble.handle(exchange)) {
                return;
            }
            if (path.equals("/token")) {
                token(exchange);
                return;
            }
            String given = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
            if (auth.equals("basic") && !given.equals(basic())) {
                exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"x\"");
                answer(exchange, 401, error("UNAUTHORIZED"));
                return;
            }
            if (auth.equals("token") && !given.equals("Bearer " + token)) {
                exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer realm=\"http://" + host()
                        + "/token\",service=\"fake\",scope=\"repository:a/b:pull\"");
                answer(exchange, 401, error("UNAUTHORIZED"));
                return;
            }
            serve(exchange, path.replaceFirst("^/v2/a/b/", ""));
        }
    }

    static String basic() {
        return "Basic " + Base64.getEncoder().encodeToString("joe:pass:word".getBytes(StandardCharsets.UTF_8));
    }

    private void token(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        boolean refresh = exchange.getRequestMethod().equals("POST") && body.contains("refresh_token=identity");
        boolean account = basic().equals(exchange.getRequestHeaders().getFirst("Authorization"));
        if (refresh || account) {
            answer(exchange, 200, ("{\"token\":\"" + token + "\",\"access_token\":\"" + token + "\"}").getBytes(StandardCharsets.UTF_8));
        } else {
            answer(exchange, 401, error("DENIED"));
        }
    }

    private void serve(HttpExchange exchange, String rest) throws IOException {
        String method = exchange.getRequestMethod();
        if (rest.equals("/v2/")) {
            answer(exchange, 200, new byte[0]);
        } else if (rest.startsWith("tags/list")) {
            tags(exchange);
        } else if (rest.startsWith("manifests/")) {
            String name = rest.substring("manifests/".length());
            if (method.equals("PUT")) {
                byte[] bytes = exchange.getRequestBody().readAllBytes();
                manifests.put(name, bytes);
                manifests.put(Digest.of(bytes).toString(), bytes);
                types.put(name, exchange.getRequestHeaders().getFirst("Content-Type"));
                answer(exchange, 201, new byte[0]);
            } else {
                exchange.getResponseHeaders().set("Content-Type", types.getOrDefault(name, MediaTypes.MANIFEST));
                blob(exchange, manifests.get(name));
            }
        } else if (rest.equals("blobs/uploads/")) {
            exchange.getRequestBody().readAllBytes();
            exchange.getResponseHeaders().set("Location", "/v2/a/b/blobs/uploads/1?state=x");
            answer(exchange, 202, new byte[0]);
        } else if (rest.startsWith("blobs/uploads/")) {
            byte[] bytes = exchange.getRequestBody().readAllBytes();
            String digest = exchange.getRequestURI().getQuery().replaceFirst(".*digest=", "");
            boolean right = Digest.of(bytes).toString().equals(digest);
            if (right) {
                blobs.put(digest, bytes);
            }
            answer(exchange, right ? 201 : 400, right ? new byte[0] : error("DIGEST_INVALID"));
        } else {
            blob(exchange, blobs.get(rest.substring("blobs/".length())));
        }
    }

    private void tags(HttpExchange exchange) throws IOException {
        List<String> tags = new TreeMap<>(types).keySet().stream().filter(t -> !t.startsWith("sha256:")).toList();
        String query = String.valueOf(exchange.getRequestURI().getQuery());
        int from = query.contains("last=") ? tags.indexOf(query.replaceFirst(".*last=", "")) + 1 : 0;
        int to = Math.min(tags.size(), from + 2);
        if (to < tags.size()) {
            exchange.getResponseHeaders().set("Link", "</v2/a/b/tags/list?n=2&last=" + tags.get(to - 1) + ">; rel=\"next\"");
        }
        answer(exchange, 200, ("{\"name\":\"a/b\",\"tags\":[" + String.join(",", tags.subList(from, to).stream().map(t -> '"' + t + '"').toList())
                + "]}").getBytes(StandardCharsets.UTF_8));
    }

    private static void blob(HttpExchange exchange, byte[] bytes) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        if (bytes == null) {
            answer(exchange, 404, error("not known here"));
        } else if (range == null) {
            answer(exchange, 200, bytes);
        } else {
            int from = Integer.parseInt(range.replaceAll("\\D", ""));
            answer(exchange, 206, Arrays.copyOfRange(bytes, from, bytes.length));
        }
    }

    /** A failure in the words of the specification. */
    public static byte[] error(String message) {
        return ("{\"errors\":[{\"code\":\"X\",\"message\":\"" + message + "\"}]}").getBytes(StandardCharsets.UTF_8);
    }

    /** Answers with a body. */
    public static void answer(HttpExchange exchange, int status, byte[] bytes) throws IOException {
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(bytes);
        }
    }

    /** Promises all and closes the line in the middle. */
    static void cut(HttpExchange exchange, byte[] bytes, int after) throws IOException {
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes, 0, after);
        exchange.getResponseBody().flush();
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
