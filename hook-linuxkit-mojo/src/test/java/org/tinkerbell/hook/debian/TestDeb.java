package org.tinkerbell.hook.debian;

import com.github.luben.zstd.ZstdOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** A binary package of a test. */
public final class TestDeb {
    private final Map<String, String> control = new LinkedHashMap<>();
    private final List<TarArchiveEntry> members = new ArrayList<>();
    private final List<byte[]> contents = new ArrayList<>();
    private String compression = ".xz";

    public TestDeb(String name, String version) {
        this(name, version, "amd64");
    }

    public TestDeb(String name, String version, String architecture) {
        control.put("Package", name);
        control.put("Version", version);
        control.put("Architecture", architecture);
        directory("./");
        directory("./usr/");
        directory("./usr/share/");
        file("./usr/share/" + name, name + " " + version + "\n");
    }

    public TestDeb field(String name, String value) {
        control.put(name, value);
        return this;
    }

    TestDeb depends(String value) {
        return field("Depends", value);
    }

    /** {@code ""}, {@code .gz}, {@code .xz} or {@code .zst}. */
    public TestDeb compression(String suffix) {
        compression = suffix;
        return this;
    }

    public TestDeb directory(String path) {
        TarArchiveEntry entry = new TarArchiveEntry(path, TarConstants.LF_DIR, true);
        entry.setMode(0755);
        return member(entry, new byte[0]);
    }

    public TestDeb file(String path, String text) {
        TarArchiveEntry entry = new TarArchiveEntry(path, TarConstants.LF_NORMAL, true);
        return member(entry, text.getBytes(StandardCharsets.UTF_8));
    }

    public TestDeb link(String path, String target, byte kind) {
        TarArchiveEntry entry = new TarArchiveEntry(path, kind, true);
        entry.setLinkName(target);
        return member(entry, new byte[0]);
    }

    public TestDeb member(TarArchiveEntry entry, byte[] content) {
        entry.setSize(content.length);
        members.add(entry);
        contents.add(content);
        return this;
    }

    String name() {
        return control.get("Package");
    }

    String version() {
        return control.get("Version");
    }

    String architecture() {
        return control.get("Architecture");
    }

    String fileName() {
        return "pool/main/" + name().charAt(0) + "/" + name() + "/" + name() + "_" + version().replaceFirst("^\\d+:", "") + "_"
                + architecture() + ".deb";
    }

    String controlText() {
        StringBuilder text = new StringBuilder();
        control.forEach((name, value) -> text.append(name).append(": ").append(value).append('\n'));
        return text.toString();
    }

    public byte[] bytes() {
        return ar(Map.of(), compression);
    }

    /** The package with some of its ar members replaced, by name, or added. */
    byte[] ar(Map<String, byte[]> other, String suffix) {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("debian-binary", "2.0\n".getBytes(StandardCharsets.US_ASCII));
        files.put("control.tar" + suffix, compressed(controlTar(), suffix));
        files.put("data.tar" + suffix, compressed(dataTar(), suffix));
        files.putAll(other);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ArArchiveOutputStream out = new ArArchiveOutputStream(bytes)) {
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                out.putArchiveEntry(new ArArchiveEntry(file.getKey(), file.getValue().length, 0, 0, 0100644, 0));
                out.write(file.getValue());
                out.closeArchiveEntry();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private byte[] controlTar() {
        return tar(List.of(new TarArchiveEntry("./control", TarConstants.LF_NORMAL, true), new TarArchiveEntry("./conffiles")),
                List.of(controlText().getBytes(StandardCharsets.UTF_8), "/etc/x\n".getBytes(StandardCharsets.UTF_8)));
    }

    private byte[] dataTar() {
        return tar(members, contents);
    }

    private static byte[] tar(List<TarArchiveEntry> entries, List<byte[]> contents) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream out = new TarArchiveOutputStream(bytes)) {
            out.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
            for (int i = 0; i < entries.size(); i++) {
                entries.get(i).setModTime(1_000_000L);
                entries.get(i).setSize(contents.get(i).length);
                out.putArchiveEntry(entries.get(i));
                out.write(contents.get(i));
                out.closeArchiveEntry();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    static byte[] compressed(byte[] bytes, String suffix) {
        ByteArrayOutputStream result = new ByteArrayOutputStream();
        try (OutputStream out = switch (suffix) {
            case ".gz" -> new GZIPOutputStream(result);
            case ".xz" -> new XZOutputStream(result, new LZMA2Options(0));
            case ".zst" -> new ZstdOutputStream(result);
            default -> result;
        }) {
            out.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return result.toByteArray();
    }
}
