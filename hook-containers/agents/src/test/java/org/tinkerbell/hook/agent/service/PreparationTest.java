package org.tinkerbell.hook.agent.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.agent.AgentException;

class PreparationTest {
    @TempDir
    Path root;
    private final RecordedCommands commands = new RecordedCommands();

    private Path container() {
        return root.resolve("containers/services/x");
    }

    @Test
    void whatLinuxKitWritesForAWritableRootIsDoneAndUndone() throws Exception {
        RuntimeConfig config = RuntimeConfig.parse("{\"mounts\":[{\"destination\":\"/containers/services/x/tmp\",\"type\":\"tmpfs\","
                + "\"source\":\"tmpfs\"},{\"destination\":\"/containers/services/x/tmp\",\"options\":[\"remount\",\"private\"]},"
                + "{\"destination\":\"/containers/services/x/rootfs\",\"type\":\"overlay\",\"source\":\"overlay\",\"options\":["
                + "\"lowerdir=/containers/services/x/lower\",\"upperdir=/containers/services/x/tmp/upper\","
                + "\"workdir=/containers/services/x/tmp/work\"]}],\"mkdir\":[\"/var/run/a\",\"b/c\"],\"cgroups\":[\"/podruntime/x\"]}");
        Files.createDirectories(root.resolve("sys/fs/cgroup"));
        Files.createFile(root.resolve("sys/fs/cgroup/cgroup.controllers"));
        Preparation preparation = new Preparation(commands, root);
        preparation.before(container(), config);
        preparation.after(container(), config);
        assertEquals(List.of("mount -t tmpfs tmpfs " + container() + "/tmp", "mount --make-private " + container() + "/tmp",
                "mount -t overlay -o lowerdir=/containers/services/x/lower,upperdir=/containers/services/x/tmp/upper,"
                        + "workdir=/containers/services/x/tmp/work overlay " + container() + "/rootfs",
                "umount " + container() + "/rootfs", "umount " + container() + "/tmp"), commands.asked());
        assertTrue(Files.isDirectory(container().resolve("tmp/upper")));
        assertTrue(Files.isDirectory(container().resolve("tmp/work")));
        assertTrue(Files.isDirectory(root.resolve("var/run/a")));
        assertTrue(Files.isDirectory(container().resolve("rootfs/b/c")));
        assertTrue(Files.isDirectory(root.resolve("sys/fs/cgroup/podruntime/x")));
    }

    @Test
    void directoriesAreMadeThroughLinks() throws Exception {
        Files.createDirectories(root.resolve("run"));
        Files.createDirectories(root.resolve("var"));
        Files.createSymbolicLink(root.resolve("var/run"), Path.of("../run"));
        new Preparation(commands, root).before(container(), RuntimeConfig.parse("{\"mkdir\":[\"/var/run/docker\",\"/var/run\"]}"));
        assertTrue(Files.isDirectory(root.resolve("run/docker")));
        Files.createFile(root.resolve("file"));
        assertThrows(AgentException.class,
                () -> new Preparation(commands, root).before(container(), RuntimeConfig.parse("{\"mkdir\":[\"/file/x\"]}")));
    }

    @Test
    void aFailingMountUndoesThoseBefore() {
        commands.on("mount -t overlay", 32, "wrong fs type").on("umount " + root.resolve("a"), 1, "busy");
        RuntimeConfig config = RuntimeConfig.parse("{\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\"},"
                + "{\"destination\":\"/b\",\"type\":\"overlay\"}],\"mkdir\":[\"/c\"]}");
        AgentException error = assertThrows(AgentException.class, () -> new Preparation(commands, root).before(container(), config));
        assertTrue(error.getMessage().contains("wrong fs type"), error.getMessage());
        assertEquals(List.of("umount " + root.resolve("a"), "umount -l " + root.resolve("a")), commands.asked().subList(2, 4));
        assertEquals(4, commands.asked().size());
        assertFalse(Files.exists(root.resolve("c")));
    }

    @Test
    void versionOneOfControlGroupsHasADirectoryInEachHierarchy() throws Exception {
        Files.createDirectories(root.resolve("sys/fs/cgroup/memory"));
        Files.createDirectories(root.resolve("sys/fs/cgroup/pids"));
        new Preparation(commands, root).before(container(), RuntimeConfig.parse("{\"cgroups\":[\"x\"]}"));
        assertTrue(Files.isDirectory(root.resolve("sys/fs/cgroup/memory/x")));
        assertTrue(Files.isDirectory(root.resolve("sys/fs/cgroup/pids/x")));
    }

    @Test
    void interfacesAreMovedAndMade() throws Exception {
        Path net = root.resolve("sys/class/net");
        Files.createDirectories(net.resolve("v0"));
        Files.createDirectories(net.resolve("veth3"));
        Files.writeString(net.resolve("v0/iflink"), "17\n");
        Files.writeString(net.resolve("v0/ifindex"), "18\n");
        Files.writeString(net.resolve("veth3/ifindex"), "17\n");
        new Preparation(commands, root).created(42, RuntimeConfig.parse("{\"interfaces\":[{\"name\":\"eth9\"},{\"name\":\"v0\",\"peer\":\"out0\"},"
                + "{\"name\":\"d0\",\"add\":\"dummy\"},{\"name\":\"d1\",\"add\":\"dummy\",\"createInRoot\":true}],"
                + "\"bindNS\":{\"net\":\"/run/netns/x\"}}"));
        assertEquals(List.of("ip link set eth9 netns 42", "ip link add v0 type veth", "ip link set veth3 name out0",
                "ip link set v0 netns 42", "nsenter -t 42 -n ip link add d0 type dummy", "ip link add d1 type dummy",
                "ip link set d1 netns 42", "mount -o bind /proc/42/ns/net " + root.resolve("run/netns/x")), commands.asked());
        assertTrue(Files.isRegularFile(root.resolve("run/netns/x")));
    }

    @Test
    void namespacesAreLetGo() throws Exception {
        new Preparation(commands, root).release(RuntimeConfig.parse("{\"bindNS\":{\"uts\":\"/run/u\",\"net\":\"/run/n\"}}"));
        assertEquals(List.of("umount " + root + "/run/n", "umount " + root + "/run/u"), commands.asked());
    }

    @Test
    void aVethWithoutItsPeerIsAnError() throws Exception {
        Files.createDirectories(root.resolve("sys/class/net/v0"));
        Files.writeString(root.resolve("sys/class/net/v0/iflink"), "17\n");
        assertThrows(AgentException.class, () -> new Preparation(commands, root).created(42,
                RuntimeConfig.parse("{\"interfaces\":[{\"name\":\"v0\",\"peer\":\"out0\"}]}")));
    }
}
