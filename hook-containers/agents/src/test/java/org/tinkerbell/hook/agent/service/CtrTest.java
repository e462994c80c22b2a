package org.tinkerbell.hook.agent.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.Commands;

class CtrTest {
    @TempDir
    Path root;
    private final RecordedCommands commands = new RecordedCommands();

    @Test
    void theCommandsAreThese() throws Exception {
        Ctr ctr = new Ctr(commands, new Layout(root, root));
        Files.writeString(root.resolve("pid"), "42");
        assertEquals(42, ctr.start("ns", "x", root.resolve("config.json")));
        ctr.remove("ns", "x");
        String start = "ctr --address " + root + "/run/containerd/containerd.sock --namespace ns ";
        assertEquals(List.of(start + "run --detach --pid-file " + root + "/pid --log-uri binary:///bin/sh?" + root + "/run/hook/service-log="
                + root + "/var/log --config " + root + "/config.json x", start + "tasks rm --force x", start + "containers rm x"),
                commands.asked());
    }

    @Test
    void howATaskEndedIsInCtrsWarning() {
        assertEquals("exit status 3", Ctr.ended(new Commands.Result(0,
                "time=\"…\" level=warning msg=\"task t1 exit with non-zero exit code 3\"")).toString());
        assertEquals("killed by signal 9", Ctr.ended(new Commands.Result(0, "task t exit with non-zero exit code 137")).toString());
        assertEquals("exit status 0", Ctr.ended(new Commands.Result(0, "")).toString());
        assertEquals("ended", Ctr.ended(new Commands.Result(1, "ctr: not found")).toString());
        assertEquals(1 << 20, Ctr.ended(new Commands.Result(0, "non-zero exit code 99999999999999999")).status());
    }

    @Test
    void onlyTasksThatRunAreListed() throws Exception {
        commands.on("ctr", 0, "TASK    PID      STATUS    \na       12       RUNNING\nb       13       STOPPED");
        assertEquals(Map.of("a", 12L), new Ctr(commands, new Layout(root, root)).running("ns"));
        commands.on("ctr", 1, "a 12 RUNNING");
        assertEquals(Map.of(), new Ctr(commands, new Layout(root, root)).running("ns"));
    }

    @Test
    void containerdsOwnWordsAreTold() {
        commands.on("ctr", 1, "ctr: failed to create shim task:\nno such file");
        Ctr ctr = new Ctr(commands, new Layout(root, root));
        assertEquals("ctr: failed to create shim task: no such file",
                assertThrows(AgentException.class, () -> ctr.start("ns", "x", root.resolve("config.json"))).getMessage());
        commands.on("ctr", Commands.TIMED_OUT, "");
        assertEquals("containerd did not start it within 180 s",
                assertThrows(AgentException.class, () -> ctr.start("ns", "x", root.resolve("config.json"))).getMessage());
        commands.on("ctr", 0, "");
        assertThrows(AgentException.class, () -> ctr.start("ns", "x", root.resolve("config.json")));
    }
}
