package org.tinkerbell.hook.qemu;

import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;

/**
 * A virtual machine that boots a kernel with an initramfs, or a medium. It has one network card on QEMU's user-mode network, in which the
 * host is 10.0.2.2, a source of random numbers, and its first serial port as console; no display, and nothing else but
 * what is asked for.
 *
 * @param arch architecture of the guest
 * @param memory main memory in MiB
 * @param processors how many processors
 * @param mac Ethernet address of the network card, six hexadecimal bytes with colons
 * @param start what it boots
 * @param disk a raw image that becomes the first virtio disk
 * @param firmware UEFI firmware; empty for the direct start of the kernel
 * @param forwards ports of the host's loopback that lead to the guest's card on the user-mode network: the guest's TCP port by the host's
 * @param reboots whether a reboot of the guest starts the machine again; else it ends it
 * @param cards network cards in place of the one on the user-mode network; none for that one
 * @param clock what the real-time clock says at power-on; empty for the time
 */
public record Machine(
        Arch arch,
        int memory,
        int processors,
        String mac,
        Start start,
        Optional<Path> disk,
        Optional<Firmware> firmware,
        SortedMap<Integer, Integer> forwards,
        boolean reboots,
        List<Card> cards,
        Optional<Instant> clock) {

    /** What a machine boots. */
    public sealed interface Start {
        /**
         * A kernel that QEMU itself loads.
         *
         * @param kernel the kernel's file
         * @param initramfs the initramfs's file
         * @param commandLine the kernel's parameters
         */
        record Kernel(Path kernel, Path initramfs, String commandLine) implements Start {}

        /**
         * An ISO in a CD drive, which the firmware starts.
         *
         * @param iso its file
         */
        record Medium(Path iso) implements Start {}
    }

    /** An Ethernet address in QEMU's own range, for a machine that nobody else has to tell from others. */
    public static final String DEFAULT_MAC = "52:54:00:12:34:56";

    /** A machine that boots a kernel; see {@link Start.Kernel}. */
    public Machine(
            Arch arch,
            int memory,
            int processors,
            String mac,
            Path kernel,
            Path initramfs,
            String commandLine,
            Optional<Path> disk,
            Optional<Firmware> firmware,
            boolean reboots) {
        this(arch, memory, processors, mac, new Start.Kernel(kernel, initramfs, commandLine), disk, firmware, reboots);
    }

    /** A machine without forwarded ports. */
    public Machine(
            Arch arch,
            int memory,
            int processors,
            String mac,
            Start start,
            Optional<Path> disk,
            Optional<Firmware> firmware,
            boolean reboots) {
        this(arch, memory, processors, mac, start, disk, firmware, Collections.emptySortedMap(), reboots);
    }

    /** A machine with one card on the user-mode network and a clock that is right. */
    public Machine(
            Arch arch,
            int memory,
            int processors,
            String mac,
            Start start,
            Optional<Path> disk,
            Optional<Firmware> firmware,
            SortedMap<Integer, Integer> forwards,
            boolean reboots) {
        this(arch, memory, processors, mac, start, disk, firmware, forwards, reboots, List.of(), Optional.empty());
    }

    public Machine {
        forwards = Collections.unmodifiableSortedMap(new TreeMap<>(forwards));
        if (start instanceof Start.Medium && firmware.isEmpty()) {
            throw new IllegalArgumentException("a medium is started by firmware, and there is none");
        }
        cards = List.copyOf(cards);
        if (memory < 64) {
            throw new HookException("A machine with " + memory
                    + " MiB of memory cannot boot: -Dhook.qemu.memory is in MiB, for example 1024.");
        }
        if (processors < 1) {
            throw new HookException("A machine needs a processor: -Dhook.qemu.cpus is 1 or more.");
        }
        if (!mac.matches("(?i)[0-9a-f]{2}(:[0-9a-f]{2}){5}")) {
            throw new HookException("'" + mac + "' is no MAC address; one looks like " + DEFAULT_MAC + ".");
        }
    }

    /** The same machine with other network cards. */
    public Machine withCards(List<Card> others) {
        return new Machine(arch, memory, processors, mac, start, disk, firmware, forwards, reboots, others, clock);
    }

    /** The same machine with a real-time clock that says something else at power-on. */
    public Machine withClock(Instant time) {
        return new Machine(arch, memory, processors, mac, start, disk, firmware, forwards, reboots, cards, Optional.of(time));
    }

    /**
     * UEFI firmware in two flash images.
     *
     * @param code the program, never written
     * @param variables a copy of the variables' template, written by the guest
     */
    public record Firmware(Path code, Path variables) {}

    /** Name of the first serial port in Linux, for the parameter {@code console=}. */
    public static String serialConsole(Arch arch) {
        return arch == Arch.AARCH64 ? "ttyAMA0" : "ttyS0";
    }

    /**
     * QEMU's arguments.
     *
     * @param accelerator what runs the guest
     * @param serial QEMU's name of what the serial port is tied to: {@code stdio}, {@code mon:stdio}, {@code file:…}
     */
    public List<String> arguments(Accelerator accelerator, String serial) {
        List<String> arguments = new ArrayList<>(List.of("-nodefaults", "-no-user-config", "-display", "none"));
        arguments.addAll(List.of("-machine", arch == Arch.AARCH64 ? "virt" : "q35"));
        arguments.addAll(accelerator.arguments());
        arguments.addAll(List.of("-cpu", accelerator.processor(arch), "-smp", Integer.toString(processors), "-m", memory + "M"));
        arguments.addAll(List.of("-serial", serial));
        firmware.ifPresent(flash -> {
            arguments.addAll(List.of("-drive", "if=pflash,unit=0,format=raw,readonly=on,file=" + escaped(flash.code())));
            arguments.addAll(List.of("-drive", "if=pflash,unit=1,format=raw,file=" + escaped(flash.variables())));
        });
        List<Card> plugged = cards.isEmpty() ? List.of(Card.user(mac, forwards)) : cards;
        for (int number = 0; number < plugged.size(); number++) {
            arguments.addAll(plugged.get(number).arguments(number));
        }
        // QEMU's own notation: ISO 8601 without a zone, UTC.
        clock.ifPresent(time -> arguments.addAll(List.of("-rtc", "base=" + LocalDateTime.ofInstant(time, ZoneOffset.UTC).withNano(0)
                .format(DateTimeFormatter.ISO_LOCAL_DATE_TIME))));
        arguments.addAll(List.of("-device", "virtio-rng-pci"));
        disk.ifPresent(image -> arguments.addAll(List.of(
                "-drive", "if=none,id=disk0,format=raw,file=" + escaped(image), "-device", "virtio-blk-pci,drive=disk0")));
        if (start instanceof Start.Kernel direct) {
            arguments.addAll(List.of("-kernel", direct.kernel().toString(), "-initrd", direct.initramfs().toString(), "-append",
                    direct.commandLine()));
        } else if (start instanceof Start.Medium medium) {
            // SCSI over virtio is the drive that the firmware of both architectures knows.
            arguments.addAll(List.of("-device", "virtio-scsi-pci", "-drive",
                    "if=none,id=cd0,media=cdrom,format=raw,readonly=on,file=" + escaped(medium.iso()), "-device", "scsi-cd,drive=cd0,bootindex=0"));
        }
        if (!reboots) {
            arguments.add("-no-reboot");
        }
        return arguments;
    }

    // In QEMU's option lists a comma is written twice.
    private static String escaped(Path path) {
        return path.toString().replace(",", ",,");
    }
}
