package org.tinkerbell.hook.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The shell scripts around kernels. */
class KernelScriptsTest {
    private static final Path COMPARE = Path.of("../hook-kernel-default/compare-configs");

    @TempDir
    Path directory;

    private record Said(int exit, String text) {}

    private static Said run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Said(process.waitFor(), text);
    }

    @Test
    void shellcheckHasNothingToSay() throws Exception {
        try {
            run("shellcheck", "--version");
        } catch (IOException e) {
            assumeTrue(false, "shellcheck is not installed");
        }
        Path supervisor = Files.writeString(directory.resolve("supervisor.sh"), "#!/bin/sh\n" + ContainerBuilder.supervisor());
        List<String> command = new ArrayList<>(List.of("shellcheck", "--shell=sh", CompileScript.write(directory).toString(), COMPARE.toString(),
                // SC2164: where cd fails, nothing of the rest is there either.
                supervisor.toString(), "--exclude=SC2164"));
        assertEquals(new Said(0, ""), run(command.toArray(String[]::new)));
    }

    @Test
    void comparesWhatIsEnabled() throws Exception {
        Path ours = Files.writeString(directory.resolve("ours"), """
                CONFIG_NET=y
                CONFIG_XFS_FS=y
                # CONFIG_SND is not set
                CONFIG_ONLY_OURS=m
                CONFIG_LSM="y"
                """);
        Path theirs = Files.writeString(directory.resolve("theirs"), """
                CONFIG_NET=y
                CONFIG_XFS_FS=m
                CONFIG_SND=m
                CONFIG_SND_HDA=y
                # CONFIG_ONLY_OURS is not set
                CONFIG_BCACHEFS_FS=m
                CONFIG_NR_CPUS=64
                """);
        assertEquals(new Said(0, "3 enabled here (2 built in, 1 modules), 5 there; 2 of those are enabled here, 3 are not\nBCACHEFS_FS\nSND\nSND_HDA\n"),
                run(COMPARE.toString(), ours.toString(), theirs.toString()));
        Said counted = run(COMPARE.toString(), "-c", ours.toString(), theirs.toString());
        assertEquals(List.of("2 SND", "1 BCACHEFS"), counted.text().lines().skip(1).map(String::strip).toList());
        assertEquals(2, run(COMPARE.toString(), ours.toString()).exit());
    }
}
