package org.tinkerbell.hook.linuxkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tinkerbell.hook.io.HookException;

class TemplateVariablesTest {
    private static TemplateVariables with(Map<String, String> images) {
        return TemplateVariables.of("1.2.3", "debian-amd64", "kernel:6.12", "6.12.1", images);
    }

    @Test
    void everyImageHasAVariable() {
        assertEquals("x/hook-docker:1", with(Map.of("hook-docker", "x/hook-docker:1")).values().get("HOOK_CONTAINER_DOCKER_IMAGE"));
        assertEquals("x/hook-my-tool:1", with(Map.of("hook-my-tool", "x/hook-my-tool:1")).values().get("HOOK_CONTAINER_MY_TOOL_IMAGE"));
    }

    @Test
    void upstreamsNamesForLinuxKitsImagesMeanOurs() {
        assertEquals("x/hook-ntpd:1", with(Map.of("hook-ntpd", "x/hook-ntpd:1")).values().get("HOOK_CONTAINER_LINUXKIT_OPENNTPD_IMAGE"));
    }

    @Test
    void aKnownImageThatIsMissingIsAnErrorWithItsLine() {
        TemplateVariables variables = with(Map.of());
        Template template = Template.of("t.yaml", "init:\n  - ${HOOK_CONTAINER_RUNC_IMAGE}\n");
        String message =
                assertThrows(HookException.class, () -> template.render(variables.names(), variables.values(), false)).getMessage();
        assertTrue(message.contains("t.yaml:2") && message.contains("HOOK_CONTAINER_RUNC_IMAGE"), message);
    }

    @Test
    void whatIsNoVariableStaysAsItIs() {
        TemplateVariables variables = with(Map.of());
        String text = "a: $HOME ${SOMETHING} $${X}\n";
        assertEquals(text, Template.of("t", text).render(variables.names(), variables.values(), false));
        assertFalse(variables.names().contains("SOMETHING"));
    }
}
