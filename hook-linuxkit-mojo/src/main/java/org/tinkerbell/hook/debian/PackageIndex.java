package org.tinkerbell.hook.debian;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The packages that a resolver may choose from, by name and by what they provide. */
final class PackageIndex {
    private static final Set<String> FIELDS = Set.of("Package", "Version", "Architecture", "Provides", "Depends", "Pre-Depends",
            "Conflicts", "Breaks", "Priority", "Filename", "Size", "SHA256");

    private final Map<String, List<BinaryPackage>> byName = new HashMap<>();
    private final Map<String, List<BinaryPackage>> byProvided = new HashMap<>();

    /** Reads a {@code Packages} file. */
    static List<BinaryPackage> read(InputStream in, String source, Suite suite, String component, Instant archiveTime) throws IOException {
        List<BinaryPackage> packages = new ArrayList<>();
        try (Deb822 reader = new Deb822(in, source, FIELDS)) {
            for (Deb822.Stanza stanza = reader.next(); stanza != null; stanza = reader.next()) {
                packages.add(BinaryPackage.ofIndex(stanza, suite, component, archiveTime));
            }
        }
        return packages;
    }

    PackageIndex(Collection<BinaryPackage> packages) {
        for (BinaryPackage candidate : packages) {
            List<BinaryPackage> same = byName.computeIfAbsent(candidate.name(), n -> new ArrayList<>(1));
            // The index of an architecture and that of "all" may both name a package; the first archive that has it counts.
            if (same.stream().noneMatch(p -> p.version().equals(candidate.version()))) {
                same.add(candidate);
            }
        }
        // Newest first; that the sort is stable keeps the order of the suites.
        byName.values().forEach(same -> same.sort((a, b) -> b.version().compareTo(a.version())));
        byName.values().forEach(same -> same.stream().filter(BinaryPackage::hasProvides).forEach(candidate ->
                candidate.provides().forEach(provided -> byProvided
                        .computeIfAbsent(provided.alternatives().get(0).name(), n -> new ArrayList<>(1)).add(candidate))));
    }

    /** All versions of a package, the newest first. */
    List<BinaryPackage> named(String name) {
        return byName.getOrDefault(name, List.of());
    }

    /** All packages that provide a virtual one, in no particular order. */
    List<BinaryPackage> providing(String name) {
        return byProvided.getOrDefault(name, List.of());
    }

    /** The names of all packages. */
    Set<String> names() {
        return byName.keySet();
    }

    /** All packages. */
    List<BinaryPackage> all() {
        return byName.values().stream().flatMap(List::stream).toList();
    }
}
