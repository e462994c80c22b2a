package org.tinkerbell.hook.agent.service;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tinkerbell.hook.agent.Commands;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Ticker;

/** The long-running part: containerd, the services, the control socket, the logs' bounds. */
final class Supervisor {
    private static final long LOG_MOST = 4 << 20;
    private static final int LOG_KEPT = 1 << 20;
    private static final long LOOK_AT_LOGS = 10_000;
    private static final long DOWN = 15_000;
    private static final long TURN = 10_000;

    private final Layout layout;
    private final Commands commands;
    private final Journal journal;
    private final List<String> callback;
    private final Containerd containerd;
    private final List<Service> services = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();

    /**
     * @param layout where everything lies
     * @param commands runs ctr, mount and the like
     * @param journal tells what happens
     * @param containerd program and arguments of containerd
     * @param callback program and arguments of this program
     */
    Supervisor(Layout layout, Commands commands, Journal journal, List<String> containerd, List<String> callback) {
        this.layout = layout;
        this.commands = commands;
        this.journal = journal;
        this.callback = callback;
        this.containerd = new Containerd(layout, containerd, journal, Ticker.SYSTEM);
    }

    /**
     * Starts everything and returns at once; the threads are no daemons.
     *
     * @throws IOException if the services cannot be listed or the directories of the runner cannot be made
     */
    void start() throws IOException {
        Ctr ctr = new Ctr(commands, layout);
        ctr.prepare();
        thread(containerd, "containerd");
        StatusFile status = new StatusFile(layout.status(), journal);
        for (Path container : ordered(Containers.list(layout.services()))) {
            services.add(new Service(container, layout, containerd, ctr, commands, journal, callback, status));
        }
        Thread starter = new Thread(null, this::startServices, "services");
        starter.setDaemon(true);
        starter.start();
        Thread control = new Thread(null, new ControlSocket(layout.control(), services, journal), "control");
        control.setDaemon(true);
        control.start();
    }

    private static List<Path> ordered(List<Path> containers) {
        List<Path> ordered = new ArrayList<>();
        List<Integer> orders = new ArrayList<>();
        for (Path container : containers) {
            int order = Bundle.order(container);
            int at = ordered.size();
            while (at > 0 && orders.get(at - 1) > order) {
                at--;
            }
            ordered.add(at, container);
            orders.add(at, order);
        }
        return ordered;
    }

    /** One after another as far as the asking goes; containerd then starts several at once. */
    private void startServices() {
        try {
            for (Service service : services) {
                synchronized (threads) {
                    threads.add(thread(service, service.name()));
                }
                containerd.await();
                service.awaitAsked(TURN);
            }
        } catch (InterruptedException e) {
            // Nobody interrupts this thread.
        }
    }

    private static Thread thread(Runnable work, String name) {
        Thread thread = new Thread(null, work, name);
        thread.start();
        return thread;
    }

    /**
     * Keeps the logs within bounds until the thread is interrupted.
     *
     * @throws InterruptedException when it is
     */
    void tend() throws InterruptedException {
        LogBound bound = new LogBound(layout.log(), LOG_MOST, LOG_KEPT);
        while (true) {
            Ticker.SYSTEM.sleep(LOOK_AT_LOGS);
            bound.apply();
        }
    }

    /** Ends the services, all at once and within 15 s, then containerd. */
    void close() {
        journal.say("the services are stopped");
        containerd.last();
        for (Service service : services) {
            service.close();
        }
        List<Thread> started;
        synchronized (threads) {
            started = List.copyOf(threads);
        }
        if (!containerd.ready()) {
            // They wait for something that will not come any more.
            for (Thread thread : started) {
                thread.interrupt();
            }
        }
        long until = System.nanoTime() + DOWN * 1_000_000;
        try {
            for (Thread thread : started) {
                thread.join(Math.max(1, (until - System.nanoTime()) / 1_000_000));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        containerd.close();
    }
}
