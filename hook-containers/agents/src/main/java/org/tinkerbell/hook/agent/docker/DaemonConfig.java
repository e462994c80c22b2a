package org.tinkerbell.hook.agent.docker;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tinkerbell.hook.agent.CommandLine;
import org.tinkerbell.hook.agent.Json;

/** The engine's {@code daemon.json}, from the command line. Keys as in dockerd(8). */
final class DaemonConfig {
    private static final int SYSLOG_PORT = 514;

    private DaemonConfig() {
    }

    /**
     * Makes the file's text.
     *
     * @param line the command line
     * @return JSON
     */
    static String text(CommandLine line) {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("debug", Boolean.TRUE);
        String syslog = line.get("syslog_host").trim();
        if (!syslog.isEmpty()) {
            config.put("log-driver", "syslog");
            Map<String, Object> options = new LinkedHashMap<>();
            options.put("syslog-address", "udp://" + bracketed(syslog) + ":" + SYSLOG_PORT);
            config.put("log-opts", options);
        }
        List<Object> insecure = new ArrayList<>();
        for (String registry : line.get("insecure_registries").split(",")) {
            if (!registry.isBlank()) {
                insecure.add(registry.trim());
            }
        }
        if (!insecure.isEmpty()) {
            config.put("insecure-registries", insecure);
        }
        return Json.write(config);
    }

    private static String bracketed(String host) {
        return host.indexOf(':') >= 0 && !host.startsWith("[") ? "[" + host + "]" : host;
    }

    /**
     * Writes the file for its owner alone; whoever reads it sees the old one or the whole new one.
     *
     * @param file the file; its directory is made
     * @param text its content
     * @throws IOException if it cannot be written
     */
    static void write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Path temporary = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(temporary);
        try (SeekableByteChannel channel = Files.newByteChannel(temporary,
                EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
