package org.tinkerbell.hook.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TinkerbellHostTest {
    private static TinkerbellHost host(String line) {
        return TinkerbellHost.of(CommandLine.parse(line));
    }

    @Test
    void bothNamesAndBothNotationsAreUnderstood() {
        assertEquals(List.of(URI.create("http://10.0.0.1/ca.pem")), host("tinkerbell=10.0.0.1").certificates());
        assertEquals(List.of(URI.create("http://10.0.0.1:50061/metadata")), host("tinkerbell=http://10.0.0.1").metadata());
        assertEquals(List.of(URI.create("https://t.example:8443/ca.pem")), host("tinkerbell=https://t.example:8443/").certificates());
        assertEquals(List.of(URI.create("https://t.example:50061/metadata")), host("tinkerbell=https://t.example:8443/").metadata());
        assertEquals(List.of(URI.create("http://[fd00::1]:50061/metadata")), host("tinkerbell=http://[fd00::1]:8080").metadata());
        assertEquals(List.of(URI.create("http://p/misc/osie/ca.pem"), URI.create("http://p/ca.pem")),
                host("packet_base_url=http://p/misc/osie/").certificates());
        assertEquals(List.of(URI.create("http://p:50061/metadata")), host("packet_base_url=http://p/misc tinkerbell=p").metadata());
    }

    @Test
    void noHostNoPlaces() {
        assertEquals(List.of(), host("quiet").certificates());
        assertEquals(List.of(), host("tinkerbell=").metadata());
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://x", "file:///etc/passwd", "http://", "http:// x", "http://x?y=z", "http://a_b/%"})
    void whatIsNoBaseUrlIsRefused(String value) {
        assertThrows(AgentException.class, () -> host("\"tinkerbell=" + value + "\""));
    }
}
