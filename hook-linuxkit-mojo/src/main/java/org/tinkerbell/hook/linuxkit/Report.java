package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tinkerbell.hook.initramfs.Initramfs;
import org.tinkerbell.hook.tree.Entry;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What went into a system and what it takes. Sizes are in bytes; nothing in it differs between two builds of the same inputs.
 *
 * @param name of the system
 * @param arch as OCI names it
 * @param images digest of every image's manifest, by full name
 * @param kernel size of the kernel; 0: none
 * @param entries how many entries the root file system has
 * @param unpacked sum of the sizes of all regular files, each name counted
 * @param stored likewise with what hard links share counted once
 * @param archive size of the cpio archive
 * @param initramfs size of that compressed, with microcode
 * @param compression format and level
 * @param segments compressed streams in it
 * @param parts what each container, the modules, the firmware and the rest take
 * @param biggest the largest files
 * @param shared the files that were found more than once and share most
 * @param sharedFiles how many files are a further name of another
 * @param withoutXattrs paths whose extended attributes (capabilities of programs, say) the archive has no place for
 */
public record Report(
        String name,
        String arch,
        Map<String, String> images,
        long kernel,
        int entries,
        long unpacked,
        long stored,
        long archive,
        long initramfs,
        String compression,
        int segments,
        List<Part> parts,
        List<BigFile> biggest,
        List<Shared> shared,
        int sharedFiles,
        List<String> withoutXattrs) {
    private static final int LISTED = 20;
    private static final int SHOWN = 5;
    private static final Pattern PART = Pattern.compile("(containers/[^/]+/[^/]+)(?:/.*)?|(?:usr/)?lib/(modules|firmware)/.*");
    private static final String SYSTEM = "system";

    /**
     * A part of the system.
     *
     * @param name path of a container, {@code modules}, {@code firmware}, or {@code system}
     * @param files regular files in it
     * @param bytes sum of their sizes
     * @param own of that, what it does not share with a part before it
     */
    public record Part(String name, int files, long bytes, long own) {}

    /** A file and its size. */
    public record BigFile(String path, long bytes) {}

    /**
     * Files that are one in the archive and in memory.
     *
     * @param path the first
     * @param names how many there are
     * @param saved bytes that the others would take
     */
    public record Shared(String path, int names, long saved) {}

    static Report of(Engine.Request request, Map<String, String> images, RootFileSystem.Assembled system, Initramfs.Result written) {
        Set<String> further = new HashSet<>();
        List<Shared> shared = new ArrayList<>();
        long saved = 0;
        for (List<Entry> group : written.shared()) {
            group.stream().skip(1).map(Entry::path).forEach(further::add);
            long size = group.get(0).content().size();
            shared.add(new Shared(group.get(0).path(), group.size(), size * (group.size() - 1)));
            saved += size * (group.size() - 1);
        }
        SortedMap<String, Part> parts = new TreeMap<>();
        List<BigFile> biggest = new ArrayList<>();
        for (Entry entry : system.entries()) {
            if (entry.type() == Entry.Type.FILE) {
                long size = entry.content().size();
                boolean first = !further.contains(entry.path());
                parts.merge(part(entry.path()), new Part(part(entry.path()), 1, size, first ? size : 0),
                        (a, b) -> new Part(a.name, a.files + b.files, a.bytes + b.bytes, a.own + b.own));
                if (first) {
                    biggest.add(new BigFile(entry.path(), size));
                }
            }
        }
        biggest.sort(Comparator.comparing((BigFile file) -> -file.bytes()).thenComparing(BigFile::path));
        shared.sort(Comparator.comparing((Shared s) -> -s.saved()).thenComparing(Shared::path));
        return new Report(
                request.name(),
                request.arch().ociName(),
                new TreeMap<>(images),
                system.kernel().map(content -> content.size()).orElse(0L),
                written.entries(),
                written.contentBytes(),
                written.contentBytes() - saved,
                written.archiveBytes(),
                written.compressedBytes(),
                request.compression().toString(),
                written.segments(),
                parts.values().stream().sorted(Comparator.comparing((Part p) -> -p.bytes()).thenComparing(Part::name)).toList(),
                List.copyOf(biggest.subList(0, Math.min(LISTED, biggest.size()))),
                List.copyOf(shared.subList(0, Math.min(LISTED, shared.size()))),
                further.size(),
                written.withoutXattrs());
    }

    private static String part(String path) {
        Matcher matcher = PART.matcher(path);
        return !matcher.matches() ? SYSTEM : matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
    }

    /** As JSON. */
    public String json() throws IOException {
        return JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build().writeValueAsString(this) + "\n";
    }

    /** As text of some twenty lines for a terminal. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(name + " (" + arch + "): kernel " + mb(kernel) + ", initramfs " + mb(initramfs) + " (" + compression + ", " + segments
                + " segments) of " + mb(archive) + "; " + entries + " entries, " + mb(unpacked) + " unpacked, of which " + mb(unpacked - stored)
                + " in " + sharedFiles + " files are shared");
        for (Part part : parts) {
            lines.add(String.format(Locale.ROOT, "  %10s  %10s own  %6d files  %s", mb(part.bytes), mb(part.own), part.files, part.name));
        }
        lines.add("Biggest files:");
        biggest.stream().limit(SHOWN).forEach(file -> lines.add(String.format(Locale.ROOT, "  %10s  /%s", mb(file.bytes), file.path)));
        if (!shared.isEmpty()) {
            lines.add("Most shared:");
            shared.stream().limit(SHOWN).forEach(s ->
                    lines.add(String.format(Locale.ROOT, "  %10s saved, %d names  /%s", mb(s.saved), s.names, s.path)));
        }
        if (!withoutXattrs.isEmpty()) {
            lines.add("An initramfs has no extended attributes (capabilities of programs among them); lost by " + withoutXattrs.size()
                    + " files, such as /" + withoutXattrs.get(0));
        }
        return lines;
    }

    private static String mb(long bytes) {
        return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }
}
