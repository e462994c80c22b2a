package org.tinkerbell.hook.agent.service;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Copies what a service writes to its log also to the console, whole lines only, and control characters but tabs as spaces: a log cannot
 * move the cursor of a terminal.
 */
final class ConsoleCopy {
    private static final int LONGEST = 4096;

    private final Path log;
    private final OutputStream console;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private long position;

    /**
     * @param log the log; what is in it already is not copied
     * @param console where the lines go
     */
    ConsoleCopy(Path log, OutputStream console) {
        this.log = log;
        this.console = console;
        this.position = log.toFile().length();
    }

    /** Copies what has come since the last call; a log that cannot be read is passed over. */
    void apply() {
        try (FileChannel in = FileChannel.open(log, StandardOpenOption.READ)) {
            if (in.size() < position) {
                // It was cut since it had grown too much.
                position = 0;
            }
            ByteBuffer buffer = ByteBuffer.allocate(4096);
            in.position(position);
            while (in.read(buffer) > 0) {
                buffer.flip();
                position += buffer.remaining();
                while (buffer.hasRemaining()) {
                    take(buffer.get());
                }
                buffer.clear();
            }
            console.flush();
        } catch (IOException e) {
            // Not there yet.
        }
    }

    private void take(byte b) throws IOException {
        if (b == '\n' || line.size() >= LONGEST) {
            line.write('\n');
            console.write(line.toByteArray());
            line.reset();
        }
        if (b != '\n') {
            line.write(b >= 0 && b < ' ' && b != '\t' || b == 0x7f ? ' ' : b);
        }
    }
}
