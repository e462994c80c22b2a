package org.tinkerbell.hook.mojo;

import java.io.Console;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.kernel.ConfigSession;
import org.tinkerbell.hook.kernel.ContainerBuilder;

/** Commands that somebody works with at the terminal that Maven was started on: on this machine or in the toolchain's container. */
final class InteractiveTerminal implements ConfigSession.Terminal {
    /** Prefix of the descriptors' names of terminals (Linux, {@code /proc/self/fd}). */
    private static final List<String> TERMINALS = List.of("/dev/pts/", "/dev/tty", "/dev/console");

    private final Optional<String> image;

    private InteractiveTerminal(Optional<String> image) {
        this.image = image;
    }

    /** A terminal whose commands are run on this machine. */
    static InteractiveTerminal onThisMachine() {
        return new InteractiveTerminal(Optional.empty());
    }

    /**
     * A terminal whose commands are run in a toolchain's container; the engine is given its image if it has none.
     *
     * @throws HookException if there is no {@code docker} command or no engine
     */
    static InteractiveTerminal in(KernelToolchain toolchain) throws IOException, InterruptedException {
        String name = toolchain.image(false);
        // Somebody may have removed the image from the engine since; then docker run would ask a registry for it.
        ProcessBuilder inspection = new ProcessBuilder("docker", "image", "inspect", name).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD);
        if (start(inspection).waitFor() != 0) {
            toolchain.image(true);
        }
        return new InteractiveTerminal(Optional.of(name));
    }

    /**
     * Lets pass whoever has a terminal.
     *
     * @throws HookException if there is none
     */
    static void require(String goal) {
        if (!isThere()) {
            throw new HookException(goal + " is for somebody at a terminal, and Maven has none here: standard input or output goes elsewhere. Run it "
                    + "in a terminal, without a pipe and not as a job in the background; over ssh with -t.");
        }
    }

    private static boolean isThere() {
        Console console = System.console();
        return console != null && isTerminal(0) && isTerminal(1);
    }

    // From Java 22 on there is a Console without a terminal, too.
    private static boolean isTerminal(int descriptor) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
            return TERMINALS.stream().anyMatch(target::startsWith);
        } catch (IOException e) {
            // No Linux: what Java said holds.
            return true;
        }
    }

    @Override
    public int run(Path directory, List<String> command, Map<String, String> environment) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>();
        String container = "hook-kernel-config-" + UUID.randomUUID().toString().substring(0, 8);
        if (image.isPresent()) {
            all.addAll(List.of("docker", "run", "--rm", "--name", container, "--interactive", "--tty", "--network", "none", "--user",
                    Files.getAttribute(directory, "unix:uid") + ":" + Files.getAttribute(directory, "unix:gid"), "--volume",
                    directory + ":" + ContainerBuilder.MOUNT, "--workdir", ContainerBuilder.MOUNT, "--env", "HOME=" + ContainerBuilder.MOUNT, "--env", "TERM",
                    // For the frames of its menus.
                    "--env", "LC_ALL=C.UTF-8"));
            environment.forEach((name, value) -> all.addAll(List.of("--env", name + "=" + value)));
            all.add(image.get());
        }
        all.addAll(command);
        ProcessBuilder builder = new ProcessBuilder(all).directory(directory.toFile()).inheritIO();
        if (image.isEmpty()) {
            builder.environment().putAll(environment);
        }
        if (image.isEmpty()) {
            return start(builder).waitFor();
        }
        // The docker command ends with the terminal when its window is closed, and the container would wait for it for ever.
        Thread remover = new Thread(() -> remove(container));
        Runtime.getRuntime().addShutdownHook(remover);
        int exit = start(builder).waitFor();
        try {
            Runtime.getRuntime().removeShutdownHook(remover);
        } catch (IllegalStateException e) {
            // It is about to be done.
        }
        return exit;
    }

    private static void remove(String container) {
        try {
            new ProcessBuilder("docker", "rm", "--force", container).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start()
                    .waitFor();
        } catch (IOException e) {
            // It was there a moment ago, and there is nobody left to tell.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Process start(ProcessBuilder builder) {
        String program = builder.command().get(0);
        try {
            return builder.start();
        } catch (IOException e) {
            throw new HookException(program + " cannot be started: " + e.getMessage() + (program.equals("docker")
                    ? ". The docker command connects the container with the terminal: install it (Debian: docker-cli), or use the tools of this machine, "
                            + "-Dhook.kernel.builder=host."
                    : ""), e);
        }
    }
}
