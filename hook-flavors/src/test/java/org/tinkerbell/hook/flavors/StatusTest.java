package org.tinkerbell.hook.flavors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** hook-status as BusyBox runs it, on a machine whose files and programs the test makes up. */
class StatusTest {
    private static final Path SCRIPT = Path.of("../hook-containers/images/hook-init/files/usr/bin/hook-status");

    @TempDir
    Path directory;

    @BeforeEach
    void makeMachine() throws IOException {
        Path busybox = Path.of("/bin/busybox");
        assumeTrue(Files.isExecutable(busybox), "/bin/busybox is not installed");
        // BusyBox's commands under their names, so that those which the test makes up can take their places.
        Path bin = Files.createDirectories(directory.resolve("bin"));
        install(Files.copy(busybox, bin.resolve("busybox")), bin);
        file("run/hook/clock", "ntp\n");
        file("run/hook/services", "supervisor\t" + ProcessHandle.current().pid() + "\nhook-docker\trunning\t12\t5s\t1\t-\n");
        file("run/resolvconf/resolv.conf", "search x\nnameserver 192.0.2.53\n");
        file("log/hook-docker.out.log", "hook-docker: the Docker Engine is started (process 12)\n");
        program("pidof", "echo 12");
        program("docker", """
                case $1 in
                    version) echo 26.1.5 ;;
                    info) echo "3 images, 2 containers run, 1 stopped" ;;
                    inspect) echo "reg.example/worker:1|exited|3|2026-11-24T10:00:00.5Z|" ;;
                esac""");
        program("ip", """
                case "$*" in
                    *route*) echo "default via 192.0.2.1 dev eth0" ;;
                    *) echo "2: eth0    inet 192.0.2.7/24 brd 192.0.2.255 scope global eth0" ;;
                esac""");
    }

    private static void install(Path busybox, Path bin) throws IOException {
        Process process = new ProcessBuilder(busybox.toString(), "--install", "-s", bin.toString()).redirectErrorStream(true).start();
        process.getInputStream().readAllBytes();
    }

    private void file(String path, String text) throws IOException {
        Files.createDirectories(directory.resolve(path).getParent());
        Files.writeString(directory.resolve(path), text);
    }

    private void program(String name, String script) throws IOException {
        Files.deleteIfExists(directory.resolve("bin").resolve(name));
        Path file = Files.writeString(directory.resolve("bin").resolve(name), "#!/bin/sh\n" + script + "\n");
        assertTrue(file.toFile().setExecutable(true));
    }

    private String status() throws IOException, InterruptedException {
        // Not BusyBox's own shell, which takes its own commands whatever the PATH says.
        ProcessBuilder builder = new ProcessBuilder("/bin/sh", SCRIPT.toString());
        builder.environment().put("PATH", directory.resolve("bin").toString());
        builder.environment().put("HOOK_RUN", directory.resolve("run").toString());
        builder.environment().put("HOOK_PATIENCE", "2");
        builder.environment().put("HOOK_LOG", directory.resolve("log").toString());
        Process process = builder.redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        List<String> lines = said.lines().toList();
        assertTrue(lines.size() <= 24 && lines.stream().allMatch(line -> line.length() <= 80), said);
        return said;
    }

    @Test
    void showsWhatRuns() throws Exception {
        String status = status();
        assertTrue(status.contains("Engine    Docker 26.1.5 answers; 3 images, 2 containers run, 1 stopped\n"), status);
        assertTrue(status.contains("Worker    exited, LAST EXIT STATUS 3, started 2026-11-24T10:00:00 UTC\n          reg.example/worker:1\n"), status);
        assertTrue(status.contains("Services  1 of 1 run\n") && status.contains("UTC, set by NTP") && status.contains("DNS 192.0.2.53"), status);
        assertTrue(status.endsWith("No complaints in /var/log.\n"), status);
    }

    @Test
    void anEngineThatHangsHoldsUpNobody() throws Exception {
        program("docker", "exec sleep 600");
        file("log/hook-bootkit.out.log", "hook-bootkit: waiting for the Docker Engine\n");
        String status = status();
        assertTrue(status.contains("Engine    process 12 DOES NOT ANSWER: nothing within 2 s\nWorker    unknown: waiting for the Docker Engine\n"), status);
    }

    @Test
    void saysWhatIsWrong() throws Exception {
        program("pidof", "exit 1");
        file("run/hook/clock", "build\n");
        file("run/hook/failed", "onboot 003-modprobe: exit status 1\n");
        file("run/hook/services", "supervisor\t0\nhook-docker\twaiting\t-\t-\t9\texit status 1\nhook-bootkit\trunning\t7\t1s\t3\tkilled by signal 9\n"
                + "ntpd\tstopped\t-\t-\t1\texit status 0\n");
        file("log/hook-docker.log", "time=\"2026-11-24T10:00:00Z\" level=info msg=\"no error: fine\"\n"
                + "time=\"2026-11-24T10:00:01Z\" level=error msg=\"no \u001b[2J space\"\n");
        String status = status();
        assertTrue(status.contains("Engine    NOT RUNNING") && status.contains("NOT SET (build's time)"), status);
        assertTrue(status.contains("the service runner IS GONE"), status);
        assertTrue(status.contains("Services  1 of 3 run\n          hook-docker DIES (exit status 1); hook-bootkit started again (killed\n"), status);
        assertTrue(status.contains("ntpd stopped (exit status 0)"), status);
        assertTrue(status.contains("FAILED: onboot\n          003-modprobe: exit status 1\n"), status);
        assertTrue(status.contains("hook-docker: 2026-11-24T10:00:01Z error \"no .[2J space\""), status);
        assertFalse(status.contains("\u001b"), "a log cannot steer the terminal");
    }

    @Test
    void itIsOneScreenHoweverMuchGoesWrong() throws Exception {
        for (int i = 0; i < 40; i++) {
            file("log/service" + i + ".log", ("failed: " + "x".repeat(300) + "\n").repeat(20));
        }
        Files.delete(directory.resolve("run/hook/services"));
        String status = status();
        assertTrue(status.contains("the service runner HAS NOT STARTED"), status);
        assertTrue(status.lines().filter(line -> line.contains("failed: xxx")).count() >= 5, status);
    }
}
