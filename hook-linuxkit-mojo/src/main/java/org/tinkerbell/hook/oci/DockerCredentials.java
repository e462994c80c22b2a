package org.tinkerbell.hook.oci;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.tinkerbell.hook.io.HookException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Accounts at registries, as {@code docker login} keeps them: {@code auths}, {@code credsStore} and {@code credHelpers} of
 * <a href="https://docs.docker.com/reference/cli/docker/#docker-cli-configuration-file-configjson-properties">config.json</a>, and the
 * <a href="https://github.com/docker/docker-credential-helpers">credential helpers</a>' protocol.
 *
 * <p>The ORAS SDK's own reader of that file knows no identity tokens, no {@code DOCKER_CONFIG} and no password with a colon.
 */
final class DockerCredentials {
    /** The name under which Docker keeps the account at its hub. */
    private static final String HUB = "https://index.docker.io/v1/";
    /** The user name with which a helper says that the secret is an identity token. */
    private static final String TOKEN_USER = "<token>";

    private static final JsonMapper JSON = new JsonMapper();

    private final Path file;
    private final Map<String, Optional<Account>> known = new ConcurrentHashMap<>();
    private JsonNode config;

    DockerCredentials(Path file) {
        this.file = file;
    }

    /**
     * An account.
     *
     * @param user empty where there is only a token
     * @param secret its password
     * @param identityToken whether the secret is an OAuth 2 refresh token instead
     */
    record Account(String user, String secret, boolean identityToken) {
        String basic() {
            return "Basic " + Base64.getEncoder().encodeToString((user + ":" + secret).getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String toString() {
            return "account " + user;
        }
    }

    Path file() {
        return file;
    }

    /** The account at a registry, if there is one. */
    Optional<Account> find(String registry) {
        return known.computeIfAbsent(registry, this::lookUp);
    }

    private Optional<Account> lookUp(String registry) {
        JsonNode root = config();
        String server = registry.equals(ImageReference.DOCKER_HUB) ? HUB : registry;
        String helper = root.path("credHelpers").path(registry).asString("");
        if (helper.isEmpty()) {
            helper = root.path("credsStore").asString("");
        }
        if (!helper.isEmpty()) {
            Optional<Account> account = ask(helper, server);
            if (account.isPresent()) {
                return account;
            }
        }
        for (Map.Entry<String, JsonNode> auth : root.path("auths").properties()) {
            if (auth.getKey().equals(server) || host(auth.getKey()).equals(host(server))) {
                Optional<Account> account = account(auth.getValue(), auth.getKey());
                if (account.isPresent()) {
                    return account;
                }
            }
        }
        return Optional.empty();
    }

    /** Old versions of Docker wrote addresses where a host is enough. */
    private static String host(String server) {
        String host = server.replaceFirst("^https?://", "");
        int slash = host.indexOf('/');
        return slash < 0 ? host : host.substring(0, slash);
    }

    private synchronized JsonNode config() {
        if (config == null) {
            try {
                config = Files.exists(file) ? JSON.readTree(Files.readAllBytes(file)) : JSON.createObjectNode();
            } catch (JacksonException | IOException e) {
                throw new HookException(file + " cannot be read: " + e.getMessage()
                        + ". Mend it, or name another directory by the environment's DOCKER_CONFIG", e);
            }
        }
        return config;
    }

    private Optional<Account> account(JsonNode auth, String server) {
        String token = auth.path("identitytoken").asString("");
        if (!token.isEmpty()) {
            return Optional.of(new Account("", token, true));
        }
        String encoded = auth.path("auth").asString("");
        if (encoded.isEmpty()) {
            String user = auth.path("username").asString("");
            return user.isEmpty() ? Optional.empty() : Optional.of(new Account(user, auth.path("password").asString(""), false));
        }
        try {
            String text = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
            int colon = text.indexOf(':');
            if (colon > 0) {
                return Optional.of(new Account(text.substring(0, colon), text.substring(colon + 1), false));
            }
        } catch (IllegalArgumentException e) {
            // Said below.
        }
        throw new HookException(file + ": \"auth\" of " + server + " is not the Base64 of user:password. Log in again: docker login " + server);
    }

    private Optional<Account> ask(String helper, String server) {
        String command = "docker-credential-" + helper;
        try {
            Process process = new ProcessBuilder(command, "get").redirectError(ProcessBuilder.Redirect.DISCARD).start();
            try (OutputStream out = process.getOutputStream()) {
                out.write(server.getBytes(StandardCharsets.UTF_8));
            }
            byte[] said = process.getInputStream().readAllBytes();
            // A helper that has nothing says so and fails.
            if (process.waitFor() != 0) {
                return Optional.empty();
            }
            JsonNode answer = JSON.readTree(said);
            String user = answer.path("Username").asString("");
            String secret = answer.path("Secret").asString("");
            return secret.isEmpty() ? Optional.empty() : Optional.of(new Account(user, secret, user.equals(TOKEN_USER)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HookException("Interrupted while " + command + " was asked for credentials", e);
        } catch (IOException | JacksonException e) {
            throw new HookException("The credential helper " + command + ", which " + file + " names for " + server + ", does not work: "
                    + e.getMessage() + ". Install it, or take it out of that file", e);
        }
    }
}
