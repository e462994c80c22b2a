package org.tinkerbell.hook.kernel;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.tinkerbell.hook.debian.Deb822;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;

/**
 * Which of Armbian's kernels each flavor takes, to the byte: a text file that is committed. It has the form of the package locks: a
 * stanza about the lock, and one for each flavor, sorted.
 *
 * @param blocks by id of the flavor
 */
public record ArmbianLock(SortedMap<String, Block> blocks) {
    /** Its name in the directory of hook-kernel-armbian. */
    public static final String FILE = "armbian.lock";

    private static final String FORMAT = "hook-armbian-lock 1";
    private static final Set<String> HEAD_FIELDS = Set.of("Format", "Kernels");
    private static final Set<String> FIELDS = Set.of("Flavor", "Artifact", "Tag", "Version", "Digest");
    private static final Pattern TAG = Pattern.compile("\\w[\\w.-]{0,127}");
    private static final String RENEW = "Restore the file from version control, or renew it with mvn hook:lock.";

    public ArmbianLock {
        blocks = Collections.unmodifiableSortedMap(new TreeMap<>(blocks));
    }

    /**
     * The kernel of one flavor.
     *
     * @param flavor its id
     * @param artifact name of the artifact without the registry, so that a mirror will do
     * @param tag by which it was chosen; what it stands for may change
     * @param version of the kernel
     * @param digest of the artifact's manifest
     */
    public record Block(String flavor, String artifact, String tag, String version, Digest digest) {
        /** For people: what it is, without the flavor. */
        @Override
        public String toString() {
            return artifact + ":" + tag + "@" + digest;
        }
    }

    /** A lock of these kernels. */
    public static ArmbianLock of(Collection<Block> blocks) {
        SortedMap<String, Block> sorted = new TreeMap<>();
        blocks.forEach(block -> sorted.put(block.flavor(), block));
        return new ArmbianLock(sorted);
    }

    /** The kernel of a flavor. */
    public Optional<Block> find(String flavor) {
        return Optional.ofNullable(blocks.get(flavor));
    }

    /** What differs from an older lock, a line for each flavor. */
    public List<String> changesSince(ArmbianLock old) {
        SortedSet<String> flavors = new TreeSet<>(old.blocks.keySet());
        flavors.addAll(blocks.keySet());
        List<String> changes = new ArrayList<>();
        for (String flavor : flavors) {
            Block before = old.blocks.get(flavor);
            Block after = blocks.get(flavor);
            if (before == null || after == null) {
                changes.add((before == null ? "+ " : "- ") + flavor + " " + (before == null ? after.tag() : before.tag()));
            } else if (!before.equals(after)) {
                changes.add(flavor + " " + (before.tag().equals(after.tag()) ? after.tag() + " (the tag stands for another kernel)"
                        : before.tag() + " → " + after.tag()));
            }
        }
        return changes;
    }

    /** Writes it. */
    public void write(Path file) throws IOException {
        AtomicFile.write(file, toString());
    }

    /** The text of the file. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        text.append("# Armbian's kernels, to the byte. mvn hook:lock renews this file; do not edit it.\n");
        text.append("Format: ").append(FORMAT).append('\n');
        text.append("Kernels: ").append(blocks.size()).append('\n');
        for (Block block : blocks.values()) {
            text.append("\nFlavor: ").append(block.flavor()).append('\n');
            text.append("Artifact: ").append(block.artifact()).append('\n');
            text.append("Tag: ").append(block.tag()).append('\n');
            text.append("Version: ").append(block.version()).append('\n');
            text.append("Digest: ").append(block.digest()).append('\n');
        }
        return text.toString();
    }

    /**
     * Reads a lock.
     *
     * @return an empty one if there is no such file
     * @throws HookException with file and line if it is not one that was written by this class
     */
    public static ArmbianLock read(Path file) throws IOException {
        if (!Files.exists(file)) {
            return new ArmbianLock(new TreeMap<>());
        }
        try {
            return parse(Files.readAllBytes(file), file.toString());
        } catch (HookException e) {
            throw e.getMessage().endsWith(RENEW) ? e : new HookException(e.getMessage() + ". " + RENEW, e);
        }
    }

    private static ArmbianLock parse(byte[] bytes, String source) throws IOException {
        SortedMap<String, Block> blocks = new TreeMap<>();
        try (Deb822 reader = new Deb822(new ByteArrayInputStream(bytes), source, Set.of())) {
            Deb822.Stanza head = reader.next();
            if (head == null) {
                throw new HookException(source + " is empty. " + RENEW);
            }
            known(head, HEAD_FIELDS);
            if (!head.require("Format").equals(FORMAT)) {
                throw wrong(head, "Format", "this Hook reads only '" + FORMAT + "'");
            }
            String last = "";
            for (Deb822.Stanza stanza = reader.next(); stanza != null; stanza = reader.next()) {
                Block block = block(stanza);
                if (last.compareTo(block.flavor()) >= 0) {
                    throw wrong(stanza, "Flavor", "it is out of order, or there twice");
                }
                last = block.flavor();
                blocks.put(last, block);
            }
            if (!head.require("Kernels").equals(String.valueOf(blocks.size()))) {
                throw wrong(head, "Kernels", "the file has " + blocks.size() + " of them: it was cut or edited");
            }
        }
        return new ArmbianLock(blocks);
    }

    private static Block block(Deb822.Stanza stanza) {
        known(stanza, FIELDS);
        if (!TAG.matcher(stanza.require("Tag")).matches()) {
            throw wrong(stanza, "Tag", "not a tag");
        }
        String digest = stanza.require("Digest");
        try {
            return new Block(stanza.require("Flavor"), stanza.require("Artifact"), stanza.require("Tag"),
                    stanza.require("Version"), Digest.parse(digest));
        } catch (IllegalArgumentException e) {
            throw wrong(stanza, "Digest", "not sha256: and 64 hexadecimal digits");
        }
    }

    private static void known(Deb822.Stanza stanza, Set<String> fields) {
        for (String name : stanza.names()) {
            if (!fields.contains(name)) {
                throw wrong(stanza, name, "the field is not known here");
            }
        }
    }

    private static HookException wrong(Deb822.Stanza stanza, String field, String why) {
        return new HookException(stanza.place(field) + ": " + field + ": " + stanza.find(field).orElse("").strip() + ": " + why
                + ". " + RENEW);
    }
}
