package org.tinkerbell.hook.dist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
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
 * A machine whose network is configured by {@code ipam=}, in a network where DHCP would answer; which reaches its registry through a proxy alone;
 * and whose clock stands at 1970.
 */
@EnabledOnOs(OS.LINUX)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class StaticNetworkIT {
    private static final String MAC = "52:54:00:AB:CD:03";
    private static final String ADDRESS = PeerNetwork.MACHINES + "20";
    private static final String NAME = "rack-7-unit-3";
    /** The proxy alone knows this name. */
    private static final String REGISTRY = "registry.behind.proxy:5000";
    private static final String NOT_BY_PROXY = "localhost,127.0.0.1," + PeerNetwork.HOST;

    @TempDir
    static Path directory;

    private static PeerNetwork network;
    private static TinkerbellHost host;
    private static LoopbackRegistry registry;
    private static ForwardProxy proxy;
    private static StandInWorker worker;
    private static Guest guest;

    @BeforeAll
    static void switchOn() throws Exception {
        PeerNetwork.obstacle().ifPresent(obstacle -> assumeTrue(false, obstacle));
        TinkerbellHost.obstacle().ifPresent(obstacle -> assumeTrue(false, obstacle));
        FlavorUnderTest flavor = new FlavorUnderTest();
        network = new PeerNetwork(directory.resolve("network"));
        host = new TinkerbellHost(network.address(), "", "{}");
        registry = new LoopbackRegistry(flavor.toolbox(), directory.resolve("registry"));
        worker = new StandInWorker(network.address(), PeerNetwork.HOST, List.of());
        flavor.push(worker, registry, directory);
        proxy = new ForwardProxy(network.address(), REGISTRY, registry.authority());
        String mac = MAC.replace(':', '-');
        Machine hardware = flavor.machine(MAC, List.of(
                        "ipam=" + mac + "::" + ADDRESS + ":255.255.255.0:" + PeerNetwork.ROUTER + ":" + NAME + ":" + PeerNetwork.ROUTER
                                + ",192.0.2.53:hook.test,example.test:" + PeerNetwork.HOST,
                        "HTTP_PROXY=" + proxy.url(), "HTTPS_PROXY=" + proxy.url(), "NO_PROXY=" + NOT_BY_PROXY,
                        "insecure_registries=" + REGISTRY, "docker_registry=" + REGISTRY + "/tinkerbell",
                        "tink_worker_image=" + REGISTRY + "/" + FlavorUnderTest.WORKER, "worker_id=" + MAC,
                        "grpc_authority=" + PeerNetwork.HOST + ":42113", "tinkerbell_tls=true", "tinkerbell_insecure_tls=true"))
                .withClock(Instant.EPOCH)
                .withCards(List.of(Card.tap(Card.Model.VIRTIO, MAC, PeerNetwork.CARD)));
        guest = new Guest(flavor.start(network.inside(flavor.qemu()), hardware, "static"));
    }

    @AfterAll
    static void switchOff() throws Exception {
        for (AutoCloseable open : new AutoCloseable[] {guest == null ? null : guest.machine(), worker, proxy, registry, host, network}) {
            if (open != null) {
                open.close();
            }
        }
    }

    @Test
    @Order(1)
    void runsTheWorkerThatItPullsThroughTheProxy() throws Exception {
        Map<String, String> environment = guest.await(worker.report());
        assertEquals(proxy.url(), environment.get("HTTP_PROXY"));
        assertEquals(proxy.url(), environment.get("HTTPS_PROXY"));
        assertEquals(NOT_BY_PROXY, environment.get("NO_PROXY"));
        assertEquals("true", environment.get("TINKERBELL_TLS"));
        assertEquals("true", environment.get("TINKERBELL_INSECURE_TLS"));
        assertEquals(MAC, environment.get("WORKER_ID"));
        assertTrue(proxy.requests().stream().anyMatch(request -> request.contains("http://" + REGISTRY + "/v2/tinkerbell/tink-worker/")),
                () -> proxy.requests().toString());
    }

    @Test
    @Order(2)
    void hasWhatTheParameterSaysAndNoDhcp() throws Exception {
        guest.login();
        assertEquals(NAME, guest.succeeds("cat /host_root/proc/sys/kernel/hostname").strip());
        String addresses = onHostsNetwork("ip -4 address");
        assertTrue(addresses.contains("inet " + ADDRESS + "/24"), addresses);
        String routes = onHostsNetwork("ip route");
        assertTrue(routes.contains("default via " + PeerNetwork.ROUTER), routes);
        String names = guest.succeeds("docker exec tink-worker busybox cat /etc/resolv.conf");
        assertTrue(names.contains("search hook.test example.test") && names.contains("nameserver " + PeerNetwork.ROUTER)
                && names.contains("nameserver 192.0.2.53"), names);
        assertEquals(PeerNetwork.HOST, guest.succeeds("docker run --rm --network host --entrypoint /usr/bin/busybox " + image()
                + " nslookup -type=a " + PeerNetwork.HOST_NAME + " | grep -o '" + PeerNetwork.HOST + "' | tail -1").strip());
        assertFalse(network.log().contains("DHCPDISCOVER"), network::log);
        // It ended well, and is not started again.
        guest.succeeds("service list | grep -q '^dhcpcd-daemon  *finished'");
    }

    @Test
    @Order(3)
    void asksTheParametersServerForTheTime() throws Exception {
        assertTrue(host.timesAsked() > 0);
        assertEquals("ntp", guest.succeeds("cat /host_root/run/hook/clock").strip());
        long off = Instant.now().getEpochSecond() - Long.parseLong(guest.succeeds("date +%s").strip());
        assertTrue(Math.abs(off) < 300, () -> "the clock is " + off + " s behind");
        String console = guest.machine().console().text();
        assertTrue(console.contains("clock was behind the build's time, set to it"), "first it went to the build's time");
    }

    @Test
    @Order(4)
    void rebootsByTheThreeKeys() throws Exception {
        guest.machine().pressKeys(List.of("ctrl", "alt", "delete"));
        guest.machine().awaitEnd(Duration.ofMinutes(5));
        assertEquals("guest-reset", guest.machine().endReason());
        assertTrue(guest.machine().console().text().contains("going down"), "it went down in good order");
    }

    private static String image() {
        return REGISTRY + "/" + FlavorUnderTest.WORKER;
    }

    private static String onHostsNetwork(String command) throws Exception {
        return guest.succeeds("docker run --rm --network host --entrypoint /usr/bin/busybox " + image() + " " + command);
    }
}
