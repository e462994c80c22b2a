package org.tinkerbell.hook.linuxkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinkerbell.hook.io.HookException;

class FormatsTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "                     |                             | [kernel+initrd]",
        "tar                  |                             | [kernel+initrd, tar]",
        "kernel+initrd , iso  |                             | [iso-efi-initrd, kernel+initrd]",
        "iso-efi              |                             | [iso-efi-initrd, kernel+initrd]",
        "raw-efi,qcow2-efi    |                             | [kernel+initrd, qcow2-efi, raw-efi]",
        "                     | LINUXKIT_ISO=yes            | [iso-efi-initrd, kernel+initrd]",
        "                     | LINUXKIT_ISO=no             | [kernel+initrd]",
        "                     | OUTPUT_TARBALL_FILELIST=yes | [filelist, kernel+initrd, tar]",
        "tar                  | LINUXKIT_ISO=yes            | [kernel+initrd, tar]"
    })
    void takesTheSettingElseTheEnvironment(String setting, String variable, String names) {
        Map<String, String> environment = variable == null ? Map.of() : Map.of(variable.split("=")[0], variable.split("=")[1]);
        assertEquals(names, Formats.parse(setting, environment).names().toString());
    }

    @Test
    void refusesWhatIsNoListOfNames() {
        assertThrows(HookException.class, () -> Formats.parse("iso,,tar", Map.of()));
        assertThrows(HookException.class, () -> Formats.parse("--docker", Map.of()));
    }
}
