package org.tinkerbell.hook.agent.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Redactor;
import org.tinkerbell.hook.agent.Ticker;

class ContainerdTest {
    @TempDir
    Path root;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** It writes a line for each start, and ends when there is a file "end". */
    private Containerd containerd() throws Exception {
        Path program = root.resolve("containerd");
        Files.writeString(program, "echo x >>" + root + "/starts\nuntil [ -e " + root + "/end ]; do sleep 0.1; done\nexit 3\n");
        Journal journal = new Journal("service", new PrintStream(out, true, StandardCharsets.UTF_8), new Redactor());
        return new Containerd(new Layout(root, root), List.of("sh", program.toString()), journal, Ticker.SYSTEM);
    }

    private void awaitStarts(int number) throws Exception {
        Path starts = root.resolve("starts");
        while (!Files.exists(starts) || Files.readAllLines(starts).size() < number) {
            Thread.sleep(20);
        }
    }

    private String said() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void isStartedAgainWhenItEnds() throws Exception {
        Thread thread = new Thread(containerd());
        thread.start();
        assertTimeoutPreemptively(Duration.ofMinutes(1), () -> awaitStarts(1));
        Files.createFile(root.resolve("end"));
        assertTimeoutPreemptively(Duration.ofMinutes(1), () -> awaitStarts(2));
        assertTrue(said().startsWith("service: containerd ended with status 3 (its log: /var/log/containerd.log); it is started again\n"), said());
        thread.interrupt();
        thread.join(60_000);
        assertFalse(thread.isAlive());
    }

    @Test
    void isNotWhenTheMachineGoesDownAndNobodyWaitsForIt() throws Exception {
        Containerd containerd = containerd();
        Thread thread = new Thread(containerd);
        thread.start();
        assertTimeoutPreemptively(Duration.ofMinutes(1), () -> awaitStarts(1));
        containerd.last();
        Files.createFile(root.resolve("end"));
        assertTimeoutPreemptively(Duration.ofMinutes(1), () -> assertThrows(InterruptedException.class, containerd::await));
        thread.join(60_000);
        assertFalse(thread.isAlive());
        assertEquals("", said());
        assertEquals(1, Files.readAllLines(root.resolve("starts")).size());
    }
}
