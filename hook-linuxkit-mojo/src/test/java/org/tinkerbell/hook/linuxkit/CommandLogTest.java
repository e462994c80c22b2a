package org.tinkerbell.hook.linuxkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandLogTest {
    private static final LinuxKitConfig CONFIG = LinuxKitConfig.parse("hook.yaml", """
            kernel: {image: "kernel:1"}
            init: ["init:1", "runc:1"]
            volumes: [{name: v}]
            onboot:
              - {name: a, image: "a:1"}
              - {name: b, image: "b:1"}
            services:
              - {name: c, image: "c:1"}
              - {name: d, image: "d:1"}
            files:
              - {path: etc/x, source: x}
              - {path: etc/xyz, source: files/xyz}
            """);

    private static final List<String> SAID = List.of(
            "Extract kernel image: docker.io/library/kernel:1", "Add init containers:", "Process init image: docker.io/library/init:1",
            "Process init image: docker.io/library/runc:1", "Add volumes:", "Process volume image: v", "Add onboot containers:",
            "  Create OCI config for a:1", "  Create OCI config for b:1", "Add service containers:", "  Create OCI config for c:1",
            "  Create OCI config for d:1");

    private static CommandLog log(Stream<String> lines) {
        CommandLog log = new CommandLog(CONFIG);
        lines.forEach(log::add);
        return log;
    }

    @Test
    void countsTheSteps() {
        CommandLog log = new CommandLog(CONFIG);
        assertEquals(CommandLog.steps(CONFIG), SAID.stream().filter(log::add).count());
        assertEquals(8, CommandLog.steps(CONFIG));
        assertEquals(Optional.empty(), log.problem());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 4, 6, 8, 9, 11, 12})
    void knowsWhereItIs(int lines) {
        List<String> places = List.of("", "/kernel/image", "/init", "/init/0", "/init/1", "/volumes", "/volumes/0", "/onboot", "/onboot/0", "/onboot/1",
                "/services", "/services/0", "/services/1");
        CommandLog log = log(SAID.stream().limit(lines));
        log.add("Error: failed to create OCI spec for d:1: unknown");
        assertEquals(places.get(lines), log.place());
        assertEquals(Optional.of("linuxkit says: failed to create OCI spec for d:1: unknown"), log.problem());
    }

    @Test
    void understandsTheLinesOfADebugBuild() {
        CommandLog log = log(SAID.stream().limit(11)
                .map(line -> "time=\"2026-11-24T22:00:00Z\" level=info msg=\"" + line + "\""));
        log.add("time=\"2026-11-24T22:00:00Z\" level=debug msg=word");
        assertEquals("/services/0", log.place());
    }

    @Test
    void findsTheFileThatIsMeant() {
        CommandLog log = log(SAID.stream());
        log.add("Error: failed to add filesystem parts: open files/xyz: permission denied");
        assertEquals("/files/1/source", log.place());
        CommandLog other = log(SAID.stream());
        other.add("Error: failed to add filesystem parts: something");
        assertEquals("/files", other.place());
    }

    @Test
    void findsThePlaceOfAnInvalidConfiguration() {
        CommandLog log = log(Stream.of("Error: invalid config: invalid configuration file: services.1.net: Invalid type"));
        assertEquals("/services/1/net", log.place());
        assertEquals("", log(Stream.of("panic: runtime error")).place());
    }

    @Test
    void keepsTheEnd() {
        assertEquals(SAID.subList(10, 12), log(SAID.stream()).last(2));
        assertEquals(SAID, log(SAID.stream()).last(100));
    }
}
