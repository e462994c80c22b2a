package org.tinkerbell.hook.kernel;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import org.tinkerbell.hook.tree.Entry;
import org.tukaani.xz.XZInputStream;

/**
 * What a kernel module says about itself in its section {@code .modinfo}: texts {@code key=value}, each ended by NUL, written
 * by {@code modpost} (Linux, scripts/mod/modpost.c and include/linux/moduleinfo.h).
 *
 * @param name of the module, with {@code _} for {@code -} as the kernel has it
 * @param depends names of the modules whose symbols it uses, in the same form
 */
record ModuleInfo(String name, List<String> depends) {
    private static final Pattern FILE = Pattern.compile("(?:.*/)?([^/]+)\\.ko(?:\\.(xz|zst|gz))?");
    private static final int SECTION_HEADER = 64;
    private static final int LIMIT = 256 << 20;

    ModuleInfo {
        depends = List.copyOf(depends);
    }

    /** Whether a path is a module's. */
    static boolean isModule(String path) {
        return FILE.matcher(path).matches();
    }

    /** The name that the kernel has for the module in a file. */
    static String name(String path) {
        Matcher matcher = FILE.matcher(path);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not a module: " + path);
        }
        return kernelName(matcher.group(1));
    }

    /** Reads a module, compressed or not. */
    static ModuleInfo read(Entry entry) throws IOException {
        try (InputStream in = uncompressed(entry)) {
            byte[] elf = in.readNBytes(LIMIT);
            List<String> depends = new ArrayList<>();
            for (String text : modinfo(elf)) {
                if (text.startsWith("depends=")) {
                    Arrays.stream(text.substring(8).split(","))
                            .filter(name -> !name.isEmpty())
                            .map(ModuleInfo::kernelName).forEach(depends::add);
                }
            }
            return new ModuleInfo(name(entry.path()), depends);
        } catch (IOException | IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new IOException("The kernel module " + entry.path() + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static InputStream uncompressed(Entry entry) throws IOException {
        Matcher matcher = FILE.matcher(entry.path());
        String compression = matcher.matches() && matcher.group(2) != null ? matcher.group(2) : "";
        InputStream in = new BufferedInputStream(entry.content().open(), 1 << 16);
        try {
            return switch (compression) {
                case "xz" -> new XZInputStream(in);
                case "zst" -> new ZstdInputStream(in);
                case "gz" -> new GZIPInputStream(in);
                default -> in;
            };
        } catch (IOException e) {
            in.close();
            throw e;
        }
    }

    // elf(5): both architectures are 64-bit and little-endian.
    private static List<String> modinfo(byte[] elf) throws IOException {
        ByteBuffer file = ByteBuffer.wrap(elf).order(ByteOrder.LITTLE_ENDIAN);
        if (file.limit() < 64 || file.getInt(0) != 0x464c457f || file.get(4) != 2 || file.get(5) != 1) {
            throw new IOException("it is no 64-bit little-endian ELF file");
        }
        int sections = Math.toIntExact(file.getLong(40));
        int size = file.getShort(58);
        int count = Short.toUnsignedInt(file.getShort(60));
        if (size != SECTION_HEADER) {
            throw new IOException("its section headers have " + size + " bytes");
        }
        int names = Math.toIntExact(file.getLong(sections + Short.toUnsignedInt(file.getShort(62)) * size + 24));
        for (int i = 0; i < count; i++) {
            int header = sections + i * size;
            if (text(elf, names + file.getInt(header)).equals(".modinfo")) {
                int from = Math.toIntExact(file.getLong(header + 24));
                int length = Math.toIntExact(file.getLong(header + 32));
                return Arrays.asList(new String(elf, from, length, StandardCharsets.UTF_8).split("\0+"));
            }
        }
        return Collections.emptyList();
    }

    private static String text(byte[] bytes, int from) {
        int end = from;
        while (bytes[end] != 0) {
            end++;
        }
        return new String(bytes, from, end - from, StandardCharsets.US_ASCII);
    }

    private static String kernelName(String name) {
        return name.replace('-', '_');
    }
}
