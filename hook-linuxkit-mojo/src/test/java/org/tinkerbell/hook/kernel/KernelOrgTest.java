package org.tinkerbell.hook.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Directories;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.io.TestServer;
import org.tinkerbell.hook.openpgp.Keyring;
import org.tinkerbell.hook.openpgp.SignatureCheck;
import org.tinkerbell.hook.openpgp.TestKey;

class KernelOrgTest {
    private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");
    private static final String VERSION = "6.12.58";
    private static final String TARBALL = TestKernelOrg.DIRECTORY + "linux-6.12.58.tar.xz";
    private static final String SIGNATURE = TestKernelOrg.DIRECTORY + "linux-6.12.58.tar.sign";
    private static final String SUMS = TestKernelOrg.DIRECTORY + "sha256sums.asc";
    private static final TestKey SIGNER = new TestKey(NOW.minus(Duration.ofDays(100)), 0);
    private static final TestKey DEVELOPER = new TestKey(NOW.minus(Duration.ofDays(100)), 0);
    private static final TestKey STRANGER = new TestKey(NOW.minus(Duration.ofDays(100)), 0);
    private static final TestKey EXPIRED = new TestKey(NOW.minus(Duration.ofDays(100)), Duration.ofDays(50).toSeconds());

    @TempDir
    Path directory;

    private final List<String> warnings = new ArrayList<>();
    private TestKernelOrg first;
    private TestKernelOrg second;

    @BeforeEach
    void start() throws IOException {
        first = new TestKernelOrg();
        second = new TestKernelOrg();
    }

    @AfterEach
    void stop() {
        first.close();
        second.close();
    }

