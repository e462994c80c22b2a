package org.tinkerbell.hook.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DebianVersionTest {
    /** Versions with all that is special in comparing them, much of it side by side. */
    static List<String> random(int count, long seed) {
        Random random = new Random(seed);
        String[] pieces = {"0", "00", "1", "01", "9", "10", "2", "a", "b", "Z", "~", "~~", "+", ".", "-", "rc", "deb12u1",
                "99999999999999999999"};
        List<String> versions = new ArrayList<>();
        while (versions.size() < count) {
            StringBuilder version = new StringBuilder();
            if (random.nextInt(4) == 0) {
                version.append(random.nextInt(3)).append(':');
            }
            version.append(random.nextInt(4));
            for (int i = random.nextInt(5); i > 0; i--) {
                version.append(pieces[random.nextInt(pieces.length)]);
            }
            String text = version.toString();
            // dpkg warns about an empty revision.
            if (!text.endsWith("-")) {
                versions.add(text);
            }
        }
        return versions;
    }

    @ParameterizedTest
    @CsvSource({
        "1.0, 1.1", "1.9, 1.10", "1.0~rc1, 1.0", "1.0~~, 1.0~", "1.0~, 1.0", "1.0, 1.0a", "1.0a, 1.0+", "1.0, 1.0-1", "1.0-1, 1.0-1.1",
        "9, 1:0", "1:9, 2:1", "1.0-1, 1.0+b1-1", "1.0-1~bpo12+1, 1.0-1", "1.0-1, 1.0-1+deb13u1", "2.36-9+deb12u9, 2.36-9+deb12u10",
        "1.2-3, 1.2-3-1", "0~, 0", "A, a", "99999999999999999998, 99999999999999999999"
    })
    void earlierBeforeLater(String earlier, String later) {
        DebianVersion a = DebianVersion.of(earlier);
        DebianVersion b = DebianVersion.of(later);
        assertEquals(-1, Integer.signum(a.compareTo(b)));
        assertEquals(1, Integer.signum(b.compareTo(a)));
    }

    @ParameterizedTest
    @CsvSource({"1.0, 0:1.0", "1.0, 1.0-0", "1.0, 1.00", "1.01, 1.1", "1.0, 1.", "a0b, a00b"})
    void writtenDifferentlyButEqual(String one, String other) {
        assertEquals(DebianVersion.of(one), DebianVersion.of(other));
        assertEquals(DebianVersion.of(one).hashCode(), DebianVersion.of(other).hashCode());
        assertEquals(0, DebianVersion.of(one).compareTo(DebianVersion.of(other)));
    }

    @Test
    void theOrderIsTotal() {
        List<DebianVersion> versions = random(120, 7).stream().map(DebianVersion::of).toList();
        for (DebianVersion a : versions) {
            for (DebianVersion b : versions) {
                assertEquals(-Integer.signum(a.compareTo(b)), Integer.signum(b.compareTo(a)), a + " " + b);
                if (a.compareTo(b) == 0) {
                    assertEquals(a.hashCode(), b.hashCode(), a + " " + b);
                }
                for (DebianVersion c : versions) {
                    if (a.compareTo(b) <= 0 && b.compareTo(c) <= 0 && a.compareTo(c) > 0) {
                        throw new AssertionError(a + " " + b + " " + c);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "1 0", "a:1", "99999999999:1", "1/2", "1_0", "1.0\n"})
    void nonsenseIsNoVersion(String text) {
        assertThrows(IllegalArgumentException.class, () -> DebianVersion.of(text));
    }
}
