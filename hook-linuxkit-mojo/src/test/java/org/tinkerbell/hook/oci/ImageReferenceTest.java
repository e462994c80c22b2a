package org.tinkerbell.hook.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinkerbell.hook.io.HookException;

class ImageReferenceTest {
    private static final String SHA = "sha256:" + "0123456789abcdef".repeat(4);

    @ParameterizedTest
    @CsvSource({
        "alpine, docker.io/library/alpine:latest",
        "alpine:3.20, docker.io/library/alpine:3.20",
        "linuxkit/init:v1, docker.io/linuxkit/init:v1",
        "docker.io/alpine, docker.io/library/alpine:latest",
        "index.docker.io/alpine, docker.io/library/alpine:latest",
        "quay.io/tinkerbell/hook-bootkit:0.11, quay.io/tinkerbell/hook-bootkit:0.11",
        "localhost/x, localhost/x:latest",
        "localhost:5000/a/b/c:t, localhost:5000/a/b/c:t",
        "127.0.0.1:5000/x, 127.0.0.1:5000/x:latest",
        "[::1]:5000/x:t, [::1]:5000/x:t",
        "HOST/x, HOST/x:latest",
        "a/b__c/d-e.f_g, docker.io/a/b__c/d-e.f_g:latest"})
    void namesAreCompleted(String written, String full) {
        assertEquals(full, ImageReference.parse(written).toString());
        assertEquals(full, ImageReference.parse(full).toString());
    }

    @Test
    void aDigestStandsForItself() {
        assertEquals("docker.io/library/alpine@" + SHA, ImageReference.parse("alpine@" + SHA).toString());
        ImageReference both = ImageReference.parse("localhost:5000/x:t@" + SHA);
        assertEquals("localhost:5000/x:t@" + SHA, both.toString());
        assertEquals("localhost:5000", both.registry());
        assertEquals("localhost:5000/x:u", both.withTag("u").toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ":", "@", "Alpine", "a//b", "a/", "/a", "a:", "a:-t", "a:t:u", "a@sha256:12", "a@md5:0123", "a b", "a.b..c/D",
            "-host.x/y", "a@", "ä", "x/y/../z"})
    void whatIsNoNameIsRefused(String written) {
        HookException e = assertThrows(HookException.class, () -> ImageReference.parse(written));
        assertTrue(e.getMessage().startsWith("'" + written + "' is not the name of an image: "), e.getMessage());
    }
}
