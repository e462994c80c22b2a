package org.tinkerbell.hook.agent.docker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.tinkerbell.hook.agent.CommandLine;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Ticker;

/** The engine's process: started, and started again 10 s after it ended. */
final class Engine {
    private static final long PAUSE = 10_000;
    /** dockerd gives its containers 15 s; then it ends by itself. */
    private static final long GRACE = 20;
    private static final List<String> PROXIES = List.of("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY");

    private final List<String> command;
    private final CommandLine line;
    private final Path run;
    private final Path proc;
    private final Journal journal;
    private final Ticker ticker;
    private Process process;
    private boolean closing;

    /**
     * @param command program and arguments of the engine
     * @param line the command line, for the proxies
     * @param run {@code /var/run}: there the engine and its containerd leave notes of their processes
     * @param proc {@code /proc}
     * @param journal tells what happens
     * @param ticker the time
     */
    Engine(List<String> command, CommandLine line, Path run, Path proc, Journal journal, Ticker ticker) {
        this.command = command;
        this.line = line;
        this.run = run;
        this.proc = proc;
        this.journal = journal;
        this.ticker = ticker;
    }

    /**
     * Keeps it running.
     *
     * @throws InterruptedException if the thread shall end
     */
    void run() throws InterruptedException {
        while (true) {
            String end = once();
            synchronized (this) {
                if (closing) {
                    return;
                }
            }
            journal.say("the Docker Engine " + end + "; it is started again in " + PAUSE / 1000 + " s");
            ticker.sleep(PAUSE);
        }
    }

    private String once() throws InterruptedException {
        try {
            forget(run.resolve("docker.pid"), "dockerd");
            forget(run.resolve("docker/containerd/containerd.pid"), "containerd");
            ProcessBuilder builder = new ProcessBuilder(command).inheritIO().redirectInput(new java.io.File("/dev/null"));
            proxies(builder.environment());
            Process started = builder.start();
            synchronized (this) {
                process = started;
                if (closing) {
                    started.destroy();
                }
            }
            journal.say("the Docker Engine is started (process " + started.pid() + ", " + Ticker.uptime() + ")");
            int status = started.waitFor();
            return status > 128 ? "was killed by signal " + (status - 128) : "ended with status " + status;
        } catch (IOException e) {
            return "cannot be started: " + Journal.reason(e);
        }
    }

    /**
     * Removes a note of a process that is gone. An engine that was killed leaves its own and its containerd's, and a new engine takes any
     * process with such a number for the old one, a zombie too: it would not start, or would wait for that containerd in vain, again and
     * again.
     */
    private void forget(Path note, String program) throws IOException {
        if (!Files.exists(note)) {
            return;
        }
        try {
            String stat = Files.readString(proc.resolve(Files.readString(note).trim()).resolve("stat"),
                    java.nio.charset.StandardCharsets.ISO_8859_1);
            int end = stat.lastIndexOf(')');
            if (end > 0 && stat.startsWith(program, stat.indexOf('(') + 1) && "ZX".indexOf(stat.charAt(end + 2)) < 0) {
                return;
            }
        } catch (IOException e) {
            // No such process.
        }
        Files.deleteIfExists(note);
    }

    /** In both spellings would be one too many: the engine reads the upper-case ones first. */
    private void proxies(Map<String, String> environment) {
        for (String name : PROXIES) {
            String value = line.get(name).trim();
            if (!value.isEmpty()) {
                environment.put(name, value);
            }
        }
    }

    /** Ends it, and waits for it. */
    void close() {
        Process last;
        synchronized (this) {
            closing = true;
            last = process;
        }
        if (last == null) {
            return;
        }
        last.destroy();
        try {
            if (!last.waitFor(GRACE, TimeUnit.SECONDS)) {
                last.destroyForcibly();
            }
        } catch (InterruptedException e) {
            last.destroyForcibly();
        }
    }
}
