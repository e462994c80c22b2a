package org.tinkerbell.hook.flavors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The shell that runs inside the system: nothing compiles it, so shellcheck reads it. */
class ScriptsTest {
    private static final Path FILES = Path.of("src/main/resources/files");
    private static final Path IMAGES = Path.of("../hook-containers/images");

    @Test
    void shellcheckHasNothingToSay() throws IOException, InterruptedException {
        assumeTrue(present("shellcheck"), "shellcheck is not installed");
        List<Path> scripts = new ArrayList<>(scripts(FILES));
        scripts.addAll(scripts(IMAGES));
        assertFalse(scripts.isEmpty());
        List<String> command = new ArrayList<>(List.of("shellcheck", "--shell=sh", "--external-sources", "--source-path=SCRIPTDIR",
                "--source-path=SCRIPTDIR/../../etc"));
        scripts.forEach(script -> command.add(script.toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        assertEquals("", said);
    }

    /** BusyBox's sh is all there is: a script that asks for another would not start. */
    @Test
    void noScriptAsksForAnotherShell() throws IOException {
        List<Path> scripts = new ArrayList<>(scripts(FILES));
        scripts.addAll(scripts(IMAGES));
        for (Path script : scripts) {
            String first = Files.readString(script).lines().findFirst().orElse("");
            assertEquals(false, first.contains("bash"), script + " begins with " + first);
        }
    }

    private static List<Path> scripts(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            List<Path> found = new ArrayList<>();
            for (Path file : (Iterable<Path>) all.sorted()::iterator) {
                if (Files.isRegularFile(file) && !file.toString().contains("target") && isScript(file)) {
                    found.add(file);
                }
            }
            return found;
        }
    }

    private static boolean isScript(Path file) throws IOException {
        byte[] head;
        try (var in = Files.newInputStream(file)) {
            head = in.readNBytes(64);
        }
        String start = new String(head, StandardCharsets.ISO_8859_1);
        return start.startsWith("#!") || start.startsWith("# shellcheck shell=");
    }

    private static boolean present(String program) throws InterruptedException {
        try {
            return new ProcessBuilder(program, "--version").redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
