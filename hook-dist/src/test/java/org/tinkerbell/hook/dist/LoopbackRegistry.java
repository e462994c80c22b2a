package org.tinkerbell.hook.dist;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bouncycastle.crypto.generators.OpenBSDBCrypt;
import org.tinkerbell.hook.toolbox.Tool;
import org.tinkerbell.hook.toolbox.ToolSet;
import org.tinkerbell.hook.toolbox.Toolbox;

/** The CNCF's registry, out of a Debian package, on the loopback or another address of this host's, with TLS and a password if asked. */
final class LoopbackRegistry implements AutoCloseable {
    private static final Pattern LISTENING = Pattern.compile("listening on [0-9.]+:(\\d+)");
    /** The least that bcrypt allows: the registry computes it at each request. */
    private static final int BCRYPT_COST = 4;

    private final Process process;
    private final String address;
    private final int port;
    private final StringBuffer log = new StringBuffer();

    /** Plain HTTP for everybody, on a port of the loopback that the system chooses. */
    LoopbackRegistry(Toolbox toolbox, Path directory) throws IOException, InterruptedException {
        this(toolbox, directory, "127.0.0.1", 0);
    }

    /** Plain HTTP for everybody; a port of 0 is one that the system chooses. */
    LoopbackRegistry(Toolbox toolbox, Path directory, String address, int port) throws IOException, InterruptedException {
        this(toolbox, directory, address, configuration(directory, address, port, "", ""));
    }

    private LoopbackRegistry(Toolbox toolbox, Path directory, String address, String configuration) throws IOException,
            InterruptedException {
        Path file = Files.createDirectories(directory).resolve("config.yml");
        Files.writeString(file, configuration);
        this.address = address;
        Tool tool = toolbox.tool(ToolSet.REGISTRY, "usr/bin/docker-registry");
        process = tool.process(List.of("serve", file.toString())).redirectErrorStream(true).start();
        CompletableFuture<Integer> listening = new CompletableFuture<>();
        Thread reader = new Thread(() -> read(listening), "registry");
        reader.setDaemon(true);
        reader.start();
        try {
            port = listening.get(60, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            process.destroyForcibly();
            throw new IOException("The registry does not listen:\n" + log, e);
        }
    }

    /** TLS, and only for one who knows the password; it serves what another one has left in the directory. */
    static LoopbackRegistry secured(Toolbox toolbox, Path directory, String address, PrivateAuthority.Identity identity, String user,
            String password) throws IOException, InterruptedException {
        Path passwords = directory.resolve("htpasswd");
        byte[] salt = "a salt of 16 byt".getBytes(StandardCharsets.US_ASCII);
        Files.writeString(passwords, user + ":" + OpenBSDBCrypt.generate("2y", password.toCharArray(), salt, BCRYPT_COST) + "\n");
        return new LoopbackRegistry(toolbox, directory, address, configuration(directory, address, 0,
                ", tls: {certificate: " + identity.certificate() + ", key: " + identity.key() + "}",
                "auth: {htpasswd: {realm: stand-in, path: " + passwords + "}}\n"));
    }

    // https://distribution.github.io/distribution/about/configuration/
    private static String configuration(Path directory, String address, int port, String tls, String auth) {
        return "version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: " + directory.resolve("data") + "}}\n"
                + auth + "http: {addr: '" + address + ":" + port + "'" + tls + "}\n";
    }

    int port() {
        return port;
    }

    /** Address and port. */
    String authority() {
        return address + ":" + port;
    }

    /** Everything that it said. */
    String log() {
        return log.toString();
    }

    /** Ends it, and waits until it has. */
    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }

    private void read(CompletableFuture<Integer> listening) {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                log.append(line).append('\n');
                Matcher matcher = LISTENING.matcher(line);
                if (matcher.find()) {
                    listening.complete(Integer.parseInt(matcher.group(1)));
                }
            }
        } catch (IOException e) {
            log.append(e).append('\n');
        }
        listening.completeExceptionally(new IOException("it ended"));
    }
}
