package org.tinkerbell.hook.mojo;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.apache.maven.plugin.logging.Log;
import org.tinkerbell.hook.io.Progress;

/**
 * Progress for whoever runs Maven. On a terminal a piece of work has one line that is written over, with speed and the time that
 * is left; elsewhere (batch mode, a log file, modules built in parallel) there is a line at its start and one now and then.
 * Under {@code -q} there is nothing but warnings.
 */
final class MavenProgress implements Progress {
    private static final long LIVE_PAUSE = 100_000_000L;
    private static final long PLAIN_PAUSE = 10_000_000_000L;
    private static final long WORTH_A_SUMMARY = 1_000_000_000L;
    private static final int WIDTH = 100;
    private static final String ERASE = "\r\u001b[K";

    private final Log log;
    private final PrintStream terminal;
    private final LongSupplier nanoTime;
    private boolean lineShown;

    /**
     * @param terminal where a line can be written over, or null if nobody looks
     * @param nanoTime a clock like {@link System#nanoTime()}
     */
    MavenProgress(Log log, PrintStream terminal, LongSupplier nanoTime) {
        this.log = log;
        this.terminal = terminal;
        this.nanoTime = nanoTime;
    }

    @Override
    public Task start(String what, long total, Unit unit) {
        if (!log.isInfoEnabled()) {
            return amount -> {};
        }
        if (terminal == null) {
            log.info(what + (total > 0 && unit == Unit.BYTES ? " (" + bytes(total) + ")" : ""));
        }
        return new Meter(what, total, unit);
    }

    @Override
    public synchronized void info(String message) {
        erase();
        log.info(message);
    }

    @Override
    public synchronized void warn(String message) {
        erase();
        log.warn(message);
    }

    private void erase() {
        if (lineShown) {
            terminal.print(ERASE);
            terminal.flush();
            lineShown = false;
        }
    }

    private synchronized void show(String line) {
        if (terminal == null) {
            log.info(line);
        } else {
            terminal.print(ERASE + (line.length() > WIDTH ? line.substring(0, WIDTH - 1) + "…" : line));
            terminal.flush();
            lineShown = true;
        }
    }

    /** {@code 950 kB}, {@code 12.3 MB}, {@code 1.20 GB}. */
    static String bytes(long amount) {
        if (amount < 1_000_000) {
            return amount < 1000 ? amount + " B" : amount / 1000 + " kB";
        }
        return amount < 1_000_000_000
                ? String.format(Locale.ROOT, amount < 100_000_000 ? "%.1f MB" : "%.0f MB", amount / 1e6)
                : String.format(Locale.ROOT, "%.2f GB", amount / 1e9);
    }

    /** {@code 12 s}, {@code 3 min 05 s}. */
    static String duration(long seconds) {
        return seconds < 60 ? seconds + " s" : seconds / 60 + String.format(Locale.ROOT, " min %02d s", seconds % 60);
    }

    private final class Meter implements Task {
        private final String what;
        private final long total;
        private final Unit unit;
        private final long begin = nanoTime.getAsLong();
        private long shown = begin;
        private long done;
        private String part = "";
        private boolean closed;

        Meter(String what, long total, Unit unit) {
            this.what = what;
            this.total = total;
            this.unit = unit;
        }

        @Override
        public synchronized void advance(long amount) {
            done += amount;
            long now = nanoTime.getAsLong();
            if (!closed && now - shown >= (terminal == null ? PLAIN_PAUSE : LIVE_PAUSE)) {
                shown = now;
                show(line(now));
            }
        }

        @Override
        public synchronized void at(String newPart) {
            part = newPart;
        }

        private String line(long now) {
            double seconds = (now - begin) / 1e9;
            double rate = done / Math.max(seconds, 0.001);
            StringBuilder line = new StringBuilder(what).append(": ").append(amount(done));
            if (total > 0) {
                line.append(" of ").append(amount(total)).append(", ").append(Math.min(100, done * 100 / total)).append(" %");
            }
            if (unit == Unit.BYTES) {
                line.append(", ").append(bytes((long) rate)).append("/s");
            }
            // A guess from the first moments would only jump about.
            if (total > done && done > 0 && seconds > 2) {
                line.append(", ").append(duration(Math.round((total - done) / rate))).append(" left");
            }
            if (!part.isEmpty()) {
                line.append("; ").append(part);
            }
            return line.toString();
        }

        private String amount(long value) {
            return unit == Unit.BYTES ? bytes(value) : Long.toString(value);
        }

        @Override
        public synchronized void close() {
            if (closed) {
                return;
            }
            closed = true;
            long nanos = nanoTime.getAsLong() - begin;
            if (nanos >= WORTH_A_SUMMARY || terminal != null) {
                info(what + ": " + amount(done) + " in " + (nanos < 10_000_000_000L
                        ? String.format(Locale.ROOT, "%.1f s", nanos / 1e9) : duration(Math.round(nanos / 1e9))));
            }
        }
    }
}
