package org.tinkerbell.hook.dist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.qemu.Console;
import org.tinkerbell.hook.qemu.Machine;
import org.tinkerbell.hook.qemu.VirtualMachine;

/**
 * Boots the flavor that was just built, from power-on to a running worker that was pulled from a registry, and looks at the
 * system from inside. Everything is waited for by what happens; the limits are only for a machine on which nothing does.
 */
@EnabledOnOs(OS.LINUX)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class BootIT {
    private static final String HOST = "10.0.2.2";
    private static final String MAC = "52:54:00:ab:cd:ef";

    /** The smallest kernel, which the tests compile: QEMU's machine without a screen and without USB. */
    private static final boolean TINY = System.getProperty("hook.flavorId").startsWith("hook-tiny-");

    @TempDir
    static Path directory;

    private static FlavorUnderTest flavor;
    private static LoopbackRegistry registry;
    private static StandInWorker worker;
    private static VirtualMachine machine;
    private static Console console;
    private static Guest guest;
    private static int memory;
    private static long switchedOn;

    @BeforeAll
    static void switchOn() throws Exception {
        flavor = new FlavorUnderTest();
        memory = flavor.memory();
        registry = new LoopbackRegistry(flavor.toolbox(), directory.resolve("registry"));
        worker = new StandInWorker();
        flavor.push(worker, registry, directory);
        String seen = HOST + ":" + registry.port();
        Machine hardware = flavor.machine(MAC, List.of("grpc_authority=" + HOST + ":42113", "tinkerbell_tls=false", "docker_registry=" + seen,
                "insecure_registries=" + seen, "tink_worker_image=" + seen + "/" + FlavorUnderTest.WORKER, "worker_id=" + MAC,
                "hw_addr=" + MAC));
        switchedOn = System.nanoTime();
        machine = flavor.start(flavor.qemu(), hardware, "console");
        console = machine.console();
        guest = new Guest(machine);
    }

    @AfterAll
    static void switchOff() throws IOException {
        try (AutoCloseableIO off = () -> {
            if (machine != null) {
                machine.close();
            }
        }) {
            if (worker != null) {
                worker.close();
            }
            if (registry != null) {
                registry.close();
            }
        }
    }

    private interface AutoCloseableIO extends AutoCloseable {
        @Override
        void close() throws IOException;
    }

    @Test
    @Order(1)
    void runsTheWorkerThatItPulls() throws Exception {
        Map<String, String> environment = guest.await(worker.report());
        System.out.printf("The worker runs %.1f s after power-on, in %d MiB%n", (System.nanoTime() - switchedOn) / 1e9, memory);
        assertEquals(HOST + ":42113", environment.get("TINKERBELL_GRPC_AUTHORITY"));
        assertEquals(MAC, environment.get("WORKER_ID"));
        assertEquals(MAC, environment.get("ID"));
        assertEquals("false", environment.get("TINKERBELL_TLS"));
        assertTrue(registry.log().contains("/v2/tinkerbell/tink-worker/"), "it came from the registry");
    }

    @Test
    @Order(2)
    void givesAShellOnTheConsole() throws Exception {
        guest.login();
        String kernel = succeeds("uname -r").strip();
        assertFalse(kernel.isEmpty());
        assertTrue(succeeds("cat /etc/os-release").contains("Hook"), "it says what it is");
    }

    @Test
    @Order(3)
    void runsItsServices() throws Exception {
        String services = succeeds("service list");
        for (String service : List.of("hook-docker", "hook-bootkit", "getty", "dhcpcd")) {
            assertTrue(services.lines().anyMatch(line -> line.contains(service) && line.toLowerCase().contains("running")), services);
        }
        assertFalse(services.toLowerCase().contains("failed"), services);
        // It takes the card, not what the kernel has made besides.
        String dhcp = succeeds("cat /var/log/*dhcpcd*");
        assertFalse(dhcp.contains("dhcpcd_prestartinterface"), dhcp);
        // What runs once has run by now; the runner says on the console what went wrong with it.
        List<String> wrong = console.text().lines().filter(line -> line.contains("onboot") && line.contains("fail")).toList();
        if (TINY) {
            // It has no driver for USB Ethernet: that one fails, everybody is told so, and the next ones run all the same.
            assertTrue(wrong.size() == 2 && wrong.get(0).contains("modprobe") && wrong.get(1).contains("010-onboot"), wrong::toString);
        } else {
            assertEquals(List.of(), wrong);
        }
        String containers = succeeds("docker ps --format '{{.Names}} {{.Status}}'");
        assertTrue(containers.lines().anyMatch(line -> line.startsWith("tink-worker Up")), containers);
        assertTrue(succeeds("docker logs tink-worker 2>&1").contains("the worker runs"));
    }

    /** This machine has the console that its command line names and a screen; of a PC's four serial ports three are names only. */
    @Test
    @Order(3)
    void offersALoginWhereThereIsAConsoleAndIsSilentAboutOthers() throws Exception {
        assertEquals("logins on " + Machine.serialConsole(flavor.arch()) + (TINY ? "" : " tty1"), succeeds("cat /var/log/getty.out.log").strip());
        assertEquals("", succeeds("cat /var/log/getty.log").strip());
        assertEquals(List.of(), console.text().lines().filter(line -> line.matches("(?i).*(getty|tty\\w+): .*(no such|can't|cannot|fail).*")).toList());
    }

    @Test
    @Order(3)
    void showsItsStateOnOneScreen() throws Exception {
        // An emulated machine with other work beside it is slow. What services say on the console comes in between.
        String status = succeeds("HOOK_PATIENCE=90 hook-status");
        List<String> lines = status.strip().lines().map(String::stripTrailing).filter(line -> !line.matches("(hook-\\w+|service): .*")).toList();
        assertTrue(lines.size() <= 24 && lines.stream().allMatch(line -> line.length() <= 80), status);
        assertTrue(lines.get(0).contains(System.getProperty("hook.flavorId")) && lines.get(1).contains("kernel " + succeeds("uname -r").strip()), status);
        for (String expected : List.of("Network +e[^ ]+ +" + MAC + " 10\\.0\\.2\\.15/24.*", " +gateway 10\\.0\\.2\\.2, DNS 10\\.0\\.2\\.3.*", "Engine +Docker .* answers.*",
                "Worker +running, started .*", " +" + Pattern.quote(HOST) + ":.*tink-worker:stand-in", "Services +(\\d+) of \\1 run")) {
            assertTrue(lines.stream().anyMatch(line -> line.matches(expected)), () -> expected + " in\n" + status);
        }
        assertEquals(TINY, lines.stream().anyMatch(line -> line.contains("FAILED: onboot 003-modprobe")), status);
        assertTrue(succeeds("cat /etc/motd").contains("hook-status"), "the motd names it");
        System.out.println(status);
    }

    @Test
    @Order(4)
    void loadsModulesWithWhatTheyNeed() throws Exception {
        if (System.getProperty("hook.kernelMethod").equals("default")) {
            // Drivers are built in; of the few modules that there may be each has to fit the kernel.
            for (String module : succeeds("find /lib/modules -name '*.ko*'").lines().filter(line -> !line.isBlank()).toList()) {
                String name = module.replaceFirst(".*/([^/]+)\\.ko.*", "$1").strip();
                Console.Result loaded = guest.run("modprobe " + name);
                assertEquals(0, loaded.status(), () -> name + ": " + loaded.output());
            }
            return;
        }
        // Each needs others: the Ethernet drivers' PTP and DCA, device mapper's RAID, journals and checksums of file systems.
        for (String module : List.of("btrfs", "xfs", "dm_raid", "ixgbe", "mlx5_core", "nvme_tcp", "vxlan", "usb_storage", "ipmi_devintf",
                "nfsv4")) {
            Console.Result loaded = guest.run("modprobe " + module);
            assertEquals(0, loaded.status(), () -> module + ": " + loaded.output());
        }
        String modules = succeeds("cut -d' ' -f1 /proc/modules");
        assertTrue(modules.lines().toList().containsAll(List.of("btrfs", "raid456", "mlx5_core", "nfsv4")), modules);
        assertEquals(0, guest.run("test ! -e /lib/modules/$(uname -r)/kernel/sound").status(), "what was excluded is not there");
    }

    @Test
    @Order(5)
    void sharesIdenticalFilesInMemory() throws Exception {
        // BusyBox is in most of the images; in memory it is there once.
        String counts = succeeds("find /host_root/containers -xdev -type f -name busybox -exec stat -c %h {} ';' | sort -n");
        String links = counts.strip().lines().reduce("", (first, last) -> last);
        assertTrue(links.matches("\\d+") && Integer.parseInt(links) > 2, () -> "links of busybox: " + links);
        System.out.print(succeeds("free -m"));
    }

    @Test
    @Order(5)
    void agentsAreSmall() throws Exception {
        String agents = succeeds("for p in /proc/[0-9]*; do if grep -q jvm/hook $p/cmdline 2>/dev/null; then echo $(tr '\\0' '\\n' < $p/cmdline | tail -n 1) "
                + "$(awk '/^(Rss|Private)/ {s[$1] += $2} END {print s[\"Rss:\"], s[\"Private_Clean:\"] + s[\"Private_Dirty:\"]}' $p/smaps_rollup); fi; done");
        System.out.print("Agents, kB resident and of that their own:\n" + agents);
        List<String[]> rows = agents.strip().lines().map(line -> line.strip().split(" ")).toList();
        assertTrue(rows.stream().map(row -> row[0]).toList().containsAll(List.of("bootkit", "docker")), agents);
        // They are meant to take 40 MB, less than 20 MB of it their own; what is far above is a leak, or flags that were lost.
        assertTrue(rows.stream().allMatch(row -> Integer.parseInt(row[1]) < 60_000 && Integer.parseInt(row[2]) < 30_000), agents);
    }

    @Test
    @Order(6)
    void switchesItselfOffByThePowerButton() throws Exception {
        machine.pressPowerButton();
        machine.awaitEnd(Duration.ofMinutes(5));
    }

    private static String succeeds(String command) throws IOException, InterruptedException {
        return guest.succeeds(command);
    }
}
