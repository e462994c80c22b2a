package org.tinkerbell.hook.dist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.ServerSocket;
import java.nio.file.Path;
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
import org.tinkerbell.hook.qemu.Card;
import org.tinkerbell.hook.qemu.Machine;

/** A machine on a port of a switch where everything goes by VLAN, and whose registry comes up a minute after it is first asked. */
@EnabledOnOs(OS.LINUX)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class VlanIT {
    private static final String HOST = "10.0.2.2";
    private static final String MAC = "52:54:00:ab:cd:04";
    private static final int VLAN = 42;
    /** The longest pause between two attempts: when it comes the registry has been asked in vain for half a minute, and is not asked for another. */
    private static final String LAST_PAUSE = "30.0";

    @TempDir
    static Path directory;

    private static FlavorUnderTest flavor;
    private static int port;
    private static LoopbackRegistry registry;
    private static StandInWorker worker;
    private static AccessSwitch cable;
    private static Guest guest;

    @BeforeAll
    static void switchOn() throws Exception {
        flavor = new FlavorUnderTest();
        worker = new StandInWorker();
        try (LoopbackRegistry early = new LoopbackRegistry(flavor.toolbox(), directory.resolve("registry"))) {
            flavor.push(worker, early, directory);
        }
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        cable = new AccessSwitch(VLAN);
        String seen = HOST + ":" + port;
        Machine hardware = flavor.machine(MAC, List.of("vlan_id=" + VLAN, "hw_addr=" + MAC.replace(':', '-').toUpperCase(),
                        "docker_registry=" + seen, "insecure_registries=" + seen, "tink_worker_image=" + seen + "/" + FlavorUnderTest.WORKER,
                        "worker_id=" + MAC, "grpc_authority=" + HOST + ":42113"))
                .withCards(List.of(Card.switched(MAC, cable.trunk(), cable.network())));
        guest = new Guest(flavor.start(flavor.qemu(), hardware, "vlan"));
    }

    @AfterAll
    static void switchOff() throws Exception {
        for (AutoCloseable open : new AutoCloseable[] {guest == null ? null : guest.machine(), cable, worker, registry}) {
            if (open != null) {
                open.close();
            }
        }
    }

    @Test
    @Order(1)
    void waitsForTheRegistryAndRunsTheWorker() throws Exception {
        guest.machine().console().expect("pulling failed, next attempt in " + LAST_PAUSE + " s", Guest.BOOT);
        registry = new LoopbackRegistry(flavor.toolbox(), directory.resolve("registry"), "127.0.0.1", port);
        Map<String, String> environment = guest.await(worker.report());
        assertEquals(MAC, environment.get("WORKER_ID"));
        List<String> pauses = Pattern.compile("pulling failed, next attempt in ([0-9.]+) s").matcher(guest.machine().console().text()).results()
                .map(found -> found.group(1)).toList();
        assertEquals(List.of("0.5", "1.0", "2.0", "4.0", "8.0", "16.0", LAST_PAUSE), pauses, "it backs off");
    }

    @Test
    @Order(2)
    void speaksOnTheVlanAlone() throws Exception {
        guest.login();
        assertTrue(cable.passed() > 0, "frames of the VLAN came");
        String addresses = guest.succeeds("docker run --rm --network host --entrypoint /usr/bin/busybox " + HOST + ":" + port + "/"
                + FlavorUnderTest.WORKER + " ip -4 -o address");
        List<String> global = addresses.lines().filter(line -> line.contains("inet 10.0.2.")).toList();
        assertEquals(1, global.size(), addresses);
        assertTrue(global.get(0).matches(".*\\be[a-z0-9]+\\." + VLAN + "\\b.*"), addresses);
    }
}
