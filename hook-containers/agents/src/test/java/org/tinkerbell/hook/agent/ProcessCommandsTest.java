package org.tinkerbell.hook.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 20, unit = TimeUnit.SECONDS)
class ProcessCommandsTest {
    private final ProcessCommands commands = new ProcessCommands();

    @Test
    void statusAndBothStreamsAreTaken() throws Exception {
        assertEquals(new Commands.Result(3, "out\nerr"), commands.run(5000, List.of("sh", "-c", "echo out; echo err >&2; exit 3")));
        assertEquals(new Commands.Result(137, ""), commands.run(5000, List.of("sh", "-c", "kill -9 $$")));
        assertEquals(127, commands.run(5000, List.of("no-such-program-here")).status());
        assertEquals("", commands.run(5000, List.of("cat")).output());
    }

    @Test
    void argumentsAreNobodysToInterpret() throws Exception {
        assertEquals("a b; $HOME `id` *", commands.run(5000, List.of("echo", "a b; $HOME `id` *")).output());
    }

    @Test
    void oneThatHangsIsKilled() throws Exception {
        assertEquals(Commands.TIMED_OUT, commands.run(200, List.of("sleep", "60")).status());
    }

    @Test
    void muchOutputIsReadButNotKept() throws Exception {
        Commands.Result result = commands.run(10_000, List.of("head", "-c", "3000000", "/dev/zero"));
        assertEquals(0, result.status());
        assertEquals(65_536, result.output().length());
    }

    @Test
    void aDaemonThatKeepsThePipeIsNotWaitedFor() throws Exception {
        long start = System.nanoTime();
        assertEquals("left", commands.run(5000, List.of("sh", "-c", "sleep 10 & echo left")).output());
        assertTrue(System.nanoTime() - start < 8_000_000_000L);
    }

    @Test
    void filesAreAppendedTo(@TempDir Path directory) throws Exception {
        Path out = Files.writeString(directory.resolve("out"), "before\n");
        Path error = directory.resolve("err");
        assertEquals(1, commands.run(5000, List.of("sh", "-c", "echo o; echo e >&2; exit 1"), out, error).status());
        assertEquals("before\no\n", Files.readString(out));
        assertEquals("e\n", Files.readString(error));
    }
}
