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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the scripts that set up the network make of the kernel's command line. BusyBox runs them; the programs that change the machine are recorded. */
class NetworkScriptsTest {
    private static final Path FILES = Path.of("src/main/resources/files");
    private static final String MAC = "52:54:00:ab:cd:ef";

    @TempDir
    Path machine;

    @BeforeEach
    void makeMachine() throws IOException, InterruptedException {
        Path busybox = Path.of("/bin/busybox");
        assumeTrue(Files.isExecutable(busybox), "/bin/busybox is not installed");
        Path bin = Files.createDirectories(machine.resolve("bin"));
        Files.copy(busybox, bin.resolve("busybox"));
        Process install = new ProcessBuilder(bin.resolve("busybox").toString(), "--install", "-s", bin.toString()).redirectErrorStream(true).start();
        install.getInputStream().readAllBytes();
        install.waitFor();
        for (String recorded : List.of("ip", "hostname", "dhcpcd", "hook-clock")) {
            program(recorded, "echo \"" + recorded + " $*\" >>" + machine.resolve("calls"));
        }
        // Nobody waits in a test.
        program("sleep", "exit 0");
        for (String directory : List.of("var/log", "run/network", "run/hook", "run/resolvconf", "proc", "etc/ip")) {
            Files.createDirectories(machine.resolve(directory));
        }
        card("eno1", "52:54:00:00:00:01");
        card("eno2", MAC);
        // A bridge or a VLAN has its card's address, and is none.
        Files.createDirectories(machine.resolve("sys/class/net/br0"));
        Files.writeString(machine.resolve("sys/class/net/br0/address"), MAC + "\n");
        Files.writeString(machine.resolve("run/hook/clock"), "rtc\n");
        for (String script : List.of("network.sh", "vlan.sh", "static-network.sh", "dhcp.sh", "setup-dns.sh")) {
            // The machine's files are the test's.
            String text = Files.readString(FILES.resolve(script)).replaceAll("(?<![\\w.$}])/(proc|sys|run|var|etc/ip)/", machine + "/$1/");
            Path copy = script.equals("setup-dns.sh") ? bin.resolve("setup-dns") : machine.resolve("etc/ip").resolve(script);
            Files.writeString(copy, text);
            assertTrue(copy.toFile().setExecutable(true));
        }
    }

    private void card(String name, String mac) throws IOException {
        Files.createDirectories(machine.resolve("sys/class/net").resolve(name).resolve("device"));
        Files.writeString(machine.resolve("sys/class/net").resolve(name).resolve("address"), mac + "\n");
    }

    private void program(String name, String script) throws IOException {
        Files.deleteIfExists(machine.resolve("bin").resolve(name));
        Path file = Files.writeString(machine.resolve("bin").resolve(name), "#!/bin/sh\n" + script + "\n");
        assertTrue(file.toFile().setExecutable(true));
    }

    private record Outcome(int status, String said, String calls) {}

    private Outcome run(String commandLine, String... command) throws IOException, InterruptedException {
        Files.writeString(machine.resolve("proc/cmdline"), "console=ttyS0 " + commandLine + "\n");
        Files.deleteIfExists(machine.resolve("calls"));
        // Not BusyBox's own shell, which takes its own commands whatever the PATH says.
        List<String> words = new java.util.ArrayList<>(List.of(command));
        words.set(0, machine.resolve("etc/ip").resolve(command[0]).toString());
        words.add(0, "/bin/sh");
        ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
        builder.environment().put("PATH", machine.resolve("bin").toString());
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        Path calls = machine.resolve("calls");
        return new Outcome(status, said, Files.exists(calls) ? Files.readString(calls) : "");
    }

    private String file(String path) throws IOException {
        return Files.readString(machine.resolve(path));
    }

