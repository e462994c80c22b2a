package org.tinkerbell.hook.agent.docker;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinkerbell.hook.agent.CommandLine;

class DaemonConfigTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', value = {
        "quiet|{\"debug\":true}",
        "syslog_host=10.0.0.1|{\"debug\":true,\"log-driver\":\"syslog\",\"log-opts\":{\"syslog-address\":\"udp://10.0.0.1:514\"}}",
        "syslog_host=fd00::1|{\"debug\":true,\"log-driver\":\"syslog\",\"log-opts\":{\"syslog-address\":\"udp://[fd00::1]:514\"}}",
        "syslog_host=|{\"debug\":true}",
        "insecure_registries=a:5000,b,, c |{\"debug\":true,\"insecure-registries\":[\"a:5000\",\"b\"]}",
        "insecure_registries=|{\"debug\":true}",
    })
    void theFileFollowsTheCommandLine(String line, String json) {
        assertEquals(json, DaemonConfig.text(CommandLine.parse(line)));
    }

    @Test
    void theFileIsItsOwnersAloneEvenIfItWasNot(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("docker/daemon.json");
        Files.createDirectories(file.getParent());
        Files.writeString(file, "old");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
        DaemonConfig.write(file, "{}");
        assertEquals("{}", Files.readString(file));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        DaemonConfig.write(file, "{\"debug\":true}");
        assertEquals("{\"debug\":true}", Files.readString(file));
    }
}
