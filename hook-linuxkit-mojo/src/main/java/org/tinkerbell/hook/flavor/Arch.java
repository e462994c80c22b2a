package org.tinkerbell.hook.flavor;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.tinkerbell.hook.io.HookException;

/** A processor architecture with the names that each of the tools around has for it. */
public enum Arch {
    /** 64-bit PCs and servers. */
    X86_64("x86_64", "amd64", "x86_64-linux-gnu", "x86_64", "usr/lib64/ld-linux-x86-64.so.2"),
    /** 64-bit ARM. */
    AARCH64("aarch64", "arm64", "aarch64-linux-gnu", "aarch64", "usr/lib/ld-linux-aarch64.so.1");

    private final String kernelName;
    private final String debianName;
    private final String triplet;
    private final String qemuName;
    private final String dynamicLoader;

    Arch(String kernelName, String debianName, String triplet, String qemuName, String dynamicLoader) {
        this.kernelName = kernelName;
        this.debianName = debianName;
        this.triplet = triplet;
        this.qemuName = qemuName;
        this.dynamicLoader = dynamicLoader;
    }

    /** As {@code uname -m} has it; also Hook's own name: {@code x86_64}, {@code aarch64}. */
    public String kernelName() {
        return kernelName;
    }

    /** Debian's name: {@code amd64}, {@code arm64}. */
    public String debianName() {
        return debianName;
    }

    /** The name in OCI images and in Docker ({@code GOARCH}); the same as Debian's for these architectures. */
    public String ociName() {
        return debianName;
    }

    /** Debian's multi-arch triplet, such as {@code x86_64-linux-gnu}. */
    public String triplet() {
        return triplet;
    }

    /** The suffix of {@code qemu-system-…}. */
    public String qemuName() {
        return qemuName;
    }

    /** Where Debian's libc6 puts the dynamic loader, relative to the root. */
    public String dynamicLoader() {
        return dynamicLoader;
    }

    /** The architecture that any of the names means. */
    public static Arch of(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return Arrays.stream(values())
                .filter(arch -> arch.kernelName.equals(lower) || arch.debianName.equals(lower))
                .findFirst()
                .orElseThrow(() -> new HookException("Unknown architecture '" + name + "': it is one of "
                        + Arrays.stream(values()).map(a -> a.kernelName + " (" + a.debianName + ")").collect(Collectors.joining(", "))));
    }

    /** The architecture of the machine that this runs on. */
    public static Arch host() {
        return of(System.getProperty("os.arch"));
    }
}
