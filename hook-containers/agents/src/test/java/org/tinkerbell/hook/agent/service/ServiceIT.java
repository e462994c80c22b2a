package org.tinkerbell.hook.agent.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.agent.Machine;

/** The service runner with the real runc and a containerd of its own. */
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class ServiceIT {
    private static final List<String> NO_OPTIONS = List.of();

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path root;
    private Process supervisor;

    @BeforeEach
    void check() throws Exception {
        Path scratch = Files.createDirectories(root.resolve("scratch"));
        Machine.has(scratch, "runc", "containerd", "ctr", "busybox", "ip");
        Files.createDirectories(root.resolve("run/containerd"));
        Files.writeString(root.resolve("containerd.toml"), "version = 2\nroot = \"" + root + "/cd/root\"\nstate = \"" + root
                + "/cd/state\"\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\n  address = \"" + root
                + "/run/containerd/containerd.sock\"\n[ttrpc]\n  address = \"" + root + "/run/containerd/containerd.sock.ttrpc\"\n");
    }

    @AfterEach
    void stop() throws Exception {
        if (supervisor != null && supervisor.isAlive()) {
            supervisor.destroy();
            if (!supervisor.waitFor(30, TimeUnit.SECONDS)) {
                supervisor.destroyForcibly();
            }
        }
        // A supervisor that was killed leaves its containerd behind; the path of this test's configuration tells it from any other.
        String config = root + "/containerd.toml";
        ProcessHandle.allProcesses()
                .filter(p -> p.info().arguments().map(arguments -> List.of(arguments).contains(config)).orElse(false))
                .forEach(ProcessHandle::destroyForcibly);
        for (String line : Machine.text(Path.of("/proc/self/mountinfo")).split("\n")) {
            String where = line.split(" ")[4];
            if (where.startsWith(root.toString())) {
                Machine.run("umount", "-l", where);
            }
        }
    }

    private Path log() {
        return root.resolve("console");
    }

    private String said() {
        return Machine.text(log());
    }

    private int service(String... arguments) throws IOException, InterruptedException {
        String[] all = new String[arguments.length + 1];
        all[0] = "service";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        Process process = Machine.agent(root, log(), NO_OPTIONS, all);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return process.exitValue();
    }

    private void supervise() throws IOException {
        supervisor = Machine.agent(root, log(), List.of("-Dhook.containerd=containerd -c " + root + "/containerd.toml"),
                "service", "system-init");
    }

    /** The column of the last {@code service list} for a service. */
    private String column(String name, int column) throws IOException, InterruptedException {
        Path list = root.resolve("list");
        Files.deleteIfExists(list);
        Process process = Machine.agent(root, list, NO_OPTIONS, "service", "list");
        assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), Machine.text(list));
        for (String line : Machine.text(list).split("\n")) {
            String[] columns = line.split("  +");
            if (columns[0].equals(name)) {
                return columns[column];
            }
        }
        throw new AssertionError("no " + name + " in " + Machine.text(list));
    }

    @Test
    void onbootRunsInOrderWithEverythingThatRuntimeJsonAsksFor() throws Exception {
        Path onboot = root.resolve("containers/onboot");
        String all = "date +%s.%N 2>/dev/null; ";
        Machine.container(onboot.resolve("000-writes"), "echo out; echo err >&2; touch /x && echo wrote",
                "\"mkdir\":[\"" + root + "/made\",\"inside\"]", Map.of(), true);
        Machine.container(onboot.resolve("001-fails"), "echo sorry >&2; exit 7", "", Map.of(), false);
        Machine.container(onboot.resolve("002-link"), all + "ip link show hkit0 && echo there",
                "\"interfaces\":[{\"name\":\"hkit0\",\"peer\":\"hkit1\"}],\"bindNS\":{\"net\":\"" + root + "/netns/x\"}", Map.of(), false);
        try {
            assertEquals(1, service("onboot"));
            Path logs = root.resolve("var/log/onboot");
            assertEquals("out\nwrote\n", Machine.text(logs.resolve("onboot.000-writes.out.log")), said());
            assertEquals("err\n", Machine.text(logs.resolve("onboot.000-writes.log")));
            assertTrue(said().contains("onboot 001-fails: failed after"), said());
            assertTrue(said().contains("exit status 7; the boot goes on\nservice:   sorry\n"), said());
            assertEquals("onboot 001-fails: exit status 7\n", Machine.text(root.resolve("run/hook/failed")));
            assertTrue(said().indexOf("000-writes: done") < said().indexOf("001-fails"), said());
            assertTrue(Machine.text(logs.resolve("onboot.002-link.out.log")).endsWith("there\n"), said());
            assertTrue(Files.isDirectory(root.resolve("made")));
            String mounts = Machine.text(Path.of("/proc/self/mountinfo"));
            assertFalse(mounts.contains(onboot.toString()), "mounts are left");
            assertTrue(mounts.contains(root + "/netns/x"), "the namespace is bound");
            assertFalse(Files.exists(onboot.resolve("000-writes/lower/x")), "the image stays as it was");
        } finally {
            Machine.run("ip", "link", "del", "hkit1");
        }
    }

    @Test
    void onshutdownRunsInOrderAndItsFailuresAreNotOnboots() throws Exception {
        Path onshutdown = root.resolve("containers/onshutdown");
        Machine.container(onshutdown.resolve("000-fails"), "exit 9", "", Map.of(), false);
        Machine.container(onshutdown.resolve("001-says"), "echo bye", "", Map.of(), false);
        assertEquals(1, service("onshutdown"));
        assertEquals("bye\n", Machine.text(root.resolve("var/log/onshutdown/onshutdown.001-says.out.log")), said());
        assertTrue(said().contains("onshutdown 000-fails: failed after") && said().contains("exit status 9"), said());
        assertTrue(said().contains("onshutdown 001-says: done in"), said());
    }

    @Test
    void servicesAreStartedWatchedAndStopped() throws Exception {
        Path services = root.resolve("containers/services");
        Machine.container(services.resolve("talks"), "echo to the console; echo aside >&2; touch /written; exec sleep 1000",
                "\"bindNS\":{\"net\":\"" + root + "/netns/talks\"}", Map.of("org.tinkerbell.hook.console", "true", "org.tinkerbell.hook.order", "1"), true);
        Machine.container(services.resolve("once"), "echo once", "", Map.of("org.tinkerbell.hook.restart", "on-failure"), false);
        Machine.container(services.resolve("dies"), "echo dying; exit 3", "", Map.of(), false);
        Machine.container(services.resolve("apart"), "exec sleep 1000", "\"namespace\":\"apart.test\"", Map.of(), false);
        Machine.container(services.resolve("broken"), "true", "", Map.of(), false);
        Files.writeString(services.resolve("broken/config.json"), "{");
        supervise();
        Machine.await("console line", () -> said().contains("\nto the console\n"));
        Machine.await("restart", () -> said().contains("service dies: started again"));
        Machine.await("finish", () -> said().contains("service once: finished (exit status 0)"));
        assertTrue(said().contains("service dies: exit status 3 after 0 s; it is started again in 1 s"), said());
        assertTrue(said().contains("service broken: cannot be started: " + services.resolve("broken/config.json")), said());
        assertEquals("to the console\n", Machine.text(root.resolve("var/log/talks.out.log")));
        assertEquals("aside\n", Machine.text(root.resolve("var/log/talks.log")));
        assertTrue(Machine.text(Path.of("/proc/self/mountinfo")).contains(root + "/netns/talks"));
        assertEquals("finished", column("once", 1));
        Machine.await("the service of another namespace", () -> said().contains("service apart: started"));
        String tasks = Machine.run("ctr", "-a", root + "/run/containerd/containerd.sock", "-n", "apart.test", "tasks", "ls").output();
        assertTrue(tasks.contains("apart"), tasks);
        String states = Machine.text(root.resolve("run/hook/services"));
        assertTrue(states.startsWith("supervisor\t" + supervisor.pid() + "\ntalks\trunning\t"), states);
        assertTrue(states.contains("\nonce\tfinished\t-\t-\t1\texit status 0\n") && states.contains("\ndies\t"), states);
        assertTrue(states.contains("\nbroken\twaiting\t-\t-\t0\tcannot be started: "), states);
        assertTrue(Machine.text(root.resolve("list")).split("\n")[1].startsWith("talks "), Machine.text(root.resolve("list")));

        String pid = column("talks", 2);
        assertEquals(0, service("restart", "talks"));
        assertNotEquals(pid, column("talks", 2));
        assertEquals(2, Machine.text(Path.of("/proc/self/mountinfo")).split(root + "/netns/talks ", -1).length, "bound once");
        assertEquals(0, service("stop", "talks"));
        assertFalse(Machine.text(Path.of("/proc/self/mountinfo")).contains(root + "/netns/talks"), "let go with the service");
        assertEquals("stopped", column("talks", 1));
        assertEquals(0, service("start", "talks"));
        assertEquals(1, service("start", "nobody"));
        assertEquals(2, service("start"));

        String alive = column("talks", 2);
        ProcessHandle containerd = supervisor.descendants().filter(p -> p.info().command().orElse("").endsWith("/containerd"))
                .findFirst().orElseThrow();
        containerd.destroyForcibly();
        Machine.await("containerd again", () -> said().split("containerd answers").length == 3);
        assertTrue(said().contains("containerd ended with status 137"), said());
        assertEquals(alive, column("talks", 2), "a service outlives containerd");
        ProcessHandle.of(Long.parseLong(alive)).orElseThrow().destroyForcibly();
        Machine.await("a killed service", () -> said().contains("service talks: killed by signal 9 after"));
        assertEquals(0, service("restart", "talks"));

        // Another supervisor finds what this one leaves when it is killed.
        String kept = column("talks", 2);
        supervisor.destroyForcibly().waitFor();
        supervise();
        Machine.await("adoption", () -> said().contains("service talks: runs already (process " + kept));

        supervisor.destroy();
        assertTrue(supervisor.waitFor(60, TimeUnit.SECONDS), "SIGTERM ends it");
        assertFalse(Service.alive(Path.of("/"), Long.parseLong(kept)));
        assertEquals(3, service("list"));
        String mounts = Machine.text(Path.of("/proc/self/mountinfo"));
        assertFalse(mounts.contains(services + "/talks/rootfs"), "mounts are left");
    }
}
