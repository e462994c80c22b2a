package org.tinkerbell.hook.agent.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.agent.Commands;
import org.tinkerbell.hook.agent.FakeTicker;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Redactor;

class OneShotsTest {
    @TempDir
    Path root;
    private final RecordedCommands commands = new RecordedCommands();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private int run() throws IOException, InterruptedException {
        Journal journal = new Journal("service", new PrintStream(out, true, StandardCharsets.UTF_8), new Redactor());
        return new OneShots("onboot", new Layout(root, root), commands, journal, new FakeTicker(), List.of("java"), 300_000).run();
    }

    private void container(String name, String config, String runtime) throws IOException {
        Path directory = Files.createDirectories(root.resolve("containers/onboot").resolve(name));
        Files.writeString(directory.resolve("config.json"), config);
        Files.writeString(directory.resolve("runtime.json"), runtime);
    }

    @Test
    void allRunInOrderWhateverBecomesOfThoseBefore() throws Exception {
        container("002-c", "{}", "{}");
        container("000-a", "{}", "{\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\"}]}");
        container("001-b", "{", "{}");
        container("003-d", "{}", "[");
        container("004-e", "{}", "{}");
        commands.on("runc run --bundle " + root + "/run/hook/bundles/onboot-000-a", 7, "first\nlast words\n");
        assertEquals(3, run());
        String bundles = root + "/run/hook/bundles/onboot-";
        assertEquals(List.of("mount -t tmpfs none " + root + "/a", "runc run --bundle " + bundles + "000-a 000-a", "umount " + root + "/a",
                "runc run --bundle " + bundles + "002-c 002-c", "runc run --bundle " + bundles + "004-e 004-e"), commands.asked());
        String said = out.toString(StandardCharsets.UTF_8);
        assertTrue(said.contains("service: onboot 000-a: failed after 0.0 s: exit status 7; the boot goes on\nservice:   first\n"
                + "service:   last words\n"), said);
        assertTrue(said.contains("001-b/config.json: no JSON"), said);
        assertTrue(said.contains("003-d/runtime.json: "), said);
        assertTrue(said.contains("service: onboot 004-e: done in 0.0 s\n"), said);
        assertEquals(root.resolve("run/log/onboot"), Files.readSymbolicLink(root.resolve("var/log/onboot")));
        assertTrue(Files.exists(root.resolve("var/log/onboot/onboot.000-a.log")));
    }

    @Test
    void oneThatHangsIsEnded() throws Exception {
        container("000-a", "{}", "{}");
        commands.on("runc run", Commands.TIMED_OUT, "");
        assertEquals(1, run());
        assertEquals("runc delete --force 000-a", commands.asked().get(1));
        assertTrue(out.toString(StandardCharsets.UTF_8).contains("longer than 300 s"));
    }

    @Test
    void noContainersIsFine() throws Exception {
        assertEquals(0, run());
        assertEquals(List.of(), commands.asked());
    }
}
