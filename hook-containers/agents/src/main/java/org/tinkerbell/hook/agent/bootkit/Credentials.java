package org.tinkerbell.hook.agent.bootkit;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.ImageReference;
import org.tinkerbell.hook.agent.Json;

/**
 * Decides who gets to see the registry's user name and password: the registry of the command line and nobody else. Both hosts are compared
 * as they are written: case and port count, a missing port is not the same as a named one. An image's registry is ASCII by its grammar,
 * and a configured one that is not ASCII gets nothing: neither a look-alike nor a letter that Unicode's normalisation would turn into
 * an ASCII one (U+212A KELVIN SIGN → K) can stand for it.
 */
final class Credentials {
    private Credentials() {
    }

    /**
     * Decides.
     *
     * @param image the image's name
     * @param registry what {@code docker_registry} says: a host, perhaps with a path behind it
     * @return whether the image comes from exactly that host
     */
    static boolean belong(String image, String registry) {
        int slash = registry.indexOf('/');
        String host = slash < 0 ? registry : registry.substring(0, slash);
        if (host.isEmpty() || registry.contains("://") || !ImageReference.host(host)) {
            return false;
        }
        try {
            return ImageReference.parse(image).registry().equals(host);
        } catch (AgentException e) {
            return false;
        }
    }

    /**
     * Makes the value of {@code X-Registry-Auth} (Docker Engine API, "Authentication").
     *
     * @param username user name
     * @param password password
     * @return base64url of the JSON object
     */
    static String header(String username, String password) {
        Map<String, Object> auth = new LinkedHashMap<>();
        auth.put("username", username);
        auth.put("password", password);
        return Base64.getUrlEncoder().encodeToString(Json.write(auth).getBytes(StandardCharsets.UTF_8));
    }
}
