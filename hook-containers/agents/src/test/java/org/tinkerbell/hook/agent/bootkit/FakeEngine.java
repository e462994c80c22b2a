package org.tinkerbell.hook.agent.bootkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An engine that answers what a test wrote down, byte by byte. */
final class FakeEngine implements AutoCloseable {
    /** Keeps the connection open and silent after what was sent. */
    static final String HANG = "\u0000HANG";

    /** A request as it came. */
    record Request(String line, Map<String, String> headers, String body) {
    }

    private final ServerSocketChannel server;
    private final Map<String, Deque<String>> answers = new LinkedHashMap<>();
    private final List<Request> requests = new ArrayList<>();

    FakeEngine(Path socket) throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        Files.deleteIfExists(socket);
        server.bind(UnixDomainSocketAddress.of(socket));
        Thread thread = new Thread(this::serve, "fake engine");
        thread.setDaemon(true);
        thread.start();
    }

    /** Sets the answers to requests whose first line starts so; of several the last one stays. */
    FakeEngine on(String start, String... raw) {
        synchronized (answers) {
            answers.put(start, new ArrayDeque<>(List.of(raw)));
        }
        return this;
    }

    static String json(int status, String body) {
        return "HTTP/1.1 " + status + " X\r\nContent-Type: application/json\r\nContent-Length: "
                + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n" + body;
    }

    static String chunked(String... chunks) {
        StringBuilder out = new StringBuilder("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (String chunk : chunks) {
            out.append(Integer.toHexString(chunk.getBytes(StandardCharsets.UTF_8).length)).append("\r\n").append(chunk).append("\r\n");
        }
        return out.append("0\r\n\r\n").toString();
    }

    /** @return the first lines of the requests so far */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        synchronized (requests) {
            for (Request request : requests) {
                lines.add(request.line());
            }
        }
        return lines;
    }

    /** @return the last request whose line starts so */
    Request last(String start) {
        Request last = null;
        synchronized (requests) {
            for (Request request : requests) {
                last = request.line().startsWith(start) ? request : last;
            }
        }
        return last;
    }

    private void serve() {
        try {
            while (true) {
                SocketChannel client = server.accept();
                Thread thread = new Thread(() -> answer(client), "fake engine's answer");
                thread.setDaemon(true);
                thread.start();
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    private void answer(SocketChannel client) {
        try (client; InputStream in = Channels.newInputStream(client); OutputStream out = Channels.newOutputStream(client)) {
            String line = line(in);
            Map<String, String> headers = new LinkedHashMap<>();
            for (String header = line(in); !header.isEmpty(); header = line(in)) {
                headers.put(header.substring(0, header.indexOf(':')), header.substring(header.indexOf(':') + 2));
            }
            String body = new String(in.readNBytes(Integer.parseInt(headers.getOrDefault("Content-Length", "0"))), StandardCharsets.UTF_8);
            String bare = line.replaceFirst(" /v[0-9.]+/", " /").replace(" HTTP/1.1", "");
            synchronized (requests) {
                requests.add(new Request(bare, headers, body));
            }
            String answer = json(404, "{\"message\":\"page not found\"}");
            synchronized (answers) {
                for (Map.Entry<String, Deque<String>> entry : answers.entrySet()) {
                    if (bare.startsWith(entry.getKey())) {
                        Deque<String> queue = entry.getValue();
                        answer = queue.size() > 1 ? queue.poll() : queue.peek();
                    }
                }
            }
            boolean hang = answer.endsWith(HANG);
            out.write((hang ? answer.substring(0, answer.length() - HANG.length()) : answer).getBytes(StandardCharsets.UTF_8));
            out.flush();
            if (hang) {
                Thread.sleep(60_000);
            }
        } catch (IOException | InterruptedException | IllegalArgumentException e) {
            // The client went away.
        }
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new IOException("cut");
            }
            line.append((char) c);
        }
        return line.toString().stripTrailing();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