    private KernelOrg kernelOrg(boolean offline, Instant now, KernelOrg.Signers signers) {
        Cache cache = new Cache(directory.resolve("cache"));
        Progress progress = new Progress() {
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
        NetworkSettings network = NetworkSettings.defaults().withOffline(offline)
                .withRetries(2, Duration.ofMillis(5), Duration.ofMillis(50), Duration.ofSeconds(10));
        return new KernelOrg(cache, new Downloader(cache, network, progress), List.of(first.server.uri("/"), second.server.uri("")), signers,
                Clock.fixed(now, ZoneOffset.UTC), progress);
    }

    private static KernelOrg.Signers signers() {
        return new KernelOrg.Signers(SIGNER.keyring(), DEVELOPER.keyring());
    }

    private KernelOrg kernelOrg() {
        return kernelOrg(false, NOW, signers());
    }

    private String makefile(KernelSource source) throws IOException {
        Path tree = Files.createTempDirectory(directory, "tree");
        source.unpack(tree, amount -> {});
        return Files.readString(tree.resolve("Makefile"));
    }

    private String refused() throws IOException {
        return refused(kernelOrg());
    }

    /** Why the release cannot be taken; nothing of it may be left that a later build would believe. */
    private String refused(KernelOrg kernelOrg) throws IOException {
        String message = assertThrows(HookException.class, () -> makefile(kernelOrg.release("6.12", Optional.of("58")))).getMessage();
        assertFalse(Files.exists(directory.resolve("cache/kernel-source/linux-6.12.58.tar.xz")));
        return message;
    }

    @Test
    void aReleaseIsTakenThatIsSignedRightly() throws IOException {
        first.publish(VERSION, SIGNER, DEVELOPER);
        KernelSource source = kernelOrg().release("6.12", Optional.of("58"));
        assertEquals(VERSION, source.version());
        assertEquals("6.12", source.series());
        assertEquals(Digest.of(first.server.get(TARBALL)), source.digest());
        Path tree = directory.resolve("tree");
        source.unpack(tree, amount -> {});
        assertEquals("# Linux 6.12.58\n", Files.readString(tree.resolve("Makefile")));
        assertEquals("/* */\n#define COMMAND_LINE_SIZE 4096\n#define X 2048\n", Files.readString(tree.resolve("arch/x86/include/asm/setup.h")));
        assertTrue(Files.isExecutable(tree.resolve("scripts/run.sh")));
        assertEquals(Path.of("run.sh"), Files.readSymbolicLink(tree.resolve("scripts/link")));
        try (Stream<Path> left = Files.list(tree)) {
            assertEquals(List.of("Makefile", "arch", "scripts"), left.map(p -> p.getFileName().toString()).sorted().toList());
        }
        assertEquals(List.of(), warnings);
    }

    @Test
    void theTarballIsFetchedOnlyToBeUnpackedAndOnlyOnce() throws IOException {
        first.publish(VERSION, SIGNER, DEVELOPER);
        kernelOrg().release("6.12", Optional.of("58"));
        assertEquals(List.of("GET " + SUMS), first.server.requests());
        makefile(kernelOrg().release("6.12", Optional.of("58")));
        int requests = first.server.requests().size();
        makefile(kernelOrg().release("6.12", Optional.of("58")));
        makefile(kernelOrg(true, NOW, signers()).release("6.12", Optional.of("58")));
        assertEquals(List.of(), first.requestsSince(requests));
    }

    @Test
    void theFirstReleaseOfASeriesHasTwoNumbersInItsName() throws IOException {
        first.publish("6.12", SIGNER, DEVELOPER);
        KernelSource source = kernelOrg().release("6.12", Optional.of("0"));
        assertEquals("6.12.0", source.version());
        assertEquals("# Linux 6.12\n", makefile(source));
    }

    @Test
    void aStrangersSignaturesAreRefused() throws IOException {
        first.publish(VERSION, STRANGER, DEVELOPER);
        String message = refused();
        assertTrue(message.contains(first.server.uri(SUMS).toString()) && message.contains("not among the pinned ones")
                && message.contains("hook.kernel.keyring"), message);
        first.publish(VERSION, SIGNER, STRANGER);
        message = refused();
        assertTrue(message.contains("linux-6.12.58.tar.xz") && message.contains("not among the pinned ones"), message);
    }

    @Test
    void whoSignsSumsDoesNotSignReleases() throws IOException {
        first.publish(VERSION, SIGNER, SIGNER);
        assertTrue(refused().contains("not among the pinned ones"));
        first.publish(VERSION, DEVELOPER, DEVELOPER);
        Directories.delete(directory.resolve("cache"));
        assertTrue(refused().contains("not among the pinned ones"));
    }

    @Test
    void anExpiredKeyIsRefused() throws IOException {
        KernelOrg.Signers expired = new KernelOrg.Signers(EXPIRED.keyring(), DEVELOPER.keyring());
        first.publish(VERSION, EXPIRED, DEVELOPER);
        assertTrue(refused(kernelOrg(false, NOW, expired)).contains("expired on"));
        expired = new KernelOrg.Signers(SIGNER.keyring(), EXPIRED.keyring());
        first.publish(VERSION, SIGNER, EXPIRED);
        String message = refused(kernelOrg(false, NOW, expired));
        assertTrue(message.contains("expired on"), message);
        makefile(kernelOrg(false, NOW.minus(Duration.ofDays(60)), expired).release("6.12", Optional.of("58")));
    }

    @Test
    void aTamperedTarballIsRefused() throws IOException {
        first.publish(VERSION, SIGNER, DEVELOPER);
        first.server.put(TARBALL, TestKernelOrg.xz(TestKernelOrg.tar(VERSION, "evil:\n")));
        String message = refused();
        assertTrue(message.contains("linux-6.12.58.tar.xz") && message.contains("its SHA-256 is"), message);
    }

    @Test
    void aTamperedTarballWithAFittingSumIsRefusedByTheReleasesSignature() throws IOException {
        first.publish(VERSION, SIGNER, DEVELOPER);
        byte[] evil = TestKernelOrg.xz(TestKernelOrg.tar(VERSION, "evil:\n"));
        first.server.put(TARBALL, evil);
        first.sign(VERSION, evil, SIGNER);
        String message = refused();
        assertTrue(message.contains("this is not what the key"), message);
    }

    @Test
    void tamperedSumsAreRefused() throws IOException {
        first.publish(VERSION, SIGNER, DEVELOPER);
        byte[] evil = TestKernelOrg.xz(TestKernelOrg.tar(VERSION, "evil:\n"));
        String sums = new String(first.server.get(SUMS), StandardCharsets.UTF_8);
        first.server.put(SUMS, sums.replace(Digest.of(first.server.get(TARBALL)).hex(), Digest.of(evil).hex()).getBytes(StandardCharsets.UTF_8));
        assertTrue(refused().contains("this is not what the key"));
        first.server.put(SUMS, Arrays.copyOf(first.server.get(SUMS), 120));
        assertTrue(refused().contains("may have been cut"));
        first.server.put(SUMS, (Digest.of(evil).hex() + "  linux-6.12.58.tar.xz\n").getBytes(StandardCharsets.UTF_8));
        assertTrue(refused().contains("is not a signed list of checksums"));
    }

    @Test
    void aMissingSignatureIsRefused() throws IOException {
        first.publish(VERSION, SIGNER, DEVELOPER);
        first.server.remove(SIGNATURE);
        String message = refused();
        assertTrue(message.contains("There is no signature " + first.server.uri(SIGNATURE)), message);
        first.server.put(SIGNATURE, "-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n".getBytes(StandardCharsets.UTF_8));
        message = refused();
        assertTrue(message.contains("signature"), message);
        first.server.put(SIGNATURE, "<html>login</html>".getBytes(StandardCharsets.UTF_8));
        message = refused();
        assertTrue(message.contains("signature"), message);
    }

    @Test
    void aReleaseThatTheSumsDoNotNameIsNotThere() throws IOException {
        first.publish("6.12.57", SIGNER, DEVELOPER);
        assertTrue(refused().contains("has no checksum of linux-6.12.58.tar.xz"));
    }

    @Test
    void theSecondServerHasWhatTheFirstLacksOrHasWrong() throws IOException {
        second.publish(VERSION, SIGNER, DEVELOPER);
        assertEquals("# Linux 6.12.58\n", makefile(kernelOrg().release("6.12", Optional.of("58"))));
        assertTrue(second.server.requests().contains("GET " + TARBALL));
        assertTrue(warnings.stream().anyMatch(w -> w.contains(first.server.uri(SUMS).toString())), warnings.toString());

        Directories.delete(directory.resolve("cache"));
        first.publish(VERSION, SIGNER, DEVELOPER);
        first.server.put(TARBALL, TestKernelOrg.xz(TestKernelOrg.tar(VERSION, "evil:\n")));
        assertEquals("# Linux 6.12.58\n", makefile(kernelOrg().release("6.12", Optional.of("58"))));
    }

    @Test
    void whatWasCutIsContinued() throws IOException {
        first.publish(VERSION, SIGNER, DEVELOPER);
        first.server.next(TARBALL, TestServer.cutAfter(100), TestServer.cutAfter(50));
        assertEquals("# Linux 6.12.58\n", makefile(kernelOrg().release("6.12", Optional.of("58"))));
        assertTrue(first.server.requests().stream().anyMatch(r -> r.startsWith("GET " + TARBALL + " bytes=")), first.server.requests().toString());
    }

    @Test
    void aTarballThatEndsTooEarlyIsRefused() throws IOException {
        first.publish(VERSION, SIGNER, DEVELOPER);
        first.server.put(TARBALL, Arrays.copyOf(first.server.get(TARBALL), first.server.get(TARBALL).length / 2));
        assertTrue(refused().contains("linux-6.12.58.tar.xz"));
        // Even where the signed sum fits half a file.
        first.sign(VERSION, first.server.get(TARBALL), SIGNER);
        String message = refused();
        assertTrue(message.contains("linux-6.12.58.tar.xz"), message);
    }

    @Test
    void aDamagedFileOfTheCacheIsFetchedAgain() throws IOException {
        first.publish(VERSION, SIGNER, DEVELOPER);
        makefile(kernelOrg().release("6.12", Optional.of("58")));
        Path cached = directory.resolve("cache/kernel-source/linux-6.12.58.tar.xz");
        Files.write(cached, TestKernelOrg.xz(TestKernelOrg.tar(VERSION, "evil:\n")));
        assertEquals("# Linux 6.12.58\n", makefile(kernelOrg().release("6.12", Optional.of("58"))));
        assertTrue(warnings.stream().anyMatch(w -> w.contains("was damaged")), warnings.toString());
    }

    @Test
    void whatOtherKeysVerifiedIsVerifiedAnew() throws IOException {
        first.publish(VERSION, SIGNER, STRANGER);
        Path keys = directory.resolve("keys.asc");
        Files.writeString(keys, STRANGER.publicKeys());
        makefile(kernelOrg(false, NOW, signers().with(keys)).release("6.12", Optional.of("58")));
        String message = assertThrows(HookException.class, () -> makefile(kernelOrg().release("6.12", Optional.of("58")))).getMessage();
        assertTrue(message.contains("not among the pinned ones"), message);
    }

    @Test
    void thePinnedKeysAreThoseOfKernelOrg() {
        KernelOrg.Signers pinned = KernelOrg.Signers.pinned();
        assertEquals("B8868C80BA62A1FFFAF5FDA9632D3A06589DA6B1", pinned.sums().toString());
        assertTrue(pinned.developers().toString().contains("647F28654894E3BD457199BE38DBBDC86092693E"));
        assertTrue(pinned.developers().toString().contains("ABAF11C65A2970B130ABE3C479BE3E4300411886"));
        assertFalse(pinned.developers().toString().contains("B8868C80BA62A1FFFAF5FDA9632D3A06589DA6B1"));
        assertTrue(assertThrows(HookException.class, () -> pinned.with(directory.resolve("none"))).getMessage().contains("hook.kernel.keyring"));
    }

    /** By a tag of usbutils (github.com/gregkh/usbutils, v019), which he signs with the key that he signs the kernel's releases with. */
    @Test
    void whatGregKroahHartmanReallySignedIsGood() throws IOException {
        byte[] text = resource("signed-by-greg.txt");
        byte[] signature = resource("signed-by-greg.txt.asc");
        check(KernelOrg.Signers.pinned().developers(), signature, text);
        text[7] ^= 1;
        String message = assertThrows(HookException.class, () -> check(KernelOrg.Signers.pinned().developers(), signature, text)).getMessage();
        assertTrue(message.contains("this is not what the key 647F28654894E3BD457199BE38DBBDC86092693E signed"), message);
        text[7] ^= 1;
        assertThrows(HookException.class, () -> check(KernelOrg.Signers.pinned().sums(), signature, text));
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = KernelOrgTest.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        }
    }

