package org.tinkerbell.hook.linuxkit;

import static org.tinkerbell.hook.linuxkit.GoType.Kind.FLAG;
import static org.tinkerbell.hook.linuxkit.GoType.Kind.LIST;
import static org.tinkerbell.hook.linuxkit.GoType.Kind.MAP;
import static org.tinkerbell.hook.linuxkit.GoType.Kind.NUMBER;
import static org.tinkerbell.hook.linuxkit.GoType.Kind.POINTER;
import static org.tinkerbell.hook.linuxkit.GoType.Kind.STRUCT;
import static org.tinkerbell.hook.linuxkit.GoType.Kind.TEXT;

import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The configuration as a file of the system ({@code metadata} of a file): what LinuxKit's Go types ({@code moby.Moby} in
 * src/cmd/linuxkit/moby/config.go, and specs-go/config.go of the runtime specification 1.2.1) come to when they are written, with
 * full names of images.
 *
 * @param config the YAML
 */
record Metadata(LinuxKitConfig config) {
    private static final GoType ID_MAPPING = new GoType().specAlways(NUMBER, "containerID", "hostID", "size");
    private static final GoType MOUNT = new GoType()
            .specAlways(TEXT, "destination").spec(TEXT, "type", "source").spec(LIST, "options")
            .spec(LIST, "uidMappings", ID_MAPPING).spec(LIST, "gidMappings", ID_MAPPING);
    private static final GoType DEVICE_RULE = new GoType()
            .specAlways(FLAG, "allow").spec(TEXT, "type").spec(POINTER, "major", "minor").spec(TEXT, "access");
    private static final GoType RESOURCES = new GoType()
            .spec(LIST, "devices", DEVICE_RULE)
            .spec(POINTER, "memory", new GoType().spec(POINTER, "limit", "reservation", "swap", "kernel", "kernelTCP", "swappiness",
                    "disableOOMKiller", "useHierarchy", "checkBeforeUpdate"))
            .spec(POINTER, "cpu", new GoType().spec(POINTER, "shares", "quota", "burst", "period", "realtimeRuntime", "realtimePeriod")
                    .spec(TEXT, "cpus", "mems").spec(POINTER, "idle"))
            .spec(POINTER, "pids", new GoType().specAlways(NUMBER, "limit"))
            .spec(POINTER, "blockIO", new GoType().spec(POINTER, "weight", "leafWeight")
                    .spec(LIST, "weightDevice", "throttleReadBpsDevice", "throttleWriteBpsDevice", "throttleReadIOPSDevice",
                            "throttleWriteIOPSDevice"))
            .spec(LIST, "hugepageLimits")
            .spec(POINTER, "network", new GoType().spec(POINTER, "classID")
                    .spec(LIST, "priorities", new GoType().specAlways(TEXT, "name").specAlways(NUMBER, "priority")))
            .spec(MAP, "rdma", "unified");
    private static final GoType RUNTIME = new GoType()
            .unlessEmpty(POINTER, "cgroups").unlessEmpty(POINTER, "mounts", MOUNT).unlessEmpty(POINTER, "mkdir")
            .unlessEmpty(POINTER, "interfaces", new GoType().unlessEmpty(TEXT, "name", "add", "peer").always(FLAG, "createInRoot"))
            .unlessEmpty(STRUCT, "bindNS", new GoType().unlessEmpty(POINTER, "cgroup", "ipc", "mnt", "net", "pid", "user", "uts"))
            .unlessEmpty(POINTER, "namespace");
    private static final GoType CONTAINER = new GoType()
            .always(TEXT, "name", "image")
            .unlessEmpty(POINTER, "capabilities", "capabilities.add", "ambient").unlessEmpty(POINTER, "mounts", MOUNT)
            .unlessEmpty(POINTER, "binds", "binds.add")
            .unlessEmpty(POINTER, "devices",
                    new GoType().always(TEXT, "path", "type").always(NUMBER, "major", "minor").unlessEmpty(TEXT, "mode"))
            .unlessEmpty(POINTER, "tmpfs", "command", "env")
            .unlessEmpty(TEXT, "cwd", "net", "pid", "ipc", "uts", "userns", "hostname")
            .unlessEmpty(POINTER, "readonly", "maskedPaths", "readonlyPaths", "uid", "gid", "additionalGids", "noNewPrivileges",
                    "oomScoreAdj", "rootfsPropagation", "cgroupsPath")
            .unlessEmpty(POINTER, "resources", RESOURCES).unlessEmpty(POINTER, "sysctl", "rlimits")
            .unlessEmpty(POINTER, "uidMappings", ID_MAPPING).unlessEmpty(POINTER, "gidMappings", ID_MAPPING)
            .unlessEmpty(POINTER, "annotations").unlessEmpty(POINTER, "runtime", RUNTIME);
    private static final GoType MOBY = new GoType()
            .always(STRUCT, "kernel", new GoType().always(TEXT, "image").unlessEmpty(TEXT, "cmdline", "binary")
                    .unlessEmpty(POINTER, "tar", "ucode"))
            .always(LIST, "init").always(LIST, "onboot", CONTAINER).always(LIST, "onshutdown", CONTAINER).always(LIST, "services", CONTAINER)
            .always(LIST, "files", new GoType().always(TEXT, "path").always(FLAG, "directory").unlessEmpty(TEXT, "symlink")
                    .unlessEmpty(POINTER, "contents").unlessEmpty(TEXT, "source", "metadata").always(FLAG, "optional")
                    .unlessEmpty(TEXT, "mode").unlessEmpty(POINTER, "uid", "gid"))
            .always(LIST, "volumes", new GoType().always(TEXT, "name").unlessEmpty(TEXT, "image").unlessEmpty(FLAG, "readonly")
                    .unlessEmpty(TEXT, "format").unlessEmpty(LIST, "platforms"));

    /**
     * The text of the file.
     *
     * @param form {@code json} or {@code yaml}
     */
    String in(String form) {
        ObjectNode document = (ObjectNode) config.source().root().deepCopy();
        config.kernel().flatMap(LinuxKitConfig.Kernel::image).ifPresent(use -> name(document, use));
        config.init().forEach(use -> name(document, use));
        config.containers().forEach(container -> name(document, container.image()));
        return form.equals("json")
                ? GoJson.indent(MOBY.write(document, GoType.Form.JSON))
                : GoYaml.write(MOBY.write(document, GoType.Form.YAML));
    }

    private static void name(ObjectNode document, LinuxKitConfig.ImageUse use) {
        String[] path = use.pointer().substring(1).split("/");
        String last = path[path.length - 1];
        String parent = use.pointer().substring(0, use.pointer().lastIndexOf('/'));
        if (document.at(parent).isArray()) {
            ((ArrayNode) document.at(parent)).set(Integer.parseInt(last), use.name());
        } else {
            ((ObjectNode) document.at(parent)).put(last, use.name());
        }
    }
}
