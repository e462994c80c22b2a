package org.tinkerbell.hook.dist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.tinkerbell.hook.qemu.Card;

/** A machine on a network where nobody answers, with parameters that are wrong: it has to come up nevertheless, so that somebody can look. */
@EnabledOnOs(OS.LINUX)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class NoNetworkIT {
    private static final String MAC = "52:54:00:ab:cd:05";
    /** Seconds of the machine's own clock that DHCP may have: half a minute and the container's start, which is slow on an emulated machine. */
    private static final double PATIENCE = 60;

    private static Guest guest;

    @BeforeAll
    static void switchOn() throws Exception {
        FlavorUnderTest flavor = new FlavorUnderTest();
        // No card has that address, and there is no VLAN to be made of it.
        guest = new Guest(flavor.start(flavor.qemu(), flavor.machine(MAC, List.of("ipam=02-00-00-00-00-99::nonsense:x::::", "docker_registry=",
                "tink_worker_image=registry.example/no-such-worker")).withCards(List.of(Card.alone(MAC))), "no-network"));
    }

    @AfterAll
    static void switchOff() throws Exception {
        if (guest != null) {
            guest.machine().close();
        }
    }

    @Test
    @Order(1)
    void givesALoginInTime() throws Exception {
        guest.login();
        System.out.printf("Without a network a login answers %s s after power-on%n", guest.succeeds("cut -d' ' -f1 /proc/uptime").strip());
        String console = guest.machine().console().text();
        Matcher took = Pattern.compile("onboot \\d+-dhcpcd-once: done in ([0-9.]+) s").matcher(console);
        assertTrue(took.find(), "DHCP was tried, and given up");
        assertTrue(Double.parseDouble(took.group(1)) < PATIENCE, took::group);
        assertTrue(console.contains("static network: ipam= lacks dns"), "what is wrong is said on the console");
        assertTrue(console.contains("failed: /etc/init.d/003-static-network.sh"), "and that it failed");
    }

    @Test
    @Order(2)
    void goesOnTrying() throws Exception {
        guest.machine().console().expect("pulling failed, next attempt in", Guest.BOOT);
        String services = guest.succeeds("service list");
        assertTrue(services.lines().anyMatch(line -> line.startsWith("hook-docker ") && line.contains("running")), services);
        assertTrue(services.lines().anyMatch(line -> line.startsWith("dhcpcd-daemon ") && line.contains("running")), services);
    }

    @Test
    @Order(3)
    void switchesOffByThePowerButtonInGoodOrder() throws Exception {
        guest.succeeds("printf '#!/bin/sh\\necho the last will >/dev/console\\n' >/host_root/etc/shutdown.d/999-will; "
                + "printf '#!/bin/sh\\nexit 1\\n' >/host_root/etc/shutdown.d/500-fails; "
                + "chmod 755 /host_root/etc/shutdown.d/*-will /host_root/etc/shutdown.d/*-fails");
        guest.machine().pressPowerButton();
        guest.machine().awaitEnd(Duration.ofMinutes(5));
        assertEquals("guest-shutdown", guest.machine().endReason());
        String console = guest.machine().console().text();
        assertTrue(console.contains("failed: /etc/shutdown.d/500-fails"), "a step of the shutdown that fails is told of");
        assertTrue(console.contains("the last will"), "and does not stop the others");
        String down = console.substring(console.indexOf("hook: going down"));
        assertTrue(down.contains("the services are stopped") && !down.contains("started again"), down);
    }
}
