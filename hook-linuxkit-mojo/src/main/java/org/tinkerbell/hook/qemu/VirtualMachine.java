package org.tinkerbell.hook.qemu;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.toolbox.Tool;

/** A machine that runs. Closing it ends it in any case. */
public final class VirtualMachine implements AutoCloseable {
    private static final String CAPABILITIES = "{\"execute\":\"qmp_capabilities\"}";
    private static final Pattern SHUTDOWN = Pattern.compile("\"reason\": ?\"([a-z-]+)\"");

    private final Process process;
    private final Console console;
    private final Path directory;
    private final Path errors;
    private final String commandLine;
    private final CompletableFuture<String> reason = new CompletableFuture<>();

    private VirtualMachine(Process process, Console console, Path directory, Path errors, String commandLine) {
        this.process = process;
        this.console = console;
        this.directory = directory;
        this.errors = errors;
        this.commandLine = commandLine;
    }

    /**
     * Switches a machine on.
     *
     * @param transcript file for all that its console shows; QEMU's own complaints go beside it, with {@code .qemu} added
     */
    public static VirtualMachine start(Tool qemu, Accelerator accelerator, Machine machine, Path transcript) throws IOException {
        // Short, since the name of a Unix socket has 107 bytes at most (unix(7)).
        Path directory = Files.createTempDirectory("hook-vm");
        try {
            List<String> arguments = new ArrayList<>(machine.arguments(accelerator, "chardev:console"));
            arguments.addAll(List.of("-chardev", "stdio,id=console,signal=off"));
            String repeatable = qemu.commandLine(machine.arguments(accelerator, "mon:stdio"));
            // One for commands, and one that is listened to: a monitor serves one at a time.
            arguments.addAll(List.of("-qmp", "unix:" + directory.resolve("qmp") + ",server=on,wait=off"));
            arguments.addAll(List.of("-qmp", "unix:" + directory.resolve("events") + ",server=on,wait=off"));
            Files.createDirectories(transcript.toAbsolutePath().getParent());
            Path errors = transcript.resolveSibling(transcript.getFileName() + ".qemu");
            Process process = qemu.process(arguments).redirectError(errors.toFile()).start();
            Console console = new Console(process.getInputStream(), process.getOutputStream(), transcript);
            VirtualMachine started = new VirtualMachine(process, console, directory, errors, repeatable);
            Thread events = new Thread(started::listen, "qemu-events");
            events.setDaemon(true);
            events.start();
            return started;
        } catch (IOException | RuntimeException e) {
            delete(directory);
            throw e;
        }
    }

    /** The serial console. */
    public Console console() {
        return console;
    }

    /** The command line that starts the same machine by hand, with its console in the terminal. */
    public String commandLine() {
        return commandLine;
    }

    /** Process id of QEMU. */
    public long pid() {
        return process.pid();
    }

    /** Whether it still runs. */
    public boolean isRunning() {
        return process.isAlive();
    }

    /** Completes when the machine has ended, however it did. */
    public CompletableFuture<Void> ended() {
        return process.onExit().thenApply(done -> null);
    }

    /** Presses the power button; the guest decides what it does about it. */
    public void pressPowerButton() throws IOException {
        command("{\"execute\":\"system_powerdown\"}");
    }

    /**
     * Presses keys of the machine's keyboard all at once, and lets them go.
     *
     * @param keys QEMU's names of them (QKeyCode), such as {@code ctrl}
     */
    public void pressKeys(List<String> keys) throws IOException {
        command(keys.stream().map(key -> "{\"type\":\"qcode\",\"data\":\"" + key + "\"}")
                .collect(Collectors.joining(",", "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[", "]}}")));
    }

    /**
     * Why it ended, in QEMU's words (ShutdownCause): {@code guest-shutdown} if the guest switched it off, {@code guest-reset} if it rebooted.
     *
     * @throws HookException if it has not ended, or not by something that QEMU tells
     */
    public String endReason() {
        String told = reason.getNow("");
        if (told.isEmpty()) {
            throw new HookException(isRunning() ? "The machine still runs." : "QEMU did not tell why the machine ended.");
        }
        return told;
    }

    /**
     * Waits until the machine has switched itself off.
     *
     * @throws HookException if it has not in time, or QEMU ended by an error
     */
    public void awaitEnd(Duration patience) throws IOException, InterruptedException {
        if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new HookException("The machine did not switch itself off in " + patience.toSeconds() + " s; see " + console.transcript());
        }
        console.close();
        try {
            reason.get(10, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            // It is asked for by endReason alone.
        }
        if (process.exitValue() != 0) {
            throw new HookException("QEMU ended with status " + process.exitValue() + ": " + Files.readString(errors).strip()
                    + "\nTo repeat it:\n  "
                    + commandLine);
        }
    }

    /** What QEMU itself complained about. */
    public String complaints() throws IOException {
        return Files.readString(errors);
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(5, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        console.close();
        delete(directory);
    }

    /** Reads QEMU's events to their end, which is QEMU's. */
    private void listen() {
        String last = "";
        try (SocketChannel socket = connected("events")) {
            socket.write(ByteBuffer.wrap((CAPABILITIES + "\n").getBytes(StandardCharsets.US_ASCII)));
            for (String line = readLine(socket); !line.isEmpty(); line = readLine(socket)) {
                Matcher matcher = SHUTDOWN.matcher(line);
                if (line.contains("\"SHUTDOWN\"") && matcher.find()) {
                    last = matcher.group(1);
                }
            }
        } catch (IOException e) {
            // QEMU is gone: what it told until then counts.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        reason.complete(last);
    }

    /** QEMU makes its sockets some time after it is started. */
    private SocketChannel connected(String name) throws IOException, InterruptedException {
        while (true) {
            SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                socket.connect(UnixDomainSocketAddress.of(directory.resolve(name)));
                return socket;
            } catch (IOException e) {
                socket.close();
                if (!process.isAlive()) {
                    throw e;
                }
            }
            Thread.sleep(50);
        }
    }

    // https://www.qemu.org/docs/master/interop/qmp-spec.html: a greeting, then capabilities before anything else.
    private void command(String request) throws IOException {
        try (SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            socket.connect(UnixDomainSocketAddress.of(directory.resolve("qmp")));
            readLine(socket);
            for (String execute : List.of(CAPABILITIES, request)) {
                socket.write(ByteBuffer.wrap((execute + "\n").getBytes(StandardCharsets.US_ASCII)));
                String answer = readLine(socket);
                while (answer.contains("\"event\"")) {
                    answer = readLine(socket);
                }
                if (answer.contains("\"error\"")) {
                    throw new IOException("QEMU refuses " + execute + ": " + answer);
                }
            }
        }
    }

    private static String readLine(SocketChannel socket) throws IOException {
        StringBuilder line = new StringBuilder();
        ByteBuffer one = ByteBuffer.allocate(1);
        while (socket.read(one.clear()) >= 0) {
            char c = (char) one.get(0);
            if (c == '\n') {
                break;
            }
            line.append(c);
        }
        return line.toString();
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.collect(Collectors.toList())) {
                Files.deleteIfExists(file);
            }
        }
        Files.deleteIfExists(directory);
    }
}
