package org.tinkerbell.hook.agent.service;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.Json;

/**
 * A container's {@code runtime.json}: what is done on the host before the container runs. Keys and meaning as in the section
 * "runtime" of LinuxKit's {@code docs/yaml.md}.
 *
 * @param cgroups paths of control groups to create
 * @param mounts what to mount, in order
 * @param mkdir directories to create after that; relative ones lie in the container's root
 * @param interfaces network interfaces to move or to create in the container's network
 * @param bindNS files onto which the container's namespaces are bound, by the kernel's names ({@code net}, {@code mnt}, …)
 * @param namespace namespace of containerd, empty for the usual one
 */
record RuntimeConfig(List<String> cgroups, List<Mount> mounts, List<String> mkdir, List<Interface> interfaces,
        Map<String, String> bindNS, String namespace) {

    /** The namespaces of the kernel in LinuxKit's order. */
    private static final List<String> NAMESPACES = List.of("cgroup", "ipc", "mnt", "net", "pid", "user", "uts");

    /**
     * A mount, with the members of the OCI runtime specification.
     *
     * @param destination where; relative to the container's root unless absolute
     * @param type file system, empty for a bind mount and the like
     * @param source what
     * @param options options as in fstab(5)
     */
    record Mount(String destination, String type, String source, List<String> options) {
    }

    /**
     * A network interface.
     *
     * @param name its name
     * @param add the type of a new one; empty moves the existing one
     * @param peer the other end's name, which stays outside; makes the type veth
     * @param createInRoot whether a new one is created outside and then moved
     */
    record Interface(String name, String add, String peer, boolean createInRoot) {
    }

    /** @return whether there is work to do between the creation of the container's process and its start */
    boolean afterCreate() {
        return !interfaces.isEmpty() || !bindNS.isEmpty();
    }

    /**
     * Reads a container's file.
     *
     * @param container the container's directory
     * @return what its {@code runtime.json} says; nothing to do if there is none
     * @throws AgentException if it is malformed, with its path
     * @throws IOException if it cannot be read
     */
    static RuntimeConfig read(Path container) throws IOException {
        Path file = container.resolve("runtime.json");
        String text;
        try {
            text = Files.readString(file);
        } catch (NoSuchFileException e) {
            text = "{}";
        }
        try {
            return parse(text);
        } catch (Json.Malformed | AgentException e) {
            throw new AgentException(file + ": " + e.getMessage());
        }
    }

    /**
     * Reads the text of such a file.
     *
     * @param text JSON
     * @return what it says; unknown members are passed over, as LinuxKit does
     * @throws AgentException if a value makes no sense
     */
    static RuntimeConfig parse(String text) {
        Map<String, Object> json = Json.readObject(text);
        List<Mount> mounts = new ArrayList<>();
        for (Object element : Json.array(json.get("mounts"), "mounts")) {
            Map<String, Object> mount = Json.object(element, "a mount");
            String destination = Json.string(mount.get("destination"), "mounts.destination");
            if (destination.isEmpty()) {
                throw new AgentException("a mount has no destination");
            }
            mounts.add(new Mount(destination, Json.string(mount.get("type"), "mounts.type"),
                    Json.string(mount.get("source"), "mounts.source"), Json.strings(mount.get("options"), "mounts.options")));
        }
        List<Interface> interfaces = new ArrayList<>();
        for (Object element : Json.array(json.get("interfaces"), "interfaces")) {
            interfaces.add(networkInterface(Json.object(element, "an interface")));
        }
        Map<String, Object> binds = Json.object(json.get("bindNS"), "bindNS");
        Map<String, String> bindNS = new LinkedHashMap<>();
        for (String namespace : NAMESPACES) {
            String path = Json.string(binds.get(namespace), "bindNS." + namespace);
            if (!path.isEmpty()) {
                bindNS.put(namespace, path);
            }
        }
        return new RuntimeConfig(Json.strings(json.get("cgroups"), "cgroups"), mounts, Json.strings(json.get("mkdir"), "mkdir"),
                interfaces, bindNS, Json.string(json.get("namespace"), "namespace"));
    }

    private static Interface networkInterface(Map<String, Object> json) {
        String name = Json.string(json.get("name"), "interfaces.name");
        String add = Json.string(json.get("add"), "interfaces.add");
        String peer = Json.string(json.get("peer"), "interfaces.peer");
        if (name.isEmpty()) {
            throw new AgentException("an interface has no name");
        }
        if (add.isEmpty() && !peer.isEmpty()) {
            add = "veth";
        }
        if (add.equals("veth") && peer.isEmpty()) {
            throw new AgentException("the veth interface " + name + " has no peer");
        }
        return new Interface(name, add, peer, Boolean.TRUE.equals(json.get("createInRoot")));
    }
}
