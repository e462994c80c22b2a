package org.tinkerbell.hook.linuxkit;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.YamlFile;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.MissingNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a container of the YAML becomes: {@code config.json}, which is the OCI runtime specification 1.2.1, and
 * {@code runtime.json}, which LinuxKit's own runtime reads. Made of the entry, the image's configuration and the image's label,
 * by the rules of LinuxKit 1.8.2, src/cmd/linuxkit/moby/config.go ({@code ConfigToOCI}), so closely that the texts are the same.
 *
 * @param config content of {@code config.json}
 * @param runtime content of {@code runtime.json} without the mounts that make the root file system
 */
record RuntimeSpec(ObjectNode config, ObjectNode runtime) {
    /** The image's label with defaults for the entry's settings. */
    static final String LABEL = "org.mobyproject.config";

    private static final String OCI_VERSION = "1.2.1";
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** Linux capabilities in the order of their numbers: linux/capability.h. */
    private static final List<String> CAPABILITIES = List.of(
            "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
            "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
            "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE",
            "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
            "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP",
            "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
            "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE");

    private static final Set<String> LIMITS = new TreeSet<>(List.of(
            "CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS", "SIGPENDING", "MSGQUEUE",
            "NICE", "RTPRIO", "RTTIME"));

    private static final BigInteger UNLIMITED = new BigInteger("18446744073709551615");
    private static final String BIND = "bind";

    /**
     * Puts the two together.
     *
     * @param container the entry
     * @param image the {@code config} object of the image's configuration (OCI image specification, config.md)
     * @param file the document of the entry
     * @param ids what users and groups may be named by
     * @param volumes volumes by name
     * @throws HookException if a setting makes no sense, with its place in the document or the label
     */
    static RuntimeSpec of(LinuxKitConfig.Container container, JsonNode image, YamlFile file, Map<String, Integer> ids,
            Map<String, LinuxKitConfig.Volume> volumes) {
        String written = container.image().written();
        String text = image.path("Labels").path(LABEL).asString("");
        JsonNode label = text.isEmpty() ? MissingNode.getInstance() : label(written, text);
        return new Maker(container, image, label, file, ids, volumes).make();
    }

    /** The settings of a label; the same keys as an entry's without name and image. */
    private static JsonNode label(String image, String text) {
        String name = "label " + LABEL + " of " + image;
        JsonNode label = YamlFile.parse(name, text).root();
        if (!label.isObject()) {
            throw new HookException(name + ": it is not a mapping of settings");
        }
        for (String key : List.of("name", "image")) {
            if (label.has(key)) {
                throw new HookException(name + ": " + key + ": a label cannot set it");
            }
        }
        ObjectNode service = JSON.objectNode().put("name", "label").put("image", "label");
        label.properties().forEach(p -> service.set(p.getKey(), p.getValue()));
        ObjectNode document = JSON.objectNode();
        document.putArray("services").add(service);
        try {
            YamlFile.parse(name, document.toString()).validate(LinuxKitConfig.class, "linuxkit.schema.json");
        } catch (HookException e) {
            throw new HookException(e.getMessage().replace("services[0].", ""), e);
        }
        return label;
    }

