package org.tinkerbell.hook.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import org.bouncycastle.bcpg.HashAlgorithmTags;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.openpgp.Keyring;
import org.tinkerbell.hook.openpgp.TestKey;

class InReleaseTest {
    private static final Instant NOW = TestArchive.NOW;
    private static final String TEXT = "Suite: stable\nCodename: test\nDate: Sat, 21 Nov 2026 02:10:46 UTC\n"
            + "Valid-Until: Sat, 28 Nov 2026 02:10:46 UTC\n"
            + "Architectures: all amd64\nAcquire-By-Hash: yes\nDescription: with a blank at the end \n- a dash that is escaped\nSHA256:\n "
            + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef 12 main/binary-amd64/Packages.xz\n";

    private final TestKey key = new TestKey(NOW.minus(Duration.ofDays(10)), 0);

    private InRelease verify(byte[] bytes, Keyring keyring, Instant now, String suite) {
        return InRelease.verify(bytes, "http://mirror/InRelease", keyring, Clock.fixed(now, ZoneOffset.UTC), suite);
    }

    private String refused(byte[] bytes, Keyring keyring, Instant now, String suite) {
        String message = assertThrows(HookException.class, () -> verify(bytes, keyring, now, suite)).getMessage();
        assertTrue(message.contains("http://mirror/InRelease"), message);
        return message;
    }

    private static String text() {
        return TEXT.replace("- a dash that is escaped\n", "");
    }

    @Test
    void readsWhatIsSigned() {
        InRelease release = verify(TestKey.clearSign(text(), key), key.keyring(), NOW, "test");
        assertEquals("stable", release.suite());
        assertEquals(Instant.parse("2026-11-21T02:10:46Z"), release.date());
        assertTrue(release.byHash() && release.packagesOfAll());
        assertEquals(12, release.files().get("main/binary-amd64/Packages.xz").size());
        verify(TestKey.clearSign(text(), key), key.keyring(), NOW, "stable");
        verify(TestKey.clearSign(text(), HashAlgorithmTags.SHA512, false, key), key.keyring(), NOW, "test");
        String crLf = new String(TestKey.clearSign(text(), key), StandardCharsets.UTF_8).replace("\n", "\r\n");
        verify(crLf.getBytes(StandardCharsets.UTF_8), key.keyring(), NOW, "test");
    }

    @Test
    void dashesAreUnescapedBeforeTheSignatureIsChecked() {
        String message = refused(TestKey.clearSign(TEXT, key), key.keyring(), NOW, "test");
        assertTrue(message.contains(":8: not a 'Field: value' line: - a dash"), message);
    }

    @Test
    void oneGoodSignatureOfSeveralIsEnough() {
        TestKey other = new TestKey(NOW.minus(Duration.ofDays(10)), 0);
        verify(TestKey.clearSign(text(), other, key), key.keyring(), NOW, "test");
        verify(TestKey.clearSign(text(), key, other), key.keyring(), NOW, "test");
    }

    @Test
    void anUnknownKeyIsNamed() {
        TestKey other = new TestKey(NOW.minus(Duration.ofDays(10)), 0);
        String message = refused(TestKey.clearSign(text(), other), key.keyring(), NOW, "test");
        assertTrue(message.matches("(?s).*the key [0-9A-F]{16} is not among the pinned ones.*"), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"main/binary-amd64", "Codename: test", "12 main", "Valid-Until: Sat, 28"})
    void anyChangeIsFound(String piece) {
        String signed = new String(TestKey.clearSign(text(), key), StandardCharsets.UTF_8);
        String changed = signed.replaceFirst(piece, piece.substring(0, piece.length() - 1) + "9");
        assertTrue(refused(changed.getBytes(StandardCharsets.UTF_8), key.keyring(), NOW, "test").contains("is not what the key"));
    }

    @Test
    void textAroundTheSignedPartIsNotRead() {
        String signed = new String(TestKey.clearSign(text(), key), StandardCharsets.UTF_8);
        refused(("Codename: evil\n" + signed).getBytes(StandardCharsets.UTF_8), key.keyring(), NOW, "test");
        refused((signed + signed).getBytes(StandardCharsets.UTF_8), key.keyring(), NOW, "test");
        refused(signed.replace("Hash: SHA256\n\n", "Hash: SHA256\n").getBytes(StandardCharsets.UTF_8), key.keyring(), NOW, "test");
        InRelease release = verify((signed + "\nCodename: evil\n").getBytes(StandardCharsets.UTF_8), key.keyring(), NOW, "test");
        assertEquals("test", release.codename());
    }

    @Test
    void cutAnywhereItIsRefused() {
        byte[] signed = TestKey.clearSign(text(), key);
        int end = new String(signed, StandardCharsets.UTF_8).lastIndexOf("=");
        for (int length = 0; length < end; length += 13) {
            refused(Arrays.copyOf(signed, length), key.keyring(), NOW, "test");
        }
        assertTrue(refused("<html>login</html>".getBytes(StandardCharsets.UTF_8), key.keyring(), NOW, "test").contains("login page"));
    }

    @Test
    void expiryIsJudgedByTheClock() {
        byte[] signed = TestKey.clearSign(text(), key);
        verify(signed, key.keyring(), Instant.parse("2026-11-28T02:10:46Z"), "test");
        String late = refused(signed, key.keyring(), Instant.parse("2026-11-28T02:10:47Z"), "test");
        assertTrue(late.contains("has expired") && late.contains("hook.debian.mirror"), late);
        String early = refused(signed, key.keyring(), Instant.parse("2026-11-20T02:10:46Z"), "test");
        assertTrue(early.contains("in the future"), early);
    }

    @Test
    void anotherSuiteIsRefused() {
        String message = refused(TestKey.clearSign(text(), key), key.keyring(), NOW, "trixie");
        assertTrue(message.contains("is the index of test (stable), not of trixie"), message);
    }

    @Test
    void anExpiredKeyAndAWeakDigestAreRefused() {
        TestKey expired = new TestKey(NOW.minus(Duration.ofDays(10)), Duration.ofDays(5).toSeconds());
        byte[] signed = TestKey.clearSign(text(), expired);
        assertTrue(refused(signed, expired.keyring(), NOW, "test").contains("expired on"));
        assertTrue(refused(TestKey.clearSign(text(), HashAlgorithmTags.SHA1, true, key), key.keyring(), NOW, "test")
                .contains("weak digest"));
    }

    @Test
    void theBuiltInKeysAreThere() {
        Keyring keyring = DebianKeys.keyring();
        assertFalse(keyring.toString().isEmpty());
        refused(TestKey.clearSign(text(), key), keyring, NOW, "test");
        assertThrows(HookException.class, () -> Keyring.of("nothing", "a file"));
    }
}