    private static void check(Keyring keys, byte[] signature, byte[] text) {
        SignatureCheck check = keys.check(signature, SignatureCheck.Kind.FILE, "the tag", "", NOW);
        check.write(text, 0, text.length);
        check.finish();
    }

    @Test
    void theNewestReleaseIsAskedForEveryTwoHours() throws IOException {
        first.list("6.18-rc3", "mainline", "6.17.9", "stable", "6.12.57", "longterm", "6.12.58", "longterm", "6.6.99", "longterm", "next-20261122",
                "linux-next").publish(VERSION, SIGNER, DEVELOPER);
        assertEquals(VERSION, kernelOrg().release("6.12", Optional.empty()).version());
        first.list("6.12.59", "longterm");
        assertEquals(VERSION, kernelOrg(false, NOW.plus(Duration.ofMinutes(119)), signers()).release("6.12", Optional.empty()).version());
        first.publish("6.12.59", SIGNER, DEVELOPER);
        assertEquals("6.12.59", kernelOrg(false, NOW.plus(Duration.ofMinutes(121)), signers()).release("6.12", Optional.empty()).version());
        assertEquals(2, first.server.requests().stream().filter(r -> r.equals("GET /releases.json")).count());
    }

    @Test
    void theNewestLongtermIsThatOfTheNewestSeriesThatHasNotEnded() throws IOException {
        first.list("6.18.9", "stable", "6.16.1", "ended longterm", "6.6.130", "longterm", "6.12.58", "longterm").publish(VERSION, SIGNER, DEVELOPER);
        assertEquals(VERSION, kernelOrg().release("longterm", Optional.empty()).version());
        assertTrue(assertThrows(HookException.class, () -> kernelOrg().release("longterm", Optional.of("3"))).getMessage()
                .contains("hook.kernel.series"));
    }