    @Test
    void ipamConfiguresEverything() throws Exception {
        Outcome outcome = run("ipam=52-54-00-AB-CD-EF:42:10.1.2.3:255.255.240.0:10.1.0.1:rack-7:10.1.0.53,10.1.0.54:example.test,hook.test:10.1.0.5,10.1.0.6",
                "static-network.sh");
        assertEquals(0, outcome.status(), outcome.said());
        assertEquals(List.of("ip link set dev eno2 up", "ip link add link eno2 name eno2.42 type vlan id 42", "ip link set dev eno2.42 up",
                "ip link set dev eno2.42 up", "ip address add 10.1.2.3/20 broadcast + dev eno2.42", "ip route add default via 10.1.0.1 dev eno2.42",
                "hostname rack-7"), outcome.calls().lines().toList());
        assertEquals("search example.test hook.test\nnameserver 10.1.0.53\nnameserver 10.1.0.54\n", file("run/resolvconf/resolv.conf"));
        assertEquals("10.1.0.5\n10.1.0.6\n", file("run/network/ntp.d/ipam"));
        assertTrue(file("run/network/interfaces").contains("iface eno2.42 inet static\n    address 10.1.2.3\n    netmask 255.255.240.0\n    gateway 10.1.0.1"));
        assertEquals("static network: eno2.42 has 10.1.2.3/20, gateway 10.1.0.1\n", outcome.said());
    }

    @ParameterizedTest
    @ValueSource(strings = {"52-54-00-ab-cd-ef::10.1.2.3:255.255.255.0:::10.1.0.53::", "52-54-00-AB-cd-EF::10.1.2.3:255.255.255.0:::10.1.0.53"})
    void ipamWantsFourFieldsAndNoMore(String ipam) throws Exception {
        Outcome outcome = run("ipam=" + ipam, "static-network.sh");
        assertEquals(0, outcome.status(), outcome.said());
        assertEquals(List.of("ip link set dev eno2 up", "ip address add 10.1.2.3/24 broadcast + dev eno2"), outcome.calls().lines().toList());
        assertEquals("nameserver 10.1.0.53\n", file("run/resolvconf/resolv.conf"));
        assertFalse(Files.exists(machine.resolve("run/network/ntp.d/ipam")));
        assertFalse(file("run/network/interfaces").contains("gateway"));
    }

    @ParameterizedTest
    @CsvSource({
        "::10.1.2.3:255.255.255.0:::10.1.0.53::, ipam= lacks mac",
        "52-54-00-ab-cd-ef:::255.255.255.0:::10.1.0.53::, ipam= lacks ip",
        "52-54-00-ab-cd-ef::10.1.2.3::::10.1.0.53::, ipam= lacks netmask",
        "52-54-00-ab-cd-ef::10.1.2.3:255.255.255.0:::::, ipam= lacks dns",
        "nonsense, ipam= lacks ip",
        "52-54-00-99-99-99::10.1.2.3:255.255.255.0:::10.1.0.53::, no card has the address 52-54-00-99-99-99",
        "52-54-00-ab-cd-ef::10.1.2.3:255.x:::10.1.0.53::, not a netmask: 255.x",
        "52-54-00-ab-cd-ef::10.1.2.3:$(touch calls):::10.1.0.53::, not a netmask",
    })
    void whatIpamGetsWrongIsSaidAndLeavesTheNetworkToDhcp(String ipam, String complaint) throws Exception {
        Outcome outcome = run("ipam=" + ipam.replace(" ", ""), "static-network.sh");
        assertEquals(1, outcome.status(), outcome.said());
        assertTrue(outcome.said().startsWith("static network: " + complaint), outcome.said());
        assertEquals("", outcome.calls());
        assertFalse(Files.exists(machine.resolve("run/network/interfaces")));
    }

