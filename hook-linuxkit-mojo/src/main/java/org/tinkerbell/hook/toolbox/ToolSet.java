package org.tinkerbell.hook.toolbox;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import org.tinkerbell.hook.debian.PackageLock;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.tree.Glob;

/** Tools that are unpacked together, and the Debian packages that they are in. */
public enum ToolSet {
    /** QEMU for PCs with the firmware that it needs. */
    QEMU_X86_64(List.of("qemu-system-x86", "seabios", "ovmf"), List.of(), List.of("usr/share/OVMF/*secboot*", "usr/share/OVMF/*snakeoil*",
            "usr/share/OVMF/*.ms.fd", "usr/share/ovmf", "usr/share/qemu/OVMF.fd", "usr/bin/qemu-system-i386")),
    /** QEMU for 64-bit ARM with the firmware that it needs. */
    QEMU_AARCH64(List.of("qemu-system-arm", "qemu-efi-aarch64"), List.of(), List.of("usr/share/AAVMF/*.secboot*",
            "usr/share/AAVMF/*snakeoil*",
            "usr/share/AAVMF/*.ms.fd", "usr/share/qemu-efi-aarch64", "usr/bin/qemu-system-arm")),
    /** {@code depmod} and its kin. */
    KMOD(List.of("kmod"), List.of(), List.of()),
    /** A JDK whose {@code jlink} makes the runtime of the system. */
    JDK(List.of("openjdk-21-jdk-headless"), List.of("ca-certificates-java"), List.of()),
    /** The checker of shell scripts. */
    SHELLCHECK(List.of("shellcheck"), List.of(), List.of()),
    /** A registry for tests, the CNCF's distribution. */
    REGISTRY(List.of("docker-registry"), List.of(), List.of()),
    /** What ISO and FAT images are made with. */
    IMAGES(List.of("xorriso", "mtools"), List.of(), List.of()),
    /** GRUB for the UEFI firmware of PCs: no tools of the host's, but what goes on a medium. */
    GRUB_X86_64(List.of("grub-efi-amd64-unsigned"), List.of("grub-common"), List.of()),
    /** GRUB for the UEFI firmware of 64-bit ARM machines, likewise. */
    GRUB_AARCH64(List.of("grub-efi-arm64-unsigned"), List.of("grub-common"), List.of());

    // What documents or administers a package is of no use to somebody who runs a program of it.
    private static final List<Glob> NEVER = List.of(Glob.of("var"),
            Glob.of("usr/share/{doc,man,info,locale,lintian,bug,icons,applications,zsh,fish}"),
            Glob.of("usr/share/bash-completion"), Glob.of("usr/lib/{systemd,udev}"), Glob.of("etc/{init.d,cron.d,cron.daily,logrotate.d}"));

    private final List<String> packages;
    private final List<String> without;
    private final List<Glob> left;

    ToolSet(List<String> packages, List<String> without, List<String> left) {
        this.packages = packages;
        this.without = without;
        this.left = left.stream().map(Glob::of).toList();
    }

    /** QEMU for guests of an architecture. */
    public static ToolSet qemu(Arch guest) {
        return guest == Arch.AARCH64 ? QEMU_AARCH64 : QEMU_X86_64;
    }

    /** GRUB for the UEFI firmware of machines with an architecture. */
    public static ToolSet grub(Arch target) {
        return target == Arch.AARCH64 ? GRUB_AARCH64 : GRUB_X86_64;
    }

    /** The architecture whose packages these are; the host's, unless they are nothing for the host. */
    Arch arch(Arch host) {
        return switch (this) {
            case GRUB_X86_64 -> Arch.X86_64;
            case GRUB_AARCH64 -> Arch.AARCH64;
            default -> host;
        };
    }

    /** The group's name in package locks. */
    public String group() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** What a lock of the tools has to hold for it. */
    public PackageLock.Group locked() {
        return PackageLock.Group.of(group(), packages, without);
    }

    List<String> packages() {
        return packages;
    }

    List<String> without() {
        return without;
    }

    boolean takes(String path) {
        return NEVER.stream().noneMatch(glob -> glob.matches(path)) && left.stream().noneMatch(glob -> glob.matches(path));
    }

    /** Everything but the packages that the unpacked tree depends on. */
    String rules() {
        return NEVER + " " + left;
    }

    /** What a program of the set wants to know about its place. */
    SortedMap<String, String> environment(Path root, Arch host) {
        SortedMap<String, String> environment = new TreeMap<>();
        if (this == QEMU_X86_64 || this == QEMU_AARCH64) {
            environment.put("QEMU_MODULE_DIR", root.resolve("usr/lib").resolve(host.triplet()).resolve("qemu").toString());
        }
        return environment;
    }

    /** Arguments that come before all others. */
    List<String> arguments(Path root) {
        return switch (this) {
            case QEMU_X86_64, QEMU_AARCH64 -> List.of("-L", root.resolve("usr/share/qemu").toString(), "-L",
                    root.resolve("usr/share/seabios").toString(), "-L", root.resolve("usr/lib/ipxe/qemu").toString());
            default -> List.of();
        };
    }
}
