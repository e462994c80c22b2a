package org.tinkerbell.hook.initramfs;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tinkerbell.hook.io.Digest;

/** What an archive leaves on the disk when it is unpacked, a line for each path. */
public final class Listing {
    private final SortedMap<String, String> lines = new TreeMap<>();
    private final Map<String, byte[]> contents = new HashMap<>();

    /** A tar as linuxkit writes it, with several entries for one path. */
    public static Listing ofTar(Path file) throws IOException {
        Listing listing = new Listing();
        try (TarArchiveInputStream tar = new TarArchiveInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                String path = Path.of("/" + entry.getName()).normalize().toString().substring(1);
                int mode = entry.getMode() & 07777;
                String owner = entry.getLongUserId() + ":" + entry.getLongGroupId();
                if (entry.isDirectory()) {
                    listing.put(path, "d", mode, owner, "");
                } else if (entry.isSymbolicLink()) {
                    listing.put(path, "l", mode, owner, entry.getLinkName());
                } else if (entry.isLink()) {
                    byte[] same = listing.contents.get(entry.getLinkName());
                    // A link has the mode and the owner of the file that it is.
                    listing.contents.put(path, same);
                    listing.lines.put(path, listing.lines.get(entry.getLinkName()));
                } else if (entry.isCharacterDevice()) {
                    listing.put(path, "c", mode, owner, entry.getDevMajor() + "," + entry.getDevMinor());
                } else {
                    listing.file(path, mode, owner, tar.readAllBytes());
                }
            }
        }
        return listing;
    }

    /** An uncompressed initramfs. */
    public static Listing ofCpio(InputStream in) throws IOException {
        Listing listing = new Listing();
        Map<String, List<CpioArchiveEntry>> links = new HashMap<>();
        Map<String, byte[]> data = new HashMap<>();
        try (CpioArchiveInputStream cpio = new CpioArchiveInputStream(new BufferedInputStream(in), 512, StandardCharsets.UTF_8.name())) {
            for (CpioArchiveEntry entry = cpio.getNextEntry(); entry != null; entry = cpio.getNextEntry()) {
                String path = entry.getName().equals(".") ? "" : entry.getName();
                int mode = (int) (entry.getMode() & 07777);
                String owner = entry.getUID() + ":" + entry.getGID();
                byte[] bytes = cpio.readAllBytes();
                if (entry.isDirectory()) {
                    listing.put(path, "d", mode, owner, "");
                } else if (entry.isSymbolicLink()) {
                    listing.put(path, "l", mode, owner, new String(bytes, StandardCharsets.UTF_8));
                } else if (entry.isCharacterDevice()) {
                    listing.put(path, "c", mode, owner, entry.getRemoteDeviceMaj() + "," + entry.getRemoteDeviceMin());
                } else if (entry.getNumberOfLinks() > 1) {
                    String inode = entry.getInode() + "/" + entry.getDeviceMaj() + "/" + entry.getDeviceMin();
                    links.computeIfAbsent(inode, i -> new ArrayList<>()).add(entry);
                    data.merge(inode, bytes, (a, b) -> a.length > 0 ? a : b);
                } else {
                    listing.file(path, mode, owner, bytes);
                }
            }
        }
        links.forEach((inode, entries) -> {
            for (CpioArchiveEntry entry : entries) {
                if (entry.getNumberOfLinks() != entries.size()) {
                    throw new IllegalStateException(entry.getName() + " says " + entry.getNumberOfLinks() + " links, there are " + entries.size());
                }
                listing.file(entry.getName(), (int) (entry.getMode() & 07777), entry.getUID() + ":" + entry.getGID(), data.get(inode));
            }
        });
        return listing;
    }

    private void file(String path, int mode, String owner, byte[] bytes) {
        put(path, "f", mode, owner, bytes.length + " " + Digest.of(bytes).abbreviated(16));
        contents.put(path, bytes);
    }

    private void put(String path, String type, int mode, String owner, String rest) {
        lines.put(path, String.format(Locale.ROOT, "%s %04o %s %s", type, mode, owner, rest));
    }

    /** Path → type, mode, owner, and link target or size and digest. */
    public SortedMap<String, String> lines() {
        return lines;
    }

    /** Without what is below a directory. */
    public Listing without(String directory) {
        lines.keySet().removeIf(path -> path.startsWith(directory + "/"));
        return this;
    }

    /** A file as text; null if there is none. */
    public String text(String path) {
        return contents.containsKey(path) ? new String(contents.get(path), StandardCharsets.UTF_8) : null;
    }

    /** All of it, a path a line. */
    public String text() {
        StringBuilder text = new StringBuilder();
        lines.forEach((path, line) -> text.append('/').append(path).append(' ').append(line).append('\n'));
        return text.toString();
    }
}
