package org.tinkerbell.hook.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CommandLineTest {
    /** Each row by hand from next_arg of the kernel. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', value = {
        "a=1 b=2|a|1",
        "a=1 b=2|b|2",
        "a=1 a=2|a|2",
        "a=x=y=z|a|x=y=z",
        "a=\"x y\" b=1|a|x y",
        "a=\"x y\" b=1|b|1",
        "\"a=x y\" b=1|a|x y",
        "\"a=x y\" b=1|b|1",
        "a=x\" \"y|a|x\" \"y",
        "a=\"x|a|x",
        "a=\"x y|a|x y",
        "a=\"\" b=1|a|''",
        "a= b=1|a|''",
        "a b=1|a|''",
        "a=\\\"x|a|\\\"x",
        "A=1 a=2|A|1",
        "worker_id=02:00:00:00:00:01|worker_id|02:00:00:00:00:01",
        "a=\"x\"y\"|a|x\"y",
    })
    void parametersAreSplitAsTheKernelDoes(String line, String name, String value) {
        assertEquals(value, CommandLine.parse(line).get(name));
    }

    @Test
    void everyKindOfWhiteSpaceSeparates() {
        CommandLine line = CommandLine.parse("  a=1\tb=2\u000bc=3\r\n\0");
        assertEquals("1", line.get("a"));
        assertEquals("2", line.get("b"));
        assertEquals("3", line.get("c"));
        assertEquals("a", CommandLine.parse("x=a\u00a0y=b").get("x").substring(0, 1));
    }

    @Test
    void presentWithoutValueDiffersFromAbsent() {
        CommandLine line = CommandLine.parse("quiet x=");
        assertTrue(line.has("quiet"));
        assertTrue(line.has("x"));
        assertFalse(line.has("y"));
        assertEquals("", line.get("y"));
        assertFalse(CommandLine.parse("").has(""));
    }

    @Test
    void theFileIsUtf8(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("cmdline"), "registry_password=pä\u00df\n");
        assertEquals("pä\u00df", CommandLine.read(file).get("registry_password"));
    }
}
