package org.tinkerbell.hook.linuxkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.io.HookException;

class TemplateTest {
    private static final Set<String> VARIABLES = Set.of("HOOK_VERSION", "IMAGE", "UNSET");

    private static String render(String text, boolean debug) {
        return Template.of("t.yaml", text).render(VARIABLES, Map.of("HOOK_VERSION", "1.2", "IMAGE", "a$b\\1${HOOK_VERSION}", "OTHER", "x"), debug);
    }

    @Test
    void replacesTheVariablesOfTheList() {
        assertEquals("v: 1.2, 1.2\nimage: \"a$b\\1${HOOK_VERSION}\"\n", render("v: ${HOOK_VERSION}, ${HOOK_VERSION}\nimage: \"${IMAGE}\"\n", false));
    }

    @Test
    void leavesEveryOtherDollarAlone() {
        String text = "$HOOK_VERSION ${OTHER} ${HOME} $$ ${ HOOK_VERSION } ${HOOK_VERSION:-x} ${HOOK_VERSION\n$1 $(date) ${} $";
        assertEquals(text, render(text, false));
        assertEquals("$1.2}", render("$${HOOK_VERSION}}", false));
    }

    @Test
    void keepsTheEndOfTheLastLineAndCarriageReturns() {
        assertEquals("a: 1.2", render("a: ${HOOK_VERSION}", false));
        assertEquals("a: 1.2\r\n\r\nb\r\n", render("a: ${HOOK_VERSION}\r\n\r\nb\r\n", false));
        assertEquals("", render("", false));
    }

    @Test
    void namesEveryUnsetVariableWithItsLine() {
        assertEquals("t.yaml:2: the variable UNSET has no value" + System.lineSeparator() + "t.yaml:4: the variable UNSET has no value",
                assertThrows(HookException.class, () -> render("a\nb: ${UNSET}\n\nc: ${UNSET}", false)).getMessage());
    }

    @Test
    void refusesAValueOfSeveralLines() {
        assertEquals("t.yaml:1: the variable UNSET has a value of several lines, which would break the YAML",
                assertThrows(HookException.class, () -> Template.of("t.yaml", "${UNSET}").render(VARIABLES, Map.of("UNSET", "a\nb"), false))
                        .getMessage());
    }

    @Test
    void asksNoValueForComments() {
        assertEquals("# ${UNSET} 1.2\n  # ${UNSET}\n", render("# ${UNSET} ${HOOK_VERSION}\n  # ${UNSET}\n", false));
    }

    @Test
    void hasLinesForDebugBuilds() {
        String text = "services:\n#DEBUG#   - name: sshd\n  #DEBUG# image: ${HOOK_VERSION}\n#DEBUG#\n#DEBUG# # comment\n  a: '#DEBUG# b'\n";
        assertEquals("services:\n#DEBUG#   - name: sshd\n  #DEBUG# image: 1.2\n#DEBUG#\n#DEBUG# # comment\n  a: '#DEBUG# b'\n", render(text, false));
        assertEquals("services:\n  - name: sshd\n  image: 1.2\n\n# comment\n  a: '#DEBUG# b'\n", render(text, true));
        assertEquals("t.yaml:1: the variable UNSET has no value",
                assertThrows(HookException.class, () -> render("#DEBUG# x: ${UNSET}\n", true)).getMessage());
        render("#DEBUG# x: ${UNSET}\n", false);
        assertEquals("  - name: sshd\n    image: 1.2\n#SSH_SERVERS\n", render("#SSH_SERVER  - name: sshd\n#SSH_SERVER    image: ${HOOK_VERSION}\n#SSH_SERVERS\n", true));
    }

    @Test
    void tellsWhichVariablesItUses() {
        assertEquals(Set.of("IMAGE", "UNSET"),
                Template.of("t", "# ${HOOK_VERSION}\na: ${IMAGE} ${OTHER}\n#DEBUG# b: ${UNSET}\n").used(VARIABLES));
    }

    @Test
    void namesAMissingFile(@TempDir Path work) {
        Path file = work.resolve("none.yaml");
        assertEquals("There is no template " + file + ".", assertThrows(HookException.class, () -> Template.read(file)).getMessage());
    }
}
