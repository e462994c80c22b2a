package org.tinkerbell.hook.dist;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
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

/**
 * What a large archive leaves on a disk when it is unpacked, read without any of Hook's own readers and writers.
 *
 * @param lines path to type, mode, owner, and the target of a link, the numbers of a device, or size and SHA-256 of a file
 * @param documents content of every {@code config.json} and {@code runtime.json}, by path
 */
record UnpackedFiles(SortedMap<String, String> lines, SortedMap<String, String> documents) {
    private UnpackedFiles() {
        this(new TreeMap<>(), new TreeMap<>());
    }

    /** A tar, in which what comes later replaces what was there; hard links are the files that they are. */
    static UnpackedFiles ofTar(Path file) throws IOException {
        UnpackedFiles files = new UnpackedFiles();
        try (TarArchiveInputStream tar = new TarArchiveInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 17))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                String path = Path.of("/" + entry.getName()).normalize().toString().substring(1);
                int mode = entry.getMode() & 07777;
                String owner = entry.getLongUserId() + ":" + entry.getLongGroupId();
                if (entry.isDirectory()) {
                    files.put(path, "d", mode, owner, "");
                } else if (entry.isSymbolicLink()) {
                    files.put(path, "l", mode, owner, entry.getLinkName());
                } else if (entry.isLink()) {
                    files.lines.put(path, files.lines.get(entry.getLinkName()));
                } else if (entry.isCharacterDevice() || entry.isBlockDevice()) {
                    files.put(path, entry.isCharacterDevice() ? "c" : "b", mode, owner, entry.getDevMajor() + "," + entry.getDevMinor());
                } else {
                    files.put(path, "f", mode, owner, files.content(path, tar));
                }
            }
        }
        return files;
    }

    /** An uncompressed initramfs; of a file with several names the first has the bytes. */
    static UnpackedFiles ofCpio(Path file) throws IOException {
        UnpackedFiles files = new UnpackedFiles();
        Map<String, String> contents = new HashMap<>();
        Map<String, List<String>> names = new HashMap<>();
        Map<String, Long> promised = new HashMap<>();
        try (CpioArchiveInputStream cpio = new CpioArchiveInputStream(
                new BufferedInputStream(Files.newInputStream(file), 1 << 17), 512, StandardCharsets.UTF_8.name())) {
            for (CpioArchiveEntry entry = cpio.getNextEntry(); entry != null; entry = cpio.getNextEntry()) {
                String path = entry.getName().equals(".") ? "" : entry.getName();
                int mode = (int) (entry.getMode() & 07777);
                String owner = entry.getUID() + ":" + entry.getGID();
                if (entry.isDirectory()) {
                    files.put(path, "d", mode, owner, "");
                } else if (entry.isSymbolicLink()) {
                    files.put(path, "l", mode, owner, new String(cpio.readAllBytes(), StandardCharsets.UTF_8));
                } else if (entry.isCharacterDevice() || entry.isBlockDevice()) {
                    files.put(path, entry.isCharacterDevice() ? "c" : "b", mode, owner, entry.getRemoteDeviceMaj() + "," + entry.getRemoteDeviceMin());
                } else {
                    String inode = entry.getNumberOfLinks() > 1 ? entry.getInode() + " " + entry.getDeviceMaj() + " " + entry.getDeviceMin() : path;
                    String content = entry.getSize() > 0 || !contents.containsKey(inode) ? files.content(path, cpio) : contents.get(inode);
                    if (entry.getSize() == 0 && contents.containsKey(inode) && names.containsKey(inode)) {
                        String first = names.get(inode).get(0);
                        if (files.documents.containsKey(first)) {
                            files.documents.put(path, files.documents.get(first));
                        }
                    }
                    contents.putIfAbsent(inode, content);
                    names.computeIfAbsent(inode, i -> new ArrayList<>()).add(path);
                    promised.put(inode, Math.max(1, entry.getNumberOfLinks()));
                    files.put(path, "f", mode, owner, content);
                }
            }
        }
        names.forEach((inode, paths) -> {
            if (promised.get(inode) != paths.size()) {
                throw new IllegalStateException(paths + " are " + paths.size() + " names of a file that says it has " + promised.get(inode));
            }
        });
        return files;
    }

    private String content(String path, InputStream in) throws IOException {
        MessageDigest digest = Digest.algorithm();
        long size;
        if (path.matches("containers/[^/]+/[^/]+/(config|runtime)\\.json")) {
            byte[] bytes = in.readAllBytes();
            digest.update(bytes);
            size = bytes.length;
            documents.put(path, new String(bytes, StandardCharsets.UTF_8));
        } else {
            // Not closed: that would close the archive.
            size = new DigestInputStream(in, digest).transferTo(OutputStream.nullOutputStream());
        }
        return size + " " + Digest.of(digest).hex();
    }

    private void put(String path, String type, int mode, String owner, String rest) {
        lines.put(path, String.format(Locale.ROOT, "%s %04o %s %s", type, mode, owner, rest));
    }

    /** Without what is below a directory. */
    UnpackedFiles without(String directory) {
        lines.keySet().removeIf(path -> path.startsWith(directory + "/"));
        return this;
    }

    /** The lines that are not the same in another, as {@code - } here and {@code + } there. */
    List<String> differences(UnpackedFiles other) {
        List<String> differences = new ArrayList<>();
        TreeMap<String, String> all = new TreeMap<>(lines);
        all.putAll(other.lines);
        for (String path : all.keySet()) {
            String here = lines.get(path);
            String there = other.lines.get(path);
            if (here == null || !here.equals(there)) {
                if (here != null) {
                    differences.add("- /" + path + " " + here);
                }
                if (there != null) {
                    differences.add("+ /" + path + " " + there);
                }
            }
        }
        return differences;
    }
}
