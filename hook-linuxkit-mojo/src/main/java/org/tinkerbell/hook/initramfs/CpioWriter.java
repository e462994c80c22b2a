package org.tinkerbell.hook.initramfs;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Entry;

/**
 * Writes cpio archives of the "new" format ({@code newc}, magic 070701) that the kernel unpacks: Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst.
 */
final class CpioWriter {
    private static final HexFormat HEX = HexFormat.of().withUpperCase();
    private static final byte[] MAGIC = "070701".getBytes(StandardCharsets.US_ASCII);
    private static final String TRAILER = "TRAILER!!!";
    private static final int FIXED = 110;
    private static final int ALIGNMENT = 4;
    private static final int PATH_MAX = 4096;
    private static final long MOST = 0xffff_ffffL;

    private final OutputStream out;
    private long position;

    CpioWriter(OutputStream out) {
        this.out = out;
    }

    /**
     * The inode of an entry. The kernel and the cpio commands take entries with the same three numbers and more than one
     * link for hard links of each other.
     *
     * @param number 32 bits
     * @param major 32 bits: number of a device of no meaning, used to tell more inodes apart
     * @param minor 32 bits, likewise
     */
    record Inode(int number, int major, int minor) {}

    /**
     * Header and name of an entry, with the target of a symbolic link, padded: all but the bytes of a regular file.
     *
     * @param links how many names the inode has
     * @param size how many bytes of the file follow
     * @param mtime seconds since 1970
     */
    static byte[] header(Entry entry, Inode inode, int links, long size, long mtime) {
        String name = entry.path().isEmpty() ? "." : entry.path();
        byte[] target = entry.type() == Entry.Type.SYMLINK ? entry.link().getBytes(StandardCharsets.UTF_8) : new byte[0];
        if (size > MOST) {
            throw new HookException("/" + entry.path() + " has " + size + " bytes: the cpio format of an initramfs holds files below 4 GiB.");
        }
        if (name.getBytes(StandardCharsets.UTF_8).length >= PATH_MAX || target.length >= PATH_MAX) {
            throw new HookException("/" + entry.path() + ": name or link target is longer than the kernel's limit of 4095 bytes.");
        }
        return bytes(name, target, inode.number(), type(entry.type()) | entry.mode(), entry.uid(), entry.gid(), links, mtime,
                target.length + size, inode.major(), inode.minor(), entry.major(), entry.minor());
    }

    /** The entry that ends an archive. */
    static byte[] trailer() {
        return bytes(TRAILER, new byte[0], 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0);
    }

    private static byte[] bytes(String name, byte[] target, long... fields) {
        byte[] nameBytes = name.getBytes(StandardCharsets.UTF_8);
        int afterName = (int) padded(FIXED + nameBytes.length + 1L);
        byte[] bytes = new byte[afterName + (int) padded(target.length)];
        System.arraycopy(MAGIC, 0, bytes, 0, MAGIC.length);
        int at = MAGIC.length;
        for (int i = 0; i <= fields.length + 1; i++) {
            // The last two are the length of the name with its NUL, and a checksum that this format leaves 0.
            long field = i < fields.length ? fields[i] : i == fields.length ? nameBytes.length + 1 : 0;
            for (char digit : HEX.toHexDigits((int) field).toCharArray()) {
                bytes[at++] = (byte) digit;
            }
        }
        System.arraycopy(nameBytes, 0, bytes, FIXED, nameBytes.length);
        System.arraycopy(target, 0, bytes, afterName, target.length);
        return bytes;
    }

    /** Writes a whole header. */
    void write(byte[] header) throws IOException {
        write(header, header.length);
    }

    /** Writes a part of a file's bytes. */
    void write(byte[] buffer, int length) throws IOException {
        out.write(buffer, 0, length);
        position += length;
    }

    /** Ends a file's bytes. */
    void pad() throws IOException {
        int padding = (int) (padded(position) - position);
        out.write(new byte[padding]);
        position += padding;
    }

    /** A size as it is in the archive. */
    static long padded(long size) {
        return size + (-size & (ALIGNMENT - 1));
    }

    /** Type bits of st_mode, as in inode(7). */
    private static int type(Entry.Type type) {
        return switch (type) {
            case FIFO -> 0010000;
            case CHARACTER_DEVICE -> 0020000;
            case DIRECTORY -> 0040000;
            case BLOCK_DEVICE -> 0060000;
            case FILE -> 0100000;
            case SYMLINK -> 0120000;
        };
    }
}
