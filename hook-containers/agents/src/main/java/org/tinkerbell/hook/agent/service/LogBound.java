package org.tinkerbell.hook.agent.service;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Keeps the logs, which lie in memory, within bounds: of a file that outgrew 4 MB the last megabyte goes to {@code FILE.1} and the file
 * is emptied. All its writers append, so they go on at its new end; what is written in between those two steps is lost.
 */
final class LogBound {
    private final Path directory;
    private final long most;
    private final int kept;

    /**
     * @param directory where the logs are, without what lies deeper
     * @param most bytes that a file may have
     * @param kept bytes of its end that are kept
     */
    LogBound(Path directory, long most, int kept) {
        this.directory = directory;
        this.most = most;
        this.kept = kept;
    }

    /** Looks through the files once; one that cannot be cut is left. */
    void apply() {
        try (DirectoryStream<Path> logs = Files.newDirectoryStream(directory)) {
            for (Path log : logs) {
                // Not by a pattern, which would bring the whole machinery of regular expressions into memory.
                if (log.toString().endsWith(".log") && Files.isRegularFile(log, java.nio.file.LinkOption.NOFOLLOW_LINKS)
                        && Files.size(log) > most) {
                    cut(log);
                }
            }
        } catch (IOException e) {
            // No such directory, or a file that went away: nothing to bound.
        }
    }

    private void cut(Path log) throws IOException {
        Path old = log.resolveSibling(log.getFileName() + ".1");
        try (FileChannel in = FileChannel.open(log, StandardOpenOption.READ, StandardOpenOption.WRITE);
                FileChannel out = FileChannel.open(old, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.allocate(16_384);
            in.position(Math.max(0, in.size() - kept));
            while (in.read(buffer) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    out.write(buffer);
                }
                buffer.clear();
            }
            in.truncate(0);
        }
    }
}
