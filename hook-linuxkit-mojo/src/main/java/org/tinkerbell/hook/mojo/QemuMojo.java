package org.tinkerbell.hook.mojo;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.qemu.Accelerator;
import org.tinkerbell.hook.qemu.Emulator;
import org.tinkerbell.hook.qemu.Machine;
import org.tinkerbell.hook.toolbox.Tool;
import org.tinkerbell.hook.toolbox.Toolbox;

/**
 * Boots the flavor that was built last in QEMU, with its console in the terminal: Ctrl-A X ends it, Ctrl-A C is QEMU's own
 * prompt. Without a terminal the console is only printed, and the goal ends when the machine does.
 */
@Mojo(name = "qemu", aggregator = true, requiresProject = true)
public final class QemuMojo extends AbstractFlavorMojo {
    private static final String DIST_MODULE = "hook-dist";
    private static final long DISK_BYTES = 8L << 30;

    /** Address of the Tinkerbell server. Default: this host, as the guest sees it. Also of that name in the environment, as all of these.
     * */
    @Parameter(property = "TINK_SERVER")
    private String tinkServer;

    /** MAC address of the machine, by which the server knows it. */
    @Parameter(property = "MAC")
    private String mac;

    /** The worker's image. */
    @Parameter(property = "TINK_WORKER_IMAGE")
    private String tinkWorkerImage;

    /** Whether the server is spoken to by TLS. */
    @Parameter(property = "TINK_TLS")
    private String tinkTls;

    /** Port of the server's gRPC service. */
    @Parameter(property = "TINK_GRPC_PORT")
    private String tinkGrpcPort;

    /** Memory of the machine in MiB. */
    @Parameter(property = "hook.qemu.memory", defaultValue = "2048")
    private int memory;

    /** Number of processors. */
    @Parameter(property = "hook.qemu.cpus", defaultValue = "2")
    private int cpus;

    /** File of a raw image that becomes the machine's disk; made with 8 GiB, all of them a hole, if it is not there. */
    @Parameter(property = "hook.qemu.disk")
    private File disk;

    /** More parameters for the kernel. */
    @Parameter(property = "hook.qemu.cmdline", defaultValue = "")
    private String extraCommandLine;

    /**
     * How it starts: {@code kernel} directly, {@code uefi} firmware that starts the kernel, or {@code iso}: firmware that starts the ISO of
     * hook.formats, whose command line counts then.
     */
    @Parameter(property = "hook.qemu.boot", defaultValue = "kernel")
    private String boot;

    /** The QEMU to use, instead of the host's if it is good enough or else one out of Debian's packages. */
    @Parameter(property = "hook.qemu.executable")
    private File executable;

    /** Ports of this machine's loopback that lead to the guest, {@code host:guest} parted by commas: {@code 2222:22} for a debug build's SSH. */
    @Parameter(property = "hook.qemu.forward")
    private String forward;

    @Override
    protected void run() throws IOException, InterruptedException {
        Flavor flavor = flavor();
        Path target = target();
        Optional<Path> iso = iso(flavor, target);
        Toolbox toolbox = toolbox();
        String path = System.getenv().getOrDefault("PATH", "");
        Tool qemu = Emulator.of(flavor.arch(), Optional.ofNullable(executable).map(File::toPath), path, toolbox, progress());
        Accelerator accelerator = Accelerator.of(flavor.arch(), qemu);
        Machine.Start start = iso.isPresent()
                ? new Machine.Start.Medium(iso.get())
                : new Machine.Start.Kernel(built(target, "vmlinuz-" + flavor.outputId(), flavor),
                        built(target, "initramfs-" + flavor.outputId(), flavor), commandLine(flavor));
        Machine machine = new Machine(flavor.arch(), memory, cpus, mac(), start, disk(), firmware(flavor, toolbox, target), forwards(),
                false);
        boolean terminal = onTerminal();
        List<String> arguments = machine.arguments(accelerator, terminal ? "mon:stdio" : "stdio");
        progress().info(flavor.id() + " in QEMU with " + memory + " MiB, " + (accelerator == Accelerator.KVM ? "by KVM" : "emulated")
                + (terminal ? "; Ctrl-A X ends it"
                        : "; there is no terminal, so nothing can be typed, and it runs until the machine is switched off"));
        progress().info("By hand:\n" + qemu.commandLine(machine.arguments(accelerator, "mon:stdio")));
        ProcessBuilder builder = qemu.process(arguments).inheritIO();
        if (!terminal) {
            builder.redirectInput(new File("/dev/null"));
        }
        Process process = builder.start();
        try {
            int status = process.waitFor();
            if (status != 0) {
                throw new HookException("QEMU ended with status " + status + "; it says above why.");
            }
        } finally {
            process.destroy();
        }
    }