    /** The work on one entry. */
    private record Maker(LinuxKitConfig.Container container, JsonNode image, JsonNode label, YamlFile file, Map<String, Integer> ids,
            Map<String, LinuxKitConfig.Volume> volumes) {

        RuntimeSpec make() {
            boolean readonly = value("readonly").asBoolean(false);
            // A LinuxKit of 1.8.2 checks the volumes that mounts name but leaves their names as they are.
            checkVolumeMounts();
            ObjectNode config = JSON.objectNode();
            config.put("ociVersion", OCI_VERSION);
            config.set("process", process());
            ObjectNode root = config.putObject("root").put("path", "rootfs");
            if (readonly) {
                root.put("readonly", true);
            }
            putText(config, "hostname", text("hostname", ""));
            config.set("mounts", mounts(readonly));
            putMap(config, "annotations", value("annotations"));
            config.set("linux", linux());
            return new RuntimeSpec(config, runtime());
        }

        private ObjectNode process() {
            ObjectNode process = JSON.objectNode();
            ObjectNode user = process.putObject("user");
            user.put("uid", id("uid", value("uid")));
            user.put("gid", id("gid", value("gid")));
            ArrayNode groups = JSON.arrayNode();
            value("additionalGids").forEach(group -> groups.add(id("additionalGids", group)));
            putList(user, "additionalGids", groups);

            List<String> command = new ArrayList<>(texts(image.path("Entrypoint")));
            command.addAll(texts(image.path("Cmd")));
            putTexts(process, "args", value("command").isArray() ? texts(value("command")) : command);
            putTexts(process, "env", texts(value("env").isArray() ? value("env") : image.path("Env")));
            String workingDirectory = image.path("WorkingDir").asString("");
            process.put("cwd", text("cwd", workingDirectory.isEmpty() ? "/" : workingDirectory));

            List<String> effective = capabilities("capabilities", added("capabilities"));
            List<String> ambient = capabilities("ambient", texts(value("ambient")));
            Set<String> bounding = new TreeSet<>(effective);
            bounding.addAll(ambient);
            ObjectNode capabilities = process.putObject("capabilities");
            putTexts(capabilities, "bounding", bounding);
            putTexts(capabilities, "effective", effective);
            putTexts(capabilities, "inheritable", bounding);
            putTexts(capabilities, "permitted", bounding);
            putTexts(capabilities, "ambient", ambient);

            ArrayNode limits = JSON.arrayNode();
            texts(value("rlimits")).forEach(limit -> limits.add(limit(limit)));
            putList(process, "rlimits", limits);
            if (value("noNewPrivileges").asBoolean(false)) {
                process.put("noNewPrivileges", true);
            }
            if (value("oomScoreAdj").isNumber()) {
                process.set("oomScoreAdj", value("oomScoreAdj"));
            }
            return process;
        }

        private ObjectNode limit(String written) {
            String[] parts = written.split(",", 3);
            if (parts.length < 3) {
                throw problem("rlimits", "'" + written + "' is not name,soft,hard such as nofile,100,unlimited");
            }
            String name = parts[0].strip().toUpperCase(Locale.ROOT);
            String type = name.startsWith("RLIMIT_") ? name : "RLIMIT_" + name;
            if (!LIMITS.contains(type.substring("RLIMIT_".length()))) {
                throw problem("rlimits", "'" + parts[0].strip() + "' is not allowed; allowed: "
                        + String.join(", ", LIMITS).toLowerCase(Locale.ROOT));
            }
            return JSON.objectNode().put("type", type).put("hard", bound(parts[2])).put("soft", bound(parts[1]));
        }

        private BigInteger bound(String written) {
            String text = written.strip();
            if (text.equalsIgnoreCase("unlimited")) {
                return UNLIMITED;
            }
            if (!text.matches("\\d{1,20}") || new BigInteger(text).compareTo(UNLIMITED) > 0) {
                throw problem("rlimits", "'" + text + "' is not allowed; allowed: a whole number, unlimited");
            }
            return new BigInteger(text);
        }

        private List<String> capabilities(String key, List<String> written) {
            if (written.size() == 1 && written.get(0).equalsIgnoreCase("none")) {
                return List.of();
            }
            if (written.size() == 1 && written.get(0).equalsIgnoreCase("all")) {
                return CAPABILITIES;
            }
            for (String capability : written) {
                if (!CAPABILITIES.contains(capability)) {
                    throw problem(key, "'" + capability + "' is not allowed; allowed: all or none alone, " + String.join(", ", CAPABILITIES));
                }
            }
            return written;
        }

        private ArrayNode mounts(boolean readonly) {
            List<String> dev = new ArrayList<>(List.of("nosuid", "strictatime", "mode=755", "size=65536k"));
            List<String> sys = new ArrayList<>(List.of("nosuid", "noexec", "nodev"));
            if (readonly) {
                dev.add("ro");
                sys.add("ro");
            }
            SortedMap<String, ObjectNode> mounts = new TreeMap<>();
            put(mounts, mount("/proc", "proc", "proc", List.of("nosuid", "nodev", "noexec", "relatime")));
            put(mounts, mount("/dev", "tmpfs", "tmpfs", dev));
            put(mounts, mount("/dev/pts", "devpts", "devpts", List.of("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620")));
            put(mounts, mount("/sys", "sysfs", "sysfs", sys));
            put(mounts, mount("/sys/fs/cgroup", "cgroup", "cgroup", List.of("nosuid", "noexec", "nodev", "relatime", "ro")));
            for (String tmpfs : texts(value("tmpfs"))) {
                String[] parts = tmpfs.split(":", -1);
                if (parts.length > 2) {
                    throw problem("tmpfs", "'" + tmpfs + "' is not /destination or /destination:options");
                }
                put(mounts, mount(parts[0], "tmpfs", "tmpfs", parts.length == 2 ? List.of(parts[1].split(",", -1)) : List.of()));
            }
            for (String bind : binds()) {
                String[] parts = bind.split(":", -1);
                if (parts.length < 2 || parts.length > 3) {
                    throw problem("binds", "'" + bind + "' is not /source:/destination or /source:/destination:options");
                }
                List<String> options = new ArrayList<>(List.of("rw", "rbind", "rshared"));
                if (parts.length == 3) {
                    options = new ArrayList<>(Arrays.asList(parts[2].split(",", -1)));
                    options.add("rbind");
                }
                put(mounts, mount(parts[1], BIND, parts[0], options));
            }
            for (JsonNode mount : value("mounts")) {
                put(mounts, mount(mount));
            }
            ArrayNode list = JSON.arrayNode();
            mounts.values().forEach(list::add);
            return list;
        }

        private ObjectNode mount(JsonNode mount) {
            String type = mount.path("type").asString("");
            String source = mount.path("source").asString("");
            String destination = mount.path("destination").asString("");
            if (type.isEmpty() && Set.of("mqueue", "devpts", "proc", "sysfs", "cgroup").contains(source)) {
                type = source;
            }
            if (type.isEmpty() && destination.equals("/dev")) {
                type = "tmpfs";
            }
            if (type.isEmpty()) {
                throw problem("mounts", "the mount at '" + destination + "' has no type");
            }
            if (source.isEmpty()) {
                source = type;
            }
            if (destination.isEmpty()) {
                destination = switch (type) {
                    case "proc" -> "/proc";
                    case "devpts" -> "/dev/pts";
                    case "sysfs" -> "/sys";
                    case "cgroup" -> "/sys/fs/cgroup";
                    case "mqueue" -> "/dev/mqueue";
                    default -> throw problem("mounts", "the mount of type " + type + " has no destination");
                };
            }
            return mount(destination, type, source, texts(mount.path("options")));
        }

        private List<String> binds() {
            if (!container.settings().has("binds")) {
                List<String> binds = new ArrayList<>(texts(label.path("binds")));
                binds.addAll(withVolumes("binds.add"));
                return binds;
            }
            return withVolumes("binds");
        }

        /** Binds of the YAML, in which the names of volumes are replaced by the paths where those are at run time. */
        private List<String> withVolumes(String key) {
            List<String> binds = new ArrayList<>();
            for (String bind : texts(container.settings().path(key))) {
                String[] parts = bind.split(":", -1);
                if (parts[0].startsWith("/")) {
                    binds.add(bind);
                    continue;
                }
                LinuxKitConfig.Volume volume = volume(key, parts[0]);
                if (volume.readonly() && (parts.length < 3 || !parts[2].equals("ro"))) {
                    throw problem(key, "the volume '" + parts[0] + "' is read-only, so it is bound with :ro only");
                }
                parts[0] = "/" + volume.path() + "/merged";
                binds.add(String.join(":", parts));
            }
            return binds;
        }

        private void checkVolumeMounts() {
            for (JsonNode mount : container.settings().path("mounts")) {
                String source = mount.path("source").asString("");
                if (mount.path("type").asString("").equals(BIND) && !source.startsWith("/") && volume("mounts", source).readonly()) {
                    Optional<String> access = texts(mount.path("options")).stream().filter(o -> o.equals("ro") || o.equals("rw")).findFirst();
                    if (!access.equals(Optional.of("ro"))) {
                        throw problem("mounts", "the volume '" + source + "' is read-only, so it is mounted with the option ro only");
                    }
                }
            }
        }

        private LinuxKitConfig.Volume volume(String key, String name) {
            LinuxKitConfig.Volume volume = volumes.get(name);
            if (volume == null) {
                throw problem(key, "there is no volume '" + name + "'; allowed: an absolute path"
                        + (volumes.isEmpty() ? "" : ", " + String.join(", ", new TreeSet<>(volumes.keySet()))));
            }
            return volume;
        }

        private ObjectNode linux() {
            ObjectNode linux = JSON.objectNode();
            putList(linux, "uidMappings", idMappings(value("uidMappings")));
            putList(linux, "gidMappings", idMappings(value("gidMappings")));
            putMap(linux, "sysctl", value("sysctl"));
            ArrayNode allowed = JSON.arrayNode();
            ArrayNode devices = devices(allowed);
            linux.set("resources", resources(value("resources"), allowed));
            putText(linux, "cgroupsPath", value("cgroupsPath").asString(""));
            linux.set("namespaces", namespaces());
            putList(linux, "devices", devices);
            putText(linux, "rootfsPropagation", value("rootfsPropagation").asString(""));
            putTexts(linux, "maskedPaths", texts(value("maskedPaths")));
            putTexts(linux, "readonlyPaths", texts(value("readonlyPaths")));
            return linux;
        }

        private ArrayNode namespaces() {
            ArrayNode namespaces = JSON.arrayNode();
            addNamespace(namespaces, "network", text("net", "root"), Set.of("none", "new"));
            addNamespace(namespaces, "ipc", text("ipc", "root"), Set.of("new"));
            addNamespace(namespaces, "uts", text("uts", "root"), Set.of("new"));
            addNamespace(namespaces, "pid", text("pid", "new"), Set.of("new"));
            addNamespace(namespaces, "user", text("userns", "root"), Set.of("new"));
            namespaces.addObject().put("type", "mount");
            return namespaces;
        }

        private static void addNamespace(ArrayNode namespaces, String type, String written, Set<String> ofItsOwn) {
            if (!written.equals("host") && !written.equals("root")) {
                putText(namespaces.addObject().put("type", type), "path", ofItsOwn.contains(written) ? "" : written);
            }
        }

        private ArrayNode devices(ArrayNode allowed) {
            ArrayNode devices = JSON.arrayNode();
            for (JsonNode device : value("devices")) {
                String path = device.path("path").asString("");
                ObjectNode allow = allowed.addObject().put("allow", true);
                putText(allow, "type", device.path("type").asString(""));
                if (!path.equals("all")) {
                    String mode = device.path("mode").asString("");
                    if (mode.isEmpty()) {
                        throw problem("devices", "the device '" + path + "' has no mode");
                    }
                    long major = device.path("major").asLong(0);
                    long minor = device.path("minor").asLong(0);
                    allow.put("major", major).put("minor", minor);
                    devices.addObject().put("path", path).put("type", device.path("type").asString(""))
                            .put("major", major).put("minor", minor).put("fileMode", Integer.parseInt(mode, 8));
                }
                allow.put("access", "rwm");
            }
            return devices;
        }

        /**
         * The resources that LinuxKit passes on. Its YAML reader matches the runtime specification's Go fields by their lower-case
         * names, so keys with capitals pass its schema and are lost: those are left out here likewise.
         */
        private static ObjectNode resources(JsonNode written, ArrayNode allowedDevices) {
            ObjectNode resources = JSON.objectNode();
            ArrayNode devices = JSON.arrayNode();
            for (JsonNode device : written.path("devices")) {
                ObjectNode rule = devices.addObject().put("allow", device.path("allow").asBoolean(false));
                putText(rule, "type", device.path("type").asString(""));
                copy(device, rule, "major", "minor");
                putText(rule, "access", device.path("access").asString(""));
            }
            allowedDevices.forEach(devices::add);
            putList(resources, "devices", devices);
            if (written.has("memory")) {
                copy(written.get("memory"), resources.putObject("memory"), "limit", "reservation", "swap", "kernel", "swappiness");
            }
            if (written.has("cpu")) {
                ObjectNode cpu = resources.putObject("cpu");
                copy(written.get("cpu"), cpu, "shares", "quota", "period");
                putText(cpu, "cpus", written.get("cpu").path("cpus").asString(""));
                putText(cpu, "mems", written.get("cpu").path("mems").asString(""));
            }
            if (written.has("pids")) {
                resources.putObject("pids").put("limit", written.get("pids").path("limit").asLong(0));
            }
            if (written.has("blockio")) {
                copy(written.get("blockio"), resources.putObject("blockIO"), "weight");
            }
            if (written.has("network")) {
                ArrayNode priorities = JSON.arrayNode();
                for (JsonNode priority : written.get("network").path("priorities")) {
                    priorities.addObject().put("name", priority.path("name").asString("")).put("priority", priority.path("priority").asLong(0));
                }
                putList(resources.putObject("network"), "priorities", priorities);
            }
            return resources;
        }

        private ObjectNode runtime() {
            JsonNode own = container.settings().path("runtime");
            JsonNode defaults = label.path("runtime");
            ObjectNode runtime = JSON.objectNode();
            runtime.set("cgroups", array(either(own, defaults, "cgroups")));
            ArrayNode mounts = runtime.putArray("mounts");
            for (JsonNode mount : either(own, defaults, "mounts")) {
                ObjectNode result = mounts.addObject().put("destination", mount.path("destination").asString(""));
                putText(result, "type", mount.path("type").asString(""));
                putText(result, "source", mount.path("source").asString(""));
                putTexts(result, "options", texts(mount.path("options")));
                putList(result, "uidMappings", idMappings(mount.path("uidmappings")));
                putList(result, "gidMappings", idMappings(mount.path("gidmappings")));
            }
            runtime.set("mkdir", array(either(own, defaults, "mkdir")));
            ArrayNode interfaces = runtime.putArray("interfaces");
            for (JsonNode nic : either(own, defaults, "interfaces")) {
                ObjectNode result = interfaces.addObject();
                List.of("name", "add", "peer").forEach(key -> putText(result, key, nic.path(key).asString("")));
                result.put("createInRoot", nic.path("createInRoot").asBoolean(false));
            }
            ObjectNode bindNs = runtime.putObject("bindNS");
            for (String key : List.of("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")) {
                bindNs.put(key, either(own.path("bindNS"), defaults.path("bindNS"), key).asString(""));
            }
            runtime.put("namespace", either(own, defaults, "namespace").asString(""));
            return runtime;
        }

        /** The value of a key: the YAML's, else the label's, else none. */
        private JsonNode value(String key) {
            return either(container.settings(), label, key);
        }

        /** Likewise, but an empty text is as good as none. */
        private String text(String key, String otherwise) {
            String own = container.settings().path(key).asString("");
            String fromLabel = label.path(key).asString("");
            return !own.isEmpty() ? own : !fromLabel.isEmpty() ? fromLabel : otherwise;
        }

        /** A list that the YAML replaces, or adds to by a key of its own. */
        private List<String> added(String key) {
            if (container.settings().has(key)) {
                return texts(container.settings().get(key));
            }
            List<String> all = new ArrayList<>(texts(label.path(key)));
            all.addAll(texts(container.settings().path(key + ".add")));
            return all;
        }

        private long id(String key, JsonNode written) {
            return Ids.number(written, ids).orElseThrow(() -> problem(key, Ids.problem(written, ids)));
        }

        private HookException problem(String key, String problem) {
            String pointer = container.pointer() + "/" + key;
            if (!file.root().at(pointer).isMissingNode() || !label.has(key)) {
                return file.error(pointer, problem);
            }
            return new HookException("label " + LABEL + " of " + container.image().written() + ": " + key + ": " + problem);
        }

        private static ObjectNode mount(String destination, String type, String source, List<String> options) {
            ObjectNode mount = JSON.objectNode().put("destination", destination);
            putText(mount, "type", type);
            putText(mount, "source", source);
            putTexts(mount, "options", options);
            return mount;
        }

        private static void put(Map<String, ObjectNode> mounts, ObjectNode mount) {
            mounts.put(mount.get("destination").asString(), mount);
        }

        /** Of a mapping of ids LinuxKit's reader sees the size alone; see {@link #resources}. */
        private static ArrayNode idMappings(JsonNode written) {
            ArrayNode mappings = JSON.arrayNode();
            for (JsonNode mapping : written) {
                mappings.addObject().put("containerID", 0).put("hostID", 0).put("size", mapping.path("size").asLong(0));
            }
            return mappings;
        }

        private static JsonNode either(JsonNode first, JsonNode second, String key) {
            return first.has(key) ? first.get(key) : second.path(key);
        }

        private static ArrayNode array(JsonNode list) {
            ArrayNode array = JSON.arrayNode();
            list.forEach(array::add);
            return array;
        }

        private static List<String> texts(JsonNode list) {
            List<String> texts = new ArrayList<>();
            list.forEach(item -> texts.add(item.asString()));
            return texts;
        }

        private static void copy(JsonNode from, ObjectNode to, String... keys) {
            for (String key : keys) {
                if (from.has(key)) {
                    to.set(key, from.get(key));
                }
            }
        }

        private static void putText(ObjectNode object, String key, String text) {
            if (!text.isEmpty()) {
                object.put(key, text);
            }
        }

        private static void putTexts(ObjectNode object, String key, Iterable<String> texts) {
            ArrayNode array = JSON.arrayNode();
            texts.forEach(array::add);
            putList(object, key, array);
        }

        private static void putList(ObjectNode object, String key, ArrayNode list) {
            if (!list.isEmpty()) {
                object.set(key, list);
            }
        }

        /** Go writes the keys of a map in the order of their bytes. */
        private static void putMap(ObjectNode object, String key, JsonNode map) {
            if (!map.isEmpty()) {
                ObjectNode sorted = object.putObject(key);
                new TreeSet<>(map.propertyNames()).forEach(name -> sorted.set(name, map.get(name)));
            }
        }
    }
}
