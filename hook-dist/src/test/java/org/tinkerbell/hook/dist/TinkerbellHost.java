package org.tinkerbell.hook.dist;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.BindException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Stands in for the Tinkerbell host, on the ports that the machines ask: the registry's certificate (HTTP, 80), metadata (HTTP, 50061),
 * syslog (UDP, 514) and the time (NTP, UDP, 123). It keeps what it received.
 */
final class TinkerbellHost implements AutoCloseable {
    private static final int HTTP = 80;
    private static final int METADATA = 50061;
    private static final int SYSLOG = 514;
    private static final int NTP = 123;
    /** RFC 5905, 7.3: a packet without extensions. */
    private static final int NTP_PACKET = 48;
    /** Seconds between the eras of NTP and of Unix (RFC 5905, 6). */
    private static final long NTP_EPOCH = 2_208_988_800L;

    /** An address of the loopback's that nobody uses: a port of it is taken only where somebody has it on every address. */
    private static final String ELSEWHERE = "127.0.0.99";

    private final HttpServer files;
    private final HttpServer metadata;
    private final DatagramSocket syslog;
    private final DatagramSocket ntp;
    private final List<String> requests = new ArrayList<>();
    private final List<String> messages = new ArrayList<>();
    private int timesAsked;

    /** Why there can be none on this host, if there can be none: each port has to be free, since machines know no other. */
    static Optional<String> obstacle() throws IOException {
        InetAddress address = InetAddress.getByName(ELSEWHERE);
        for (int port : new int[] {HTTP, METADATA}) {
            try (ServerSocket socket = new ServerSocket(port, 1, address)) {
                continue;
            } catch (BindException e) {
                return Optional.of("another server has TCP port " + port + " on every address: " + e.getMessage());
            }
        }
        for (int port : new int[] {SYSLOG, NTP}) {
            try (DatagramSocket socket = new DatagramSocket(port, address)) {
                continue;
            } catch (BindException e) {
                return Optional.of("another server has UDP port " + port + " on every address: " + e.getMessage());
            }
        }
        return Optional.empty();
    }

    /**
     * Begins to serve.
     *
     * @param address where
     * @param certificate what {@code /ca.pem} is; empty if there is none
     * @param document what {@code /metadata} is, JSON
     */
    TinkerbellHost(InetAddress address, String certificate, String document) throws IOException {
        files = server(address, HTTP, "/ca.pem", certificate);
        metadata = server(address, METADATA, "/metadata", document);
        syslog = new DatagramSocket(new InetSocketAddress(address, SYSLOG));
        ntp = new DatagramSocket(new InetSocketAddress(address, NTP));
        serve("syslog", this::takeMessage);
        serve("ntp", this::tellTime);
    }

    private HttpServer server(InetAddress address, int port, String path, String body) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(address, port), 0);
        server.createContext("/", exchange -> {
            boolean there = exchange.getRequestURI().getPath().equals(path) && !body.isEmpty();
            synchronized (this) {
                requests.add(exchange.getRequestMethod() + " " + port + exchange.getRequestURI());
            }
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(there ? 200 : 404, there ? bytes.length : -1);
            if (there) {
                exchange.getResponseBody().write(bytes);
            }
            exchange.close();
        });
        server.start();
        return server;
    }

    private interface Datagrams {
        void next() throws IOException;
    }

    private void serve(String name, Datagrams datagrams) {
        Thread thread = new Thread(() -> {
            try {
                while (true) {
                    datagrams.next();
                }
            } catch (IOException e) {
                // It is closed.
            }
        }, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void takeMessage() throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[65_536], 65_536);
        syslog.receive(packet);
        synchronized (this) {
            messages.add(new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8));
        }
    }

    /** RFC 5905, 7.3 and 9.2: a server's answer to a client. */
    private void tellTime() throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[1024], 1024);
        ntp.receive(packet);
        byte[] asked = packet.getData();
        if (packet.getLength() < NTP_PACKET || (asked[0] & 7) != 3) {
            return;
        }
        synchronized (this) {
            timesAsked++;
        }
        ByteBuffer answer = ByteBuffer.allocate(NTP_PACKET);
        // No leap second is near, the client's version, mode 4: server.
        answer.put((byte) (asked[0] & 0x38 | 4)).put((byte) 1).put(asked[2]).put((byte) -20);
        answer.putInt(0).putInt(0).put("TEST".getBytes(StandardCharsets.US_ASCII));
        long now = ntpTime(Instant.now());
        answer.putLong(now).put(asked, 40, 8).putLong(now).putLong(now);
        ntp.send(new DatagramPacket(answer.array(), NTP_PACKET, packet.getSocketAddress()));
    }

    private static long ntpTime(Instant time) {
        return time.getEpochSecond() + NTP_EPOCH << 32 | ((long) time.getNano() << 32) / 1_000_000_000L;
    }

    /** What was asked for over HTTP: {@code GET 80/ca.pem}. */
    synchronized List<String> requests() {
        return List.copyOf(requests);
    }

    /** Syslog's messages. */
    synchronized List<String> messages() {
        return List.copyOf(messages);
    }

    /** How often it was asked for the time. */
    synchronized int timesAsked() {
        return timesAsked;
    }

    @Override
    public void close() {
        files.stop(0);
        metadata.stop(0);
        syslog.close();
        ntp.close();
    }
}
