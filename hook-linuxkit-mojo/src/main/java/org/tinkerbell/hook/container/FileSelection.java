package org.tinkerbell.hook.container;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;
import org.tinkerbell.hook.tree.Glob;

/**
 * Which of the packages' files go into an image.
 *
 * @param include only these, if given, and what links among them lead to
 * @param remove what is left out
 * @param keep what stays although {@code remove} has it
 */
record FileSelection(Optional<List<Glob>> include, List<Glob> remove, List<Glob> keep) {
    /** What no image needs: documentation, data of package managers and of programs that are not there, what compilers need. */
    static final List<String> NEVER_NEEDED = List.of(
            "usr/share/{doc,doc-base,man,info,lintian,locale,bash-completion,zsh,fish,bug,menu,metainfo,applications,pixmaps,icons}",
            "**/*.{a,la,pyc}",
            "usr/include",
            "usr/lib/*/pkgconfig",
            "usr/share/pkgconfig",
            "usr/lib/systemd/{system,user}",
            "etc/{init.d,cron.*,logrotate.d,default,apparmor.d}",
            "var/cache/{apt,debconf}",
            "var/lib/dpkg");

    /** The selection of a definition, with what is left out of every image. */
    static FileSelection of(ImageDefinition.Selection selection, Optional<List<Glob>> list) {
        Optional<List<Glob>> include = selection.include();
        if (list.isPresent()) {
            List<Glob> all = new ArrayList<>(include.orElse(List.of()));
            all.addAll(list.get());
            include = Optional.of(all);
        }
        List<Glob> remove = new ArrayList<>(NEVER_NEEDED.stream().map(Glob::of).toList());
        remove.addAll(selection.remove());
        return new FileSelection(include, List.copyOf(remove), selection.keep());
    }

    /**
     * Takes the selected entries, and the directories that they are in, out of a tree.
     *
     * @param all the packages' files; it stays as it is
     */
    List<Entry> from(FileTree all) {
        TreeSet<String> paths = new TreeSet<>();
        for (Entry entry : all) {
            boolean wanted = include.isEmpty() || matches(include.get(), entry.path());
            if (wanted && allowed(entry.path())) {
                paths.add(entry.path());
            }
        }
        if (include.isPresent()) {
            addTargets(all, paths);
        }
        for (String path : List.copyOf(paths)) {
            for (int slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
                paths.add(path.substring(0, slash));
            }
        }
        return paths.stream().flatMap(path -> all.get(path).stream()).toList();
    }

    private boolean allowed(String path) {
        return !matches(remove, path) || matches(keep, path);
    }

    private void addTargets(FileTree all, TreeSet<String> paths) {
        Deque<String> open = new ArrayDeque<>(paths);
        while (!open.isEmpty()) {
            Entry entry = all.get(open.pop()).orElseThrow();
            if (entry.type() != Entry.Type.SYMLINK) {
                continue;
            }
            for (Entry target : targets(all, entry)) {
                if (allowed(target.path()) && paths.add(target.path())) {
                    open.push(target.path());
                }
            }
        }
    }

    /** Where a link leads by one step: an entry, and all below if it is a directory. */
    private static List<Entry> targets(FileTree all, Entry link) {
        String text = link.link().startsWith("/") ? link.link().substring(1) : (link.parent().isEmpty() ? "" : link.parent() + "/") + link.link();
        int slash = text.lastIndexOf('/');
        String parent = slash < 0 ? "" : all.realPath(text.substring(0, slash));
        Optional<Entry> target = all.get(parent.isEmpty() ? text.substring(slash + 1) : parent + "/" + text.substring(slash + 1));
        if (target.isEmpty()) {
            target = all.resolve(link.path());
        }
        List<Entry> entries = new ArrayList<>();
        target.filter(e -> !e.path().isEmpty()).ifPresent(e -> {
            entries.add(e);
            entries.addAll(all.below(e.path()));
        });
        return entries;
    }

    /** Whether a pattern fits the path or a directory above it. */
    private static boolean matches(Collection<Glob> globs, String path) {
        return globs.stream().anyMatch(glob -> glob.matches(path));
    }
}
