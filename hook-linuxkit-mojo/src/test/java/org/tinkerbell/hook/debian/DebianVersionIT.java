package org.tinkerbell.hook.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The order of versions, with dpkg as the judge. */
class DebianVersionIT {
    private static final int PAIRS = 2500;

    @Test
    void agreesWithDpkg() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/dpkg")), "dpkg is not here");
        List<String> left = DebianVersionTest.random(PAIRS, 42);
        List<String> right = new ArrayList<>(left);
        // Half of the pairs are neighbours in writing, which is where the rules differ.
        Collections.sort(right);
        Random random = new Random(43);
        StringBuilder pairs = new StringBuilder();
        List<String> lefts = new ArrayList<>();
        List<String> rights = new ArrayList<>();
        for (int i = 0; i < PAIRS; i++) {
            lefts.add(i % 2 == 0 ? right.get(i) : left.get(i));
            rights.add(i % 2 == 0 ? right.get((i + 1) % PAIRS) : left.get(random.nextInt(PAIRS)));
            pairs.append(lefts.get(i)).append(' ').append(rights.get(i)).append('\n');
        }
        String script = "while read a b; do if dpkg --compare-versions $a lt $b; then echo -1; "
                + "elif dpkg --compare-versions $a gt $b; then echo 1; else echo 0; fi; done";
        Process process = new ProcessBuilder("sh", "-c", script).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        CompletableFuture<Void> feeding = CompletableFuture.runAsync(() -> {
            try (OutputStream in = process.getOutputStream()) {
                in.write(pairs.toString().getBytes(StandardCharsets.US_ASCII));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        String[] answers = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).split("\n");
        feeding.join();
        assertEquals(0, process.waitFor());
        assertEquals(PAIRS, answers.length);
        for (int i = 0; i < PAIRS; i++) {
            int ours = DebianVersion.of(lefts.get(i)).compareTo(DebianVersion.of(rights.get(i)));
            assertEquals(Integer.parseInt(answers[i]), Integer.signum(ours), lefts.get(i) + " and " + rights.get(i));
        }
    }
}
