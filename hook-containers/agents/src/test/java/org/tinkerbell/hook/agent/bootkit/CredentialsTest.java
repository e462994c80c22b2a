package org.tinkerbell.hook.agent.bootkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CredentialsTest {
    @ParameterizedTest
    @CsvSource({
        "registry.example.com/namespace/image:tag, registry.example.com, true",
        "registry.example.com:5000/image:tag, registry.example.com:5000, true",
        "localhost:5000/image, localhost:5000, true",
        "localhost/image, localhost, true",
        "ubuntu:20.04, docker.io, true",
        "library/ubuntu:20.04, docker.io, true",
        "user/image, docker.io, true",
        "index.docker.io/user/image, docker.io, true",
        "192.168.1.100:5000/image, 192.168.1.100:5000, true",
        "[::1]/image, [::1], true",
        "[2001:db8::1]:5000/image, [2001:db8::1]:5000, true",
        "registry.example.com/deep/nested/path/image, registry.example.com, true",
        // docker_registry may have a path: the image made of it is registry/path/tink-worker.
        "registry.example.com/path/tink-worker:latest, registry.example.com/path, true",
        "Registry.Example.com/image, Registry.Example.com, true",
        // Case.
        "Registry.Example.Com/image, registry.example.com, false",
        "registry.example.com/image, REGISTRY.example.com, false",
        // Ports: none is not the same as the scheme's.
        "registry.example.com:443/image, registry.example.com, false",
        "registry.example.com/image, registry.example.com:443, false",
        "registry.example.com:9999/image, registry.example.com:5000, false",
        "registry.example.com:05000/image, registry.example.com:5000, false",
        "registry.example.com/image, registry.example.com:abc, false",
        "registry.example.com/image, registry.example.com:, false",
        // Parts of names.
        "malicious-registry.example.com.evil.com/image, registry.example.com, false",
        "evil.com/registry.example.com/image, registry.example.com, false",
        "sub.registry.example.com/image, registry.example.com, false",
        "registry.example.com.evil:443/image, registry.example.com, false",
        "registry.example.co/image, registry.example.com, false",
        "registry.example.com./image, registry.example.com, false",
        "evil.com/../registry.example.com/image, registry.example.com, false",
        "registry.example.com@evil.com/image, registry.example.com, false",
        "evil.com:registry.example.com/image, registry.example.com, false",
        // Look-alikes: Cyrillic у and е, full-width letters, dotless i, a zero-width joiner, the Kelvin sign, punycode.
        "registrу.example.com/image, registry.example.com, false",
        "registry.еxample.com/image, registry.еxample.com, false",
        "ｒegistry.example.com/image, registry.example.com, false",
        "regıstry.example.com/image, registry.example.com, false",
        "regi\u200dstry.example.com/image, registry.example.com, false",
        "Kelvin.example.com/image, \u212Aelvin.example.com, false",
        "\u212Aelvin.example.com/image, Kelvin.example.com, false",
        "registry\u3002example.com/image, registry.example.com, false",
        "xn--registr-q2a.example.com/image, registry.example.com, false",
        // Composed and decomposed é.
        "caf\u00e9.example.com/image, cafe\u0301.example.com, false",
        "caf\u00e9.example.com/image, caf\u00e9.example.com, false",
        // What is no registry.
        "registry.example.com/image, https://registry.example.com, false",
        "registry.example.com/image, http://registry.example.com, false",
        "[::1]/image, [::1:5000, false",
        "registry.example.com/image, '', false",
        "registry.example.com/image, /, false",
        "'', registry.example.com, false",
        "ubuntu:20.04, registry.example.com, false",
        "registry.example.com/IMAGE, registry.example.com, false",
    })
    void credentialsGoToExactlyOneHost(String image, String registry, boolean sent) {
        assertEquals(sent, Credentials.belong(image, registry), image + " for " + registry);
    }

    @Test
    void theHeaderIsBase64UrlOfJson() {
        String header = Credentials.header("me", "p\u00fc\"??>>");
        assertEquals("{\"username\":\"me\",\"password\":\"p\\u00fc\\\"??>>\"}",
                new String(Base64.getUrlDecoder().decode(header), StandardCharsets.US_ASCII));
    }
}
