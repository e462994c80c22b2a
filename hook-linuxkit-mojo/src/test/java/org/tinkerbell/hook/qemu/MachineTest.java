package org.tinkerbell.hook.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;

class MachineTest {
    private static Machine machine(Arch arch, int memory, String mac) {
        return new Machine(arch, memory, 2, mac, Path.of("/d/vmlinuz"), Path.of("/d/initramfs"), "console=ttyS0 a=b",
                Optional.of(Path.of("/d/a,b.img")),
                Optional.of(new Machine.Firmware(Path.of("/f/CODE.fd"), Path.of("/f/VARS.fd"))), false);
    }

    @Test
    void writesTheCommandLineOfAPc() {
        List<String> arguments = machine(Arch.X86_64, 1024, Machine.DEFAULT_MAC).arguments(Accelerator.TCG, "stdio");
        String line = String.join(" ", arguments);
        assertTrue(line.startsWith("-nodefaults -no-user-config -display none "), line);
        assertTrue(line.contains(" -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024M "), line);
        assertTrue(line.contains("file=/d/a,,b.img"), "a comma in a file's name is doubled");
        assertTrue(line.contains("if=pflash,unit=0,format=raw,readonly=on,file=/f/CODE.fd"), line);
        assertEquals("console=ttyS0 a=b", arguments.get(arguments.indexOf("-append") + 1));
        assertTrue(arguments.contains("-no-reboot"));
    }

    @Test
    void forwardsPorts() {
        Machine machine = new Machine(Arch.X86_64, 1024, 1, Machine.DEFAULT_MAC, new Machine.Start.Kernel(Path.of("/k"), Path.of("/i"), ""), Optional.empty(), Optional.empty(),
                new TreeMap<>(Map.of(2222, 22, 8080, 80)), false);
        List<String> arguments = machine.arguments(Accelerator.TCG, "stdio");
        assertEquals("user,id=net0,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=tcp:127.0.0.1:8080-:80", arguments.get(arguments.indexOf("-netdev") + 1));
    }

    @Test
    void hasAnotherProcessorForEachAccelerator() {
        Machine arm = machine(Arch.AARCH64, 1024, Machine.DEFAULT_MAC);
        assertTrue(String.join(" ", arm.arguments(Accelerator.TCG,
                "stdio")).contains("-machine virt -accel tcg,thread=multi -cpu cortex-a72 "));
        assertTrue(String.join(" ", arm.arguments(Accelerator.KVM, "stdio")).contains("-accel kvm -cpu host "));
    }

    @Test
    void hasTheCardsAndTheClockThatItIsGiven() {
        Machine plain = machine(Arch.X86_64, 1024, Machine.DEFAULT_MAC);
        assertTrue(String.join(" ", plain.arguments(Accelerator.TCG, "stdio"))
                .contains("-netdev user,id=net0 -device virtio-net-pci,netdev=net0,romfile=,mac=52:54:00:12:34:56"));
        String line = String.join(" ", plain.withClock(Instant.EPOCH).withCards(List.of(
                Card.tap(Card.Model.USB, "52:54:00:00:00:01", "tap1"), Card.alone("52:54:00:00:00:02"))).arguments(Accelerator.TCG, "stdio"));
        assertTrue(line.contains("-netdev tap,id=net0,ifname=tap1,script=no,downscript=no -device qemu-xhci,id=usb0 "
                + "-device usb-net,bus=usb0.0,netdev=net0,mac=52:54:00:00:00:01"), line);
        assertTrue(line.contains("-netdev hubport,id=net1,hubid=99 -device virtio-net-pci,netdev=net1,"), line);
        assertTrue(line.contains("-rtc base=1970-01-01T00:00:00"), line);
        assertFalse(line.contains("-netdev user"), line);
        assertThrows(HookException.class, () -> Card.alone("52-54-00-00-00-01"));
    }

    @Test
    void refusesWhatCannotWork() {
        assertTrue(assertThrows(HookException.class, () -> machine(Arch.X86_64, 2, Machine.DEFAULT_MAC)).getMessage().contains("MiB"));
        assertTrue(assertThrows(HookException.class, () -> machine(Arch.X86_64, 512, "nonsense")).getMessage().contains("MAC"));
        assertFalse(Machine.serialConsole(Arch.AARCH64).equals(Machine.serialConsole(Arch.X86_64)));
    }
}
