package org.tinkerbell.hook.container;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.zip.CRC32;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.oci.Layering;
import org.tinkerbell.hook.tree.Content;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What is left of a layer's tar when the contents of its files are taken out, so that a container engine can put it together again
 * byte by byte when it saves or pushes the image: the form of github.com/vbatts/tar-split 0.11, {@code tar/storage}.
 *
 * <p>One JSON object a line: {@code type} 2 with {@code payload}, bytes of the tar as they are; {@code type} 1 with {@code name}, {@code size}
 * and the CRC-64 (ISO 3309) of a file whose content stands there. All of it in gzip (RFC 1952), of which the
 * blocks are stored and not compressed: zlib's results differ from host to host, and the initramfs compresses it anyway.
 */
final class TarSplit {
    private static final JsonMapper JSON = new JsonMapper();
    private static final int BLOCK = 512;
    private static final int FILE = 1;
    private static final int SEGMENT = 2;
    /** Reversed polynomial of ISO 3309 for 64 bits, as in Go's hash/crc64. */
    private static final long ISO = 0xD800000000000000L;
    private static final long[] TABLE = table();
    /** RFC 1951, section 3.2.4. */
    private static final int STORED_MOST = 65535;
    private static final long LONGEST_EXTENSION = 1 << 20;

    private final Path tar;
    private final ByteArrayOutputStream lines = new ByteArrayOutputStream();
    private final ByteArrayOutputStream segment = new ByteArrayOutputStream();
    private int position;

    private TarSplit(Path tar) {
        this.tar = tar;
    }

    /**
     * Takes a tar apart.
     *
     * @param tar uncompressed, and sound: it was read before
     */
    static Content of(Path tar) throws IOException {
        TarSplit split = new TarSplit(tar);
        try (InputStream in = new BufferedInputStream(Files.newInputStream(tar), 1 << 16)) {
            split.read(in);
        }
        return Content.of(stored(split.lines.toByteArray()));
    }

    private void read(InputStream in) throws IOException {
        // Of the headers before a member's own: a long name (GNU's L), or the records of pax (x), of which path and size count.
        String name = "";
        long size = -1;
        while (true) {
            byte[] header = in.readNBytes(BLOCK);
            segment.writeBytes(header);
            if (header.length < BLOCK || isZero(header)) {
                segment.writeBytes(in.readAllBytes());
                break;
            }
            char type = (char) (header[156] & 0xff);
            long length = size >= 0 && type != 'x' && type != 'L' && type != 'K' && type != 'g' ? size : number(header, 124, 12);
            if (type == 'L' || type == 'x' || type == 'K' || type == 'g') {
                if (length > LONGEST_EXTENSION) {
                    throw new HookException(tar + ": an extended header of " + length + " bytes");
                }
                byte[] extension = in.readNBytes((int) padded(length));
                segment.writeBytes(extension);
                if (type == 'L') {
                    name = text(extension, 0, (int) length);
                } else if (type == 'x') {
                    name = record(extension, (int) length, "path", name);
                    size = Long.parseLong(record(extension, (int) length, "size", Long.toString(size)));
                }
                continue;
            }
            String path = name.isEmpty() ? name(header) : name;
            // No file remains of a whiteout, so that what it should not have in it has to stay here.
            boolean whiteout = path.substring(path.lastIndexOf('/') + 1).startsWith(Layering.WHITEOUT);
            if ((type == '0' || type == 0 || type == '7') && !whiteout) {
                if (length > 0) {
                    file(in, path, length);
                    segment.writeBytes(in.readNBytes((int) (padded(length) - length)));
                }
            } else if (type < '1' || type > '6') {
                // Links, devices and directories have nothing after their header, whatever size it tells.
                segment.writeBytes(in.readNBytes((int) padded(length)));
            }
            name = "";
            size = -1;
        }
        flush();
    }

