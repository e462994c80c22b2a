package org.tinkerbell.hook.agent.service;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tinkerbell.hook.agent.Commands;

/** Commands that are written down instead of run. */
final class RecordedCommands implements Commands {
    private final List<String> asked = new ArrayList<>();
    private final Map<String, Result> results = new LinkedHashMap<>();

    /** Sets the result of commands that start so; others succeed. */
    RecordedCommands on(String start, int status, String output) {
        results.put(start, new Result(status, output));
        return this;
    }

    @Override
    public synchronized Result run(long millis, List<String> arguments) {
        String line = String.join(" ", arguments);
        asked.add(line);
        Result result = new Result(0, "");
        for (Map.Entry<String, Result> entry : results.entrySet()) {
            if (line.startsWith(entry.getKey())) {
                result = entry.getValue();
            }
        }
        return result;
    }

    @Override
    public synchronized Result run(long millis, List<String> arguments, Path out, Path error) {
        Result result = run(millis, arguments);
        try {
            Files.writeString(error, result.output());
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return new Result(result.status(), "");
    }

    /** @return the command lines so far */
    synchronized List<String> asked() {
        return List.copyOf(asked);
    }
}