    /** The kernel's parameters, in the words of facts/runtime.md: those that a Tinkerbell server gives to a machine. */
    private String commandLine(Flavor flavor) {
        List<String> words = new ArrayList<>();
        String server = given(tinkServer, "TINK_SERVER", "10.0.2.2");
        words.add("console=" + Machine.serialConsole(flavor.arch()));
        words.add("grpc_authority=" + server + ":" + given(tinkGrpcPort, "TINK_GRPC_PORT", "42113"));
        words.add("tinkerbell_tls=" + given(tinkTls, "TINK_TLS", "false"));
        words.add("tink_worker_image=" + given(tinkWorkerImage, "TINK_WORKER_IMAGE", "quay.io/tinkerbell/tink-worker:latest"));
        words.add("worker_id=" + mac());
        words.add("hw_addr=" + mac());
        if (extraCommandLine != null && !extraCommandLine.isBlank()) {
            words.add(extraCommandLine.strip());
        }
        return String.join(" ", words);
    }

    private String mac() {
        return given(mac, "MAC", Machine.DEFAULT_MAC);
    }

    private static String given(String property, String variable, String otherwise) {
        if (property != null && !property.isBlank()) {
            return property;
        }
        Map<String, String> environment = System.getenv();
        String value = environment.get(variable);
        return value != null && !value.isBlank() ? value : otherwise;
    }

    private SortedMap<Integer, Integer> forwards() {
        SortedMap<Integer, Integer> forwards = new TreeMap<>();
        if (forward != null && !forward.isBlank()) {
            for (String pair : forward.strip().split("\\s*,\\s*")) {
                if (!pair.matches("\\d{1,5}:\\d{1,5}")) {
                    throw new HookException("hook.qemu.forward is '" + forward + "'; allowed: host:guest pairs of ports parted by commas, such as 2222:22.");
                }
                forwards.put(Integer.parseInt(pair.split(":")[0]), Integer.parseInt(pair.split(":")[1]));
            }
        }
        return forwards;
    }

    private Optional<Path> disk() throws IOException {
        if (disk == null) {
            return Optional.empty();
        }
        if (!disk.exists()) {
            try (RandomAccessFile file = new RandomAccessFile(disk, "rw")) {
                file.setLength(DISK_BYTES);
            }
        }
        return Optional.of(disk.toPath().toAbsolutePath());
    }

    private Optional<Machine.Firmware> firmware(Flavor flavor, Toolbox toolbox, Path target) throws IOException {
        return switch (boot.toLowerCase(Locale.ROOT)) {
            case "kernel" -> Optional.empty();
            case "uefi", "iso" -> Optional.of(Emulator.firmware(flavor.arch(), toolbox, target.resolve("qemu").resolve("uefi-"
                    + flavor.arch().ociName() + ".vars")));
            default -> throw new HookException("hook.qemu.boot is '" + boot + "': it is kernel (the default), uefi or iso.");
        };
    }

    private Optional<Path> iso(Flavor flavor, Path target) {
        if (!boot.equalsIgnoreCase("iso")) {
            return Optional.empty();
        }
        Path iso = target.resolve(MediaMojo.isoName(flavor));
        if (!Files.isRegularFile(iso)) {
            throw new HookException("There is no " + iso + ". Build it first: mvn -P " + flavor.id() + " package -Dhook.formats=kernel+initrd,iso");
        }
        return Optional.of(iso);
    }

    private Path target() {
        return inReactor(DIST_MODULE)
                .map(dist -> Path.of(dist.getBuild().getDirectory()))
                .orElseGet(() -> Path.of(session.getExecutionRootDirectory()).resolve(DIST_MODULE).resolve("target"));
    }

    private static Path built(Path target, String name, Flavor flavor) {
        Path file = target.resolve("flavor").resolve(name);
        if (!Files.isRegularFile(file)) {
            throw new HookException("There is no " + file + ". Build the flavor first: mvn -P " + flavor.id() + " package");
        }
        return file;
    }

    // Java's own System.console() is null as soon as one of the streams is no terminal, and from 22 on never.
    private static boolean onTerminal() throws InterruptedException {
        try {
            return new ProcessBuilder("test", "-t", "0").inheritIO().start().waitFor() == 0;
        } catch (IOException e) {
            return System.console() != null;
        }
    }
}
