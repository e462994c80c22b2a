package org.tinkerbell.hook.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class YamlFileTest {
    private static final String GOOD = """
            # a comment
            name: one
            method: debian
            files:
              - path: a/b
                mode: "0644"
              - path: c
            """;

    record Doc(String name, String method, List<FileSpec> files) {
        record FileSpec(String path, String mode) {}
    }

    private static String problem(String text) {
        return assertThrows(HookException.class, () -> YamlFile.parse("x.yaml", text).validate(YamlFileTest.class, "sample.schema.json"))
                .getMessage();
    }

    @Test
    void remembersTheLineOfEveryValue() {
        YamlFile file = YamlFile.parse("x.yaml", GOOD);
        assertEquals("x.yaml:2", file.at("/name"));
        assertEquals("x.yaml:6", file.at("/files/0/mode"));
        assertEquals("x.yaml:7", file.at("/files/1"));
        assertEquals("x.yaml:7", file.at("/files/1/mode"), "a value that is not there has the place of what should hold it");
    }

    @Test
    void bindsToRecords() {
        Doc doc = YamlFile.parse("x.yaml", GOOD).validate(YamlFileTest.class, "sample.schema.json").as(Doc.class);
        assertEquals(new Doc("one", "debian", List.of(new Doc.FileSpec("a/b", "0644"), new Doc.FileSpec("c", null))), doc);
    }

    @Test
    void namesAnUnknownKeyWithItsLine() {
        assertEquals("x.yaml:3: colour: there is no such key here; allowed: files, method, name", problem("name: a\nmethod: debian\ncolour: red\n"));
    }

    @Test
    void namesAnUnknownKeyInAList() {
        assertTrue(problem("name: a\nfiles:\n  - path: a\n    mod: x\n").startsWith("x.yaml:4: files[0].mod: there is no such key here"));
    }

    @Test
    void namesTheAllowedValues() {
        assertEquals("x.yaml:2: method: 'debain' is not allowed; allowed: default, armbian, debian", problem("name: a\nmethod: debain\n"));
    }

    @Test
    void namesTheAllowedTypes() {
        assertEquals("x.yaml:2: files: 'none' is not allowed; allowed: a list", problem("name: a\nfiles: none\n"));
    }

    @Test
    void namesAMissingKey() {
        assertEquals("x.yaml:1: the key 'name' is missing", problem("method: debian\n"));
    }

    @Test
    void tellsEveryProblemInTheOrderOfTheLines() {
        assertEquals(2, problem("name: a\nmethod: x\nfiles: 1\n").lines().count());
    }

    @Test
    void refusesWhatIsNotYaml() {
        assertTrue(problem("name: [a\nb: c\n").startsWith("x.yaml:2: this is not valid YAML: "), problem("name: [a\nb: c\n"));
    }

    @Test
    void saysInOneLineWhatIsNotYaml() {
        assertEquals("x.yaml:2: this is not valid YAML: while parsing a flow node, expected the node content, but found '<stream end>'",
                problem("name: a\nmethod: [\n"));
        assertEquals("x.yaml:1: this is not valid YAML: while scanning a block scalar, expected chomping or indentation indicators, but found q(113)",
                problem("name: |q\n"));
    }

    @Test
    void refusesAKeyThatIsThereTwice() {
        assertTrue(problem("name: a\nname: b\n").startsWith("x.yaml:2: this is not valid YAML: Duplicate"), problem("name: a\nname: b\n"));
    }

    @Test
    void refusesAnEmptyDocument() {
        assertTrue(problem("").startsWith("x.yaml"), problem(""));
    }

    @Test
    void bindingErrorsNameTheLine() {
        String message = assertThrows(HookException.class, () -> YamlFile.parse("x.yaml", "name: a\nfiles:\n- {path: [1]}\n").as(Doc.class))
                .getMessage();
        assertTrue(message.startsWith("x.yaml:3: files[0].path: "), message);
    }

    @Test
    void namesAMissingFile(@TempDir Path directory) {
        Path file = directory.resolve("none.yaml");
        assertEquals("There is no file " + file + ".", assertThrows(HookException.class, () -> YamlFile.read(file)).getMessage());
    }
}
