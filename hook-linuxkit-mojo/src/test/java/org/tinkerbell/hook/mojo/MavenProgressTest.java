package org.tinkerbell.hook.mojo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.maven.plugin.logging.SystemStreamLog;
import org.apache.maven.settings.Proxy;
import org.junit.jupiter.api.Test;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.io.ProxySettings;

class MavenProgressTest {
    private final List<String> lines = new ArrayList<>();
    private final ByteArrayOutputStream terminal = new ByteArrayOutputStream();
    private long now;
    private boolean quiet;

    private Progress progress(boolean live) {
        SystemStreamLog log = new SystemStreamLog() {
            @Override
            public boolean isInfoEnabled() {
                return !quiet;
            }

            @Override
            public void info(CharSequence line) {
                if (!quiet) {
                    lines.add(line.toString());
                }
            }

            @Override
            public void warn(CharSequence line) {
                lines.add("WARNING " + line);
            }
        };
        return new MavenProgress(log, live ? new PrintStream(terminal, true, StandardCharsets.UTF_8) : null, () -> now);
    }

    private void work(Progress progress, int seconds) {
        try (Progress.Task task = progress.start("Fetching 3 packages", 60_000_000, Progress.Unit.BYTES)) {
            for (int i = 0; i < seconds * 10; i++) {
                now += 100_000_000L;
                task.advance(60_000_000 / (seconds * 10));
            }
        }
    }

    @Test
    void inALogThereIsALineNowAndThen() {
        work(progress(false), 30);
        assertEquals(List.of(
                "Fetching 3 packages (60.0 MB)",
                "Fetching 3 packages: 20.0 MB of 60.0 MB, 33 %, 2.0 MB/s, 20 s left",
                "Fetching 3 packages: 40.0 MB of 60.0 MB, 66 %, 2.0 MB/s, 10 s left",
                "Fetching 3 packages: 60.0 MB of 60.0 MB, 100 %, 2.0 MB/s",
                "Fetching 3 packages: 60.0 MB in 30 s"), lines);
    }

    @Test
    void onATerminalALineIsWrittenOver() {
        Progress progress = progress(true);
        work(progress, 5);
        String written = terminal.toString(StandardCharsets.UTF_8);
        assertEquals(50, written.split("\r\u001b\\[K").length - 1);
        assertTrue(written.contains("\r\u001b[KFetching 3 packages: 30.0 MB of 60.0 MB, 50 %, 12.0 MB/s, 3 s left"), written);
        assertTrue(written.endsWith("\r\u001b[K"), "the line goes away before anything else is written");
        assertFalse(written.contains("\n"));
        assertEquals(List.of("Fetching 3 packages: 60.0 MB in 5.0 s"), lines);
    }

    @Test
    void quietMeansQuiet() {
        quiet = true;
        Progress progress = progress(true);
        work(progress, 5);
        progress.warn("careful");
        assertEquals(0, terminal.size());
        assertEquals(List.of("WARNING careful"), lines);
    }

    @Test
    void whatTakesNoTimeHasNoSummary() {
        progress(false).start("Reading", -1, Progress.Unit.ITEMS).close();
        assertEquals(List.of("Reading"), lines);
    }

    @Test
    void amountsAreForPeople() {
        assertEquals("999 B 1 kB 999 kB 1.0 MB 99.9 MB 123 MB 1.50 GB", String.join(" ", MavenProgress.bytes(999),
                MavenProgress.bytes(1000),
                MavenProgress.bytes(999_999), MavenProgress.bytes(1_000_000), MavenProgress.bytes(99_900_000),
                        MavenProgress.bytes(123_400_000),
                MavenProgress.bytes(1_500_000_000)));
        assertEquals("59 s, 1 min 00 s, 61 min 05 s",
                MavenProgress.duration(59) + ", " + MavenProgress.duration(60) + ", " + MavenProgress.duration(3665));
    }

    @Test
    void proxiesOfTheSettingsAreUnderstood() {
        Proxy proxy = new Proxy();
        proxy.setHost("proxy.example");
        proxy.setPort(3128);
        proxy.setUsername("me");
        proxy.setPassword("secret");
        proxy.setNonProxyHosts("localhost|*.corp.example, 10.*");
        ProxySettings settings = MavenNetwork.of(proxy);
        assertEquals(new ProxySettings("http", "proxy.example", 3128, "me", "secret", List.of("localhost", "*.corp.example", "10.*")),
                settings);
        assertFalse(settings.toString().contains("secret"));
    }
}
