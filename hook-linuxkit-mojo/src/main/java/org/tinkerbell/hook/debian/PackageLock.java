package org.tinkerbell.hook.debian;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;

/**
 * Which packages a project takes, to the byte: a text file that is committed with it.
 *
 * <p>It has the form of Debian's control data (deb822): a stanza about the lock, one for each <em>group</em> (packages that are resolved
 * together, such as those of an image) with what is asked for, and one for each package, sorted, with one fact a line, so that a change
 * shows as the lines that differ. The numbers of packages, of all and of each group, tell a lock that was cut from a whole one.
 */
public final class PackageLock {
    private static final String FORMAT = "hook-package-lock 1";
    private static final Set<String> HEAD_FIELDS = Set.of("Format", "Architecture", "Packages");
    private static final Set<String> GROUP_FIELDS = Set.of("Group", "Requested", "Without", "Packages");
    private static final List<String> PACKAGE_FIELDS = List.of("Package", "Version", "Architecture", "Archive", "Suite", "Component",
            "Size", "SHA256", "Filename", "Archive-Time", "For");
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9+.-]*");
    private static final String RENEW = "Restore the file from version control, or renew it with mvn hook:lock.";
    private static final Comparator<LockedPackage> ORDER = Comparator.comparing(LockedPackage::name)
            .thenComparing(p -> DebianVersion.of(p.version()))
            .thenComparing(LockedPackage::architecture);

    private final String architecture;
    private final SortedMap<String, Group> groups;
    private final SortedMap<String, List<LockedPackage>> packages;

    /**
     * Packages that are resolved together.
     *
     * @param name of the image, kernel or set of tools
     * @param requested what is asked for: {@code name}, {@code name/suite} or {@code name=version}
     * @param without packages that are left out although others depend on them
     */
    public record Group(String name, SortedSet<String> requested, SortedSet<String> without) {
        public Group {
            requested = Collections.unmodifiableSortedSet(new TreeSet<>(requested));
            without = Collections.unmodifiableSortedSet(new TreeSet<>(without));
        }

        /** A group from lists in any order. */
        public static Group of(String name, Collection<String> requested, Collection<String> without) {
            return new Group(name, new TreeSet<>(requested), new TreeSet<>(without));
        }
    }

    /**
     * A package that differs between two locks.
     *
     * @param before its version in the old lock, or null if it is new
     * @param after its version in the new lock, or null if it is gone
     * @param groups the groups that it is for
     */
    public record Change(String name, String before, String after, SortedSet<String> groups) {
        /** {@code bash 5.2-1 → 5.2-3}, {@code + bash 5.2-3} or {@code - bash 5.2-1}, and the groups. */
        @Override
        public String toString() {
            String what = before == null ? "+ " + name + " " + after
                    : after == null ? "- " + name + " " + before
                    : before.equals(after) ? name + " " + before + " (other file)" : name + " " + before + " → " + after;
            return what + "  [" + String.join(", ", groups) + "]";
        }
    }

    private PackageLock(String architecture, SortedMap<String, Group> groups, SortedMap<String, List<LockedPackage>> packages) {
        this.architecture = architecture;
        this.groups = Collections.unmodifiableSortedMap(groups);
        this.packages = Collections.unmodifiableSortedMap(packages);
    }

    /**
     * A lock of these packages.
     *
     * @param architecture Debian's name
     * @param resolved for each group what it consists of
     */
    public static PackageLock of(String architecture, Map<Group, List<LockedPackage>> resolved) {
        SortedMap<String, Group> groups = new TreeMap<>();
        SortedMap<String, List<LockedPackage>> packages = new TreeMap<>();
        resolved.forEach((group, locked) -> {
            groups.put(group.name(), group);
            packages.put(group.name(), locked.stream().sorted(ORDER).toList());
        });
        return new PackageLock(architecture, groups, packages);
    }

    /** Name of the lock of an architecture: {@code packages-amd64.lock}. */
    public static String fileName(String architecture) {
        return "packages-" + architecture + ".lock";
    }

    /** Debian's name of the architecture that it is for. */
    public String architecture() {
        return architecture;
    }

    /** The groups by name. */
    public SortedMap<String, Group> groups() {
        return groups;
    }

    /** The packages of a group, sorted by name; empty for one that is not there. */
    public List<LockedPackage> packages(String group) {
        return packages.getOrDefault(group, List.of());
    }

    /** All packages, sorted, each with the groups that it is for. */
    public SortedMap<LockedPackage, SortedSet<String>> packages() {
        SortedMap<LockedPackage, SortedSet<String>> all = new TreeMap<>(ORDER);
        packages.forEach((group, locked) -> locked.forEach(p -> all.computeIfAbsent(p, k -> new TreeSet<>()).add(group)));
        return all;
    }

    /** What differs from an older lock, by package name. */
    public List<Change> changesSince(PackageLock old) {
        Map<String, SortedMap<LockedPackage, SortedSet<String>>> before = byName(old.packages());
        Map<String, SortedMap<LockedPackage, SortedSet<String>>> after = byName(packages());
        SortedSet<String> names = new TreeSet<>(before.keySet());
        names.addAll(after.keySet());
        List<Change> changes = new ArrayList<>();
        for (String name : names) {
            SortedMap<LockedPackage, SortedSet<String>> left = before.getOrDefault(name, new TreeMap<>(ORDER));
            SortedMap<LockedPackage, SortedSet<String>> right = after.getOrDefault(name, new TreeMap<>(ORDER));
            Set<Digest> same = left.keySet().stream().map(LockedPackage::sha256).collect(Collectors.toSet());
            same.retainAll(right.keySet().stream().map(LockedPackage::sha256).collect(Collectors.toSet()));
            List<LockedPackage> gone = left.keySet().stream().filter(p -> !same.contains(p.sha256())).toList();
            List<LockedPackage> come = right.keySet().stream().filter(p -> !same.contains(p.sha256())).toList();
            for (int i = 0; i < Math.max(gone.size(), come.size()); i++) {
                LockedPackage from = i < gone.size() ? gone.get(i) : null;
                LockedPackage to = i < come.size() ? come.get(i) : null;
                changes.add(new Change(name, from == null ? null : from.version(), to == null ? null : to.version(),
                        to == null ? left.get(from) : right.get(to)));
            }
        }
        return changes;
    }

    private static Map<String, SortedMap<LockedPackage, SortedSet<String>>> byName(SortedMap<LockedPackage, SortedSet<String>> all) {
        Map<String, SortedMap<LockedPackage, SortedSet<String>>> byName = new TreeMap<>();
        all.forEach((locked, groups) -> byName.computeIfAbsent(locked.name(), n -> new TreeMap<>(ORDER)).put(locked, groups));
        return byName;
    }

    /** Writes it. */
    public void write(Path file) throws IOException {
        AtomicFile.write(file, toString());
    }

    /** The text of the file. */
    @Override
    public String toString() {
        SortedMap<LockedPackage, SortedSet<String>> all = packages();
        StringBuilder text = new StringBuilder();
        text.append("# The Debian packages that are built in, to the byte. mvn hook:lock renews this file; do not edit it.\n");
        text.append("Format: ").append(FORMAT).append('\n');
        text.append("Architecture: ").append(architecture).append('\n');
        text.append("Packages: ").append(all.size()).append('\n');
        for (Group group : groups.values()) {
            text.append("\nGroup: ").append(group.name()).append('\n');
            list(text, "Requested", group.requested());
            list(text, "Without", group.without());
            text.append("Packages: ").append(packages(group.name()).size()).append('\n');
        }
        all.forEach((locked, names) -> {
            text.append("\nPackage: ").append(locked.name()).append('\n');
            text.append("Version: ").append(locked.version()).append('\n');
            text.append("Architecture: ").append(locked.architecture()).append('\n');
            text.append("Archive: ").append(locked.archive()).append('\n');
            text.append("Suite: ").append(locked.suite()).append('\n');
            text.append("Component: ").append(locked.component()).append('\n');
            text.append("Size: ").append(locked.size()).append('\n');
            text.append("SHA256: ").append(locked.sha256().hex()).append('\n');
            text.append("Filename: ").append(locked.filename()).append('\n');
            text.append("Archive-Time: ").append(locked.archiveTime()).append('\n');
            list(text, "For", names);
        });
        return text.toString();
    }

    private static void list(StringBuilder text, String field, Collection<String> items) {
        if (!items.isEmpty()) {
            text.append(field).append(":\n");
            items.forEach(item -> text.append(' ').append(item).append('\n'));
        }
    }

    /**
     * Reads a lock.
     *
     * @param architecture the one that it has to be for
     * @throws HookException with file and line if it is not one that was written by this class
     */
    public static PackageLock read(Path file, String architecture) throws IOException {
        return parse(Files.readAllBytes(file), file.toString(), architecture);
    }

    static PackageLock parse(byte[] bytes, String source, String architecture) throws IOException {
        try {
            return parsed(bytes, source, architecture);
        } catch (HookException e) {
            throw e.getMessage().endsWith(RENEW) ? e : new HookException(e.getMessage() + ". " + RENEW, e);
        }
    }

    private static PackageLock parsed(byte[] bytes, String source, String architecture) throws IOException {
        SortedMap<String, Group> groups = new TreeMap<>();
        SortedMap<String, List<LockedPackage>> packages = new TreeMap<>();
        int count = 0;
        try (Deb822 reader = new Deb822(new ByteArrayInputStream(bytes), source, Set.of())) {
            Deb822.Stanza head = reader.next();
            if (head == null) {
                throw new HookException(source + " is empty. " + RENEW);
            }
            known(head, HEAD_FIELDS);
            if (!head.require("Format").equals(FORMAT)) {
                throw wrong(head, "Format", "this Hook reads only '" + FORMAT + "'");
            }
            if (!head.require("Architecture").equals(architecture)) {
                throw wrong(head, "Architecture", "the lock for " + architecture + " is wanted");
            }
            long declared = number(head, "Packages");
            Map<String, Deb822.Stanza> stanzas = new TreeMap<>();
            LockedPackage last = null;
            for (Deb822.Stanza stanza = reader.next(); stanza != null; stanza = reader.next()) {
                if (stanza.get("Group") != null) {
                    if (count > 0) {
                        throw wrong(stanza, "Group", "groups stand before the packages");
                    }
                    Group group = group(stanza);
                    if (groups.put(group.name(), group) != null) {
                        throw wrong(stanza, "Group", "the group is there twice");
                    }
                    packages.put(group.name(), new ArrayList<>());
                    stanzas.put(group.name(), stanza);
                } else {
                    LockedPackage locked = locked(stanza, architecture);
                    if (last != null && ORDER.compare(last, locked) >= 0) {
                        throw wrong(stanza, "Package", "it is out of order, or there twice");
                    }
                    last = locked;
                    count++;
                    for (String group : items(stanza, "For")) {
                        if (!groups.containsKey(group)) {
                            throw wrong(stanza, "For", "there is no group '" + group + "'");
                        }
                        packages.get(group).add(locked);
                    }
                }
            }
            if (count != declared) {
                throw wrong(head, "Packages", "the file has " + count + " of them: it was cut or edited");
            }
            for (Map.Entry<String, Deb822.Stanza> stanza : stanzas.entrySet()) {
                int size = packages.get(stanza.getKey()).size();
                if (number(stanza.getValue(), "Packages") != size) {
                    throw wrong(stanza.getValue(), "Packages", "the file has " + size + " for this group: it was cut or edited");
                }
            }
            complete(groups, packages, source);
        }
        return new PackageLock(architecture, groups, packages);
    }

    /** Whether each group has what it asks for. */
    private static void complete(Map<String, Group> groups, Map<String, List<LockedPackage>> packages, String source) {
        groups.forEach((name, group) -> {
            Set<String> there = packages.get(name).stream().map(LockedPackage::name).collect(Collectors.toSet());
            for (String requested : group.requested()) {
                if (!there.contains(requested.replaceFirst("[/=].*", ""))) {
                    throw new HookException(source + ": the group " + name + " asks for " + requested
                            + ", but no such package is there for it. " + RENEW);
                }
            }
        });
    }

    private static Group group(Deb822.Stanza stanza) {
        known(stanza, GROUP_FIELDS);
        Set<String> without = stanza.get("Without") == null ? Set.of() : items(stanza, "Without");
        return Group.of(stanza.require("Group"), items(stanza, "Requested"), without);
    }

    private static LockedPackage locked(Deb822.Stanza stanza, String architecture) {
        known(stanza, PACKAGE_FIELDS);
        if (!NAME.matcher(stanza.require("Package")).matches()) {
            throw wrong(stanza, "Package", "not a package's name");
        }
        try {
            DebianVersion.of(stanza.require("Version"));
        } catch (IllegalArgumentException e) {
            throw wrong(stanza, "Version", "not a version");
        }
        if (!stanza.require("Architecture").equals("all") && !stanza.require("Architecture").equals(architecture)) {
            throw wrong(stanza, "Architecture", "it is " + architecture + " or all in this file");
        }
        if (!List.of(Suite.MAIN_ARCHIVE, Suite.SECURITY_ARCHIVE).contains(stanza.require("Archive"))) {
            throw wrong(stanza, "Archive", "it is " + Suite.MAIN_ARCHIVE + " or " + Suite.SECURITY_ARCHIVE);
        }
        String filename = stanza.require("Filename");
        if (!filename.endsWith(".deb") || filename.startsWith("/") || Arrays.asList(filename.split("/", -1)).contains("..")
                || filename.contains("//")) {
            throw wrong(stanza, "Filename", "not a path of a package below the archive's directory");
        }
        Digest digest;
        Instant time;
        try {
            digest = new Digest(stanza.require("SHA256"));
        } catch (IllegalArgumentException e) {
            throw wrong(stanza, "SHA256", "not 64 hexadecimal digits");
        }
        try {
            time = Instant.parse(stanza.require("Archive-Time"));
        } catch (DateTimeException e) {
            throw wrong(stanza, "Archive-Time", "not a time such as 2026-09-12T07:55:41Z");
        }
        return new LockedPackage(stanza.require("Package"), stanza.require("Version"), stanza.require("Architecture"),
                stanza.require("Archive"), stanza.require("Suite"), stanza.require("Component"), number(stanza, "Size"), digest, filename,
                        time);
    }

    private static Set<String> items(Deb822.Stanza stanza, String field) {
        Set<String> items = new LinkedHashSet<>(List.of(stanza.require(field).trim().split("\\s+")));
        return items;
    }

    private static long number(Deb822.Stanza stanza, String field) {
        try {
            long number = Long.parseLong(stanza.require(field));
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // The same for the user as a negative one.
        }
        throw wrong(stanza, field, "not a number");
    }

    private static void known(Deb822.Stanza stanza, Collection<String> fields) {
        for (String name : stanza.names()) {
            if (!fields.contains(name)) {
                throw wrong(stanza, name, "the field is not known here");
            }
        }
    }

    private static HookException wrong(Deb822.Stanza stanza, String field, String why) {
        String value = stanza.find(field).orElse("").strip();
        return new HookException(stanza.place(field) + ": " + field + ": " + (value.contains("\n") ? "" : value + ": ") + why + ". "
                + RENEW);
    }
}
