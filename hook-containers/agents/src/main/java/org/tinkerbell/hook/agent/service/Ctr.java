package org.tinkerbell.hook.agent.service;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.Commands;

/**
 * {@link ContainerEngine} by containerd's own command, ctr(8): speaking containerd's gRPC would need an HTTP/2 stack in memory.
 * Written against containerd 1.6 and 1.7.
 */
final class Ctr implements ContainerEngine {
    /** A start takes a third of a second, and half a minute on an emulated machine under load. */
    private static final long LIMIT = 180_000;
    private static final String EXIT_CODE = "non-zero exit code ";

    /**
     * Separate files for the two streams need the shim's "binary" logger, which gets them as descriptors 3 and 4 and closes 5 when it is
     * ready (containerd, {@code docs/…/logging}: "binary" scheme); the "file" one mixes them. /run may be noexec, so it is an argument
     * of the shell. Appending lets the supervisor cut a file that grew too much.
     */
    private static final String LOGGER = """
            # Written by hook's service runner: carries a service's output to its logs.
            exec 5>&-
            cat <&3 >>"$1/$CONTAINER_ID.out.log" 4<&- &
            exec cat <&4 >>"$1/$CONTAINER_ID.log" 3<&-
            """;

    private final Commands commands;
    private final Layout layout;
    /** All services at once would be no faster on a small machine, and each process that is waited for costs memory. */
    private final Semaphore atOnce = new Semaphore(Math.max(2, Runtime.getRuntime().availableProcessors()), true);

    Ctr(Commands commands, Layout layout) {
        this.commands = commands;
        this.layout = layout;
    }

    /**
     * Writes what the containers' logs need.
     *
     * @throws IOException if it cannot be written
     */
    void prepare() throws IOException {
        Files.createDirectories(layout.run());
        Files.createDirectories(layout.log());
        Files.writeString(logger(), LOGGER);
    }

    private Path logger() {
        return layout.run().resolve("service-log");
    }

    @Override
    public long start(String namespace, String id, Path config) throws InterruptedException {
        Path pid = config.resolveSibling("pid");
        // ctr takes the URI's query as arguments: each key, then its value.
        String log = "binary:///bin/sh?" + logger() + "=" + layout.log();
        Commands.Result result = run(command(namespace, "run", "--detach", "--pid-file", pid.toString(),
                "--log-uri", log, "--config", config.toString(), id));
        if (!result.ok()) {
            throw new AgentException(result.status() == Commands.TIMED_OUT
                    ? "containerd did not start it within " + LIMIT / 1000 + " s" : shortened(result.output()));
        }
        try {
            return Long.parseLong(Files.readString(pid).trim());
        } catch (IOException | NumberFormatException e) {
            throw new AgentException("containerd did not tell its process in " + pid);
        }
    }

    @Override
    public Ended remove(String namespace, String id) throws InterruptedException {
        Commands.Result task = run(command(namespace, "tasks", "rm", "--force", id));
        run(command(namespace, "containers", "rm", id));
        return ended(task);
    }

    static Ended ended(Commands.Result task) {
        int at = task.output().indexOf(EXIT_CODE);
        if (at < 0) {
            return new Ended(task.ok() ? 0 : -1);
        }
        int end = at + EXIT_CODE.length();
        int status = 0;
        while (end < task.output().length() && Character.isDigit(task.output().charAt(end))) {
            status = Math.min(status * 10 + task.output().charAt(end++) - '0', 1 << 20);
        }
        return new Ended(status);
    }

    @Override
    public Map<String, Long> running(String namespace) throws InterruptedException {
        Map<String, Long> running = new LinkedHashMap<>();
        Commands.Result result = run(command(namespace, "tasks", "ls"));
        for (String line : result.output().split("\n")) {
            String[] columns = line.trim().split("\\s+");
            if (result.ok() && columns.length == 3 && columns[2].equals("RUNNING")) {
                running.put(columns[0], Long.parseLong(columns[1]));
            }
        }
        return running;
    }

    private Commands.Result run(List<String> command) throws InterruptedException {
        atOnce.acquire();
        try {
            return commands.run(LIMIT, command);
        } finally {
            atOnce.release();
        }
    }

    private List<String> command(String namespace, String... rest) {
        List<String> command = new ArrayList<>(List.of("ctr", "--address", layout.containerd().toString(),
                "--namespace", namespace));
        command.addAll(List.of(rest));
        return command;
    }

    private static String shortened(String output) {
        String text = output.replace('\n', ' ');
        return text.length() > 600 ? text.substring(0, 600) + "…" : text;
    }
}
