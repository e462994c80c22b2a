package org.tinkerbell.hook.dist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.qemu.Card;
import org.tinkerbell.hook.qemu.Machine;

/**
 * A machine of the field, which has it all: a clock that stands at 1970, a BMC's USB card that answers DHCP first with an address that leads
 * nowhere, IPv6 router advertisements, a registry with TLS under a private authority that wants a password, a worker whose first attempt ends at
 * once. Then what keeps it going dies, piece by piece, and at last the worker reboots it.
 */
@EnabledOnOs(OS.LINUX)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TinkerbellBootIT {
    private static final String MAC = "52:54:00:ab:cd:01";
    private static final String BMC_MAC = "52:54:00:ab:cd:02";
    private static final String ID = "6f1d2a3c-4b5e-4f60-8a7b-9c0d1e2f3a4b";
    private static final String USER = "worker";
    private static final String PASSWORD = "open+sesame/17";
    /** The same for grep, which shall not find itself in what was typed. */
    private static final String PASSWORD_PATTERN = "open[+]sesame/17";
    private static final int FIRST_STATUS = 3;

    @TempDir
    static Path directory;

    private static PeerNetwork network;
    private static TinkerbellHost host;
    private static LoopbackRegistry registry;
    private static StandInWorker worker;
    private static Guest guest;
    private static String image;

    @BeforeAll
    static void switchOn() throws Exception {
        PeerNetwork.obstacle().ifPresent(obstacle -> assumeTrue(false, obstacle));
        TinkerbellHost.obstacle().ifPresent(obstacle -> assumeTrue(false, obstacle));
        FlavorUnderTest flavor = new FlavorUnderTest();
        network = new PeerNetwork(directory.resolve("network"));
        PrivateAuthority authority = new PrivateAuthority(directory.resolve("authority"), PeerNetwork.HOST_NAME);
        host = new TinkerbellHost(network.address(), authority.certificate(),
                "{\"id\": \"" + ID + "\", \"grpc_authority\": \"somebody.else:1\", \"metadata\": {\"instance\": {\"hostname\": \"m1\"}}}");
        worker = new StandInWorker(network.address(), PeerNetwork.HOST, List.of(FIRST_STATUS));
        Path store = directory.resolve("registry");
        try (LoopbackRegistry open = new LoopbackRegistry(flavor.toolbox(), store)) {
            flavor.push(worker, open, directory);
        }
        registry = LoopbackRegistry.secured(flavor.toolbox(), store, PeerNetwork.HOST, authority.server(), USER, PASSWORD);
        String seen = PeerNetwork.HOST_NAME + ":" + registry.port();
        image = seen + "/" + FlavorUnderTest.WORKER;
        // quiet: the kernel itself would show its command line.
        Machine hardware = flavor.machine(MAC, List.of("quiet", "tinkerbell=http://" + PeerNetwork.HOST, "syslog_host=" + PeerNetwork.HOST,
                        "grpc_authority=" + PeerNetwork.HOST + ":42113", "docker_registry=" + seen, "registry_username=" + USER,
                        "registry_password=" + PASSWORD, "tink_worker_image=" + image))
                .withClock(Instant.EPOCH)
                .withCards(List.of(Card.tap(Card.Model.USB, BMC_MAC, PeerNetwork.BMC),
                        Card.tap(Card.Model.VIRTIO, MAC, PeerNetwork.CARD)));
        guest = new Guest(flavor.start(network.inside(flavor.qemu()), hardware, "tinkerbell"));
    }

    @AfterAll
    static void switchOff() throws Exception {
        if (network != null) {
            Files.writeString(guest == null ? directory.resolve("dhcp.log")
                    : guest.machine().console().transcript().resolveSibling("tinkerbell-dhcp.log"), network.log());
        }
        for (AutoCloseable open : new AutoCloseable[] {guest == null ? null : guest.machine(), worker, registry, host, network}) {
            if (open != null) {
                open.close();
            }
        }
    }

    @Test
    @Order(1)
    void startsAWorkerThatEndedAtOnceAgain() throws Exception {
        guest.await(worker.report(0));
        guest.machine().console().expect("the worker does not run: it ended with status " + FIRST_STATUS, Guest.BOOT);
        Map<String, String> environment = guest.await(worker.report(1));
        assertEquals(ID, environment.get("WORKER_ID"), "the metadata's, since the command line has none");
        assertEquals(ID, environment.get("ID"));
        assertEquals(PeerNetwork.HOST + ":42113", environment.get("TINKERBELL_GRPC_AUTHORITY"), "the command line's");
        assertEquals(PeerNetwork.HOST_NAME + ":" + registry.port(), environment.get("DOCKER_REGISTRY"));
        assertEquals(USER, environment.get("REGISTRY_USERNAME"));
        assertEquals(PASSWORD, environment.get("REGISTRY_PASSWORD"));
        assertTrue(host.requests().contains("GET 80/ca.pem"), () -> host.requests().toString());
        assertTrue(host.requests().contains("GET 50061/metadata"), () -> host.requests().toString());
        // It names who asked only where something failed; but it knows one account alone.
        assertTrue(registry.log().lines().anyMatch(line -> line.contains("msg=\"authorized request\"")
                && line.contains("/v2/tinkerbell/tink-worker/manifests/")), () -> "the registry let nobody in: " + registry.log());
        guest.machine().console().expect("worker tink-worker runs", Guest.BOOT);
    }

    @Test
    @Order(2)
    void hasTheRightTimeAlthoughTheWrongCardAnsweredFirst() throws Exception {
        guest.login();
        assertTrue(host.timesAsked() > 0, "the server of DHCP's option 42 was asked");
        assertEquals("ntp", guest.succeeds("cat /host_root/run/hook/clock").strip());
        long off = Instant.now().getEpochSecond() - Long.parseLong(guest.succeeds("date +%s").strip());
        assertTrue(Math.abs(off) < 300, () -> "the clock is " + off + " s behind");
        assertTrue(network.log().contains("DHCPACK(" + PeerNetwork.BMC + ") "), network::log);
        String addresses = guest.succeeds("docker run --rm --network host --entrypoint /usr/bin/busybox " + image + " ip address");
        assertTrue(addresses.contains(PeerNetwork.LINK_LOCAL) && addresses.contains(PeerNetwork.MACHINES), addresses);
        assertTrue(addresses.contains("2001:db8:7:"), () -> "the router's advertisement was taken: " + addresses);
        String names = guest.succeeds("docker exec tink-worker busybox cat /etc/resolv.conf");
        assertTrue(names.contains("nameserver " + PeerNetwork.ROUTER) && names.contains("hook.test"), names);
    }

    @Test
    @Order(3)
    void sendsTheLogsOfContainersToTheServer() {
        List<String> messages = host.messages();
        assertTrue(messages.stream().anyMatch(message -> message.startsWith("<") && message.contains("the worker runs")), messages::toString);
    }

    @Test
    @Order(4)
    void keepsThePasswordToItself() throws Exception {
        String base64 = Base64.getEncoder().encodeToString((USER + ":" + PASSWORD).getBytes(StandardCharsets.UTF_8));
        assertEquals("1", guest.succeeds("grep -cE '" + PASSWORD_PATTERN + "' /proc/cmdline").strip(), "it is found where it is");
        String found = guest.run("grep -rlE '" + PASSWORD_PATTERN + "|" + base64.substring(0, 8) + "[" + base64.charAt(8) + "]"
                + base64.substring(9, 16) + "' /host_root/var/log /host_root/run/log /host_root/run/hook 2>/dev/null").output();
        assertEquals("", found.strip(), "files that show the password");
        assertEquals("600", guest.succeeds("stat -c %a /host_root/containers/services/hook-docker/rootfs/etc/docker/daemon.json").strip());
        // What this shows is on the console too.
        guest.succeeds("HOOK_PATIENCE=90 hook-status");
        String console = guest.machine().console().text();
        assertFalse(console.contains(PASSWORD), "the console shows the password");
        assertFalse(String.join("\n", host.messages()).contains(PASSWORD), "syslog shows the password");
    }

    @Test
    @Order(5)
    void survivesTheEnginesDeath() throws Exception {
        onHost("busybox killall -KILL dockerd");
        guest.machine().console().expect("the Docker Engine was killed by signal 9", Guest.BOOT);
        guest.await(worker.report(2));
        guest.eventually("docker ps --format '{{.Names}} {{.Status}}' | grep -q '^tink-worker Up'");
    }

    @Test
    @Order(6)
    void survivesContainerdsDeath() throws Exception {
        int workers = worker.started();
        // The engine has one of its own, with arguments.
        onHost("for p in /proc/[0-9]*; do [ \"$(busybox tr \"\\0\" \" \" <$p/cmdline)\" != \"containerd \" ] || kill -KILL ${p#/proc/}; done");
        guest.machine().console().expect("containerd ended with status", Guest.BOOT);
        guest.machine().console().expect("containerd answers", Guest.BOOT);
        String services = guest.succeeds("service list");
        for (String service : List.of("hook-docker", "hook-bootkit", "getty", "ntpd", "dhcpcd-daemon", "acpid")) {
            assertTrue(services.lines().anyMatch(line -> line.startsWith(service + " ") && line.contains("running")), services);
        }
        guest.succeeds("service restart acpid");
        guest.eventually("service list | grep -q '^acpid .*running'");
        assertTrue(guest.succeeds("docker ps --format '{{.Names}} {{.Status}}'").contains("tink-worker Up"));
        assertEquals(workers, worker.started(), "the worker went on undisturbed");
    }

    @Test
    @Order(7)
    void rebootsWhenTheWorkerWantsIt() throws Exception {
        guest.machine().console().send("docker exec tink-worker busybox touch /worker/reboot");
        guest.machine().awaitEnd(Duration.ofMinutes(5));
        assertEquals("guest-reset", guest.machine().endReason());
        String console = guest.machine().console().text();
        assertTrue(console.contains("/worker/reboot is there") && console.contains("going down"), "it went down in good order");
    }

    /**
     * Runs a shell's command among the processes of the machine itself. Does not wait for its end: what is waited for then may be said on the
     * console before.
     *
     * @param command without single quotes
     */
    private static void onHost(String command) throws IOException {
        guest.machine().console().send("docker run --rm --privileged --pid host --entrypoint /usr/bin/sh " + image + " -c '" + command + "'");
    }
}
