package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Parallel;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.Glob;

/**
 * Which modules of a kernel go into the system. A module is left out if an exclusion names it, or if it needs one that is left
 * out; what is to be kept stays, and so does all that it needs. So whatever stays can be loaded.
 *
 * @param kept everything that stays: modules, and files that are no modules
 * @param excluded modules that an exclusion names, by the exclusion
 * @param dependents modules that are left out since they need another that is, each with that one's name
 * @param idle exclusions that name no module of this kernel
 */
record ModuleSelection(
        List<Entry> kept, SortedMap<String, List<Entry>> excluded, SortedMap<String, String> dependents, List<Entry> dependentEntries,
        List<String> idle) {

    /**
     * Chooses.
     *
     * @param modules entries of {@code lib/modules/<release>}, by their paths in it
     * @param exclude globs of paths below {@code kernel/}
     * @param keep globs of paths below {@code kernel/} that win over exclusions
     */
    static ModuleSelection of(List<Entry> modules, List<String> exclude, List<String> keep) throws IOException {
        List<Glob> exclusions = globs(exclude);
        List<Glob> keeps = globs(keep);
        List<Entry> candidates = modules.stream().filter(e -> e.content() != null && ModuleInfo.isModule(e.path())).toList();
        Map<String, Entry> byName = new HashMap<>();
        candidates.forEach(entry -> byName.put(ModuleInfo.name(entry.path()), entry));

        Map<String, Glob> why = new HashMap<>();
        Deque<String> open = new ArrayDeque<>();
        for (Entry entry : candidates) {
            String name = ModuleInfo.name(entry.path());
            String path = withoutKernel(entry.path());
            if (keeps.stream().anyMatch(glob -> glob.matches(path))) {
                open.add(name);
            } else {
                exclusions.stream().filter(glob -> glob.matches(path)).findFirst().ifPresent(glob -> why.put(name, glob));
            }
        }
        // To unpack a module takes a thousand times longer than to match its name; of most exclusions nobody wants to know more.
        List<Entry> staying = candidates.stream().filter(entry -> !why.containsKey(ModuleInfo.name(entry.path()))).toList();
        Map<String, ModuleInfo> infos = new TreeMap<>();
        Parallel.map(Runtime.getRuntime().availableProcessors(), staying, ModuleInfo::read).forEach(info -> infos.put(info.name(), info));
        Set<String> wanted = new HashSet<>();
        while (!open.isEmpty()) {
            String name = open.remove();
            if (wanted.add(name) && byName.containsKey(name)) {
                if (!infos.containsKey(name)) {
                    infos.put(name, ModuleInfo.read(byName.get(name)));
                }
                open.addAll(infos.get(name).depends());
            }
        }
        why.keySet().removeAll(wanted);

        Map<String, String> broken = new HashMap<>();
        boolean more = !why.isEmpty();
        while (more) {
            more = false;
            for (ModuleInfo info : infos.values()) {
                if (!why.containsKey(info.name()) && !broken.containsKey(info.name())) {
                    for (String needed : info.depends()) {
                        if (why.containsKey(needed) || broken.containsKey(needed)) {
                            broken.put(info.name(), needed);
                            more = true;
                            break;
                        }
                    }
                }
            }
        }
        return result(modules, exclude, why, broken);
    }

    private static ModuleSelection result(List<Entry> modules, List<String> exclude, Map<String, Glob> why, Map<String, String> broken) {
        List<Entry> kept = new ArrayList<>();
        SortedMap<String, List<Entry>> excluded = new TreeMap<>();
        SortedMap<String, String> dependents = new TreeMap<>();
        List<Entry> dependentEntries = new ArrayList<>();
        for (Entry entry : modules) {
            String name = entry.content() != null && ModuleInfo.isModule(entry.path()) ? ModuleInfo.name(entry.path()) : "";
            if (why.containsKey(name)) {
                excluded.computeIfAbsent(why.get(name).toString(), glob -> new ArrayList<>()).add(entry);
            } else if (broken.containsKey(name)) {
                dependents.put(withoutKernel(entry.path()), broken.get(name));
                dependentEntries.add(entry);
            } else {
                kept.add(entry);
            }
        }
        List<String> idle = exclude.stream().filter(glob -> !excluded.containsKey(glob)).toList();
        return new ModuleSelection(kept, excluded, dependents, dependentEntries, idle);
    }

    private static String withoutKernel(String path) {
        return path.startsWith("kernel/") ? path.substring("kernel/".length()) : path;
    }

    private static List<Glob> globs(List<String> texts) {
        return texts.stream().map(text -> {
            try {
                return Glob.of(text);
            } catch (IllegalArgumentException e) {
                throw new HookException("The inventory's list of modules: " + e.getMessage(), e);
            }
        }).toList();
    }
}
