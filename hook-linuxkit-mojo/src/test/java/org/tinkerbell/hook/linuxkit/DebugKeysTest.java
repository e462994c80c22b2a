package org.tinkerbell.hook.linuxkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.YamlFile;

class DebugKeysTest {
    @TempDir
    Path home;

    private Path key(String name, String text) throws Exception {
        return Files.writeString(Files.createDirectories(home.resolve(".ssh")).resolve(name), text);
    }

    @Test
    void areThoseOfWhoBuilds() throws Exception {
        key("id_rsa.pub", "ssh-rsa BBB me@b\n");
        key("id_ed25519.pub", "# comment\n\nssh-ed25519 AAA me@a\n");
        key("copy.pub", "ssh-rsa BBB me@b");
        key("id_rsa", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
        assertEquals(List.of("ssh-ed25519 AAA me@a", "ssh-rsa BBB me@b"), DebugKeys.of(Optional.empty(), home).lines());
    }

    @Test
    void areThoseOfAFile() throws Exception {
        key("id_rsa.pub", "ssh-rsa BBB me@b\n");
        Path team = Files.writeString(home.resolve("team"), "ssh-ed25519 AAA one\nssh-ed25519 CCC two\n");
        assertEquals(List.of("ssh-ed25519 AAA one", "ssh-ed25519 CCC two"), DebugKeys.of(Optional.of(team), home).lines());
    }

    @Test
    void whoHasNoneIsToldWhatToDo() throws Exception {
        HookException none = assertThrows(HookException.class, () -> DebugKeys.of(Optional.empty(), home));
        assertTrue(none.getMessage().contains(home.resolve(".ssh").toString()) && none.getMessage().contains("ssh-keygen"), none.getMessage());
        HookException missing = assertThrows(HookException.class, () -> DebugKeys.of(Optional.of(home.resolve("nothing")), home));
        assertTrue(missing.getMessage().contains("hook.debug.key"), missing.getMessage());
        Path secret = key("id_rsa", "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n");
        HookException e = assertThrows(HookException.class, () -> DebugKeys.of(Optional.of(secret), home));
        assertTrue(e.getMessage().contains("private key") && !e.getMessage().contains("secret\n"), e.getMessage());
    }

    @Test
    void theYamlHasThemAsTheyAre() throws Exception {
        String odd = "from=\"10.0.0.0/8\",command=\"echo \\\\ hi\" ssh-rsa AAA a\tb";
        DebugKeys keys = new DebugKeys(List.of(odd, "ssh-rsa BBB b"));
        TemplateVariables variables = TemplateVariables.of("1", "f", "k", "6", Map.of()).with(keys);
        String yaml = Template.of("t", "#SSH_SERVER a: \"${HOOK_DEBUG_KEYS}\"\n").render(variables.names(), variables.values(), true);
        assertEquals(odd + "\nssh-rsa BBB b\n", YamlFile.parse("t", yaml).root().path("a").asString());
    }

    @Test
    void otherBuildsDoNotDependOnThem() {
        TemplateVariables variables = TemplateVariables.of("1", "f", "k", "6", Map.of());
        String text = "#SSH_SERVER a: \"${HOOK_DEBUG_KEYS}\"\n";
        assertEquals(text, Template.of("t", text).render(variables.names(), variables.values(), false));
    }
}
