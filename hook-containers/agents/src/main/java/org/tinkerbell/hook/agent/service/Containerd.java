package org.tinkerbell.hook.agent.service;

import java.io.File;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.tinkerbell.hook.agent.Backoff;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Ticker;

/**
 * containerd itself: started, watched, started again when it ends. The services go on meanwhile, since their shims hold them; only what
 * died with it is started again (an installation in progress must not be cut by it).
 */
final class Containerd implements Runnable {
    private static final long STEADY = 60_000_000_000L;
    private static final long HEARSAY = 1000;

    private final Layout layout;
    private final List<String> command;
    private final Journal journal;
    private final Ticker ticker;
    private boolean ready;
    private boolean closing;
    private boolean gone;
    private Process process;

    /**
     * @param layout where everything lies
     * @param command program and arguments
     * @param journal tells what happens
     * @param ticker the time
     */
    Containerd(Layout layout, List<String> command, Journal journal, Ticker ticker) {
        this.layout = layout;
        this.command = command;
        this.journal = journal;
        this.ticker = ticker;
    }

    @Override
    public void run() {
        Backoff backoff = new Backoff(1000, 60_000);
        try {
            while (true) {
                long start = ticker.nanos();
                String end = once(start);
                if (forGood()) {
                    return;
                }
                if (ticker.nanos() - start >= STEADY) {
                    backoff.reset();
                }
                long pause = backoff.next();
                long left = pause - HEARSAY;
                journal.say("containerd " + end + "; it is started again" + (left < 1000 ? "" : " in " + left / 1000 + " s"));
                ticker.sleep(Math.max(0, left));
            }
        } catch (InterruptedException e) {
            // The system goes down.
        }
    }

    /**
     * Whether it has ended because it was to. When the machine goes down everything is told to end at once, and containerd may have heard of
     * it before this program has: so there is a moment to hear of it.
     */
    private synchronized boolean forGood() throws InterruptedException {
        ready = false;
        long until = ticker.nanos() + HEARSAY * 1_000_000;
        for (long left = HEARSAY; !closing && left > 0; left = (until - ticker.nanos()) / 1_000_000) {
            wait(left);
        }
        gone = closing;
        notifyAll();
        return gone;
    }

    private String once(long start) throws InterruptedException {
        try {
            if (answers()) {
                // A supervisor before this one started it and died: it is as good as a new one, but nobody's child.
                became("containerd is there already");
                while (answers()) {
                    ticker.sleep(1000);
                }
                return "does not answer any more";
            }
            Files.deleteIfExists(layout.containerd());
            Files.createDirectories(layout.log());
            File log = layout.log().resolve("containerd.log").toFile();
            Process started = new ProcessBuilder(command).redirectInput(new File("/dev/null")).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log)).start();
            synchronized (this) {
                process = started;
                if (closing) {
                    started.destroy();
                }
            }
            while (started.isAlive()) {
                if (answers()) {
                    became("containerd answers after " + OneShots.seconds(ticker.nanos() - start) + " s");
                    break;
                }
                ticker.sleep(30);
            }
            return "ended with status " + started.waitFor() + " (its log: /var/log/containerd.log)";
        } catch (IOException e) {
            return "cannot be started: " + Journal.reason(e);
        }
    }

    private synchronized void became(String how) {
        journal.say(how);
        ready = true;
        notifyAll();
    }

    private boolean answers() {
        Path socket = layout.containerd();
        if (!Files.exists(socket)) {
            return false;
        }
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Waits until containerd can be asked.
     *
     * @throws InterruptedException if the thread shall end, since it is interrupted or containerd has ended for good
     */
    synchronized void await() throws InterruptedException {
        while (!ready) {
            if (gone) {
                throw new InterruptedException("containerd has ended for good");
            }
            wait();
        }
    }

    /** @return whether containerd can be asked now */
    synchronized boolean ready() {
        return ready;
    }

    /** Says that containerd is not to be started again when it ends, which it may do before it is closed. */
    synchronized void last() {
        closing = true;
        notifyAll();
    }

    /** Ends containerd for good. */
    void close() {
        Process last;
        synchronized (this) {
            closing = true;
            last = process;
        }
        if (last != null) {
            last.destroy();
        }
    }
}
