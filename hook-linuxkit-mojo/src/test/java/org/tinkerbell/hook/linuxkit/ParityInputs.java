package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/** The YAML files that both engines build in {@link LinuxKitParityIT}. */
final class ParityInputs {
    /** A label with every key that a container's entry may have, but name and image. */
    static final String LABEL = """
            {"capabilities": ["CAP_CHOWN", "CAP_SYS_TIME"], "ambient": ["CAP_NET_RAW"], "mounts": [{"type": "tmpfs", "destination": "/label", "options":
            ["ro"]}], "binds": ["/label:/bound", "/label2:/bound2:ro"], "devices": [{"path": "/dev/label", "type": "c", "major": 1, "minor": 2, "mode":
            "0644"}], "tmpfs": ["/labelled:mode=0700"], "command": ["/label", "1"], "env": ["LABEL=1"], "cwd": "/label", "net": "new", "pid": "host",
            "ipc": "new", "uts": "new", "userns": "new", "hostname": "label", "readonly": true, "maskedPaths": ["/label/masked"], "readonlyPaths":
            ["/label/read-only"], "uid": 11, "gid": 12, "additionalGids": [13, 14], "noNewPrivileges": true, "oomScoreAdj": 15, "rootfsPropagation":
            "shared", "cgroupsPath": "/label", "resources": {"memory": {"limit": 16}, "pids": {"limit": 17}}, "sysctl": {"label": "18"}, "rlimits":
            ["nofile,19,20"], "uidMappings": [{"hostID": 21, "containerID": 22, "size": 23}], "gidMappings": [{"hostID": 24, "containerID": 25, "size":
            26}], "annotations": {"label": "27"}, "runtime": {"cgroups": ["label"], "mounts": [{"type": "bind", "source": "/label", "destination": "/l"}],
            "mkdir": ["/label"], "interfaces": [{"name": "label", "add": "dummy"}], "bindNS": {"cgroup": "/label/c", "ipc": "/label/i", "mnt": "/label/m",
            "net": "/label/n", "pid": "/label/p", "user": "/label/u", "uts": "/label/t"}, "namespace": "label"}}""".replace("\n", " ");

    private ParityInputs() {}

    /** All of them, by name. */
    static List<Path> files() {
        try {
            Path directory = Path.of(ParityInputs.class.getResource("parity").toURI());
            try (Stream<Path> files = Files.list(directory)) {
                return files.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
            }
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The keys of a document by their places, such as {@code services[].runtime.mkdir}. */
    static TreeSet<String> keys(JsonNode value) {
        TreeSet<String> keys = new TreeSet<>();
        keys(value, "", keys);
        return keys;
    }

    private static void keys(JsonNode value, String place, TreeSet<String> keys) {
        if (value.isArray()) {
            value.forEach(item -> keys(item, place + "[]", keys));
        } else if (value.isObject()) {
            value.properties().forEach(field -> {
                String inner = place.isEmpty() ? field.getKey() : place + "." + field.getKey();
                keys.add(inner);
                keys(field.getValue(), inner, keys);
            });
        }
    }
}
