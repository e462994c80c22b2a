package org.tinkerbell.hook.dist;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;

/** A forward proxy for HTTP (RFC 9112, 3.2.2: the request names the whole URL), which alone knows where one certain host is. */
final class ForwardProxy implements AutoCloseable {
    private final HttpServer server;
    private final HttpClient client = HttpClient.newHttpClient();
    private final List<String> requests = new ArrayList<>();

    /**
     * @param address where it listens, on a port that the system chooses
     * @param name the authority that it knows
     * @param real where that is
     */
    ForwardProxy(InetAddress address, String name, String real) throws IOException {
        server = HttpServer.create(new InetSocketAddress(address, 0), 0);
        server.createContext("/", exchange -> {
            URI uri = exchange.getRequestURI();
            synchronized (this) {
                requests.add(exchange.getRequestMethod() + " " + uri);
            }
            if (!name.equals(uri.getRawAuthority())) {
                exchange.sendResponseHeaders(502, -1);
                exchange.close();
                return;
            }
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(uri.toString().replaceFirst("//" + name, "//" + real)))
                    .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.noBody());
            for (String accepted : exchange.getRequestHeaders().getOrDefault("Accept", List.of())) {
                request.header("Accept", accepted);
            }
            try {
                HttpResponse<byte[]> response = client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
                for (String header : List.of("Content-Type", "Docker-Content-Digest", "Docker-Distribution-Api-Version", "Etag")) {
                    response.headers().firstValue(header).ifPresent(value -> exchange.getResponseHeaders().set(header, value));
                }
                boolean head = exchange.getRequestMethod().equals("HEAD");
                if (head) {
                    response.headers().firstValue("Content-Length").ifPresent(value -> exchange.getResponseHeaders().set("Content-Length", value));
                }
                exchange.sendResponseHeaders(response.statusCode(), head || response.body().length == 0 ? -1 : response.body().length);
                if (!head) {
                    exchange.getResponseBody().write(response.body());
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            exchange.close();
        });
        server.start();
    }

    /** Its URL. */
    String url() {
        return "http://" + server.getAddress().getAddress().getHostAddress() + ":" + server.getAddress().getPort();
    }

    /** Methods and URLs that it was asked for. */
    synchronized List<String> requests() {
        return List.copyOf(requests);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