    private void file(InputStream in, String name, long size) throws IOException {
        flush();
        long crc = -1;
        byte[] buffer = new byte[1 << 16];
        for (long left = size; left > 0; ) {
            int n = in.readNBytes(buffer, 0, (int) Math.min(left, buffer.length));
            if (n == 0) {
                throw new HookException(tar + " is cut off within " + name);
            }
            for (int i = 0; i < n; i++) {
                crc = TABLE[(int) (crc ^ buffer[i]) & 0xff] ^ crc >>> 8;
            }
            left -= n;
        }
        ObjectNode line = JSON.createObjectNode().put("type", FILE).put("name", name).put("size", size);
        line(line, ByteBuffer.allocate(Long.BYTES).putLong(~crc).array());
    }

    private void flush() {
        if (segment.size() > 0) {
            line(JSON.createObjectNode().put("type", SEGMENT), segment.toByteArray());
            segment.reset();
        }
    }

    private void line(ObjectNode line, byte[] payload) {
        line.put("payload", Base64.getEncoder().encodeToString(payload)).put("position", position++);
        lines.writeBytes(JSON.writeValueAsBytes(line));
        lines.write('\n');
    }

    private static String name(byte[] header) {
        String name = text(header, 0, 100);
        // POSIX: what does not fit stands in the prefix; GNU's header has other things there.
        boolean posix = new String(header, 257, 6, StandardCharsets.US_ASCII).equals("ustar\0");
        String prefix = posix ? text(header, 345, 155) : "";
        return prefix.isEmpty() ? name : prefix + "/" + name;
    }

    private static String text(byte[] bytes, int from, int length) {
        int end = from;
        while (end < from + length && bytes[end] != 0) {
            end++;
        }
        return new String(bytes, from, end - from, StandardCharsets.UTF_8);
    }

    /** A value of pax's records, {@code <length> <key>=<value>\n}. */
    private static String record(byte[] bytes, int end, String key, String otherwise) {
        String value = otherwise;
        int at = 0;
        while (at < end && bytes[at] != 0) {
            int space = at;
            while (bytes[space] != ' ') {
                space++;
            }
            int length = Integer.parseInt(new String(bytes, at, space - at, StandardCharsets.US_ASCII));
            String record = new String(bytes, space + 1, at + length - space - 2, StandardCharsets.UTF_8);
            if (record.startsWith(key + "=")) {
                value = record.substring(key.length() + 1);
            }
            at += length;
        }
        return value;
    }

    /** A number in octal digits or, where the first bit says so, in base 256 (GNU). */
    private static long number(byte[] header, int from, int length) {
        if ((header[from] & 0x80) != 0) {
            long value = header[from] & 0x7f;
            for (int i = from + 1; i < from + length; i++) {
                value = value << 8 | header[i] & 0xff;
            }
            return value;
        }
        String octal = text(header, from, length).trim();
        return octal.isEmpty() ? 0 : Long.parseLong(octal, 8);
    }

    private static long padded(long length) {
        return (length + BLOCK - 1) / BLOCK * BLOCK;
    }

    private static boolean isZero(byte[] block) {
        for (byte b : block) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    private static long[] table() {
        long[] table = new long[256];
        for (int i = 0; i < table.length; i++) {
            long crc = i;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 1) == 1 ? crc >>> 1 ^ ISO : crc >>> 1;
            }
            table[i] = crc;
        }
        return table;
    }

    private static byte[] stored(byte[] bytes) {
        int blocks = Math.max(1, (bytes.length + STORED_MOST - 1) / STORED_MOST);
        ByteBuffer out = ByteBuffer.allocate(10 + 5 * blocks + bytes.length + 8).order(ByteOrder.LITTLE_ENDIAN);
        // Magic, deflate, no flags, no time, no extra flags, an unknown system.
        out.put(new byte[] {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, (byte) 255});
        int at = 0;
        for (int i = 0; i < blocks; i++) {
            int length = Math.min(STORED_MOST, bytes.length - at);
            out.put((byte) (i == blocks - 1 ? 1 : 0)).putShort((short) length).putShort((short) ~length).put(bytes, at, length);
            at += length;
        }
        CRC32 crc = new CRC32();
        crc.update(bytes);
        out.putInt((int) crc.getValue()).putInt(bytes.length);
        return out.array();
    }
}
