package org.tinkerbell.hook.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.debian.Mirrors;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.oci.Registry;
import org.tinkerbell.hook.oci.RegistrySettings;
import org.tinkerbell.hook.qemu.Accelerator;
import org.tinkerbell.hook.qemu.Emulator;
import org.tinkerbell.hook.qemu.Machine;
import org.tinkerbell.hook.qemu.VirtualMachine;
import org.tinkerbell.hook.toolbox.Tool;
import org.tinkerbell.hook.toolbox.Toolbox;

/** The flavor that this build has just made, and what its boot tests have in common. */
final class FlavorUnderTest {
    /** Name of the worker's image in every test's registry. */
    static final String WORKER = "tinkerbell/tink-worker:stand-in";

    private final String output;
    private final Arch arch;
    private final int memory;
    private final Path files;
    private final Path logs;
    private final Cache cache;
    private final Mirrors mirrors;
    private final Downloader downloader;
    private final Toolbox toolbox;

    /** What the build says of it in system properties. */
    FlavorUnderTest() throws IOException {
        output = System.getProperty("hook.outputId");
        arch = Arch.of(System.getProperty("hook.arch"));
        memory = Integer.getInteger("hook.qemu.memory", 1024);
        files = Path.of(System.getProperty("hook.flavorDirectory"));
        logs = Files.createDirectories(Path.of(System.getProperty("hook.buildDirectory"), "boot-test"));
        cache = new Cache(cacheDirectory());
        downloader = new Downloader(cache, NetworkSettings.defaults(), Progress.SILENT);
        mirrors = Mirrors.of(System.getProperty("hook.debian.mirror"), System.getProperty("hook.debian.securityMirror"),
                System.getProperty("hook.debian.snapshot"), Path.of("/etc/apt"));
        toolbox = new Toolbox(cache, this::packages, Progress.SILENT);
    }

    private PackageSource packages(Path locks) {
        return new PackageSource(cache, downloader, mirrors, "trixie", locks, LockMode.LENIENT, Progress.SILENT);
    }

    /** The cache of the build. */
    static Path cacheDirectory() {
        for (String given : new String[] {System.getProperty("hook.cacheDir"), System.getenv("CACHE_DIR")}) {
            if (given != null && !given.isBlank()) {
                return Path.of(given);
            }
        }
        String xdg = System.getenv("XDG_CACHE_HOME");
        return (xdg == null || xdg.isBlank() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(xdg)).resolve("hook");
    }

    Arch arch() {
        return arch;
    }

    /** MiB of the machines that boot it. */
    int memory() {
        return memory;
    }

    /** Tools of the host's. */
    Toolbox toolbox() {
        return toolbox;
    }

    /** The cache that it was built with, in whose store its images are. */
    Cache cache() {
        return cache;
    }

    /** Its kernel. */
    Path kernel() {
        return files.resolve("vmlinuz-" + output);
    }

    /** Builds a worker's image into a store. */
    Image build(StandInWorker worker, ImageStore store, ImageReference reference) throws IOException {
        return worker.build(packages(Path.of(System.getProperty("hook.testLocks"))), store, reference, arch);
    }

    /** Builds a worker's image and pushes it as {@link #WORKER} into a registry that answers plain HTTP. */
    void push(StandInWorker worker, LoopbackRegistry registry, Path directory) throws IOException, InterruptedException {
        ImageStore store = new ImageStore(directory.resolve("store"), cache);
        ImageReference reference = ImageReference.parse(registry.authority() + "/" + WORKER);
        RegistrySettings settings = RegistrySettings.of(NetworkSettings.defaults(), Map.of()).withInsecure(Set.of(registry.authority()));
        new Registry(store, settings, Progress.SILENT).push(reference, List.of(build(worker, store, reference)));
    }

    /** The QEMU that boots it. */
    Tool qemu() throws IOException, InterruptedException {
        return Emulator.of(arch, Optional.empty(), System.getenv("PATH"), toolbox, Progress.SILENT);
    }

    /**
     * A machine with the flavor's kernel and initramfs and its serial console, which a reboot ends.
     *
     * @param mac of its network card
     * @param parameters the kernel's, besides the console
     */
    Machine machine(String mac, List<String> parameters) {
        return new Machine(arch, memory, 2, mac, files.resolve("vmlinuz-" + output), files.resolve("initramfs-" + output),
                "console=" + Machine.serialConsole(arch) + " panic=-1 " + String.join(" ", parameters), Optional.empty(), Optional.empty(),
                false);
    }

    /**
     * Switches a machine on.
     *
     * @param qemu {@link #qemu()}, perhaps in another network namespace
     * @param name of the transcript of its console
     */
    VirtualMachine start(Tool qemu, Machine machine, String name) throws IOException, InterruptedException {
        return VirtualMachine.start(qemu, Accelerator.of(arch, qemu), machine, logs.resolve(name + "-" + output + ".txt"));
    }
}
