package org.tinkerbell.hook.qemu;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.tinkerbell.hook.io.HookException;

/**
 * A network card, and what it is plugged into.
 *
 * @param model the card itself
 * @param mac Ethernet address, six hexadecimal bytes with colons
 * @param backend what the cable leads to: QEMU's option {@code -netdev} without the id
 * @param further more arguments of QEMU, for what lies behind the backend
 */
public record Card(Model model, String mac, String backend, List<String> further) {
    /** Kinds of card. */
    public enum Model {
        /** A paravirtualized PCI card. */
        VIRTIO,
        /** A USB network card, as that by which a BMC talks to its host. */
        USB
    }

    public Card {
        further = List.copyOf(further);
        if (!mac.matches("(?i)[0-9a-f]{2}(:[0-9a-f]{2}){5}")) {
            throw new HookException("'" + mac + "' is no MAC address; one looks like " + Machine.DEFAULT_MAC + ".");
        }
    }

    /**
     * A card on QEMU's user-mode network, in which the host is 10.0.2.2.
     *
     * @param forwards ports of the host's loopback that lead to the guest: the guest's TCP port by the host's
     */
    public static Card user(String mac, SortedMap<Integer, Integer> forwards) {
        StringBuilder options = new StringBuilder();
        forwards.forEach((host, guest) -> options.append(",hostfwd=tcp:127.0.0.1:").append(host).append("-:").append(guest));
        return new Card(Model.VIRTIO, mac, "user" + options, List.of());
    }

    /** A card on a tap device that is there already, in the network namespace that QEMU runs in. */
    public static Card tap(Model model, String mac, String device) {
        return new Card(model, mac, "tap,ifname=" + device + ",script=no,downscript=no", List.of());
    }

    /** A card whose cable leads to nothing: the link is up, nobody answers. */
    public static Card alone(String mac) {
        return new Card(Model.VIRTIO, mac, "hubport,hubid=99", List.of());
    }

    /**
     * A card whose Ethernet frames go through a stream socket, behind whose other end somebody may change them before they come to QEMU's
     * user-mode network by a second one. Both have a length of four bytes before each frame.
     *
     * @param card the socket for the card
     * @param network the socket for the network
     */
    public static Card switched(String mac, Path card, Path network) {
        String stream = "stream,server=off,addr.type=unix,addr.path=";
        return new Card(Model.VIRTIO, mac, stream + card, List.of("-netdev", "user,id=uplink", "-netdev", stream + network + ",id=access",
                "-netdev", "hubport,id=port0,hubid=0,netdev=uplink", "-netdev", "hubport,id=port1,hubid=0,netdev=access"));
    }

    /** QEMU's arguments for the card with this number. */
    List<String> arguments(int number) {
        String id = "net" + number;
        List<String> arguments = new ArrayList<>(further);
        // The type comes first, then what names it.
        String[] parts = backend.split(",", 2);
        arguments.addAll(List.of("-netdev", parts[0] + ",id=" + id + (parts.length > 1 ? "," + parts[1] : "")));
        if (model == Model.USB) {
            arguments.addAll(List.of("-device", "qemu-xhci,id=usb" + number,
                    "-device", "usb-net,bus=usb" + number + ".0,netdev=" + id + ",mac=" + mac));
        } else {
            // romfile= : no network boot, since there is something to boot.
            arguments.addAll(List.of("-device", "virtio-net-pci,netdev=" + id + ",romfile=,mac=" + mac));
        }
        return arguments;
    }
}
