package org.tinkerbell.hook.dist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.tinkerbell.hook.qemu.Console;
import org.tinkerbell.hook.qemu.VirtualMachine;

/**
 * A machine under test, and the shell on its console. Everything is waited for by what happens; the limits are only for a machine on which
 * nothing does.
 */
final class Guest {
    /** From power-on to a worker, on a host that has other work too. */
    static final Duration BOOT = Duration.ofMinutes(15);

    private static final Duration COMMAND = Duration.ofMinutes(5);
    private static final int SHOWN = 3000;
    /** What the machine's own programs say on the console, whatever else is going on there. */
    private static final Pattern SAID_BY_THE_MACHINE = Pattern.compile("(?m)^(?:hook-\\w+|service|hook|static network|\\[ *[0-9.]+\\] \\w+): .*\n");

    private final VirtualMachine machine;

    Guest(VirtualMachine machine) {
        this.machine = machine;
    }

    VirtualMachine machine() {
        return machine;
    }

    /** Waits for something that happens elsewhere because of the machine; fails at once when the machine ends. */
    <T> T await(CompletableFuture<T> event) throws Exception {
        CompletableFuture.anyOf(event, machine.ended()).get(BOOT.toSeconds(), TimeUnit.SECONDS);
        String text = machine.console().text();
        assertTrue(event.isDone() || machine.isRunning(), () -> "The machine ended too early; its console, all of it in "
                + machine.console().transcript() + ":\n" + text.substring(Math.max(0, text.length() - SHOWN)));
        return event.get();
    }

    /** Waits for a login on the console; needed once, before anything is run. */
    void login() throws Exception {
        machine.console().send("");
        machine.console().expect(Pattern.compile("# $"), BOOT);
        // The kernel's messages would stand between the lines that are read.
        run("dmesg -n 1");
    }

    /** What a command says at the console, without what services say there meanwhile. */
    Console.Result run(String command) throws IOException, InterruptedException {
        return withoutOthers(machine.console().run(command, COMMAND));
    }

    private static Console.Result withoutOthers(Console.Result result) {
        return new Console.Result(result.status(), SAID_BY_THE_MACHINE.matcher(result.output()).replaceAll(""));
    }

    /** The same, of a command that has to succeed. */
    String succeeds(String command) throws IOException, InterruptedException {
        Console.Result result = run(command);
        assertEquals(0, result.status(), () -> command + ": " + result.output());
        return result.output();
    }

    /** Runs a command again and again until it succeeds, five minutes at most. */
    void eventually(String command) throws IOException, InterruptedException {
        Console.Result result = machine.console().run("i=0; until " + command + "; do i=$((i + 1)); [ $i -lt 150 ] || break; sleep 2; done; "
                + "[ $i -lt 150 ]", Duration.ofMinutes(15));
        assertEquals(0, result.status(), () -> command + " does not come true: " + result.output());
    }
}
