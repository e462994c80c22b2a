package org.tinkerbell.hook.mojo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FlavorMojoTest {
    @Test
    void aProfileIsKnownThatIsInTheSettingsOrActiveSomewhere() {
        List<List<String>> active = List.of(List.of("debian-amd64"), List.of(), List.of("release", "site"));
        assertEquals(Set.of(), FlavorMojo.unknown(List.of(), List.of(), active));
        assertEquals(Set.of(), FlavorMojo.unknown(List.of("debian-amd64", "site", "mirror"), List.of("mirror"), active));
        assertEquals(Set.of("debian-amd46", "ci"), FlavorMojo.unknown(List.of("debian-amd46", "site", "ci"), List.of("mirror"), active));
    }
}
