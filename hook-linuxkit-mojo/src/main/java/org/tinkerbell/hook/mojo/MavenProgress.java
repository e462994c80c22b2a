package org.tinkerbell.hook.mojo;

import java.util.concurrent.atomic.AtomicLong;
import org.apache.maven.plugin.logging.Log;
import org.tinkerbell.hook.io.Progress;

/** Progress through Maven's log: a line at the start of a piece of work and one at its end. */
final class MavenProgress implements Progress {
    private final Log log;

    MavenProgress(Log log) {
        this.log = log;
    }

    @Override
    public Task start(String what, long total, Unit unit) {
        log.info(what);
        AtomicLong done = new AtomicLong();
        return done::addAndGet;
    }

    @Override
    public void info(String message) {
        log.info(message);
    }

    @Override
    public void warn(String message) {
        log.warn(message);
    }
}
