package org.tinkerbell.hook.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ArmbianTagTest {
    private static List<String> newest(List<String> tags, String version) {
        return ArmbianTag.newest(tags, Optional.ofNullable(version)).stream().map(ArmbianTag::text).toList();
    }

    @Test
    void ordersByVersionAndNotByText() {
        List<String> rising = List.of("5.10.160-Sffff-D1", "6.1.84-Sffff-D1", "6.1.115-S0000-D1", "6.2-Saaaa-D1", "6.2.1-Saaaa-D1",
                "6.9.12-Sffff-D1", "6.12.0-rc2-S9999-D1", "6.12.0-rc10-S1111-D1", "6.12.0-S0001-D1", "6.12.9-S0001-D1", "6.12.10-S0000-D1",
                "6.100.1-S0000-D1", "7.0.0-rc1-S0000-D1", "7.0.0-S0000-D1", "10.0.0-S0000-D1");
        Random random = new Random(4);
        for (int i = 1; i <= rising.size(); i++) {
            List<String> some = new ArrayList<>(rising.subList(0, i));
            Collections.shuffle(some, random);
            assertEquals(List.of(rising.get(i - 1)), newest(some, null));
        }
    }

    @Test
    void findsTheBuildsOfAVersionAmongMany() {
        List<String> tags = new ArrayList<>();
        for (int minor = 0; minor < 20; minor++) {
            for (int point = 0; point < 200; point++) {
                tags.add("6." + minor + "." + point + "-S1234-D" + (point % 7));
            }
        }
        Collections.shuffle(tags, new Random(5));
        tags.addAll(0, List.of("6.19.199-Sb-D2", "6.19.199-Sa-D1", "latest"));
        assertEquals(List.of("6.19.199-S1234-D3", "6.19.199-Sa-D1", "6.19.199-Sb-D2"), newest(tags, null));
        assertEquals(List.of("6.12.9-S1234-D2"), newest(tags, "6.12.9"));
        assertEquals(List.of(), newest(tags, "6.12.900"));
        assertEquals(List.of(), newest(List.of(), null));
        assertEquals(List.of("6.2-Sa", "6.2.0-Sa"), newest(List.of("6.2.0-Sa", "6.2-Sa", "6.1.9-Sa"), null));
    }

    @ParameterizedTest
    @ValueSource(strings = {"latest", "", "6.12.9", "6.12.9-", "6.12.9-D1234", "6.12.9-S", "6-S1234", "v6.12.9-S1234", "6.12.9-rc-S1234",
        "999999999999.1-S1234", "6.12.9.1.2-S1", "6.12.9-S1234/../x", "6..9-S1234", "main-6.12.9-S1234", "6.12.9-s1234"})
    void passesOverTagsOfAnotherForm(String text) {
        assertTrue(ArmbianTag.parse(text).isEmpty());
        assertEquals(List.of("0.1-S1"), newest(List.of(text, "0.1-S1"), null));
    }

    @Test
    void knowsItsVersion() {
        assertEquals("6.12.9", ArmbianTag.parse("6.12.9-S1234-D5678-P9abc-C1H2-HK01ba-Vc222-B6a41-R448a").orElseThrow().version());
        assertEquals("6.13.0-rc5", ArmbianTag.parse("6.13.0-rc5-S1234-D1").orElseThrow().version());
    }
}