    @Test
    void withoutTheParametersNothingIsDone() throws Exception {
        for (String script : List.of("static-network.sh", "vlan.sh")) {
            for (String line : List.of("quiet", "ipam= vlan_id= hw_addr=" + MAC)) {
                Outcome outcome = run(line, script);
                assertEquals(new Outcome(0, "", ""), outcome);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"52:54:00:ab:cd:ef", "52-54-00-ab-cd-ef", "52:54:00:AB:CD:EF", "52-54-00-AB-CD-EF"})
    void aVlanIsMadeOnTheCardWhateverItsAddressLooksLike(String mac) throws Exception {
        Outcome outcome = run("vlan_id=7 hw_addr=" + mac, "vlan.sh");
        assertEquals(new Outcome(0, "vlan: eno2.7\n",
                "ip link set dev eno2 up\nip link add link eno2 name eno2.7 type vlan id 7\nip link set dev eno2.7 up\n"), outcome);
    }

    @Test
    void aVlanWantsItsCard() throws Exception {
        Outcome outcome = run("vlan_id=7", "vlan.sh");
        assertEquals(1, outcome.status());
        assertTrue(outcome.said().contains("hw_addr=MAC is not"), outcome.said());
        outcome = run("vlan_id=7 hw_addr=02:00:00:00:00:00", "vlan.sh");
        assertEquals(1, outcome.status());
        assertEquals("vlan: no card has the address 02:00:00:00:00:00\n", outcome.said());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "quiet                     | e*",
        "hw_addr=52:54:00:ab:cd:ef | e*",
        "interface=eno2            | eno2",
        "interface=                | e*",
        "vlan_id=7 hw_addr=x       | e*.*",
        "vlan_id=7 interface=eno2  | e*.*",
        "interface=eno2 vlan_id=   | eno2",
    })
    void dhcpAsksOnTheCardsThatItShall(String line, String cards) throws Exception {
        Outcome outcome = run(line, "dhcp.sh", "false");
        assertEquals(0, outcome.status(), outcome.said());
        assertTrue(outcome.calls().startsWith("dhcpcd ") && outcome.calls().endsWith(" --allowinterfaces " + cards + "\n"), outcome.calls());
    }

    /** The program {@code sleep} lets the test's time pass, and each turn on top of it. */
    private void let(String seconds, String answers) throws IOException {
        Files.writeString(machine.resolve("proc/uptime"), "100.00 1.00\n");
        program("sleep", "read -r up _ <" + machine + "/proc/uptime\n"
                + "echo \"$((${up%.*} + " + seconds + ")).99 1.00\" >" + machine + "/proc/uptime\necho sleep >>" + machine.resolve("calls"));
        program("ip", "read -r up _ <" + machine + "/proc/uptime\nup=${up%.*}\ncase \"$*\" in\n" + answers + "\nesac");
    }

    private static long turns(Outcome outcome) {
        return outcome.calls().lines().filter("sleep"::equals).count();
    }

    @Test
    void dhcpHasHalfAMinuteHoweverSlowTheMachineIs() throws Exception {
        let("5", "*) : ;;");
        assertEquals(6, turns(run("quiet", "dhcp.sh", "true")));
        let("1", "*) : ;;");
        assertEquals(30, turns(run("quiet", "dhcp.sh", "true")));
    }

    @Test
    void dhcpIsDoneOnceThereIsARoute() throws Exception {
        let("1", "*route*) [ $up -lt 104 ] || echo default via 10.0.0.1 ;;");
        assertEquals(4, turns(run("quiet", "dhcp.sh", "true")));
    }

    @Test
    void aNetworkWithoutARouterHasTwoSecondsMoreAndABmcsNone() throws Exception {
        let("1", "*address*) echo '    inet 10.0.0.7/24 scope global eth0' ;;");
        assertEquals(2, turns(run("quiet", "dhcp.sh", "true")));
        let("1", "*address*) echo '    inet 169.254.95.100/24 scope global enx0' ;;");
        assertEquals(30, turns(run("quiet", "dhcp.sh", "true")));
    }

    @Test
    void thereIsNoDhcpWhereIpamWas() throws Exception {
        Files.writeString(machine.resolve("run/network/interfaces"), "");
        for (String once : List.of("true", "false")) {
            Outcome outcome = run("quiet", "dhcp.sh", once);
            assertEquals(new Outcome(0, "the network was configured by ipam=, no DHCP\n", ""), outcome);
        }
    }

    @ParameterizedTest
    @CsvSource({"build, '', hook-clock 15", "build, 10.0.0.1, hook-clock 15", "rtc, 10.0.0.1, hook-clock 3", "rtc, '', ''"})
    void theClockIsWaitedForAsLongAsItIsWorth(String who, String servers, String call) throws Exception {
        Files.writeString(machine.resolve("run/network/interfaces"), "");
        Files.writeString(machine.resolve("run/hook/clock"), who + "\n");
        if (!servers.isEmpty()) {
            Files.createDirectories(machine.resolve("run/network/ntp.d"));
            Files.writeString(machine.resolve("run/network/ntp.d/eno1.4"), servers + "\n");
        }
        assertEquals(call, run("quiet", "dhcp.sh", "true").calls().strip());
        assertEquals("", run("quiet", "dhcp.sh", "false").calls(), "the service leaves it to ntpd");
    }
}
