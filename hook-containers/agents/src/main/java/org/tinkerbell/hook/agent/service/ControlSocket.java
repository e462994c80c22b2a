package org.tinkerbell.hook.agent.service;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.Journal;

/**
 * The supervisor's ear: a Unix socket for root. One line asks ({@code list}, {@code start NAME}, {@code stop NAME}, {@code restart NAME}), the
 * answer is any number of lines, of which the last is {@code ok} or {@code error: …}.
 */
final class ControlSocket implements Runnable {
    private final Path socket;
    private final List<Service> services;
    private final Journal journal;

    ControlSocket(Path socket, List<Service> services, Journal journal) {
        this.socket = socket;
        this.services = services;
        this.journal = journal;
    }

    @Override
    public void run() {
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            Files.createDirectories(socket.getParent());
            Files.deleteIfExists(socket);
            server.bind(UnixDomainSocketAddress.of(socket));
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
            while (true) {
                SocketChannel client = server.accept();
                // A thread each, so that one who asks nothing or waits for a stop keeps nobody else waiting.
                Thread thread = new Thread(null, new Answer(client), "control");
                thread.setDaemon(true);
                thread.start();
            }
        } catch (ClosedChannelException e) {
            // The system goes down.
        } catch (IOException e) {
            journal.say("no control socket " + socket + ": the services run, but service(8) cannot reach this program", e);
        }
    }

    private final class Answer implements Runnable {
        private final SocketChannel client;

        Answer(SocketChannel client) {
            this.client = client;
        }

        @Override
        public void run() {
            try (client) {
                BufferedReader in = new BufferedReader(Channels.newReader(client, StandardCharsets.UTF_8));
                String line = in.readLine();
                ByteBuffer bytes = ByteBuffer.wrap(answer(line == null ? "" : line).getBytes(StandardCharsets.UTF_8));
                while (bytes.hasRemaining()) {
                    client.write(bytes);
                }
            } catch (IOException e) {
                // The asker went away.
            } catch (InterruptedException e) {
                // The system goes down.
            }
        }
    }

    /**
     * Does what a line asks for.
     *
     * @param line the line
     * @return the answer's lines
     * @throws InterruptedException if the thread shall end
     */
    String answer(String line) throws InterruptedException {
        String[] words = line.trim().split("\\s+");
        try {
            if (words.length == 1 && words[0].equals("list")) {
                StringBuilder lines = new StringBuilder("NAME\tSTATE\tPROCESS\tUP\tSTARTS\tLAST END\n");
                for (Service service : services) {
                    lines.append(service.line()).append('\n');
                }
                return lines.append("ok\n").toString();
            }
            if (words.length == 2) {
                Service service = find(words[1]);
                switch (words[0]) {
                    case "start":
                        return service.start() + "\nok\n";
                    case "stop":
                        return service.stop() + "\nok\n";
                    case "restart":
                        return service.restart() + "\nok\n";
                    default:
                        break;
                }
            }
            return "error: list, start NAME, stop NAME or restart NAME is understood\n";
        } catch (AgentException e) {
            return "error: " + e.getMessage().replace('\n', ' ') + "\n";
        }
    }

    private Service find(String name) {
        StringBuilder names = new StringBuilder();
        for (Service service : services) {
            if (service.name().equals(name)) {
                return service;
            }
            names.append(' ').append(service.name());
        }
        throw new AgentException("there is no service " + name + "; there are:" + names);
    }
}
