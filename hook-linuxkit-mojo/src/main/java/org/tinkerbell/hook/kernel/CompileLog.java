package org.tinkerbell.hook.kernel;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tinkerbell.hook.io.Progress;

/**
 * Follows what {@code make} says while a kernel is compiled ({@code "  CC      drivers/net/tun.o"}) and tells it as progress. The lines go
 * into a file, which is left to whoever wants to know more.
 */
final class CompileLog {
    /** Lines that are shown where a compilation fails. */
    private static final int TAIL = 25;

    // Kbuild's short form of a command; a module's is "  CC [M]  path".
    private static final Pattern STEP = Pattern.compile(" {2}([A-Z][A-Z0-9_]*)(?: \\[M\\])? +(\\S+)");
    private static final Pattern OBJECT = Pattern.compile("CC|AS");
    private static final int PARTS = 3;

    private final Path file;
    private final Progress.Task task;
    private final Deque<String> tail = new ArrayDeque<>();
    private final ByteArrayOutputStream unfinished = new ByteArrayOutputStream();
    private long position;
    private long objects;

    /**
     * @param file where the lines are, or will be
     * @param task what is advanced by one for each file that is compiled
     */
    CompileLog(Path file, Progress.Task task) {
        this.file = file;
        this.task = task;
    }

    /** Takes notice of what has been written since the last time. */
    void read() throws IOException {
        if (!Files.exists(file)) {
            return;
        }
        try (SeekableByteChannel channel = Files.newByteChannel(file)) {
            channel.position(position);
            InputStream in = Channels.newInputStream(channel);
            byte[] buffer = new byte[1 << 16];
            for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
                position += n;
                for (int i = 0; i < n; i++) {
                    if (buffer[i] == '\n') {
                        line(unfinished.toString(StandardCharsets.UTF_8));
                        unfinished.reset();
                    } else {
                        unfinished.write(buffer[i]);
                    }
                }
            }
        }
    }

    private void line(String line) {
        tail.addLast(line);
        if (tail.size() > TAIL) {
            tail.removeFirst();
        }
        Matcher step = STEP.matcher(line);
        if (step.matches()) {
            task.at(part(step.group(2)));
            if (OBJECT.matcher(step.group(1)).matches()) {
                objects++;
                task.advance(1);
            }
        } else if (line.startsWith("hook: ")) {
            task.at(line.substring("hook: ".length()));
        }
    }

    /** {@code drivers/net/ethernet} of {@code drivers/net/ethernet/intel/e1000e/netdev.o}. */
    private static String part(String path) {
        String[] names = path.split("/");
        StringBuilder part = new StringBuilder();
        for (int i = 0; i < names.length - 1 && i < PARTS; i++) {
            part.append(i == 0 ? "" : "/").append(names[i]);
        }
        return part.isEmpty() ? path : part.toString();
    }

    /** How many files were compiled. */
    long objects() {
        return objects;
    }

    /** The last lines. */
    String tail() {
        return String.join("\n", tail) + (unfinished.size() == 0 ? "" : "\n" + unfinished.toString(StandardCharsets.UTF_8));
    }
}
