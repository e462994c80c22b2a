package org.tinkerbell.hook.oci;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A real registry on the loopback device: Debian's {@code docker-registry}, where it is installed; a test that wants it is left out elsewhere. */
public final class DockerRegistry implements AutoCloseable {
    private static final Pattern LISTENING = Pattern.compile("listening on (127\\.0\\.0\\.1:\\d+)");
    private static final int PATIENCE = 600;
    private static final long PAUSE_MILLIS = 100;

    private final Process process;
    private final String host;

    private DockerRegistry(Process process, String host) {
        this.process = process;
        this.host = host;
    }

    /** Starts one that anybody may push to. */
    public static DockerRegistry start(Path directory) throws IOException, InterruptedException {
        return start(directory, "");
    }

    /**
     * Starts one.
     *
     * @param directory for its files
     * @param more lines of its <a href="https://distribution.github.io/distribution/about/configuration/">configuration</a>
     */
    public static DockerRegistry start(Path directory, String more) throws IOException, InterruptedException {
        Optional<Path> command = Stream.of(System.getenv("PATH").split(File.pathSeparator)).map(each -> Path.of(each, "docker-registry"))
                .filter(Files::isExecutable).findFirst();
        assumeTrue(command.isPresent(), "docker-registry is not installed");
        Path config = Files.writeString(directory.resolve("registry.yml"), """
                version: 0.1
                log: {level: info, accesslog: {disabled: true}}
                storage: {filesystem: {rootdirectory: %s}}
                http: {addr: "127.0.0.1:0"}
                %s
                """.formatted(directory.resolve("registry"), more));
        Path log = directory.resolve("registry.log");
        Process process = new ProcessBuilder(command.get().toString(), "serve", config.toString()).redirectErrorStream(true)
                .redirectOutput(log.toFile()).start();
        for (int i = 0; i < PATIENCE; i++) {
            boolean alive = process.isAlive();
            String said = Files.readString(log);
            Matcher matcher = LISTENING.matcher(said);
            if (matcher.find()) {
                return new DockerRegistry(process, matcher.group(1));
            }
            assertTrue(alive, () -> "docker-registry ended: " + said);
            Thread.sleep(PAUSE_MILLIS);
        }
        process.destroy();
        throw new IOException("docker-registry does not listen: " + Files.readString(log));
    }

    /** Address and port, as they are in names of images. */
    public String host() {
        return host;
    }

    /** Ends it, and waits until it has. */
    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }
}
