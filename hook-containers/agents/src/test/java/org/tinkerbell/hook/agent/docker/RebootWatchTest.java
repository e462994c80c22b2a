package org.tinkerbell.hook.agent.docker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.agent.FakeTicker;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Redactor;

@Timeout(value = 20, unit = TimeUnit.SECONDS)
class RebootWatchTest {
    @TempDir
    Path directory;
    private final FakeTicker ticker = new FakeTicker();
    private final List<String> did = new ArrayList<>();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private RebootWatch watch(boolean init) {
        RebootWatch.Machine machine = new RebootWatch.Machine() {
            @Override
            public boolean askInit() {
                did.add("init");
                return init;
            }

            @Override
            public boolean sysRq(char key) {
                did.add("sysrq " + key);
                return key != 'u';
            }
        };
        return new RebootWatch(directory.resolve("reboot"), machine,
                new Journal("hook-docker", new PrintStream(out, true, StandardCharsets.UTF_8), new Redactor()), ticker);
    }

    @Test
    void initIsAskedFirstAndTheKernelIfThatDidNotHelp() throws Exception {
        Files.createFile(directory.resolve("reboot"));
        watch(true).run();
        assertEquals(List.of("init", "sysrq s", "sysrq u", "sysrq b"), did);
        assertEquals(60_000L, ticker.sleeps().get(0));
    }

    @Test
    void withoutInitTheKernelIsAskedAtOnce() throws Exception {
        Files.createFile(directory.resolve("reboot"));
        watch(false).run();
        assertEquals(List.of("init", "sysrq s", "sysrq u", "sysrq b"), did);
        assertEquals(List.of(1000L, 1000L, 1000L), ticker.sleeps());
        assertTrue(out.toString(StandardCharsets.UTF_8).contains("does not take SysRq u"));
    }

    @Test
    void nothingHappensBeforeTheFileIsThereAndADirectoryIsNoFile() throws Exception {
        Files.createDirectory(directory.resolve("reboot"));
        Thread thread = new Thread(watch(true));
        thread.start();
        while (ticker.sleeps().size() < 20) {
            Thread.sleep(1);
        }
        assertEquals(List.of(), did);
        Files.delete(directory.resolve("reboot"));
        Files.createFile(directory.resolve("reboot"));
        thread.join(10_000);
        assertEquals("init", did.get(0));
    }
}
