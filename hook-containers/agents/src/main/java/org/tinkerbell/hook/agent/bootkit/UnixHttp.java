package org.tinkerbell.hook.agent.bootkit;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * HTTP/1.1 (RFC 9112) over a Unix socket, as far as a client of the Docker Engine needs it: one request a connection, bodies by length,
 * in chunks or up to the end, and a time after which a silent server is given up. {@code java.net.http} knows no Unix sockets.
 */
final class UnixHttp {
    private static final int MOST_HEAD = 65_536;

    private final Path socket;

    UnixHttp(Path socket) {
        this.socket = socket;
    }

    /** The server's answer; to be closed. Its body may be read as it comes. */
    static final class Response implements AutoCloseable {
        private final int status;
        private final Map<String, String> headers;
        private final InputStream body;
        private final Wire wire;

        Response(int status, Map<String, String> headers, InputStream body, Wire wire) {
            this.status = status;
            this.headers = headers;
            this.body = body;
            this.wire = wire;
        }

        int status() {
            return status;
        }

        /** @return a header's value, empty if it is not there; the name in lower case */
        String header(String name) {
            return headers.getOrDefault(name, "");
        }

        InputStream body() {
            return body;
        }

        /**
         * Reads the whole body.
         *
         * @param most bytes that it may have
         * @return the body, as UTF-8
         * @throws IOException if it is larger, cut off or too late
         */
        String text(int most) throws IOException {
            byte[] bytes = body.readNBytes(most + 1);
            if (bytes.length > most) {
                throw new IOException("the engine's answer is larger than " + most + " bytes");
            }
            return new String(bytes, StandardCharsets.UTF_8);
        }

        @Override
        public void close() throws IOException {
            wire.close();
        }
    }

    /**
     * Asks.
     *
     * @param method method
     * @param target path and query, escaped
     * @param headers further headers
     * @param body body, {@code null} for none; sent as JSON
     * @param idleMillis how long the server may be silent at a stretch
     * @return the answer, its body not yet read
     * @throws IOException if there is no answer
     */
    Response send(String method, String target, Map<String, String> headers, String body, long idleMillis) throws IOException {
        byte[] content = body == null ? new byte[0] : body.getBytes(StandardCharsets.UTF_8);
        StringBuilder head = new StringBuilder(method).append(' ').append(target).append(" HTTP/1.1\r\nHost: docker\r\n")
                .append("User-Agent: hook-bootkit\r\nConnection: close\r\nContent-Length: ").append(content.length).append("\r\n");
        if (body != null) {
            head.append("Content-Type: application/json\r\n");
        }
        for (Map.Entry<String, String> header : headers.entrySet()) {
            head.append(header.getKey()).append(": ").append(header.getValue()).append("\r\n");
        }
        head.append("\r\n");
        Wire wire = new Wire(socket, idleMillis);
        try {
            wire.write(head.toString().getBytes(StandardCharsets.ISO_8859_1));
            wire.write(content);
            return answer(wire);
        } catch (IOException | RuntimeException e) {
            wire.close();
            throw e;
        }
    }

