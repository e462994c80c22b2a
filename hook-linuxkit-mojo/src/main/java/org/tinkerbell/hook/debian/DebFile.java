package org.tinkerbell.hook.debian;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveInputStream;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tukaani.xz.XZInputStream;

/**
 * A binary package file: an ar archive of {@code debian-binary}, a control tar and a data tar. Source:
 * <a href="https://manpages.debian.org/deb.5">deb(5)</a>.
 *
 * <p>It only ever reads; the maintainer's scripts among the control files are not run by anybody.
 *
 * @param file the package, which may be a member of another archive
 * @param label what to call it in messages: the package with its version
 */
public record DebFile(Content file, String label) {
    private static final int BUFFER = 1 << 16;
    private static final int XZ_MEMORY = 256 << 10;

    /** The uncompressed control tar; the caller closes it. */
    public InputStream control() throws IOException {
        return member("control.tar");
    }

    /** The uncompressed data tar, which holds the package's files; the caller closes it. */
    public InputStream data() throws IOException {
        return member("data.tar");
    }

    private InputStream member(String wanted) throws IOException {
        ArArchiveInputStream archive =
                new ArArchiveInputStream(new BufferedInputStream(file.open(), BUFFER));
        try {
            ArArchiveEntry first = archive.getNextEntry();
            if (first == null || !first.getName().equals("debian-binary")) {
                throw new HookException(label + " is not a Debian package: it does not begin with debian-binary");
            }
            String format = new String(archive.readNBytes(16), StandardCharsets.US_ASCII).split("\n", 2)[0];
            if (!format.startsWith("2.")) {
                throw new HookException(label + " is a Debian package of the unknown format " + format);
            }
            for (ArArchiveEntry entry = archive.getNextEntry(); entry != null; entry = archive.getNextEntry()) {
                if (entry.getName().equals(wanted) || entry.getName().startsWith(wanted + ".")) {
                    return new Member(decompressed(archive, entry.getName().substring(wanted.length())));
                }
                // Names that begin with an underscore are for programs that know them (deb(5)).
                if (!List.of("control.tar", "data.tar").contains(entry.getName().replaceFirst("\\.(gz|xz|zst)$", ""))
                        && !entry.getName().startsWith("_")) {
                    throw new HookException(label + " is not a well-formed Debian package: it has a member " + entry.getName());
                }
            }
            throw new HookException(label + " is not a complete Debian package: it has no " + wanted);
        } catch (IOException e) {
            archive.close();
            throw new HookException(label + " cannot be read as a Debian package: " + e.getMessage(), e);
        } catch (HookException e) {
            archive.close();
            throw e;
        }
    }

    private InputStream decompressed(InputStream in, String suffix) throws IOException {
        return switch (suffix) {
            case "" -> in;
            case ".gz" -> new GZIPInputStream(in, BUFFER);
            case ".xz" -> new XZInputStream(in, XZ_MEMORY);
            case ".zst" -> new ZstdInputStream(in);
            default -> throw new HookException(label + " is compressed in a way that is not known: " + suffix);
        };
    }

    /** A member's bytes; that they cannot be read is said with the package's name. */
    private final class Member extends FilterInputStream {
        Member(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            try {
                return in.read(buffer, from, length);
            } catch (IOException e) {
                String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
                throw new HookException(label + " is damaged: " + why, e);
            }
        }
    }
}
