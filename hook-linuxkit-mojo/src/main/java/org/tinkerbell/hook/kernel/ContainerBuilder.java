package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;

/**
 * Compiles kernels in a container that has compiler and tools of known versions, by cross-compiler where the kernel's architecture is not
 * the machine's. The container sees nothing but the working directory and has no network.
 *
 * <p>Machine and container tell each other that they are alive by touching a file each, so that neither outlives the other for long: not
 * the compilation a Maven that was killed, nor Maven's waiting an engine that was.
 */
public final class ContainerBuilder implements KernelBuilder {
    /** Where the working directory is in the container: always there, so that the same paths are in every kernel. */
    public static final String MOUNT = "/hook";

    private static final String EXIT = "exit";
    private static final String READY = "ready";
    private static final String HOST_PULSE = "pulse.host";
    private static final String CONTAINER_PULSE = "pulse.container";
    private static final int BEAT_SECONDS = 5;
    private static final Duration SILENCE = Duration.ofMinutes(2);
    private static final int GRACE_SECONDS = 120;

    // When the first process of a container ends the kernel ends all others, the compilers too.
    private static final String SUPERVISOR = """
            cd %1$s
            (
                until [ -e ready ]; do sleep 0.2; done
                sh compile.sh %1$s/source %1$s/defconfig %1$s/result "$JOBS" > compile.log 2>&1 && code=0 || code=$?
                echo "$code" > exit.part && mv exit.part exit
            ) &
            while [ ! -e exit ]; do
                touch pulse.container
                sleep 1
                [ $(($(date +%%s) - $(date -r pulse.host +%%s))) -lt %2$d ] || exit 1
            done
            """.formatted(MOUNT, GRACE_SECONDS);

    private final Toolchain toolchain;
    private final Duration silence;

    /** Compiler and tools in a container. */
    public interface Toolchain {
        /** Versions of all in it that a kernel's bytes depend on; see {@link KernelBuilder#fingerprint}. */
        String fingerprint(Arch target) throws IOException;

        /**
         * Starts a container and returns at once. It is removed when its command has ended.
         *
         * @param directory what the container has at {@link #MOUNT}; what is made there belongs to whoever runs this
         * @param command the first process
         * @param environment variables beside those of the image
         * @throws HookException if there is no engine, naming what else can be done
         */
        void start(Path directory, List<String> command, Map<String, String> environment) throws IOException, InterruptedException;
    }

    /** Kernels compiled with this toolchain. */
    public ContainerBuilder(Toolchain toolchain) {
        this(toolchain, SILENCE);
    }

    /**
     * @param silence how long nothing may be heard of a container
     */
    ContainerBuilder(Toolchain toolchain, Duration silence) {
        this.toolchain = toolchain;
        this.silence = silence;
    }

    @Override
    public String fingerprint(Arch target) throws IOException {
        return CompileScript.fingerprint() + "\n" + toolchain.fingerprint(target);
    }

    @Override
    public KernelBuild.Result build(KernelBuild build) throws IOException, InterruptedException {
        Path hostPulse = Files.createFile(build.work().resolve(HOST_PULSE));
        Map<String, String> environment = CompileScript.environment(build.arch(), Arch.host());
        environment.put("JOBS", Integer.toString(build.jobs()));
        // In the build's own directory: make and compiler write temporary files.
        environment.put("TMPDIR", MOUNT);
        environment.put("HOME", MOUNT);
        // Also while the engine is given the image, which may take minutes.
        ScheduledExecutorService heart = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "kernel-container-pulse");
            thread.setDaemon(true);
            return thread;
        });
        try {
            heart.scheduleWithFixedDelay(() -> touch(hostPulse, Instant.now()), 0, BEAT_SECONDS, TimeUnit.SECONDS);
            toolchain.start(build.work(), List.of("sh", "-c", supervisor()), environment);
            // Only now, though the container has to wait for it: where there is no engine nobody unpacks 90,000 files to be told so.
            Compilation compilation = Compilation.prepare(build);
            Files.createFile(build.work().resolve(READY));
            return compilation.await(new Container(build.work(), silence));
        } finally {
            heart.shutdown();
            heart.awaitTermination(BEAT_SECONDS, TimeUnit.SECONDS);
            // Long ago, and the container ends if it has not done so.
            touch(hostPulse, Instant.EPOCH);
        }
    }

    private static void touch(Path file, Instant time) {
        try {
            Files.setLastModifiedTime(file, FileTime.from(time));
        } catch (IOException e) {
            // The directory is gone, and so will the container be.
        }
    }

    /** What the first process of the container does. */
    static String supervisor() {
        return SUPERVISOR;
    }

    private static final class Container implements Compilation.Running {
        private final Path work;
        private final Duration silence;
        private final Instant begin = Instant.now();

        Container(Path work, Duration silence) {
            this.work = work;
            this.silence = silence;
        }

        @Override
        public Optional<Integer> exit() throws IOException {
            Instant now = Instant.now();
            Path exit = work.resolve(EXIT);
            if (Files.exists(exit)) {
                return Optional.of(Integer.parseInt(Files.readString(exit).strip()));
            }
            Path pulse = work.resolve(CONTAINER_PULSE);
            boolean alive = Files.exists(pulse);
            Instant last = alive ? Files.getLastModifiedTime(pulse).toInstant() : begin;
            if (Duration.between(last, now).compareTo(silence) > 0) {
                throw new HookException(alive
                        ? "The container in which the kernel was compiled has vanished: it, or the Docker engine, was ended from outside, perhaps "
                                + "for want of memory. Build again; with fewer processes (-Dhook.kernel.jobs=1) less memory will do."
                        : "The container in which the kernel is to be compiled does not see " + work + ". A Docker engine on another machine cannot "
                                + "be used, and one in a virtual machine has to share the cache directory (-Dhook.cacheDir).");
            }
            return Optional.empty();
        }
    }
}
