package org.tinkerbell.hook.qemu;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.Reader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.tinkerbell.hook.io.HookException;

/**
 * Both ends of a serial line: what the machine writes is kept, on disk as a transcript, and searched for what one waits
 * for; lines can be sent. Waiting ends by what is read, by the end of the line or by a time-out, never by a guess. For one
 * waiting thread.
 */
public final class Console implements Closeable {
    private static final int CHUNK = 8192;
    private static final int SHOWN_LINES = 25;
    private static final Pattern PANIC = Pattern.compile("Kernel panic - not syncing[^\r\n]*");
    // ECMA-48: CSI sequences, OSC sequences, and the two-byte escapes.
    private static final Pattern ESCAPES = Pattern.compile(
            "\u001b(?:\\[[0-9;?]*[ -/]*[@-~]|\\][^\u0007\u001b]*(?:\u0007|\u001b\\\\)|[@-Z\\\\^_=>78])");

    private final OutputStream in;
    private final Path transcript;
    private final Thread reader;
    private final StringBuilder text = new StringBuilder();
    private int consumed;
    private int searched;
    private int commands;
    private boolean ended;

    /**
     * Begins to read.
     *
     * @param out what the machine writes
     * @param in what the machine reads
     * @param transcript file for all that the machine writes, as it is
     */
    public Console(InputStream out, OutputStream in, Path transcript) throws IOException {
        this.in = in;
        this.transcript = transcript;
        Files.createDirectories(transcript.toAbsolutePath().getParent());
        Writer copy = Files.newBufferedWriter(transcript);
        this.reader = new Thread(() -> read(new InputStreamReader(out, StandardCharsets.UTF_8), copy), "console");
        reader.setDaemon(true);
        reader.start();
    }

    /**
     * Waits until the machine has written something, counted from the end of what was last waited for.
     *
     * @param wanted what to wait for, within one line; escape sequences are gone from the text
     * @param patience the longest wait
     * @return what was found
     * @throws HookException if it does not come in time, the kernel panics or the line ends; with the last lines
     */
    public synchronized MatchResult expect(Pattern wanted, Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        searched = consumed;
        while (true) {
            Matcher matcher = wanted.matcher(text);
            if (matcher.find(searched)) {
                MatchResult found = matcher.toMatchResult();
                consumed = found.end();
                return found;
            }
            Matcher panic = PANIC.matcher(text);
            if (panic.find(searched)) {
                throw new HookException("The machine stopped with '" + panic.group() + "' instead of: " + wanted + lastLines());
            }
            // What is complete need not be searched again.
            searched = Math.max(consumed, text.lastIndexOf("\n") + 1);
            if (ended) {
                throw new HookException("The machine ended before it wrote: " + wanted + lastLines());
            }
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                throw new HookException("The machine did not write in " + patience.toSeconds() + " s: " + wanted + lastLines());
            }
            wait(left / 1_000_000 + 1);
        }
    }

    /** Waits for a text. */
    public MatchResult expect(String wanted, Duration patience) throws InterruptedException {
        return expect(Pattern.compile(Pattern.quote(wanted)), patience);
    }

    /** Types a line and Enter. */
    public void send(String line) throws IOException {
        in.write((line + "\r").getBytes(StandardCharsets.UTF_8));
        in.flush();
    }

    /**
     * What a shell command says.
     *
     * @param status its exit status
     * @param output its standard output and error, lines ended by a line feed
     */
    public record Result(int status, String output) {}

    /**
     * Runs a command in the shell that waits at the other end of the line.
     *
     * @throws HookException if it does not end in time
     */
    public Result run(String command, Duration patience) throws IOException, InterruptedException {
        String mark = "hook-" + (++commands);
        // The quotes keep what is echoed while it is typed from looking like what is written when it is run.
        send("echo BEG\"IN " + mark + "\"; " + command + "; echo E\"ND " + mark + "\" $?");
        expect(Pattern.compile("BEGIN " + mark + "[\r\n]+"), patience);
        int start = position();
        MatchResult end = expect(Pattern.compile("END " + mark + " (\\d+)"), patience);
        return new Result(Integer.parseInt(end.group(1)), between(start, end.start()));
    }

    /** All that was written so far, without escape sequences. */
    public synchronized String text() {
        return text.toString();
    }

    /** The file that keeps all that was written. */
    public Path transcript() {
        return transcript;
    }

    /** Waits until the line has ended and all of it is in the transcript. */
    @Override
    public void close() throws IOException {
        try {
            reader.join(Duration.ofSeconds(10).toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized int position() {
        return consumed;
    }

    private synchronized String between(int start, int end) {
        return text.substring(start, end).replace("\r", "");
    }

    private void read(Reader out, Writer copy) {
        char[] chunk = new char[CHUNK];
        StringBuilder cut = new StringBuilder();
        try (out; copy) {
            for (int n = out.read(chunk); n >= 0; n = out.read(chunk)) {
                copy.write(chunk, 0, n);
                copy.flush();
                cut.append(chunk, 0, n);
                // An escape sequence may lie across two reads: then its beginning waits for its end.
                int escape = cut.lastIndexOf("\u001b");
                int whole = escape < 0 || cut.length() - escape > 64 || ESCAPES.matcher(cut).region(escape, cut.length()).lookingAt()
                        ? cut.length()
                        : escape;
                append(ESCAPES.matcher(cut.substring(0, whole)).replaceAll(""));
                cut.delete(0, whole);
            }
        } catch (IOException e) {
            append("\n(the console cannot be read any more: " + e.getMessage() + ")\n");
        } finally {
            synchronized (this) {
                text.append(cut);
                ended = true;
                notifyAll();
            }
        }
    }

    private synchronized void append(String more) {
        text.append(more);
        notifyAll();
    }

    private String lastLines() {
        List<String> lines = text.toString().replace("\r", "").lines().toList();
        return "\nIts last lines (all of them are in " + transcript + "):\n"
                + lines.subList(Math.max(0, lines.size() - SHOWN_LINES), lines.size()).stream()
                        .map(line -> "  " + line)
                        .collect(Collectors.joining("\n"));
    }
}
