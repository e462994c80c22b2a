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
import org.tinkerbell.hook.toolbox.Tool;
import org.tinkerbell.hook.toolbox.ToolSet;
import org.tinkerbell.hook.toolbox.Toolbox;

/** The CNCF's registry, out of a Debian package, on a port of the loopback that the system chooses. */
final class LoopbackRegistry implements AutoCloseable {
    private static final Pattern LISTENING = Pattern.compile("listening on 127\\.0\\.0\\.1:(\\d+)");

    private final Process process;
    private final int port;
    private final StringBuffer log = new StringBuffer();

    LoopbackRegistry(Toolbox toolbox, Path directory) throws IOException, InterruptedException {
        Path configuration = Files.createDirectories(directory).resolve("config.yml");
        Files.writeString(configuration, "version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: "
                + directory.resolve("data") + "}}\n"
                + "http: {addr: '127.0.0.1:0'}\n");
        Tool tool = toolbox.tool(ToolSet.REGISTRY, "usr/bin/docker-registry");
        process = tool.process(List.of("serve", configuration.toString())).redirectErrorStream(true).start();
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

    int port() {
        return port;
    }

    /** Everything that it said. */
    String log() {
        return log.toString();
    }

    @Override
    public void close() {
        process.destroy();
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