    private static Response answer(Wire wire) throws IOException {
        while (true) {
            String[] words = wire.line().split(" ", 3);
            if (words.length < 2 || !words[0].startsWith("HTTP/1.") || words[1].length() != 3) {
                throw new IOException("the engine's socket does not speak HTTP");
            }
            int status;
            try {
                status = Integer.parseInt(words[1]);
            } catch (NumberFormatException e) {
                throw new IOException("the engine's socket does not speak HTTP");
            }
            Map<String, String> headers = new LinkedHashMap<>();
            int size = 0;
            for (String line = wire.line(); !line.isEmpty(); line = wire.line()) {
                int colon = line.indexOf(':');
                size += line.length();
                if (colon <= 0 || size > MOST_HEAD) {
                    throw new IOException("the engine sent a malformed header");
                }
                headers.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).trim());
            }
            if (status >= 200) {
                return new Response(status, headers, body(status, headers, wire), wire);
            }
        }
    }

    private static InputStream body(int status, Map<String, String> headers, Wire wire) throws IOException {
        if (status == 204 || status == 304) {
            return InputStream.nullInputStream();
        }
        String encoding = headers.getOrDefault("transfer-encoding", "");
        if (encoding.equalsIgnoreCase("chunked")) {
            return new Chunked(wire);
        }
        if (!encoding.isEmpty()) {
            throw new IOException("the engine sent a body in an unknown encoding");
        }
        String length = headers.get("content-length");
        if (length == null) {
            return new Body(wire, Long.MAX_VALUE, true);
        }
        try {
            return new Body(wire, Long.parseLong(length), false);
        } catch (NumberFormatException e) {
            throw new IOException("the engine sent a malformed length");
        }
    }

    /** A connection whose reads and writes end after a time without any progress. */
    private static final class Wire implements AutoCloseable {
        private final SocketChannel channel;
        private final Selector selector;
        private final long idleMillis;
        private final ByteBuffer buffer = ByteBuffer.allocate(8192).flip();

        Wire(Path socket, long idleMillis) throws IOException {
            this.idleMillis = idleMillis;
            this.channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                // A Unix socket connects at once or not at all, unless the server's queue is full; then the kernel makes us wait.
                channel.configureBlocking(false);
                selector = Selector.open();
            } catch (IOException e) {
                channel.close();
                throw e;
            }
            try {
                connect(socket);
            } catch (IOException | RuntimeException e) {
                close();
                throw e;
            }
        }

        private void connect(Path socket) throws IOException {
            if (!channel.connect(UnixDomainSocketAddress.of(socket))) {
                await(SelectionKey.OP_CONNECT);
                channel.finishConnect();
            }
        }

        private void await(int what) throws IOException {
            SelectionKey key = channel.keyFor(selector);
            if (key == null) {
                channel.register(selector, what);
            } else {
                key.interestOps(what);
            }
            selector.selectedKeys().clear();
            if (selector.select(idleMillis) == 0) {
                if (Thread.currentThread().isInterrupted()) {
                    throw new java.io.InterruptedIOException("interrupted");
                }
                throw new java.net.SocketTimeoutException("the engine has been silent for " + idleMillis / 1000 + " s");
            }
        }

        void write(byte[] bytes) throws IOException {
            ByteBuffer out = ByteBuffer.wrap(bytes);
            while (out.hasRemaining()) {
                if (channel.write(out) == 0) {
                    await(SelectionKey.OP_WRITE);
                }
            }
        }

        /** Returns the next byte, -1 at the end. */
        int read() throws IOException {
            return fill() ? buffer.get() & 0xff : -1;
        }

        int read(byte[] to, int offset, int length) throws IOException {
            if (!fill()) {
                return -1;
            }
            int count = Math.min(length, buffer.remaining());
            buffer.get(to, offset, count);
            return count;
        }

        private boolean fill() throws IOException {
            while (!buffer.hasRemaining()) {
                buffer.clear();
                int count;
                try {
                    count = channel.read(buffer);
                } finally {
                    buffer.flip();
                }
                if (count < 0) {
                    return false;
                }
                if (count == 0) {
                    await(SelectionKey.OP_READ);
                }
            }
            return true;
        }

        String line() throws IOException {
            ByteArrayOutputStream line = new ByteArrayOutputStream(80);
            while (true) {
                int c = read();
                if (c < 0) {
                    throw new EOFException("the engine ended the connection in the midst of its answer");
                }
                if (c == '\n') {
                    String text = line.toString(StandardCharsets.ISO_8859_1);
                    return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
                }
                if (line.size() > MOST_HEAD) {
                    throw new IOException("the engine sent a line without an end");
                }
                line.write(c);
            }
        }

        @Override
        public void close() throws IOException {
            try (channel) {
                selector.close();
            }
        }
    }

    /** A body of a known length, or up to the end of the connection. */
    private static final class Body extends InputStream {
        private final Wire wire;
        private final boolean toEnd;
        private long left;

        Body(Wire wire, long length, boolean toEnd) {
            this.wire = wire;
            this.left = length;
            this.toEnd = toEnd;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] to, int offset, int length) throws IOException {
            if (left <= 0 || length == 0) {
                return left <= 0 ? -1 : 0;
            }
            int count = wire.read(to, offset, (int) Math.min(length, left));
            if (count < 0 && !toEnd) {
                throw new EOFException("the engine ended the connection in the midst of its answer");
            }
            left -= Math.max(0, count);
            return count;
        }
    }

    /** A body in chunks (RFC 9112, section 7.1). */
    private static final class Chunked extends InputStream {
        private final Wire wire;
        private long left;
        private boolean first = true;
        private boolean end;

        Chunked(Wire wire) {
            this.wire = wire;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] to, int offset, int length) throws IOException {
            if (end || length == 0) {
                return end ? -1 : 0;
            }
            if (left == 0 && !next()) {
                return -1;
            }
            int count = wire.read(to, offset, (int) Math.min(length, left));
            if (count < 0) {
                throw new EOFException("the engine ended the connection in the midst of its answer");
            }
            left -= count;
            return count;
        }

        private boolean next() throws IOException {
            if (!first && !wire.line().isEmpty()) {
                throw new IOException("the engine sent a malformed chunk");
            }
            first = false;
            String line = wire.line();
            int semicolon = line.indexOf(';');
            String size = (semicolon < 0 ? line : line.substring(0, semicolon)).trim();
            try {
                left = Long.parseLong(size, 16);
            } catch (NumberFormatException e) {
                throw new IOException("the engine sent a malformed chunk");
            }
            if (left < 0) {
                throw new IOException("the engine sent a malformed chunk");
            }
            if (left == 0) {
                // Trailers, if any, up to the empty line.
                while (!wire.line().isEmpty()) {
                    continue;
                }
                end = true;
            }
            return !end;
        }
    }
}
