package org.tinkerbell.hook.agent;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** {@link Commands} as processes. */
public final class ProcessCommands implements Commands {
    private static final int NOT_STARTED = 127;
    private static final int MOST_OUTPUT = 65_536;

    @Override
    public Result run(long millis, List<String> arguments) throws InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(arguments).redirectErrorStream(true).redirectInput(new File("/dev/null"));
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            return new Result(NOT_STARTED, e.getMessage());
        }
        Drain drain = new Drain(process.getInputStream());
        drain.start();
        int status = await(process, millis);
        // A grandchild may hold the pipe for ever (a daemon that the command left behind): what it writes is not waited for.
        drain.join(status == TIMED_OUT ? 100 : 2000);
        return new Result(status, drain.text());
    }

    @Override
    public Result run(long millis, List<String> arguments, Path out, Path error) throws InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(arguments).redirectInput(new File("/dev/null"))
                .redirectOutput(ProcessBuilder.Redirect.appendTo(out.toFile()))
                .redirectError(ProcessBuilder.Redirect.appendTo(error.toFile()));
        try {
            return new Result(await(builder.start(), millis), "");
        } catch (IOException e) {
            return new Result(NOT_STARTED, e.getMessage());
        }
    }

    private static int await(Process process, long millis) throws InterruptedException {
        try {
            if (process.waitFor(millis, TimeUnit.MILLISECONDS)) {
                return process.exitValue();
            }
            process.destroyForcibly();
            process.waitFor(5, TimeUnit.SECONDS);
            return TIMED_OUT;
        } catch (InterruptedException e) {
            process.destroyForcibly();
            throw e;
        }
    }

    /** Reads a command's output to its end, keeps the start of it. */
    private static final class Drain extends Thread {
        private final InputStream in;
        private final byte[] bytes = new byte[MOST_OUTPUT];
        private int length;

        Drain(InputStream in) {
            super("output");
            this.in = in;
            setDaemon(true);
        }

        @Override
        public void run() {
            byte[] rest = new byte[1024];
            try (in) {
                while (true) {
                    int room = Math.min(rest.length, MOST_OUTPUT - length);
                    int read = in.read(rest);
                    if (read < 0) {
                        return;
                    }
                    synchronized (this) {
                        int kept = Math.min(read, room);
                        System.arraycopy(rest, 0, bytes, length, kept);
                        length += kept;
                    }
                }
            } catch (IOException e) {
                // The pipe went away with the command: what was read is what there is.
            }
        }

        synchronized String text() {
            return new String(bytes, 0, length, StandardCharsets.UTF_8).stripTrailing();
        }
    }
}
