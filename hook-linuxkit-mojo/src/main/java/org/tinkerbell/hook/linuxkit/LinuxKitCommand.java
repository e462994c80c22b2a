package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.tinkerbell.hook.io.HookException;

/**
 * A {@code linuxkit} command.
 *
 * @param executable its file
 */
public record LinuxKitCommand(Path executable) {
    /** What {@code linuxkit version} begins with: src/cmd/linuxkit/version.go. */
    private static final Pattern VERSION = Pattern.compile("^\\S+ version v?(\\S+)", Pattern.MULTILINE);

    private static final long LONGEST_ANSWER = 60;

    /** The version that it says it is, without the {@code v}; empty if it does not say, as one that was built without its Makefile. */
    public Optional<String> version() throws IOException {
        Process process;
        try {
            process = new ProcessBuilder(executable.toString(), "version").redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new HookException(executable + " cannot be started: " + e.getMessage(), e);
        }
        try {
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(LONGEST_ANSWER, TimeUnit.SECONDS)) {
                return Optional.empty();
            }
            Matcher matcher = VERSION.matcher(said);
            return matcher.find() && !matcher.group(1).equals("unknown") ? Optional.of(matcher.group(1)) : Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + executable + " was asked for its version", e);
        } finally {
            process.destroyForcibly();
        }
    }

    /**
     * Runs it to its end, with nothing on its standard input.
     *
     * @param directory where it runs
     * @param arguments its arguments
     * @param lines gets each line that it says, as soon as it does
     * @return its status
     * @throws HookException if it cannot be started
     */
    int run(Path directory, List<String> arguments, Consumer<String> lines) throws IOException {
        List<String> words = new ArrayList<>(List.of(executable.toString()));
        words.addAll(arguments);
        Process process;
        try {
            process = new ProcessBuilder(words).directory(directory.toFile()).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new HookException("linuxkit cannot be started: " + e.getMessage() + "\n  " + commandLine(directory, arguments), e);
        }
        try {
            process.getOutputStream().close();
            process.inputReader(StandardCharsets.UTF_8).lines().forEach(lines);
            return process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while linuxkit was running", e);
        } finally {
            process.destroyForcibly();
        }
    }

    /** The command line in the shell's syntax, to be repeated by hand. */
    String commandLine(Path directory, List<String> arguments) {
        return "cd " + quoted(directory.toString()) + " && " + quoted(executable.toString()) + " "
                + arguments.stream().map(LinuxKitCommand::quoted).collect(Collectors.joining(" "));
    }

    private static String quoted(String word) {
        return word.matches("[A-Za-z0-9_@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
