package org.tinkerbell.hook.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageReferenceTest {
    private static final String DIGEST = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    @ParameterizedTest
    @CsvSource({
        "ubuntu, docker.io, ubuntu, latest",
        "ubuntu:20.04, docker.io, ubuntu, 20.04",
        "library/ubuntu, docker.io, library/ubuntu, latest",
        "index.docker.io/library/ubuntu, docker.io, index.docker.io/library/ubuntu, latest",
        "localhost/x, localhost, localhost/x, latest",
        "localhost:5000/x:v1, localhost:5000, localhost:5000/x, v1",
        "registry.example/a/b/c:d, registry.example, registry.example/a/b/c, d",
        "Registry/x, Registry, Registry/x, latest",
        "127.0.0.1/embedded/tink-worker, 127.0.0.1, 127.0.0.1/embedded/tink-worker, latest",
        "[2001:db8::1]:5000/x, [2001:db8::1]:5000, [2001:db8::1]:5000/x, latest",
        "r.example/a__b/c-d--e.f_g, r.example, r.example/a__b/c-d--e.f_g, latest",
    })
    void namesAreTakenApart(String name, String registry, String repository, String tag) {
        assertEquals(new ImageReference(registry, repository, tag, ""), ImageReference.parse(name));
    }

    @Test
    void digestsCount() {
        assertEquals(new ImageReference("r.example", "r.example/x", "", DIGEST), ImageReference.parse("r.example/x@" + DIGEST));
        assertEquals(new ImageReference("r.example", "r.example/x", "v1", DIGEST), ImageReference.parse("r.example/x:v1@" + DIGEST));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ":", "@", "/", "a/", "/a", "a//b", "A", "a:", "a:b:c", "a@sha256:12", "a@b", "r.example/A", "r.example/",
        "-r.example/x", "r..example/x", "r.example-/x", "r.example:port/x", "r.example:/x", "[::1/x", "[g]/x", "registrу.example/x", "a/../b",
        "a b", "https://r.example/x", "r.example/x?y", "a___b", "a.", ".a", "a..b", "r_.example/x:y#z"})
    void malformedNamesAreRefused(String name) {
        assertThrows(AgentException.class, () -> ImageReference.parse(name));
    }

    @Test
    void aNameHasAtMost255Characters() {
        assertThrows(AgentException.class, () -> ImageReference.parse("a".repeat(256)));
        ImageReference.parse("a".repeat(255));
    }
}
