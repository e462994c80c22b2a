package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tinkerbell.hook.io.HookException;

/**
 * The SSH keys of those whom a debug build lets in.
 *
 * @param lines a public key each, in the form of {@code authorized_keys} (sshd(8)); sorted, each once
 */
public record DebugKeys(List<String> lines) {
    private static final String HOW = "make one with ssh-keygen, or name a file of public keys: -Dhook.debug.key=FILE";

    public DebugKeys {
        lines = List.copyOf(lines);
    }

    /**
     * The keys of a file or, without one, of the person who builds.
     *
     * @param file public keys, one a line
     * @param home the person's home directory; of it all {@code .ssh/*.pub}
     * @throws HookException if there is no key, or a private one
     */
    public static DebugKeys of(Optional<Path> file, Path home) throws IOException {
        TreeSet<String> keys = new TreeSet<>();
        for (Path each : file.isPresent() ? List.of(file.get()) : publicKeys(home.resolve(".ssh"))) {
            try {
                for (String line : Files.readAllLines(each, StandardCharsets.UTF_8)) {
                    if (line.contains("PRIVATE KEY")) {
                        throw new HookException(each + " is a private key, which belongs into no system: the public one is beside it, with .pub at "
                                + "the end of its name");
                    }
                    if (!line.isBlank() && !line.startsWith("#")) {
                        keys.add(line.strip());
                    }
                }
            } catch (NoSuchFileException e) {
                throw new HookException("There is no file " + each + ", which hook.debug.key names", e);
            }
        }
        if (keys.isEmpty()) {
            throw new HookException("A debug build lets in who has your SSH key, and " + file.map(named -> named + " has none")
                    .orElse("there is none in " + home.resolve(".ssh") + " (*.pub)") + ": " + HOW);
        }
        return new DebugKeys(List.copyOf(keys));
    }

    private static List<Path> publicKeys(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.getFileName().toString().endsWith(".pub") && Files.isRegularFile(file)).sorted().toList();
        }
    }

    /** The keys as the inside of a double-quoted YAML text (YAML 1.2, section 5.7), a line feed after each. */
    String yaml() {
        return lines.stream()
                .map(line -> line.replace("\\", "\\\\").replace("\"", "\\\"").replace("\t", "\\t") + "\\n")
                .collect(Collectors.joining());
    }
}
