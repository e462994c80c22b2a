package org.tinkerbell.hook.agent.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogsTest {
    @TempDir
    Path directory;

    @Test
    void aLogThatOutgrewItsBoundKeepsItsEnd() throws Exception {
        Path log = Files.writeString(directory.resolve("x.log"), "0123456789".repeat(10_000));
        Path small = Files.writeString(directory.resolve("y.log"), "small");
        Files.createSymbolicLink(directory.resolve("link.log"), log);
        try (java.io.OutputStream writer = Files.newOutputStream(log, StandardOpenOption.APPEND)) {
            new LogBound(directory, 50_000, 25).apply();
            writer.write("after".getBytes(StandardCharsets.UTF_8));
        }
        assertEquals("after", Files.readString(log));
        assertEquals("5678901234567890123456789", Files.readString(directory.resolve("x.log.1")));
        assertEquals("small", Files.readString(small));
        assertFalse(Files.exists(directory.resolve("y.log.1")));
        assertFalse(Files.exists(directory.resolve("link.log.1")));
        new LogBound(directory.resolve("absent"), 1, 1).apply();
    }

    @Test
    void wholeLinesAreCopiedToTheConsole() throws Exception {
        Path log = Files.writeString(directory.resolve("x.out.log"), "before\n");
        ByteArrayOutputStream console = new ByteArrayOutputStream();
        ConsoleCopy copy = new ConsoleCopy(log, console);
        copy.apply();
        assertEquals("", console.toString(StandardCharsets.UTF_8));
        Files.writeString(log, "eins ä\u001b[2J\t\nzw", StandardOpenOption.APPEND);
        copy.apply();
        assertEquals("eins ä [2J\t\n", console.toString(StandardCharsets.UTF_8));
        Files.writeString(log, "ei\n", StandardOpenOption.APPEND);
        copy.apply();
        copy.apply();
        assertEquals("eins ä [2J\t\nzwei\n", console.toString(StandardCharsets.UTF_8));
        Files.writeString(log, "new\n");
        copy.apply();
        assertEquals("eins ä [2J\t\nzwei\nnew\n", console.toString(StandardCharsets.UTF_8));
        new ConsoleCopy(directory.resolve("absent"), console).apply();
    }
}
