package org.tinkerbell.hook.kernel;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import org.tinkerbell.hook.tree.Entry;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What was taken of a kernel, what was left out, and what that saved.
 *
 * @param source package or artifact that the kernel is out of
 * @param release what {@code uname -r} says
 * @param kernelBytes size of the kernel
 * @param kept how many modules stay
 * @param keptBytes their size as they are stored
 * @param excluded what exclusions took away, the largest first
 * @param dependents modules that are left out since they need one that is, each with that one's name
 * @param dependentBytes their size
 * @param idle exclusions that name nothing in this kernel
 */
public record KernelReport(
        String source,
        String release,
        long kernelBytes,
        int kept,
        long keptBytes,
        List<Group> excluded,
        SortedMap<String, String> dependents,
        long dependentBytes,
        List<String> idle) {
    private static final int SHOWN = 8;
    private static final JsonMapper JSON = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    /**
     * What one exclusion took away.
     *
     * @param glob the exclusion
     * @param modules how many modules
     * @param bytes their size as they were stored
     */
    public record Group(String glob, int modules, long bytes) {}

    static KernelReport of(KernelFiles files, ModuleSelection selection) {
        List<Group> excluded = new ArrayList<>();
        selection.excluded().forEach((glob, entries) ->
                excluded.add(new Group(glob, entries.size(), entries.stream().mapToLong(e -> e.content().size()).sum())));
        excluded.sort(Comparator.comparingLong(Group::bytes).reversed().thenComparing(Group::glob));
        List<Entry> kept = selection.kept().stream().filter(e -> e.content() != null && ModuleInfo.isModule(e.path())).toList();
        return new KernelReport(files.source(), files.release(), files.kernel().size(), kept.size(),
                kept.stream().mapToLong(e -> e.content().size()).sum(),
                List.copyOf(excluded), selection.dependents(),
                        selection.dependentEntries().stream().mapToLong(e -> e.content().size()).sum(),
                List.copyOf(selection.idle()));
    }

    /** Of a kernel of which nobody knows what was left out. */
    static KernelReport of(String source, String release, long kernelBytes, List<Entry> entries) {
        List<Entry> modules = entries.stream().filter(e -> e.content() != null && ModuleInfo.isModule(e.path())).toList();
        return new KernelReport(source, release, kernelBytes, modules.size(), modules.stream().mapToLong(e -> e.content().size()).sum(),
                List.of(), new TreeMap<>(), 0, List.of());
    }

    /** Bytes that are left out, of dependents too. */
    public long savedBytes() {
        return excluded.stream().mapToLong(Group::bytes).sum() + dependentBytes;
    }

    /** How many modules are left out. */
    public int leftOut() {
        return excluded.stream().mapToInt(Group::modules).sum() + dependents.size();
    }

    /** For a terminal. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(Locale.ROOT, "%s: kernel %s, %d modules of %.1f MB; %d left out, which saves %.1f MB", source, release,
                kept,
                keptBytes / 1e6, leftOut(), savedBytes() / 1e6));
        for (Group group : excluded.subList(0, Math.min(SHOWN, excluded.size()))) {
            lines.add(String.format(Locale.ROOT, "  %6.1f MB %5d modules  %s", group.bytes() / 1e6, group.modules(), group.glob()));
        }
        if (excluded.size() > SHOWN) {
            List<Group> rest = excluded.subList(SHOWN, excluded.size());
            lines.add(String.format(Locale.ROOT, "  %6.1f MB %5d modules  by %d more exclusions",
                    rest.stream().mapToLong(Group::bytes).sum() / 1e6,
                    rest.stream().mapToInt(Group::modules).sum(), rest.size()));
        }
        if (!dependents.isEmpty()) {
            lines.add(String.format(Locale.ROOT, "  %6.1f MB %5d modules  that need one of those", dependentBytes / 1e6,
                    dependents.size()));
        }
        return lines;
    }

    /** For programs. */
    public String json() {
        return JSON.writeValueAsString(this) + "\n";
    }

    /** What {@link #json()} wrote. */
    static KernelReport parse(String json) {
        return JSON.readValue(json, KernelReport.class);
    }
}
