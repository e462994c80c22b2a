package org.tinkerbell.hook.agent.bootkit;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.CommandLine;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Redactor;
import org.tinkerbell.hook.agent.Ticker;
import org.tinkerbell.hook.agent.TinkerbellHost;

/** The program {@code bootkit}. */
public final class BootkitProgram {
    private BootkitProgram() {
    }

    /**
     * Runs the program.
     *
     * @param arguments none
     * @return exit status: 0 once a worker ran and ended with status 0, 1 if the command line cannot be read, 2 if it was misused
     * @throws InterruptedException if the thread shall end
     */
    public static int run(List<String> arguments) throws InterruptedException {
        if (!arguments.isEmpty()) {
            System.err.println("usage: bootkit");
            return 2;
        }
        Path root = Path.of(System.getProperty("hook.root", "/"));
        Redactor redactor = new Redactor();
        Journal journal = Journal.standard("hook-bootkit", redactor);
        try {
            CommandLine line = CommandLine.read(root.resolve("proc/cmdline"));
            BootkitConfig config = BootkitConfig.of(line);
            redactor.hide(config.get("registry_password"));
            new Bootkit(config, metadata(line, journal), new DockerEngine(root.resolve("var/run/docker.sock")), redactor, journal,
                    Ticker.SYSTEM, root.toString().equals("/") ? "" : root.toString()).run();
            return 0;
        } catch (IOException e) {
            journal.say("the command line cannot be read", e);
            return 1;
        }
    }

    private static List<URI> metadata(CommandLine line, Journal journal) {
        try {
            return TinkerbellHost.of(line).metadata();
        } catch (AgentException e) {
            journal.say("no metadata are asked for", e);
            return List.of();
        }
    }
}
