package org.tinkerbell.hook.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;

class PackageLockTest {
    private static LockedPackage locked(String name, String version) {
        return new LockedPackage(name, version, "amd64", "debian", "trixie", "main", 1234, Digest.of(name + version),
                "pool/main/" + name + "_" + version + "_amd64.deb", Instant.parse("2026-09-12T07:55:41Z"));
    }

    private static PackageLock lock(String bashVersion) {
        Map<PackageLock.Group, List<LockedPackage>> groups = new LinkedHashMap<>();
        groups.put(PackageLock.Group.of("shell", List.of("bash"), List.of("debconf")),
                List.of(locked("libc6", "2.41-12"), locked("bash", bashVersion)));
        groups.put(PackageLock.Group.of("docker", List.of("docker.io", "iptables"), List.of()),
                List.of(locked("docker.io", "26.1"), locked("iptables", "1.8"), locked("libc6", "2.41-12")));
        return PackageLock.of("amd64", groups);
    }

    private static PackageLock parse(String text) throws IOException {
        return PackageLock.parse(text.getBytes(StandardCharsets.UTF_8), "packages-amd64.lock", "amd64");
    }

    private static String refused(String text) {
        String message = assertThrows(HookException.class, () -> parse(text)).getMessage();
        assertTrue(message.startsWith("packages-amd64.lock"), message);
        assertTrue(message.contains("mvn hook:lock"), message);
        return message;
    }

    @Test
    void whatIsWrittenIsReadAgain() throws IOException {
        String text = lock("5.2-1").toString();
        PackageLock read = parse(text);
        assertEquals(text, read.toString());
        assertEquals(List.of(locked("bash", "5.2-1"), locked("libc6", "2.41-12")), read.packages("shell"));
        assertEquals("[docker.io, iptables]", read.groups().get("docker").requested().toString());
        assertEquals("[debconf]", read.groups().get("shell").without().toString());
        assertEquals(List.of(), read.packages("nothing"));
    }

    @Test
    void itIsSortedAndReadable() {
        String text = lock("5.2-1").toString();
        assertTrue(text.endsWith("""
                Package: libc6
                Version: 2.41-12
                Architecture: amd64
                Archive: debian
                Suite: trixie
                Component: main
                Size: 1234
                SHA256: %s
                Filename: pool/main/libc6_2.41-12_amd64.deb
                Archive-Time: 2026-09-12T07:55:41Z
                For:
                 docker
                 shell
                """.formatted(Digest.of("libc62.41-12").hex())), text);
        assertTrue(text.indexOf("Group: docker") < text.indexOf("Group: shell"));
    }

    @Test
    void changesAreNamed() {
        assertEquals(List.of(), lock("5.2-1").changesSince(lock("5.2-1")));
        assertEquals("[bash 5.2-1 → 5.2-3  [shell]]", lock("5.2-3").changesSince(lock("5.2-1")).toString());
        List<PackageLock.Change> all = lock("5.2-3").changesSince(PackageLock.of("amd64", Map.of()));
        assertEquals("+ libc6 2.41-12  [docker, shell]", all.get(3).toString());
        assertEquals("- bash 5.2-3  [shell]", PackageLock.of("amd64", Map.of()).changesSince(lock("5.2-3")).get(0).toString());
    }

    @Test
    void oneVersionInOneGroupAndAnotherInAnother() throws IOException {
        Map<PackageLock.Group, List<LockedPackage>> groups = new LinkedHashMap<>();
        groups.put(PackageLock.Group.of("a", List.of("bash=9"), List.of()), List.of(locked("bash", "9")));
        groups.put(PackageLock.Group.of("b", List.of("bash"), List.of()), List.of(locked("bash", "10")));
        PackageLock read = parse(PackageLock.of("amd64", groups).toString());
        assertEquals("9", read.packages("a").get(0).version());
        assertEquals("10", read.packages("b").get(0).version());
    }

    @Test
    void cutAnywhereItIsRefused() throws IOException {
        String text = lock("5.2-1").toString();
        // Without its very last line feed it is still whole.
        for (int length = 0; length < text.length() - 1; length++) {
            String cut = text.substring(0, length);
            assertTrue(refused(cut).contains("packages-amd64.lock"), () -> "read although cut to\n" + cut);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'Format: hook-package-lock 1', 'Format: hook-package-lock 2', 2, reads only",
        "'Architecture: amd64\nPackages', 'Architecture: arm64\nPackages', 3, lock for amd64 is wanted",
        "'Packages: 4', 'Packages: 5', 4, the file has 4 of them",
        "'Packages: 3', 'Packages: 2', 10, the file has 3 for this group",
        "'Packages: 4', 'Packages: four', 4, not a number",
        "'Version: 26.1', 'Version: 26 1', 33, not a version",
        "'Size: 1234', 'Size: 12e4', 25, not a number",
        "'Archive: debian', 'Archive: ubuntu', 22, it is debian or debian-security",
        "'pool/main/bash', '../main/bash', 27, not a path",
        "'pool/main/bash', '/main/bash', 27, not a path",
        "'Archive-Time: 2026-09-12T', 'Archive-Time: 2026-09-12 ', 28, not a time",
        "'Suite: trixie', 'Sweet: trixie', 23, the field is not known",
        "'Package: bash', 'Package: zsh', 32, out of order",
        "'Package: bash', 'Package: Bash', 19, not a package",
        "'For:\n shell', 'For:\n shelf', 29, there is no group 'shelf'",
        "'Component: main\n', '', 19, is missing",
        "'Group: shell', 'Group: docker', 12, there twice"
    })
    void whatIsEditedIsFoundInItsLine(String before, String after, int line, String why) {
        String text = lock("5.2-1").toString();
        assertTrue(text.contains(before), text);
        String message = refused(text.replaceFirst(Pattern.quote(before), after));
        assertTrue(message.startsWith("packages-amd64.lock:" + line + ": ") && message.contains(why), message);
    }

    @Test
    void aDigestIsADigest() {
        String hex = Digest.of("bash5.2-1").hex();
        assertTrue(refused(lock("5.2-1").toString().replace(hex, hex.substring(1))).startsWith("packages-amd64.lock:26: SHA256: "));
    }

    @Test
    void aGroupHasWhatItAsksFor() {
        assertTrue(refused(lock("5.2-1").toString().replace("\n iptables\n", "\n iptables\n nftables\n")).contains("asks for nftables"));
    }
}