    @Test
    void aKeptListServesWhereTheServersAreAway() throws IOException {
        first.list("6.12.58", "longterm").publish(VERSION, SIGNER, DEVELOPER);
        kernelOrg().release("6.12", Optional.empty());
        first.server.remove("/releases.json");
        assertEquals(VERSION, kernelOrg(false, NOW.plus(Duration.ofDays(30)), signers()).release("6.12", Optional.empty()).version());
        assertTrue(warnings.stream().anyMatch(w -> w.contains("there may be a newer one")), warnings.toString());
        assertEquals(VERSION, kernelOrg(true, NOW.plus(Duration.ofDays(30)), signers()).release("6.12", Optional.empty()).version());
    }

    @Test
    void withoutListAndServersAFixedReleaseIsTheWayOut() throws IOException {
        String message = assertThrows(HookException.class, () -> kernelOrg().release("6.12", Optional.empty())).getMessage();
        assertTrue(message.contains("/releases.json") && message.contains("-Dhook.kernel.pointRelease"), message);
        message = assertThrows(HookException.class, () -> kernelOrg(true, NOW, signers()).release("6.12", Optional.empty())).getMessage();
        assertTrue(message.contains("Maven is offline") && message.contains("-Dhook.kernel.pointRelease"), message);
        second.publish(VERSION, SIGNER, DEVELOPER);
        assertEquals(VERSION, kernelOrg().release("6.12", Optional.of("58")).version());
        message = assertThrows(HookException.class, () -> makefile(kernelOrg(true, NOW, signers()).release("6.12", Optional.of("58")))).getMessage();
        assertTrue(message.contains("offline"), message);
    }

