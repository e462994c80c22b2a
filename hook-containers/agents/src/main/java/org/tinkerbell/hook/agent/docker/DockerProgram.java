package org.tinkerbell.hook.agent.docker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.tinkerbell.hook.agent.CommandLine;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Redactor;
import org.tinkerbell.hook.agent.Ticker;

/**
 * The program {@code docker}. Its container has the host's processes ({@code pid: host}), so children that others left behind are the
 * machine's init's, not its own.
 */
public final class DockerProgram {
    private static final long CGROUP_PATIENCE = 10_000;

    private DockerProgram() {
    }

    /**
     * Runs the program.
     *
     * @param arguments none
     * @return exit status: 1 if something failed that starting again may mend, 2 if it was misused
     * @throws InterruptedException if the thread shall end
     */
    public static int run(List<String> arguments) throws InterruptedException {
        if (!arguments.isEmpty()) {
            System.err.println("usage: docker");
            return 2;
        }
        Path root = Path.of(System.getProperty("hook.root", "/"));
        Redactor redactor = new Redactor();
        Journal journal = Journal.standard("hook-docker", redactor);
        try {
            CommandLine line = CommandLine.read(root.resolve("proc/cmdline"));
            redactor.hide(line.get("registry_password"));
            Thread watch = new Thread(null, new RebootWatch(root.resolve("worker/reboot"), new RebootWatch.ThisMachine(), journal,
                    Ticker.SYSTEM), "reboot");
            watch.setDaemon(true);
            watch.start();
            DaemonConfig.write(root.resolve("etc/docker/daemon.json"), DaemonConfig.text(line));
            RegistryCertificate.of(line, root.resolve("etc/docker/certs.d"), journal, Ticker.SYSTEM).beforeEngine();
            awaitCgroups(root, journal);
            Engine engine = new Engine(List.of(System.getProperty("hook.dockerd", "dockerd --host=unix:///var/run/docker.sock").split(" ")),
                    line, root.resolve("var/run"), Path.of("/proc"), journal, Ticker.SYSTEM);
            Runtime.getRuntime().addShutdownHook(new Thread("shutdown") {
                @Override
                public void run() {
                    engine.close();
                }
            });
            engine.run();
            return 0;
        } catch (IOException e) {
            journal.say("hook-docker cannot start the engine", e);
            return 1;
        }
    }

    /** The engine refuses to start without control groups, and a start costs seconds. */
    private static void awaitCgroups(Path root, Journal journal) throws InterruptedException {
        Path groups = root.resolve("sys/fs/cgroup");
        long start = System.nanoTime();
        while (!Files.exists(groups.resolve("cgroup.controllers")) && !Files.isDirectory(groups.resolve("memory"))) {
            if (System.nanoTime() - start > CGROUP_PATIENCE * 1_000_000) {
                journal.say("no control groups in /sys/fs/cgroup: the engine is started nevertheless");
                return;
            }
            Ticker.SYSTEM.sleep(100);
        }
    }
}
