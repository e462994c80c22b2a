package org.tinkerbell.hook.agent.bootkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.CommandLine;
import org.tinkerbell.hook.agent.Json;

class BootkitConfigTest {
    private static BootkitConfig config(String line) {
        return BootkitConfig.of(CommandLine.parse(line));
    }

    @Test
    void theEnvironmentIsWholeAndInOrder() {
        assertEquals(List.of("DOCKER_REGISTRY=r", "REGISTRY_USERNAME=u", "REGISTRY_PASSWORD=p w", "TINKERBELL_GRPC_AUTHORITY=h:42113",
                "TINKERBELL_TLS=false", "TINKERBELL_INSECURE_TLS=true", "WORKER_ID=02:00:00:00:00:01", "ID=02:00:00:00:00:01",
                "HTTP_PROXY=http://p", "HTTPS_PROXY=http://q", "NO_PROXY=a,b"),
                config("docker_registry=r registry_username=u registry_password=\"p w\" grpc_authority=h:42113 tinkerbell_tls=false "
                        + "tinkerbell_insecure_tls=true worker_id=02:00:00:00:00:01 HTTP_PROXY=http://p HTTPS_PROXY=http://q NO_PROXY=a,b")
                        .environment());
        assertEquals("TINKERBELL_TLS=", config("").environment().get(4));
    }

    @Test
    void theImageIsNamedOrTheRegistrys() {
        assertEquals("x/y:z", config("tink_worker_image=x/y:z docker_registry=r").image());
        assertEquals("r:5000/tink-worker:latest", config("docker_registry=r:5000").image());
        assertEquals("r/p/tink-worker:latest", config("docker_registry=r/p/").image());
        assertThrows(AgentException.class, () -> config("worker_id=x").image());
    }

    @Test
    void metadataFillWhatIsMissingAndNothingElse() {
        BootkitConfig config = config("grpc_authority=h:1 worker_id=mine").with("{\"id\":\"theirs\",\"grpc_authority\":\"evil:1\","
                + "\"tink_worker_image\":\"r/w\",\"tinkerbell_tls\":true,\"metadata\":{\"x\":[1]}}");
        assertEquals("mine", config.get("worker_id"));
        assertEquals("h:1", config.get("grpc_authority"));
        assertEquals("r/w", config.get("tink_worker_image"));
        assertEquals("", config.get("tinkerbell_tls"));
        assertEquals("abc", config("").with("{\"id\":\"abc\"}").get("worker_id"));
        assertEquals("own", config("").with("{\"id\":\"abc\",\"worker_id\":\"own\"}").get("worker_id"));
        assertThrows(Json.Malformed.class, () -> config("").with("<html>"));
        assertThrows(Json.Malformed.class, () -> config("").with("[]"));
    }

    @Test
    void metadataCannotSendTheCommandLinesPasswordElsewhere() {
        String metadata = "{\"docker_registry\":\"evil.example\",\"registry_username\":\"x\",\"registry_password\":\"y\"}";
        BootkitConfig config = config("registry_username=u registry_password=p").with(metadata);
        assertEquals("", config.get("docker_registry"));
        assertEquals("p", config.get("registry_password"));
        BootkitConfig half = config("docker_registry=r registry_username=u").with(metadata);
        assertEquals("r", half.get("docker_registry"));
        assertEquals("", half.get("registry_password"));
        BootkitConfig whole = config("").with(metadata);
        assertEquals("evil.example", whole.get("docker_registry"));
        assertEquals("y", whole.get("registry_password"));
    }

    @Test
    void whatIsEssentialIsKnown() {
        assertTrue(config("").lacks());
        assertTrue(config("worker_id=a grpc_authority=b").lacks());
        assertFalse(config("worker_id=a grpc_authority=b docker_registry=c").lacks());
        assertFalse(config("worker_id=a grpc_authority=b tink_worker_image=c").lacks());
    }
}
