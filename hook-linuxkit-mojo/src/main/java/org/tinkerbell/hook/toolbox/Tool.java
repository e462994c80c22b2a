package org.tinkerbell.hook.toolbox;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.tinkerbell.hook.io.HookException;

/**
 * A program of the host's and how it is started. One that was unpacked from packages is started by the packages' own
 * dynamic loader, so that neither its libraries nor its loader have to be installed.
 *
 * @param name what people call it
 * @param prefix the first words of every command line: the program, or the loader with its options and the program
 * @param root directory that the program's own files are below; {@code /} for one that the host has installed
 * @param environment variables that the program needs; {@code LD_*} of the caller's are never handed on
 */
public record Tool(String name, List<String> prefix, Path root, SortedMap<String, String> environment) {
    public Tool {
        prefix = List.copyOf(prefix);
        environment = Collections.unmodifiableSortedMap(new TreeMap<>(environment));
    }

    /**
     * What a program said before it ended well.
     *
     * @param out its standard output
     * @param err its standard error
     */
    public record Output(String out, String err) {}

    /** A program that the host has installed. */
    public static Tool installed(String name, Path executable) {
        return new Tool(name, List.of(executable.toString()), Path.of("/"), new TreeMap<>());
    }

    /** The same program with another variable in its environment. */
    public Tool with(String variable, String value) {
        SortedMap<String, String> all = new TreeMap<>(environment);
        all.put(variable, value);
        return new Tool(name, prefix, root, all);
    }

    /** A file that came with the program, such as its data, by its path in the packages. */
    public Path file(String path) {
        return root.resolve(path);
    }

    /** The whole command line with these arguments. */
    public List<String> command(Collection<String> arguments) {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(arguments);
        return command;
    }

    /** The command line in the shell's syntax, to be repeated by hand. */
    public String commandLine(Collection<String> arguments) {
        String variables = environment.entrySet().stream().map(e -> e.getKey() + "=" + quoted(e.getValue())
                + " ").collect(Collectors.joining());
        return variables + command(arguments).stream().map(Tool::quoted).collect(Collectors.joining(" "));
    }

    /** A process that is ready to start, with the tool's environment. */
    public ProcessBuilder process(Collection<String> arguments) {
        ProcessBuilder builder = new ProcessBuilder(command(arguments));
        Map<String, String> variables = builder.environment();
        variables.keySet().removeIf(key -> key.startsWith("LD_"));
        variables.putAll(environment);
        return builder;
    }

    /**
     * Runs the program to its end with nothing on its standard input.
     *
     * @return what it said
     * @throws HookException if it cannot be started or ends with anything but 0; with the command line and what it said
     */
    public Output run(String... arguments) throws IOException, InterruptedException {
        return run(List.of(arguments));
    }

    /** The same as {@link #run(String...)}. */
    public Output run(Collection<String> arguments) throws IOException, InterruptedException {
        Process process;
        try {
            process = process(arguments).start();
        } catch (IOException e) {
            throw new HookException(name + " cannot be started: " + e.getMessage() + "\n  " + commandLine(arguments), e);
        }
        try {
            process.getOutputStream().close();
            CompletableFuture<String> err = CompletableFuture.supplyAsync(() -> text(process.getErrorStream()));
            String out = text(process.getInputStream());
            int status = process.waitFor();
            if (status != 0) {
                throw new HookException(name + " ended with status " + status + ":\n" + tail(err.join() + out) + "\nTo repeat it:\n  "
                        + commandLine(arguments));
            }
            return new Output(out, err.join());
        } finally {
            process.destroyForcibly();
        }
    }

    private static String text(InputStream in) {
        try (in) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "(what it said cannot be read: " + e.getMessage() + ")";
        }
    }

    private static String tail(String text) {
        List<String> lines = text.strip().lines().toList();
        return lines.subList(Math.max(0, lines.size() - 30), lines.size()).stream().map(line -> "  "
                + line).collect(Collectors.joining("\n"));
    }

    private static String quoted(String word) {
        return word.matches("[A-Za-z0-9_@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
