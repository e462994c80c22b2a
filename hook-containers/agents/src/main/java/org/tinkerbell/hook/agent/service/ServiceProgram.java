package org.tinkerbell.hook.agent.service;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.Commands;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Json;
import org.tinkerbell.hook.agent.ProcessCommands;
import org.tinkerbell.hook.agent.Redactor;
import org.tinkerbell.hook.agent.Ticker;

/** The program {@code service}: reads its arguments and calls one thing. */
public final class ServiceProgram {
    private static final String USAGE = "service onboot | onshutdown | system-init | list | start NAME | stop NAME | restart NAME\n";
    private static final int FAILED = 1;
    private static final int MISUSED = 2;
    private static final int ABSENT = 3;

    private ServiceProgram() {
    }

    /**
     * Runs the program.
     *
     * @param arguments what follows {@code service}
     * @param callback program and arguments with which this program can be called again
     * @return exit status: 0 fine, 1 failed, 2 misused, 3 no supervisor answers
     * @throws InterruptedException if the thread shall end
     */
    public static int run(List<String> arguments, List<String> callback) throws InterruptedException {
        String root = System.getProperty("hook.root", "/");
        Layout layout = new Layout(Path.of(root), Path.of("/"));
        Commands commands = new ProcessCommands();
        Journal journal = Journal.standard("service", new Redactor());
        String command = arguments.isEmpty() ? "" : arguments.get(0);
        try {
            switch (command) {
                case "onboot":
                    return new OneShots(command, layout, commands, journal, Ticker.SYSTEM, callback, 300_000).run() == 0 ? 0 : FAILED;
                case "onshutdown":
                    return new OneShots(command, layout, commands, journal, Ticker.SYSTEM, callback, 30_000).run() == 0 ? 0 : FAILED;
                case "system-init":
                case "services":
                    return supervise(layout, commands, journal, callback);
                case "created":
                    return arguments.size() == 2 ? created(Path.of(arguments.get(1)), layout, commands) : misused();
                case "list":
                    return arguments.size() == 1 ? ask(layout, arguments) : misused();
                case "start":
                case "stop":
                case "restart":
                    return arguments.size() == 2 ? ask(layout, arguments) : misused();
                default:
                    return misused();
            }
        } catch (IOException | AgentException | Json.Malformed e) {
            journal.say(command + " failed", e);
            return FAILED;
        }
    }

    private static int misused() {
        System.err.print("usage: " + USAGE);
        return MISUSED;
    }

    private static int supervise(Layout layout, Commands commands, Journal journal, List<String> callback)
            throws IOException, InterruptedException {
        List<String> containerd = new ArrayList<>(List.of(System.getProperty("hook.containerd", "containerd").split(" ")));
        Supervisor supervisor = new Supervisor(layout, commands, journal, containerd, callback);
        Runtime.getRuntime().addShutdownHook(new Thread("shutdown") {
            @Override
            public void run() {
                supervisor.close();
            }
        });
        supervisor.start();
        supervisor.tend();
        return 0;
    }

    /** The hook of a container: its state comes in on standard input (OCI runtime specification, "State"). */
    private static int created(Path container, Layout layout, Commands commands) throws IOException, InterruptedException {
        String state = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        Object pid = Json.readObject(state).get("pid");
        if (!(pid instanceof Json.Num)) {
            throw new AgentException("the runtime did not tell the container's process");
        }
        new Preparation(commands, layout.host()).created(((Json.Num) pid).toLong(), RuntimeConfig.read(container));
        return 0;
    }

    private static int ask(Layout layout, List<String> arguments) throws IOException {
        Path socket = layout.control();
        if (!Files.exists(socket)) {
            System.err.println("service: no supervisor listens on " + socket);
            return ABSENT;
        }
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        String last = "";
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            ByteBuffer line = ByteBuffer.wrap((String.join(" ", arguments) + "\n").getBytes(StandardCharsets.UTF_8));
            while (line.hasRemaining()) {
                channel.write(line);
            }
            BufferedReader in = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
            List<String[]> rows = new ArrayList<>();
            for (String next = in.readLine(); next != null; next = in.readLine()) {
                last = next;
                if (!last.equals("ok") && !last.startsWith("error: ")) {
                    rows.add(next.split("\t"));
                }
            }
            print(rows, out);
        } catch (java.net.ConnectException e) {
            System.err.println("service: no supervisor listens on " + socket);
            return ABSENT;
        }
        out.flush();
        if (last.equals("ok")) {
            return 0;
        }
        System.err.println("service: " + (last.isEmpty() ? "the supervisor went away" : last.substring("error: ".length())));
        return FAILED;
    }

    /** Columns as wide as their widest cell. */
    static void print(List<String[]> rows, PrintStream out) {
        List<Integer> widths = new ArrayList<>();
        for (String[] row : rows) {
            for (int i = 0; i < row.length; i++) {
                if (i == widths.size()) {
                    widths.add(0);
                }
                widths.set(i, Math.max(widths.get(i), row[i].length()));
            }
        }
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.length; i++) {
                line.append(row[i]);
                if (i < row.length - 1) {
                    line.append(" ".repeat(widths.get(i) - row[i].length() + 2));
                }
            }
            out.println(line);
        }
    }
}
