package org.tinkerbell.hook.qemu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.toolbox.Tool;

/** What runs a guest's instructions. */
public enum Accelerator {
    /** The processor itself, through Linux's KVM. */
    KVM(List.of("-accel", "kvm")),
    /** QEMU's translation to the host's instructions; one thread a guest processor. */
    TCG(List.of("-accel", "tcg,thread=multi"));

    private static final Path DEVICE = Path.of("/dev/kvm");
    private static final Path PROCESSORS = Path.of("/proc/cpuinfo");
    private static final Pattern HARDWARE = Pattern.compile("(?m)^flags\\s*:.*\\b(vmx|svm)\\b");
    private static final int PROBE_SECONDS = 15;

    private final List<String> arguments;

    Accelerator(List<String> arguments) {
        this.arguments = arguments;
    }

    List<String> arguments() {
        return arguments;
    }

    /** The processor model for a guest of an architecture. */
    String processor(Arch guest) {
        if (this == KVM) {
            return "host";
        }
        // "max" on ARM adds pointer authentication, whose emulation costs more than all the rest of a boot.
        return guest == Arch.AARCH64 ? "cortex-a72" : "max";
    }

    /**
     * KVM where it really works for guests of this architecture, else TCG.
     *
     * <p>That {@code /dev/kvm} opens and gives a virtual machine proves nothing: there are virtual machines whose kernel
     * offers KVM although their processor offers no virtualization, and a guest dies there at its first unusual instruction.
     * So the processor has to have VMX or SVM, and QEMU has to make a machine with the processor that the guest will have.
     */
    public static Accelerator of(Arch guest, Tool qemu) throws IOException, InterruptedException {
        if (guest != Arch.host() || !Files.isReadable(DEVICE) || !Files.isWritable(DEVICE)) {
            return TCG;
        }
        if (guest == Arch.X86_64 && !HARDWARE.matcher(Files.readString(PROCESSORS)).find()) {
            return TCG;
        }
        return starts(guest, qemu) ? KVM : TCG;
    }

    private static boolean starts(Arch guest, Tool qemu) throws IOException, InterruptedException {
        String machine = guest == Arch.X86_64 ? "q35" : "virt";
        Process process = qemu.process(List.of("-nodefaults", "-no-user-config", "-display", "none", "-machine", machine, "-accel", "kvm",
                "-cpu",
                        KVM.processor(guest), "-m", "64", "-S", "-qmp", "stdio"))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            // QMP's two words: https://www.qemu.org/docs/master/interop/qmp-spec.html
            String words = "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"quit\"}\n";
            process.getOutputStream().write(words.getBytes(StandardCharsets.US_ASCII));
            process.getOutputStream().flush();
            return process.waitFor(PROBE_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException e) {
            // It ended before it read: KVM was refused.
            return false;
        } finally {
            process.destroyForcibly();
        }
    }
}
