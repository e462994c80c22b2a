package org.tinkerbell.hook.linuxkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;

class LinuxKitImagesTest {
    private static final List<String> NAMES = List.of("ca-certificates", "dhcpcd", "firmware", "getty", "init", "modprobe", "openntpd", "rngd", "sshd",
            "sysctl", "sysfs");

    @TempDir
    Path work;

    private final List<String> warnings = new ArrayList<>();
    private final Progress progress = new Progress() {
        @Override
        public Task start(String what, long total, Unit unit) {
            return amount -> {};
        }

        @Override
        public void info(String message) {}

        @Override
        public void warn(String message) {
            warnings.add(message);
        }
    };

    private LinuxKitImages images(String text) throws IOException {
        return LinuxKitImages.read(Files.writeString(work.resolve("images.yaml"), text));
    }

    /** All of them with one tag, one of them otherwise. */
    private static String text(String other, String value) {
        StringBuilder text = new StringBuilder("# kept\nimages:\n");
        NAMES.forEach(name -> text.append("  ").append(name).append(": ").append(name.equals(other) ? value : "linuxkit/" + name + ":t1").append("\n"));
        return text.toString();
    }

    @Test
    void theFileInTheTreeIsGood() throws IOException {
        Map<String, String> names = LinuxKitImages.read(Path.of("..", "hook-flavors", "src", "main", "resources", "linuxkit-images.yaml"))
                .names(LockMode.LENIENT, progress);
        assertEquals(NAMES, names.keySet().stream().sorted().toList());
        names.forEach((name, image) -> assertTrue(image.startsWith("docker.io/linuxkit/" + name + ":"), image));
    }

    @Test
    void writesTheDigestsBesideTheTags() throws IOException {
        Digest old = Digest.of("old");
        String before = text("sshd", "'linuxkit/sshd:t2@" + old + "' # why");
        LinuxKitImages.Renewal renewal = images(before).renewed(reference -> Optional.of(Digest.of(reference.toString())));
        assertEquals(NAMES.size(), renewal.changes().size());
        assertEquals("sshd: " + old + " is now " + Digest.of("docker.io/linuxkit/sshd:t2"), renewal.changes().get(8));
        assertTrue(renewal.text().startsWith("# kept\nimages:\n  ca-certificates: linuxkit/ca-certificates:t1@"
                + Digest.of("docker.io/linuxkit/ca-certificates:t1") + "\n"), renewal.text());
        assertTrue(renewal.text().contains("  sshd: 'linuxkit/sshd:t2@" + Digest.of("docker.io/linuxkit/sshd:t2") + "' # why\n"), renewal.text());

        LinuxKitImages pinned = images(renewal.text());
        assertEquals(List.of(), pinned.renewed(reference -> Optional.of(Digest.of(reference.toString()))).changes());
        assertEquals("docker.io/linuxkit/init:t1@" + Digest.of("docker.io/linuxkit/init:t1"), pinned.names(LockMode.STRICT, progress).get("init"));
        assertEquals(List.of(), warnings);
    }

    @Test
    void saysWhatHasNoDigest() throws IOException {
        StringBuilder text = new StringBuilder("images:\n");
        NAMES.forEach(name -> text.append("  ").append(name).append(": linuxkit/").append(name).append(":t")
                .append(name.startsWith("sys") ? "" : "@" + Digest.of(name)).append('\n'));
        LinuxKitImages images = images(text.toString());
        images.names(LockMode.LENIENT, progress);
        String file = work.resolve("images.yaml").toString();
        assertEquals(List.of(file + ": no digest says what these images have to be: sysctl, sysfs. mvn hook:images-lock asks their registry and writes the "
                + "digests down."), warnings);
        String message = assertThrows(HookException.class, () -> images.names(LockMode.STRICT, progress)).getMessage();
        assertTrue(message.startsWith(file + ":11: images.sysctl: no digest"), message);
    }

    @Test
    void namesTheLineThatIsWrong() throws IOException {
        String file = work.resolve("images.yaml").toString();
        assertEquals(file + ":10: images.rngd: 'linuxkit/rngd@" + Digest.of("x") + "' has no tag, so nobody could say what would be newer",
                assertThrows(HookException.class, () -> images(text("rngd", "linuxkit/rngd@" + Digest.of("x")))).getMessage());
        String unknown = assertThrows(HookException.class, () -> images(text("", "") + "  format: linuxkit/format:t\n")).getMessage();
        assertTrue(unknown.startsWith(file + ":14: images.format: there is no such key here; allowed: ca-certificates, "), unknown);
        String missing = assertThrows(HookException.class, () -> images("images: {init: a:b}\n")).getMessage();
        assertTrue(missing.contains("the key 'dhcpcd' is missing"), missing);
        String gone = assertThrows(HookException.class, () -> images(text("", "")).renewed(reference -> Optional.empty())).getMessage();
        assertEquals(file + ":3: images.ca-certificates: docker.io does not know docker.io/linuxkit/ca-certificates:t1", gone);
    }

    @Test
    void onlyTheTwoSets() {
        assertEquals(ImageSet.LINUXKIT, ImageSet.of("linuxkit"));
        assertEquals("hook.images is 'alpine'; allowed: debian, linuxkit", assertThrows(HookException.class, () -> ImageSet.of("alpine")).getMessage());
        assertEquals("hook.engine is 'java'; allowed: embedded, command",
                assertThrows(HookException.class, () -> Engine.Kind.of("java")).getMessage());
    }
}
