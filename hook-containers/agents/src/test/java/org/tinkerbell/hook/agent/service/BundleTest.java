package org.tinkerbell.hook.agent.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.agent.AgentException;

class BundleTest {
    private static final List<String> CALLBACK = List.of("/usr/lib/jvm/hook/bin/java", "-jar", "/x.jar");
    private static final RuntimeConfig NOTHING = RuntimeConfig.parse("{}");

    @TempDir
    Path directory;

    private Bundle read(String spec, RuntimeConfig config) throws IOException {
        Files.writeString(directory.resolve("config.json"), spec);
        return Bundle.read(directory, config, CALLBACK);
    }

    @Test
    void onlyTheRootChanges() throws Exception {
        Path file = read("{\"ociVersion\":\"1.0.2\",\"process\":{\"rlimits\":[{\"hard\":18446744073709551615}]},"
                + "\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"linux\":{}}", NOTHING).write(directory.resolve("b"));
        assertEquals("{\"ociVersion\":\"1.0.2\",\"process\":{\"rlimits\":[{\"hard\":18446744073709551615}]},\"root\":{\"path\":\""
                + directory + "/rootfs\",\"readonly\":true},\"linux\":{}}", Files.readString(file));
        assertEquals(directory.resolve("b/config.json"), file);
    }

    @Test
    void workBetweenCreateAndStartIsAHookThatCallsBack() throws Exception {
        Path file = read("{\"hooks\":{\"createRuntime\":[{\"path\":\"/other\"}]}}",
                RuntimeConfig.parse("{\"bindNS\":{\"net\":\"/run/x\"}}")).write(directory.resolve("b"));
        assertEquals("{\"hooks\":{\"createRuntime\":[{\"path\":\"/usr/lib/jvm/hook/bin/java\",\"args\":[\"/usr/lib/jvm/hook/bin/java\",\"-jar\","
                + "\"/x.jar\",\"service\",\"created\",\"" + directory + "\"],\"env\":[\"PATH=" + Bundle.SYSTEM_PATH + "\"],\"timeout\":60},"
                + "{\"path\":\"/other\"}]},\"root\":{\"path\":\"" + directory + "/rootfs\"}}", Files.readString(file));
    }

    @Test
    void annotationsAreRead() throws Exception {
        assertEquals("always", read("{}", NOTHING).restart());
        assertFalse(read("{}", NOTHING).console());
        Bundle bundle = read("{\"annotations\":{\"org.tinkerbell.hook.restart\":\"never\",\"org.tinkerbell.hook.console\":\"true\"}}", NOTHING);
        assertEquals("never", bundle.restart());
        assertTrue(bundle.console());
    }

    @Test
    void theOrderIsANumberOrTheUsualOne() throws Exception {
        assertEquals(50, Bundle.order(directory));
        for (String[] one : new String[][] {{"{}", "50"}, {"{", "50"}, {"{\"annotations\":{\"org.tinkerbell.hook.order\":\"x\"}}", "50"},
            {"{\"annotations\":{\"org.tinkerbell.hook.order\":\"-3\"}}", "-3"}}) {
            Files.writeString(directory.resolve("config.json"), one[0]);
            assertEquals(Integer.parseInt(one[1]), Bundle.order(directory));
        }
    }

    @Test
    void aMalformedOneIsToldWithItsFile() {
        AgentException error = assertThrows(AgentException.class, () -> read("{\"root\":1}", NOTHING));
        assertEquals(directory.resolve("config.json") + ": root is not an object", error.getMessage());
    }
}
