package org.tinkerbell.hook.agent.service;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.Commands;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Json;
import org.tinkerbell.hook.agent.Ticker;

/** One service: a thread that starts it, watches its process, and starts it again. */
final class Service implements Runnable {
    private static final String NAMESPACE = "services.linuxkit";
    private static final long LOOK = 500;
    /** The engine gives its containers ten seconds, and some for itself. */
    private static final long GRACE = 20_000;
    private static final long GRACE_DOWN = 10_000;
    private static final int SIGTERM = 15;

    private enum State { STARTING, RUNNING, WAITING, STOPPED, FINISHED }

    private final Path container;
    private final String name;
    private final Layout layout;
    private final Containerd containerd;
    private final ContainerEngine engine;
    private final Commands commands;
    private final Journal journal;
    private final List<String> callback;
    private final StatusFile status;

    private State state = State.STARTING;
    private boolean wanted = true;
    private boolean again;
    private boolean closing;
    private long pid;
    private long since;
    private int starts;
    private String last = "";
    private RestartPolicy policy = new RestartPolicy("always");
    private String namespace = NAMESPACE;
    private ConsoleCopy console;
    private boolean asked;

    Service(Path container, Layout layout, Containerd containerd, ContainerEngine engine, Commands commands, Journal journal,
            List<String> callback, StatusFile status) {
        this.container = container;
        this.name = container.getFileName().toString();
        this.layout = layout;
        this.containerd = containerd;
        this.engine = engine;
        this.commands = commands;
        this.journal = journal;
        this.callback = callback;
        this.status = status;
        status.put(name, line());
    }

    /** @return its name */
    String name() {
        return name;
    }

    @Override
    public void run() {
        try {
            boolean first = true;
            while (awaitWanted()) {
                cycle(first);
                first = false;
            }
        } catch (InterruptedException e) {
            // The system goes down.
        } catch (RuntimeException e) {
            // A fault of this program must not take the other services along, nor stay unseen.
            journal.say("service " + name + ": given up", e);
        }
    }

    private void cycle(boolean first) throws InterruptedException {
        containerd.await();
        RuntimeConfig config = null;
        Preparation preparation = new Preparation(commands, layout.host());
        String reason;
        int status = -1;
        long up = -1;
        try {
            config = RuntimeConfig.read(container);
            namespace = config.namespace().isEmpty() ? NAMESPACE : config.namespace();
            Bundle bundle = Bundle.read(container, config, callback);
            policy = first ? new RestartPolicy(bundle.restart()) : policy;
            if (bundle.console() && console == null) {
                console = new ConsoleCopy(layout.log().resolve(name + ".out.log"), System.out);
            }
            Path own = layout.run().resolve("bundles").resolve(name);
            // A supervisor before this one left that, and perhaps a running service. At power-on there is nothing to ask for.
            boolean before = first && Files.exists(own.resolve("pid"));
            Long running = before ? engine.running(namespace).get(name) : null;
            if (running == null) {
                if (before) {
                    engine.remove(namespace, name);
                }
                preparation.before(container, config);
                Path file = bundle.write(own);
                asked();
                began(engine.start(namespace, name, file), starts == 0 ? "started" : "started again");
            } else {
                began(running, "runs already");
            }
            watch();
            up = (Ticker.SYSTEM.nanos() - since) / 1_000_000;
            containerd.await();
            ContainerEngine.Ended ended = engine.remove(namespace, name);
            copy();
            status = ended.status();
            reason = ended.toString();
        } catch (IOException | AgentException | Json.Malformed e) {
            reason = "cannot be started: " + Journal.reason(e);
            asked();
            engine.remove(namespace, name);
        }
        if (config != null) {
            preparation.release(config);
            preparation.after(container, config);
        }
        ended(reason, up, status);
    }

    private synchronized void asked() {
        asked = true;
        notifyAll();
    }

    /**
     * Waits until containerd was asked to start it for the first time, or that has failed already.
     *
     * @param millis how long to wait
     * @throws InterruptedException if the thread shall end
     */
    synchronized void awaitAsked(long millis) throws InterruptedException {
        long until = Ticker.SYSTEM.nanos() + millis * 1_000_000;
        long left = millis;
        while (!asked && left > 0) {
            wait(left);
            left = (until - Ticker.SYSTEM.nanos()) / 1_000_000;
        }
    }

    private synchronized void began(long process, String how) {
        asked = true;
        pid = process;
        since = Ticker.SYSTEM.nanos();
        starts++;
        state = State.RUNNING;
        report();
        notifyAll();
        String uptime = Ticker.uptime();
        journal.say("service " + name + ": " + how + " (process " + pid + (uptime.isEmpty() ? ")" : ", " + uptime + ")"));
    }

    /** Returns when the process is gone, after having ended it if it is not wanted any more. */
    private void watch() throws InterruptedException {
        long asked = 0;
        while (alive(layout.host(), pid)) {
            copy();
            synchronized (this) {
                if (!wanted || again || closing) {
                    long now = Ticker.SYSTEM.nanos();
                    if (asked == 0) {
                        asked = now;
                        signal(deaf(layout.host(), pid));
                    } else if (now - asked > (closing ? GRACE_DOWN : GRACE) * 1_000_000) {
                        signal(true);
                    }
                    wait(100);
                } else {
                    wait(LOOK);
                }
            }
        }
    }

    private void copy() {
        if (console != null) {
            console.apply();
        }
    }

    private void signal(boolean kill) {
        java.util.Optional<ProcessHandle> process = ProcessHandle.of(pid);
        if (process.isPresent()) {
            if (kill) {
                process.get().destroyForcibly();
            } else {
                process.get().destroy();
            }
        }
    }

