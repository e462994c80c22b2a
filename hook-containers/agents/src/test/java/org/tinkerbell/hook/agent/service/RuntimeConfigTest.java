package org.tinkerbell.hook.agent.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.Json;

class RuntimeConfigTest {
    @Test
    void everyKeyIsRead() {
        RuntimeConfig config = RuntimeConfig.parse("{\"cgroups\":[\"a/b\"],\"mounts\":[{\"destination\":\"/d\",\"type\":\"tmpfs\","
                + "\"source\":\"s\",\"options\":[\"ro\"]}],\"mkdir\":[\"/m\"],\"interfaces\":[{\"name\":\"eth9\"},{\"name\":\"v0\",\"peer\":\"v1\"},"
                + "{\"name\":\"d0\",\"add\":\"dummy\",\"createInRoot\":true}],\"bindNS\":{\"net\":\"/run/netns/x\",\"cgroup\":\"/run/cg\"},"
                + "\"namespace\":\"other\",\"unknown\":1}");
        assertEquals(List.of("a/b"), config.cgroups());
        assertEquals(List.of(new RuntimeConfig.Mount("/d", "tmpfs", "s", List.of("ro"))), config.mounts());
        assertEquals(List.of("/m"), config.mkdir());
        assertEquals(List.of(new RuntimeConfig.Interface("eth9", "", "", false), new RuntimeConfig.Interface("v0", "veth", "v1", false),
                new RuntimeConfig.Interface("d0", "dummy", "", true)), config.interfaces());
        assertEquals(Map.of("net", "/run/netns/x", "cgroup", "/run/cg"), config.bindNS());
        assertEquals(List.of("cgroup", "net"), List.copyOf(config.bindNS().keySet()));
        assertEquals("other", config.namespace());
        assertTrue(config.afterCreate());
    }

    @Test
    void nothingIsNothingToDo(@TempDir Path container) throws Exception {
        RuntimeConfig config = RuntimeConfig.read(container);
        assertEquals(RuntimeConfig.parse("{}"), config);
        assertEquals(RuntimeConfig.parse("{\"mounts\":null,\"bindNS\":null}"), config);
        assertFalse(config.afterCreate());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"mounts\":[{}]}", "{\"interfaces\":[{}]}", "{\"interfaces\":[{\"name\":\"x\",\"add\":\"veth\"}]}", "{\"mkdir\":\"x\"}",
        "{\"mkdir\":[1]}", "{\"bindNS\":[]}", "[]", "{"})
    void wrongValuesAreToldWithTheFile(String text, @TempDir Path container) throws Exception {
        Files.writeString(container.resolve("runtime.json"), text);
        AgentException error = assertThrows(AgentException.class, () -> RuntimeConfig.read(container));
        assertTrue(error.getMessage().startsWith(container.resolve("runtime.json") + ": "), error.getMessage());
        assertThrows(RuntimeException.class, () -> RuntimeConfig.parse(text));
    }

    @Test
    void malformedIsItsOwnKind() {
        assertThrows(Json.Malformed.class, () -> RuntimeConfig.parse("{"));
    }
}
