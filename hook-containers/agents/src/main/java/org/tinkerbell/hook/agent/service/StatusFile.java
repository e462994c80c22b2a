package org.tinkerbell.hook.agent.service;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tinkerbell.hook.agent.Journal;

/**
 * What state each service is in, in a file for programs that cannot wait for this one to answer ({@code hook-status}): the
 * supervisor's process in the first line, then a line a service as {@link Service#line} has it. It is replaced as a whole, so that nobody sees half of it.
 */
final class StatusFile {
    private final Path file;
    private final Journal journal;
    private final Map<String, String> lines = new LinkedHashMap<>();
    private boolean complained;

    /**
     * @param file the file; its directory is there
     * @param journal is told once if it cannot be written
     */
    StatusFile(Path file, Journal journal) {
        this.file = file;
        this.journal = journal;
    }

    /**
     * Takes the new state of a service.
     *
     * @param name its name
     * @param line its line
     */
    synchronized void put(String name, String line) {
        lines.put(name, line);
        StringBuilder text = new StringBuilder("supervisor\t").append(ProcessHandle.current().pid()).append('\n');
        for (String each : lines.values()) {
            text.append(each).append('\n');
        }
        try {
            Path next = file.resolveSibling(file.getFileName() + ".new");
            Files.writeString(next, text);
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            if (!complained) {
                complained = true;
                journal.say("the services' states are not in " + file, e);
            }
        }
    }
}
