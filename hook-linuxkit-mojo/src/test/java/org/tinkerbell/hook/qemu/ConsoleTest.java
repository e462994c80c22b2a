package org.tinkerbell.hook.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.io.HookException;

@Timeout(30)
class ConsoleTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(50);

    @TempDir
    Path directory;

    private Console of(String text) throws IOException {
        return new Console(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), new ByteArrayOutputStream(),
                directory.resolve("log"));
    }

    @Test
    void findsWhatComesInPieces() throws Exception {
        PipedOutputStream machine = new PipedOutputStream();
        Console console = new Console(new PipedInputStream(machine), new ByteArrayOutputStream(), directory.resolve("log"));
        Thread writer = new Thread(() -> {
            try {
                for (String piece : new String[] {"boot", "ing\r\nlog", "in", "\u001b[1", ";32m: \u001b", "[0mnow"}) {
                    machine.write(piece.getBytes(StandardCharsets.UTF_8));
                    machine.flush();
                    Thread.sleep(5);
                }
                machine.close();
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        writer.start();
        assertEquals("login: n", console.expect(Pattern.compile("lo\\w+: n"), LONG).group());
        writer.join();
        console.close();
        assertEquals("booting\r\nlogin: now", console.text());
        assertTrue(Files.readString(directory.resolve("log")).contains("\u001b[1;32m"), "the transcript keeps everything");
    }

    @Test
    void goesOnAfterWhatWasFound() throws Exception {
        try (Console console = of("one\ntwo\none\n")) {
            console.expect("one", LONG);
            console.expect("two", LONG);
            console.expect("one", LONG);
            assertThrows(HookException.class, () -> console.expect("one", LONG));
        }
    }

    @Test
    void saysWhatTheMachineWroteLastWhenItEnds() throws IOException {
        try (Console console = of("hello\nno init found\n")) {
            String message = assertThrows(HookException.class, () -> console.expect("login:", LONG)).getMessage();
            assertTrue(message.contains("login:") && message.contains("no init found") && message.contains("log"), message);
        }
    }

    @Test
    void doesNotWaitAfterAPanic() throws IOException {
        PipedOutputStream machine = new PipedOutputStream();
        Console console = new Console(new PipedInputStream(machine), new ByteArrayOutputStream(), directory.resolve("log"));
        machine.write("[ 1.0] Kernel panic - not syncing: VFS: no root\n".getBytes(StandardCharsets.UTF_8));
        machine.flush();
        String message = assertThrows(HookException.class, () -> console.expect("login:", LONG)).getMessage();
        assertTrue(message.contains("VFS: no root"), message);
        machine.close();
    }

    @Test
    void givesUpInTime() throws IOException {
        PipedOutputStream machine = new PipedOutputStream();
        Console console = new Console(new PipedInputStream(machine), new ByteArrayOutputStream(), directory.resolve("log"));
        assertTrue(assertThrows(HookException.class, () -> console.expect("x", SHORT)).getMessage().contains("did not write in"));
        machine.close();
    }

    @Test
    void runsCommandsInAShellThatEchoesAndWraps() throws Exception {
        Process shell = new ProcessBuilder("sh").redirectErrorStream(true).start();
        // A terminal's echo, cut into lines as a shell's line editor does it.
        OutputStream echo = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                shell.getOutputStream().write(b == '\r' ? '\n' : b);
            }

            @Override
            public void flush() throws IOException {
                shell.getOutputStream().flush();
            }
        };
        try (Console console = new Console(shell.getInputStream(), echo, directory.resolve("log"))) {
            Console.Result result = console.run("printf 'a\\nb\\n'; false", LONG);
            assertEquals("a\nb\n", result.output());
            assertEquals(1, result.status());
            assertEquals(0, console.run("true", LONG).status());
            shell.destroyForcibly().waitFor();
        }
        assertFalse(shell.isAlive());
    }
}
