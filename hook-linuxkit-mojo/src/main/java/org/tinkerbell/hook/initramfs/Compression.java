package org.tinkerbell.hook.initramfs;

import com.github.luben.zstd.ZstdOutputStream;
import com.github.luben.zstd.util.ZstdVersion;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream;
import org.apache.commons.compress.compressors.gzip.GzipParameters;
import org.tinkerbell.hook.io.HookException;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZ;
import org.tukaani.xz.XZOutputStream;

/**
 * How an initramfs is compressed. Each of the formats allows streams to be put one after another, and the kernel
 * (init/initramfs.c, {@code unpack_to_rootfs}) unpacks them in turn.
 *
 * @param codec the format
 * @param level as the command of that name counts it
 */
public record Compression(Codec codec, int level) {
    /**
     * Zstandard at level 9. Measured on segments of a Hook, processor time and size against this level: 6 takes 0.6 of the time and
     * 1.5 % more space; 12 saves 1 % for 2.2 times the time, 15 saves 2 % for 7.5 times, 17 saves 6 % for 13 times, 19 saves 10 % for 15 times.
     * So 9 is for every day, and {@code zstd-19} for releases, where minutes do not matter.
     */
    public static final Compression DEFAULT = new Compression(Codec.ZSTD, Codec.ZSTD.usual);

    private static final Pattern NAME = Pattern.compile("([a-z]+)(?:-(\\d{1,2}))?");
    private static final String ALLOWED =
            "zstd, zstd-1 to zstd-19 (kernels from 5.9 on), xz, xz-0 to xz-9, gzip, gzip-1 to gzip-9 (every kernel), none";

    /** A format that the kernel unpacks, with the least, the usual and the highest level of its command. */
    public enum Codec {
        /** Zstandard, RFC 8878. Levels over 19 need 128 MB to unpack, so they are left out. */
        ZSTD(1, 9, 19),
        /** RFC 1952. */
        GZIP(1, 9, 9),
        /** The .xz file format, with CRC32 since the kernel knows no other check (Documentation/staging/xz.rst). */
        XZ(0, 6, 9),
        /** As it is. */
        NONE(0, 0, 0);

        private final int least;
        private final int usual;
        private final int highest;

        Codec(int least, int usual, int highest) {
            this.least = least;
            this.usual = usual;
            this.highest = highest;
        }
    }

    private static final int GZIP_OS_UNKNOWN = 255;

    /**
     * Logarithm of the long window: 64 MB, which the kernel needs while it unpacks and gives back. 128 MB, the most that it takes
     * (lib/decompress_unzstd.c), would save another 1.5 % of the large files.
     */
    private static final int LONG_WINDOW = 26;

    /**
     * What a person wrote.
     *
     * @param text a format, or format and level: {@code zstd}, {@code zstd-19}, {@code gzip-9}, {@code xz-6}, {@code none}
     * @throws HookException if there is no such format or level
     */
    public static Compression parse(String text) {
        Matcher matcher = NAME.matcher(text.strip().toLowerCase(Locale.ROOT));
        if (matcher.matches()) {
            for (Codec codec : Codec.values()) {
                if (codec.name().toLowerCase(Locale.ROOT).equals(matcher.group(1))) {
                    int level = matcher.group(2) == null ? codec.usual : Integer.parseInt(matcher.group(2));
                    if (level >= codec.least && level <= codec.highest) {
                        return new Compression(codec, level);
                    }
                }
            }
        }
        throw new HookException("hook.compression: '" + text + "' is not allowed; allowed: " + ALLOWED);
    }

    /**
     * Compresses what is written to it; closing it ends the compressed stream and closes what is below it. The same bytes
     * give the same result on every host.
     *
     * @param large whether it is a few hundred megabytes in which likenesses are far apart
     */
    public OutputStream over(OutputStream out, boolean large) throws IOException {
        return switch (codec) {
            case ZSTD -> {
                // One thread and no pledged size: the frame then declares the level's window, not the size of the content,
                // and it is the window that the kernel allocates.
                ZstdOutputStream zstd = new ZstdOutputStream(out, level);
                zstd.setChecksum(true);
                if (large) {
                    zstd.setLong(LONG_WINDOW);
                    // With workers the result is another than without, but the same for any number of them (zstd.h, ZSTD_c_nbWorkers).
                    zstd.setWorkers(Runtime.getRuntime().availableProcessors());
                }
                yield zstd;
            }
            case GZIP -> {
                GzipParameters parameters = new GzipParameters();
                parameters.setCompressionLevel(level);
                parameters.setOperatingSystem(GZIP_OS_UNKNOWN);
                yield new GzipCompressorOutputStream(out, parameters);
            }
            case XZ -> new XZOutputStream(out, new LZMA2Options(level), XZ.CHECK_CRC32);
            case NONE -> out;
        };
    }

    /** Tells apart what would come out differently: format, level and, where it may matter, the library's version. */
    String identity() {
        return this + (codec == Codec.ZSTD ? "/" + ZstdVersion.VERSION : "");
    }

    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
        String name = codec.name().toLowerCase(Locale.ROOT);
        return codec == Codec.NONE ? name : name + "-" + level;
    }
}
