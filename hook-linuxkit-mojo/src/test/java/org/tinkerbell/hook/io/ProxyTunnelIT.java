package org.tinkerbell.hook.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Passwords for proxies on the way to https addresses. Java reads whether they are allowed once, so it takes a Java of its own. */
class ProxyTunnelIT {
    @TempDir
    Path temporary;

    /** Fetches through a proxy; arguments are its port and a directory. */
    public static void main(String[] arguments) throws IOException {
        ProxySettings proxy = new ProxySettings("http", "127.0.0.1", Integer.parseInt(arguments[0]), "me", "secret", List.of());
        NetworkSettings settings = NetworkSettings.defaults().withProxies(List.of(proxy))
                .withRetries(1, Duration.ofMillis(10), Duration.ofSeconds(1), Duration.ofSeconds(5));
        Path directory = Path.of(arguments[1]);
        try {
            new Downloader(new Cache(directory), settings, Progress.SILENT).fetch(new Downloader.Request(
                    "it", List.of(URI.create("https://mirror.example/it")), -1, null, directory.resolve("it")));
        } catch (DownloadException e) {
            System.out.println(e.getMessage());
        }
    }

    @Test
    @Timeout(60)
    void thePasswordIsSent() throws Exception {
        List<String> seen = Collections.synchronizedList(new ArrayList<>());
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread thread = new Thread(() -> answer(server, seen));
            thread.setDaemon(true);
            thread.start();
            Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                    System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")), ProxyTunnelIT.class.getName(),
                    Integer.toString(server.getLocalPort()), temporary.toString()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, process.waitFor());
            assertTrue(output.contains("Cannot fetch it"), output);
        }
        String password = Base64.getEncoder().encodeToString("me:secret".getBytes(StandardCharsets.UTF_8));
        assertEquals("CONNECT mirror.example:443 HTTP/1.1 null", seen.get(0));
        assertEquals("CONNECT mirror.example:443 HTTP/1.1 Basic " + password, seen.get(1));
    }

    /** Asks for a password and, when it has one, says that there is no way to the server. */
    private static void answer(ServerSocket server, List<String> seen) {
        while (!server.isClosed()) {
            try (Socket socket = server.accept()) {
                BufferedReader reader = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
                String request = reader.readLine();
                String password = null;
                for (String line = reader.readLine(); line != null && !line.isEmpty(); line = reader.readLine()) {
                    if (line.toLowerCase(Locale.ROOT).startsWith("proxy-authorization: ")) {
                        password = line.substring("proxy-authorization: ".length());
                    }
                }
                seen.add(request + " " + password);
                String status = password == null ? "407 Ask\r\nProxy-Authenticate: Basic realm=\"proxy\"" : "403 No";
                socket.getOutputStream().write(("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                        .getBytes(StandardCharsets.ISO_8859_1));
            } catch (IOException e) {
                return;
            }
        }
    }
}
