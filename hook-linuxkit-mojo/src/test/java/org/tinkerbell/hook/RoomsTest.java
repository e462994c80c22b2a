package org.tinkerbell.hook;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Holds the house to its plan: each package is a room on a floor, and names only rooms on floors below its own. */
class RoomsTest {
    /** From the top. Rooms of one floor do not name each other, but where {@link #DOORS} has one. */
    private static final List<List<String>> FLOORS = List.of(
            List.of("mojo"),
            List.of("kernel", "container", "media", "qemu", "release"),
            List.of("linuxkit"),
            List.of("initramfs"),
            List.of("oci", "toolbox"),
            List.of("debian"),
            List.of("tree", "openpgp"),
            List.of("flavor"),
            List.of("io"));

    /** Rooms of one floor of which the first may name the second. */
    private static final Map<String, String> DOORS = Map.of();

    private static final Path SOURCES = Path.of("src", "main", "java", "org", "tinkerbell", "hook");
    private static final Pattern NAMED = Pattern.compile("\\borg\\.tinkerbell\\.hook\\.([a-z]+)\\.[A-Z]");

    @Test
    void arrowsPointDown() throws IOException {
        Map<String, Integer> floor = new HashMap<>();
        for (int i = 0; i < FLOORS.size(); i++) {
            for (String room : FLOORS.get(i)) {
                floor.put(room, i);
            }
        }
        List<String> wrong = new ArrayList<>();
        TreeSet<String> seen = new TreeSet<>();
        try (Stream<Path> files = Files.walk(SOURCES)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java") && !f.endsWith("package-info.java")).toList()) {
                String room = SOURCES.relativize(file).getName(0).toString();
                seen.add(room);
                Matcher named = NAMED.matcher(Files.readString(file));
                while (named.find()) {
                    String other = named.group(1);
                    boolean below = floor.getOrDefault(other, -1) > floor.getOrDefault(room, Integer.MAX_VALUE);
                    if (!other.equals(room) && !below && !other.equals(DOORS.get(room))) {
                        wrong.add(room + "/" + file.getFileName() + " names " + other);
                    }
                }
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(floor.keySet().containsAll(seen), () -> "rooms that are on no floor: " + seen);
        assertTrue(seen.containsAll(List.of("io", "mojo", "linuxkit")), () -> "it read the sources: " + seen);
    }
}
