package org.tinkerbell.hook.agent.service;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.Commands;
import org.tinkerbell.hook.agent.service.RuntimeConfig.Interface;
import org.tinkerbell.hook.agent.service.RuntimeConfig.Mount;

/** Does on the host what a container's {@code runtime.json} asks for. */
final class Preparation {
    private static final long LIMIT = 60_000;

    private final Commands commands;
    private final Path root;

    /**
     * @param commands runs mount(8), umount(8), ip(8), nsenter(1)
     * @param root {@code /}, elsewhere in tests: what the paths of directories and control groups are taken relative to
     */
    Preparation(Commands commands, Path root) {
        this.commands = commands;
        this.root = root;
    }

    /**
     * Makes mounts, then directories, then control groups: in that order a directory can lie in a mount.
     *
     * @param container the container's directory
     * @param config its {@code runtime.json}
     * @throws AgentException if something fails; what was mounted is unmounted again
     * @throws IOException if a directory cannot be made
     * @throws InterruptedException if the thread shall end
     */
    void before(Path container, RuntimeConfig config) throws IOException, InterruptedException {
        int done = 0;
        try {
            for (Mount mount : config.mounts()) {
                Path destination = locate(container, mount.destination());
                directories(destination);
                for (String option : mount.options()) {
                    if (option.startsWith("upperdir=") || option.startsWith("workdir=")) {
                        directories(under(option.substring(option.indexOf('=') + 1)));
                    }
                }
                for (List<String> command : MountCommands.of(mount, destination.toString())) {
                    run(command);
                }
                done++;
            }
            for (String directory : config.mkdir()) {
                directories(locate(container, directory));
            }
            for (String cgroup : config.cgroups()) {
                cgroup(cgroup);
            }
        } catch (IOException | AgentException e) {
            unmount(container, config.mounts().subList(0, done));
            throw e;
        }
    }

    /**
     * Undoes the mounts, the last first. One that is in use is detached (the kernel removes it with its last user).
     *
     * @param container the container's directory
     * @param config its {@code runtime.json}
     * @throws InterruptedException if the thread shall end
     */
    void after(Path container, RuntimeConfig config) throws InterruptedException {
        unmount(container, config.mounts());
    }

    /**
     * Lets the namespaces go that were bound for a container, so that they end with it. Not for onboot: there they are bound for others.
     *
     * @param config the container's {@code runtime.json}
     * @throws InterruptedException if the thread shall end
     */
    void release(RuntimeConfig config) throws InterruptedException {
        for (String path : config.bindNS().values()) {
            commands.run(LIMIT, List.of("umount", under(path).toString()));
        }
    }

    private void unmount(Path container, List<Mount> mounts) throws InterruptedException {
        for (int i = mounts.size() - 1; i >= 0; i--) {
            if (!MountCommands.adds(mounts.get(i))) {
                continue;
            }
            String destination = locate(container, mounts.get(i).destination()).toString();
            if (!commands.run(LIMIT, List.of("umount", destination)).ok()) {
                commands.run(LIMIT, List.of("umount", "-l", destination));
            }
        }
    }

    /**
     * Gives the container's process its interfaces and binds its namespaces, between its creation and its start.
     *
     * @param pid the process, as the host counts
     * @param config the container's {@code runtime.json}
     * @throws AgentException if something fails
     * @throws IOException if a directory or file cannot be made
     * @throws InterruptedException if the thread shall end
     */
    void created(long pid, RuntimeConfig config) throws IOException, InterruptedException {
        for (Interface link : config.interfaces()) {
            connect(pid, link);
        }
        for (java.util.Map.Entry<String, String> bind : config.bindNS().entrySet()) {
            Path file = under(bind.getValue());
            directories(file.getParent());
            if (!Files.exists(file)) {
                Files.createFile(file);
            }
            run(List.of("mount", "-o", "bind", "/proc/" + pid + "/ns/" + bind.getKey(), file.toString()));
        }
    }

    private void connect(long pid, Interface link) throws IOException, InterruptedException {
        String name = link.name();
        if (link.add().equals("veth")) {
            // BusyBox's ip(8) cannot name the peer: the kernel names it, and /sys knows which one it is.
            run(List.of("ip", "link", "add", name, "type", "veth"));
            run(List.of("ip", "link", "set", peer(name), "name", link.peer()));
        } else if (!link.add().isEmpty() && !link.createInRoot()) {
            run(List.of("nsenter", "-t", Long.toString(pid), "-n", "ip", "link", "add", name, "type", link.add()));
            return;
        } else if (!link.add().isEmpty()) {
            run(List.of("ip", "link", "add", name, "type", link.add()));
        }
        run(List.of("ip", "link", "set", name, "netns", Long.toString(pid)));
    }

    private String peer(String name) throws IOException {
        Path interfaces = under("/sys/class/net");
        String index = Files.readString(interfaces.resolve(name).resolve("iflink")).trim();
        try (java.nio.file.DirectoryStream<Path> all = Files.newDirectoryStream(interfaces)) {
            for (Path candidate : all) {
                Path file = candidate.resolve("ifindex");
                if (Files.isRegularFile(file) && Files.readString(file).trim().equals(index)) {
                    return candidate.getFileName().toString();
                }
            }
        }
        throw new AgentException("the peer of the new interface " + name + " is not there");
    }

    private void cgroup(String path) throws IOException {
        Path groups = under("/sys/fs/cgroup");
        String relative = relative(path);
        if (Files.exists(groups.resolve("cgroup.controllers"))) {
            directories(groups.resolve(relative));
            return;
        }
        // Version 1: a directory in each hierarchy.
        try (java.nio.file.DirectoryStream<Path> hierarchies = Files.newDirectoryStream(groups)) {
            for (Path hierarchy : hierarchies) {
                if (Files.isDirectory(hierarchy)) {
                    directories(hierarchy.resolve(relative));
                }
            }
        }
    }

    private Path locate(Path container, String path) {
        return path.startsWith("/") ? under(path) : container.resolve("rootfs").resolve(path);
    }

    private Path under(String path) {
        return root.resolve(relative(path));
    }

    private static String relative(String path) {
        int at = 0;
        while (at < path.length() && path.charAt(at) == '/') {
            at++;
        }
        return path.substring(at);
    }

    private static void directories(Path directory) throws IOException {
        // A link to a directory is good enough (/var/run), which Files.createDirectories alone refuses in JDK 17.
        if (!Files.isDirectory(directory)) {
            if (directory.getParent() != null) {
                directories(directory.getParent());
            }
            try {
                Files.createDirectory(directory, java.nio.file.attribute.PosixFilePermissions.asFileAttribute(
                        java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x")));
            } catch (java.nio.file.FileAlreadyExistsException e) {
                if (!Files.isDirectory(directory)) {
                    throw new AgentException(directory + " is in the way: a directory is wanted there");
                }
            }
        }
    }

    private void run(List<String> command) throws InterruptedException {
        Commands.Result result = commands.run(LIMIT, command);
        if (!result.ok()) {
            throw new AgentException("\"" + String.join(" ", command) + "\" failed (" + result.status() + "): " + result.output());
        }
    }
}
