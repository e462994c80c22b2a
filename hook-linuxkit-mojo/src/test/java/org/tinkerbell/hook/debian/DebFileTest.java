package org.tinkerbell.hook.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarFile;

class DebFileTest {
    @TempDir
    Path temporary;

    private List<Entry> unpack(byte[] bytes) throws IOException {
        Path file = Files.write(temporary.resolve("a.deb"), bytes);
        DebFile deb = new DebFile(Content.of(file), "package evil 1");
        try (InputStream control = deb.control()) {
            TarFile.index(control, temporary.resolve("control.tar"), deb.label());
        }
        try (InputStream data = deb.data()) {
            return TarFile.index(data, temporary.resolve("data.tar"), deb.label()).entries();
        }
    }

    private String refused(byte[] bytes) {
        String message = assertThrows(HookException.class, () -> unpack(bytes)).getMessage();
        assertTrue(message.contains("package evil 1"), message);
        return message;
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".gz", ".xz", ".zst"})
    void keepsOwnersModesLinksDevicesAndCapabilities(String compression) throws IOException {
        TarArchiveEntry program = new TarArchiveEntry("./usr/bin/ping", TarConstants.LF_NORMAL, true);
        program.setMode(04755);
        program.setIds(7, 8);
        program.addPaxHeader("SCHILY.xattr.security.capability", "\u0001\u0000\u0000\u0002 x");
        TarArchiveEntry device = new TarArchiveEntry("./dev/console", TarConstants.LF_CHR, true);
        device.setDevMajor(5);
        device.setDevMinor(1);
        TestDeb deb = new TestDeb("evil", "1").member(program, "ping".getBytes(StandardCharsets.UTF_8)).directory("./dev/")
                .member(device, new byte[0])
                .link("./usr/bin/ping4", "ping", TarConstants.LF_SYMLINK)
                .link("./usr/bin/hard", "./usr/bin/ping", TarConstants.LF_LINK);
        Map<String, Entry> entries = unpack(deb.ar(Map.of(), compression)).stream()
                .collect(Collectors.toMap(Entry::path, Function.identity(), (a, b) -> a, TreeMap::new));
        Entry ping = entries.get("usr/bin/ping");
        assertEquals("4755 7 8", Integer.toOctalString(ping.mode()) + " " + ping.uid() + " " + ping.gid());
        assertEquals("\u0001\u0000\u0000\u0002 x", ping.xattrs().get("security.capability"));
        assertEquals("5:1", entries.get("dev/console").major() + ":" + entries.get("dev/console").minor());
        assertEquals(Entry.Type.CHARACTER_DEVICE, entries.get("dev/console").type());
        assertEquals("ping", entries.get("usr/bin/ping4").link());
        assertEquals(ping.content(), entries.get("usr/bin/hard").content());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/etc/passwd", "../etc/passwd", "./usr/../../etc/passwd", "./usr/.."})
    void refusesMembersOutsideOfTheRoot(String path) {
        assertTrue(refused(new TestDeb("evil", "1").file(path, "x").bytes()).contains("refused"));
    }

    @Test
    void refusesMembersThroughLinksOfThePackage() {
        refused(new TestDeb("evil", "1").link("./usr/share/out", "/etc", TarConstants.LF_SYMLINK).file("./usr/share/out/passwd", "x")
                .bytes());
        refused(new TestDeb("evil", "1").link("./usr/share/in", "..", TarConstants.LF_SYMLINK).directory("./usr/share/in/x/").bytes());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/etc/passwd", "../etc/passwd", "./no/such"})
    void refusesHardLinksToWhatIsNotInIt(String target) {
        assertTrue(refused(new TestDeb("evil", "1").link("./x", target, TarConstants.LF_LINK).bytes()).contains("hard link"));
    }

    @ParameterizedTest
    @ValueSource(strings = {".gz", ".xz", ".zst", ""})
    void refusesWhatIsCut(String compression) {
        byte[] whole = new TestDeb("evil", "1").file("./big", "x".repeat(5000)).ar(Map.of(), compression);
        for (int length : new int[] {0, 7, 30, 70, 100, 200, whole.length / 2, whole.length - 100}) {
            refused(Arrays.copyOf(whole, length));
        }
    }

    @Test
    void refusesWhatIsDamaged() {
        byte[] deb = new TestDeb("evil", "1").file("./big", "x".repeat(5000)).bytes();
        deb[deb.length - 60] ^= 0x55;
        refused(deb);
    }

    @Test
    void refusesWhatIsNoPackage() {
        TestDeb deb = new TestDeb("evil", "1");
        assertTrue(refused("<html></html>".getBytes(StandardCharsets.UTF_8)).contains("package"));
        assertTrue(refused(deb.ar(Map.of("debian-binary", "3.0\n".getBytes(StandardCharsets.UTF_8)), ".xz"))
                .contains("unknown format 3.0"));
        assertTrue(refused(deb.ar(Map.of(), ".lzma")).contains("not known: .lzma"));
    }
}