    @Test
    void aLoginPageInThePlaceOfTheListIsPassedOver() throws IOException {
        first.server.put("/releases.json", "<html>login</html>".getBytes(StandardCharsets.UTF_8));
        second.list("6.12.58", "longterm").publish(VERSION, SIGNER, DEVELOPER);
        assertEquals(VERSION, kernelOrg().release("6.12", Optional.empty()).version());
        String message = assertThrows(HookException.class, () -> kernelOrg().release("5.11", Optional.empty())).getMessage();
        assertTrue(message.contains("no release of Linux 5.11") && message.contains("6.12"), message);
    }

    @Test
    void aTarballOfOnesOwnIsSignedOrItsDigestIsGiven() throws IOException {
        byte[] tar = TestKernelOrg.tar(VERSION, "");
        byte[] xz = TestKernelOrg.xz(tar);
        first.server.put("/my/linux-6.12.58.tar.xz", xz);
        String address = first.server.uri("/my/linux-6.12.58.tar.xz").toString();
        String message = assertThrows(HookException.class, () -> kernelOrg().tarball(address, Optional.empty())).getMessage();
        assertTrue(message.contains("There is no signature") && message.contains("hook.kernel.sha256"), message);
        message = assertThrows(HookException.class, () -> kernelOrg().tarball(address, Optional.of(Digest.of("other")))).getMessage();
        assertTrue(message.contains(Digest.of("other").hex()), message);
        KernelSource source = kernelOrg().tarball(address, Optional.of(Digest.of(xz)));
        assertEquals(VERSION, source.version());
        assertEquals("# Linux 6.12.58\n", makefile(source));

        byte[] other = TestKernelOrg.tar(VERSION, "own:\n");
        Path file = directory.resolve("linux-6.12.58.tar");
        Files.write(file, other);
        Files.write(directory.resolve("linux-6.12.58.tar.sign"), DEVELOPER.signFile(other));
        assertEquals("# Linux 6.12.58\nown:\n", makefile(kernelOrg(true, NOW, signers()).tarball(file.toUri().toString(), Optional.empty())));
        Files.write(file, tar);
        message = assertThrows(HookException.class, () -> kernelOrg().tarball(file.toUri().toString(), Optional.empty())).getMessage();
        assertTrue(message.contains("this is not what the key"), message);
        message = assertThrows(HookException.class, () -> kernelOrg().tarball("http://x/y.tar.xz", Optional.empty())).getMessage();
        assertTrue(message.contains("linux-<version>.tar.xz"), message);
    }

    @Test
    void serversAreAddresses() {
        assertEquals(KernelOrg.SERVERS, KernelOrg.servers(" "));
        assertEquals(List.of(URI.create("http://a/"), URI.create("file:///b")), KernelOrg.servers("http://a/, file:///b"));
        assertTrue(assertThrows(HookException.class, () -> KernelOrg.servers("kernel.org")).getMessage().contains("hook.kernel.mirror"));
    }
}
