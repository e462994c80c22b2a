package org.tinkerbell.hook.agent.docker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.agent.CommandLine;
import org.tinkerbell.hook.agent.FakeTicker;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Redactor;

@Timeout(value = 20, unit = TimeUnit.SECONDS)
class EngineTest {
    @TempDir
    Path directory;
    private final FakeTicker ticker = new FakeTicker();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private Engine engine(String line, String... command) {
        return new Engine(List.of(command), CommandLine.parse(line), directory, directory.resolve("proc"),
                new Journal("hook-docker", new PrintStream(out, true, StandardCharsets.UTF_8), new Redactor()), ticker);
    }

    private String said() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private Thread background(Engine engine) {
        Thread thread = new Thread(() -> {
            try {
                engine.run();
            } catch (InterruptedException e) {
                // The test is over.
            }
        });
        thread.start();
        return thread;
    }

    @Test
    void itIsStartedAgainTenSecondsAfterItsEnd() throws Exception {
        Path starts = directory.resolve("starts");
        Files.writeString(directory.resolve("docker.pid"), "1");
        Thread thread = background(engine("", "sh", "-c", "test -e " + directory.resolve("docker.pid") + " && echo stale >> " + starts
                + "; echo start >> " + starts + "; exit 3"));
        while (ticker.sleeps().size() < 3) {
            Thread.sleep(5);
        }
        thread.interrupt();
        thread.join();
        assertEquals(List.of(10_000L, 10_000L, 10_000L), ticker.sleeps().subList(0, 3));
        assertTrue(Files.readString(starts).startsWith("start\nstart\nstart\n"));
        assertFalse(Files.readString(starts).contains("stale"));
        assertTrue(said().contains("the Docker Engine ended with status 3; it is started again in 10 s"), said());
    }

    @Test
    void notesOfProcessesThatAreGoneAreRemovedAndOthersStay() throws Exception {
        Path note = directory.resolve("docker/containerd/containerd.pid");
        Files.createDirectories(note.getParent());
        String[][] cases = {{"12", null, "gone"}, {"13", "13 (containerd) Z 1", "gone"}, {"14", "14 (java) S 1", "gone"}, {"x", null, "gone"},
            {"", null, "gone"}, {"15", "15 (containerd) S 1", "stays"}};
        for (String[] one : cases) {
            Files.writeString(note, one[0]);
            if (one[1] != null) {
                Files.createDirectories(directory.resolve("proc").resolve(one[0]));
                Files.writeString(directory.resolve("proc").resolve(one[0]).resolve("stat"), one[1]);
            }
            int sleeps = ticker.sleeps().size();
            Thread thread = background(engine("", "true"));
            while (ticker.sleeps().size() == sleeps) {
                Thread.sleep(5);
            }
            thread.interrupt();
            thread.join();
            assertEquals(one[2], Files.exists(note) ? "stays" : "gone", String.join(" ", one[0]));
        }
    }

    @Test
    void oneThatCannotBeStartedIsTriedAgain() throws Exception {
        Thread thread = background(engine("", "/no/such/dockerd"));
        while (ticker.sleeps().size() < 2) {
            Thread.sleep(5);
        }
        thread.interrupt();
        thread.join();
        assertTrue(said().contains("cannot be started"), said());
    }

    @Test
    void proxiesAreInItsEnvironment() throws Exception {
        Path environment = directory.resolve("environment");
        Thread thread = background(engine("HTTP_PROXY=http://u:pw@p:1 NO_PROXY=a,b HTTPS_PROXY=", "sh", "-c",
                "test -e " + environment + " || echo \"$HTTP_PROXY|${HTTPS_PROXY-unset}|$NO_PROXY\" > " + environment));
        while (ticker.sleeps().isEmpty()) {
            Thread.sleep(5);
        }
        thread.interrupt();
        thread.join();
        assertEquals("http://u:pw@p:1|unset|a,b\n", Files.readString(environment));
        assertFalse(said().contains("pw"), said());
    }

    @Test
    void theEndOfTheProgramEndsItAndNoNewOneIsStarted() throws Exception {
        Path file = directory.resolve("up");
        Engine engine = engine("", "sh", "-c", "trap 'echo term >> " + file + "; exit 0' TERM; echo up >> " + file
                + "; while :; do sleep 0.05; done");
        Thread thread = background(engine);
        while (!Files.exists(file)) {
            Thread.sleep(5);
        }
        engine.close();
        thread.join(10_000);
        assertFalse(thread.isAlive());
        assertEquals("up\nterm\n", Files.readString(file));
        assertEquals(List.of(), ticker.sleeps());
    }
}