    /** A zombie counts as gone: it waits for its shim, which containerd's restart may have delayed. */
    static boolean alive(Path root, long pid) {
        try {
            String stat = Files.readString(root.resolve("proc").resolve(Long.toString(pid)).resolve("stat"),
                    java.nio.charset.StandardCharsets.ISO_8859_1);
            int after = stat.lastIndexOf(')') + 2;
            return after >= stat.length() || "ZX".indexOf(stat.charAt(after)) < 0;
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * The first process of a process namespace gets only those signals that it has a handler for (pid_namespaces(7)): to ask such a one to
     * end would be to wait for nothing.
     */
    static boolean deaf(Path root, long pid) {
        try {
            boolean first = false;
            boolean handler = true;
            for (String line : Files.readAllLines(root.resolve("proc").resolve(Long.toString(pid)).resolve("status"),
                    java.nio.charset.StandardCharsets.ISO_8859_1)) {
                if (line.startsWith("NSpid:")) {
                    String[] numbers = line.substring("NSpid:".length()).trim().split("\\s+");
                    first = numbers.length > 1 && numbers[numbers.length - 1].equals("1");
                } else if (line.startsWith("SigCgt:")) {
                    handler = (Long.parseUnsignedLong(line.substring("SigCgt:".length()).trim(), 16) >> SIGTERM - 1 & 1) != 0;
                }
            }
            return first && !handler;
        } catch (IOException | NumberFormatException e) {
            return false;
        }
    }

    private synchronized void ended(String reason, long up, int status) throws InterruptedException {
        pid = 0;
        last = reason;
        if (closing) {
            state = State.STOPPED;
        } else if (!wanted) {
            state = State.STOPPED;
            journal.say("service " + name + ": stopped (" + reason + ")");
        } else if (again) {
            again = false;
            policy.reset();
            state = State.STARTING;
            journal.say("service " + name + ": stopped for a restart (" + reason + ")");
        } else {
            long pause = policy.ended(up, status);
            if (pause == RestartPolicy.NEVER) {
                wanted = false;
                state = State.FINISHED;
                journal.say("service " + name + ": finished (" + reason + ")");
            } else {
                state = State.WAITING;
                report();
                journal.say("service " + name + ": " + reason + (up < 0 ? "" : " after " + up / 1000 + " s")
                        + "; it is started again in " + pause / 1000 + " s (its log: /var/log/" + name + ".log)");
                long until = Ticker.SYSTEM.nanos() + pause * 1_000_000;
                long left = pause;
                while (left > 0 && wanted && !again && !closing) {
                    wait(left);
                    left = (until - Ticker.SYSTEM.nanos()) / 1_000_000;
                }
                again = false;
                state = wanted ? State.STARTING : State.STOPPED;
            }
        }
        report();
        notifyAll();
    }

    private void report() {
        status.put(name, line());
    }

    private synchronized boolean awaitWanted() throws InterruptedException {
        while (!wanted && !closing) {
            wait();
        }
        if (!closing) {
            state = State.STARTING;
        }
        return !closing;
    }

    /**
     * Asks for it to run, and waits for that a while.
     *
     * @return what came of it, a sentence
     * @throws InterruptedException if the thread shall end
     */
    synchronized String start() throws InterruptedException {
        if (state == State.RUNNING) {
            return name + " runs already";
        }
        wanted = true;
        policy.reset();
        // Ends a pause between two attempts.
        again = state == State.WAITING;
        notifyAll();
        return await(starts + 1);
    }

    /**
     * Asks for it to end, and waits for that.
     *
     * @return what came of it, a sentence
     * @throws InterruptedException if the thread shall end
     */
    synchronized String stop() throws InterruptedException {
        wanted = false;
        notifyAll();
        long until = Ticker.SYSTEM.nanos() + (GRACE + 60_000) * 1_000_000;
        while (state != State.STOPPED && state != State.FINISHED) {
            long left = (until - Ticker.SYSTEM.nanos()) / 1_000_000;
            if (left <= 0) {
                throw new AgentException(name + " has not ended yet");
            }
            wait(left);
        }
        return name + " is stopped";
    }

    /**
     * Asks for a new start, and waits for that.
     *
     * @return what came of it, a sentence
     * @throws InterruptedException if the thread shall end
     */
    synchronized String restart() throws InterruptedException {
        wanted = true;
        again = state == State.RUNNING || state == State.WAITING;
        policy.reset();
        notifyAll();
        return await(starts + 1);
    }

    private String await(int start) throws InterruptedException {
        long until = Ticker.SYSTEM.nanos() + 200_000_000_000L;
        while (starts < start) {
            long left = (until - Ticker.SYSTEM.nanos()) / 1_000_000;
            if (left <= 0 || state == State.WAITING && !again) {
                throw new AgentException(name + " does not start: " + (last.isEmpty() ? "no answer yet" : last));
            }
            wait(left);
        }
        return name + " is started";
    }

    /** Asks for its end since the system goes down. */
    synchronized void close() {
        closing = true;
        notifyAll();
    }

    /** @return one line for people: name, state, process, seconds up, starts, how it ended last */
    synchronized String line() {
        String process = pid == 0 ? "-" : Long.toString(pid);
        String up = state == State.RUNNING ? (Ticker.SYSTEM.nanos() - since) / 1_000_000_000 + "s" : "-";
        return name + "\t" + state.name().toLowerCase(java.util.Locale.ROOT) + "\t" + process + "\t" + up + "\t" + starts + "\t"
                + (last.isEmpty() ? "-" : last);
    }
}
