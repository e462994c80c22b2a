package org.tinkerbell.hook.agent.service;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.Commands;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Json;
import org.tinkerbell.hook.agent.Ticker;

/** Runs the containers of onboot or onshutdown, one after another, with runc. */
final class OneShots {
    private static final int SHOWN = 2000;

    private final String kind;
    private final Layout layout;
    private final Commands commands;
    private final Journal journal;
    private final Ticker ticker;
    private final List<String> callback;
    private final long limit;

    /**
     * @param kind {@code onboot} or {@code onshutdown}
     * @param layout where everything lies
     * @param commands runs runc and mount
     * @param journal tells what happens
     * @param ticker the time
     * @param callback program and arguments of this program
     * @param limit milliseconds that one container may take: a boot that hangs is worse than one that lacks a step
     */
    OneShots(String kind, Layout layout, Commands commands, Journal journal, Ticker ticker, List<String> callback, long limit) {
        this.kind = kind;
        this.layout = layout;
        this.commands = commands;
        this.journal = journal;
        this.ticker = ticker;
        this.callback = callback;
        this.limit = limit;
    }

    /**
     * Runs them all; one that fails does not stop the next.
     *
     * @return how many failed
     * @throws IOException if the containers cannot be listed or the logs' directory cannot be made
     * @throws InterruptedException if the thread shall end
     */
    int run() throws IOException, InterruptedException {
        Path containers = kind.equals("onboot") ? layout.onboot() : layout.onshutdown();
        Path logs = layout.root().resolve("run/log").resolve(kind);
        Files.createDirectories(logs);
        link(logs);
        int failed = 0;
        for (Path container : Containers.list(containers)) {
            if (!run(container, logs)) {
                failed++;
            }
        }
        return failed;
    }

    /** {@code /var/log/onboot}: where people look. */
    private void link(Path logs) {
        try {
            Files.createDirectories(layout.log());
            Path link = layout.log().resolve(kind);
            if (!Files.exists(link, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
                Files.createSymbolicLink(link, logs);
            }
        } catch (IOException e) {
            journal.say(kind + ": no link to the logs in /var/log", e);
        }
    }

    private boolean run(Path container, Path logs) throws InterruptedException {
        String name = container.getFileName().toString();
        Path error = logs.resolve(kind + "." + name + ".log");
        Path out = logs.resolve(kind + "." + name + ".out.log");
        Path bundle = layout.run().resolve("bundles").resolve(kind + "-" + name);
        long start = ticker.nanos();
        String failure;
        try {
            RuntimeConfig config = RuntimeConfig.read(container);
            Preparation preparation = new Preparation(commands, layout.host());
            preparation.before(container, config);
            try {
                Bundle.read(container, config, callback).write(bundle);
                failure = outcome(name, commands.run(limit,
                        List.of("runc", "run", "--bundle", bundle.toString(), name), out, error));
            } finally {
                preparation.after(container, config);
            }
        } catch (IOException | AgentException | Json.Malformed e) {
            failure = Journal.reason(e);
        }
        String took = seconds(ticker.nanos() - start);
        if (failure.isEmpty()) {
            journal.say(kind + " " + name + ": done in " + took + " s");
            return true;
        }
        journal.say(kind + " " + name + ": failed after " + took + " s: " + failure + (kind.equals("onboot") ? "; the boot goes on" : ""));
        remember(name + ": " + failure);
        show(out);
        show(error);
        return false;
    }

    /** For {@code hook-status}, whoever asks later. */
    private void remember(String what) {
        try {
            Files.createDirectories(layout.run());
            Files.writeString(layout.failures(), kind + " " + what.replace('\n', ' ') + "\n", java.nio.file.StandardOpenOption.CREATE,
                    java.nio.file.StandardOpenOption.APPEND);
        } catch (IOException e) {
            // The console has it.
        }
    }

    private String outcome(String name, Commands.Result result) throws InterruptedException {
        if (result.ok()) {
            return "";
        }
        if (result.status() == Commands.TIMED_OUT) {
            // runc was killed, its container was not.
            commands.run(10_000, List.of("runc", "delete", "--force", name));
            return "it was ended since it took longer than " + limit / 1000 + " s";
        }
        return "exit status " + result.status() + (result.output().isEmpty() ? "" : " (" + result.output() + ")");
    }

    /** The end of a failed container's log belongs on the console: there may be no other way to see it. */
    private void show(Path log) {
        try {
            byte[] bytes = Files.readAllBytes(log);
            int from = Math.max(0, bytes.length - SHOWN);
            for (String line : new String(bytes, from, bytes.length - from, StandardCharsets.UTF_8).split("\n")) {
                if (!line.isBlank()) {
                    journal.say("  " + line.stripTrailing());
                }
            }
        } catch (IOException e) {
            // No log was written: the message before says what there is to say.
        }
    }

    static String seconds(long nanos) {
        long tenths = nanos / 100_000_000;
        return tenths / 10 + "." + tenths % 10;
    }
}
