package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;

/**
 * The committed configurations of kernels, files {@code <name>-<series>-<arch>} such as {@code generic-6.12-x86_64}, each as {@code make
 * savedefconfig} writes it.
 *
 * @param directory where they are
 */
public record Defconfigs(Path directory) {
    private static final Pattern FILE = Pattern.compile("(?<name>.+)-(?<series>\\d+\\.\\d+)-(?<arch>[a-z0-9_]+)");

    private record Found(String name, String series, Path file) {}

    /** The name of a configuration's file. */
    public static String fileName(String name, String series, Arch arch) {
        return name + "-" + series + "-" + arch.kernelName();
    }

    /**
     * The configuration for a series: its own or, if there is none, that of the newest series before it, which {@code make olddefconfig}
     * completes with the defaults of what is new.
     *
     * @param name such as {@code generic}; or the path of a file of one's own, which has a {@code /} in it
     * @param series such as {@code 6.12}
     * @throws HookException if there is none, naming those that there are
     */
    public Path file(String name, String series, Arch arch) throws IOException {
        if (name.contains("/")) {
            Path own = Path.of(name);
            if (!Files.isRegularFile(own)) {
                throw new HookException("The kernel's configuration " + own.toAbsolutePath() + " is not there.");
            }
            return own;
        }
        List<Found> all = all(arch);
        Comparator<String> order = Comparator.comparing(Defconfigs::number);
        Optional<Found> best = all.stream()
                .filter(found -> found.name().equals(name) && order.compare(found.series(), series) <= 0)
                .max(Comparator.comparing(Found::series, order));
        return best.map(Found::file).orElseThrow(() -> new HookException("There is no configuration '" + name + "' for Linux " + series
                + " on " + arch.kernelName() + " in " + directory + ", nor one for a series before it. There are: "
                + all.stream().map(found -> found.file().getFileName().toString()).sorted().collect(Collectors.joining(", "))
                + ". A file of your own is named with -Dhook.kernel.config=./path."));
    }

    private List<Found> all(Arch arch) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.flatMap(file -> {
                Matcher matcher = FILE.matcher(file.getFileName().toString());
                return matcher.matches() && matcher.group("arch").equals(arch.kernelName())
                        ? Stream.of(new Found(matcher.group("name"), matcher.group("series"), file))
                        : Stream.empty();
            }).toList();
        }
    }

    private static long number(String series) {
        String[] numbers = series.split("\\.");
        return Long.parseLong(numbers[0]) << 32 | Long.parseLong(numbers[1]);
    }
}
