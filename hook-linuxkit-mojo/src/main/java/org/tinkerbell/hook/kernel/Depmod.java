package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.toolbox.Tool;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

/**
 * Makes the lists that {@code modprobe} looks modules up in (modules.dep(5)), by kmod's {@code depmod}. They depend on
 * nothing but the modules.
 */
final class Depmod {
    /** What depmod reads besides the modules. */
    private static final Set<String> GIVEN = Set.of("modules.builtin", "modules.builtin.modinfo", "modules.order");

    private final Tool depmod;

    Depmod(Tool depmod) {
        this.depmod = depmod;
    }

    /** Whether there is something to be listed; a kernel that was configured without modules has nothing. */
    static boolean isNeeded(List<Entry> entries) {
        return entries.stream().anyMatch(Depmod::isRead);
    }

    private static boolean isRead(Entry entry) {
        return entry.content() != null && (ModuleInfo.isModule(entry.path()) || GIVEN.contains(entry.path()));
    }

    /**
     * The lists for these modules.
     *
     * @param entries entries of {@code lib/modules/<release>}, by their paths in it
     * @param scratch directory that does not exist yet; left to the caller
     * @return the modules, what depmod was given, and what it made; sorted by path
     * @throws HookException if a module needs a symbol's module that is not there
     */
    List<Entry> index(List<Entry> entries, String release, Path scratch) throws IOException, InterruptedException {
        Path directory = scratch.resolve("lib/modules").resolve(release);
        List<Entry> result = new ArrayList<>();
        for (Entry entry : entries) {
            if (isRead(entry)) {
                Path file = directory.resolve(entry.path());
                Files.createDirectories(file.getParent());
                if (entry.path().equals("modules.order")) {
                    // It may name what was left out, which depmod would warn of.
                    entry = Entry.file(entry.path(), entry.mode(), ordered(entry, entries)).withMtime(entry.mtime());
                }
                try (InputStream in = entry.content().open()) {
                    Files.copy(in, file);
                }
                result.add(entry);
            }
        }
        Tool.Output said = depmod.run("-b", scratch.toString(), "-C", "/dev/null", release);
        if (!said.err().isBlank()) {
            throw new HookException("depmod complains about the modules of " + release + ":\n" + said.err().strip());
        }
        Set<String> known = result.stream().map(Entry::path).collect(Collectors.toSet());
        try (Stream<Path> made = Files.list(directory)) {
            for (Path file : made.filter(Files::isRegularFile).sorted().toList()) {
                String name = file.getFileName().toString();
                if (!known.contains(name)) {
                    result.add(Entry.file(name, 0644, Content.of(Files.readAllBytes(file))));
                }
            }
        }
        result.sort(Comparator.comparing(Entry::path));
        return result;
    }

    private static Content ordered(Entry order, List<Entry> entries) throws IOException {
        Set<String> names = entries.stream().map(Entry::path).filter(ModuleInfo::isModule).map(Depmod::plain).collect(Collectors.toSet());
        String text = new String(order.content().bytes(), StandardCharsets.UTF_8);
        return Content.of(text.lines().filter(line -> names.contains(plain(line))).map(line -> line + "\n").collect(Collectors.joining()));
    }

    // modules.order has names without compression, or of object files in old kernels.
    private static String plain(String path) {
        return path.replaceFirst("\\.k?o(\\.[a-z]+)?$", "");
    }
}
