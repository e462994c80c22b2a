package org.tinkerbell.hook.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Parallel;
import org.tinkerbell.hook.io.TestServer;
import org.tinkerbell.hook.openpgp.Keyring;
import org.tinkerbell.hook.openpgp.TestKey;
import org.tinkerbell.hook.tree.Entry;

class PackageSourceTest {
    private static final Arch ARCH = Arch.X86_64;
    private static final String GROUP = "image";
    private static final List<String> WANTED = List.of("app");
    private static final String LIB = "/debian/pool/main/l/lib/lib_1.0_amd64.deb";
    private static final String APP = "/debian/pool/main/a/app/app_1.0_amd64.deb";

    @TempDir
    Path directory;

    private TestArchive archive;

    @BeforeEach
    void publish() throws IOException {
        archive = new TestArchive()
                .add("test", new TestDeb("app", "1.0").depends("lib (>= 1.0), data"), new TestDeb("lib", "1.0").compression(".zst"),
                        new TestDeb("data", "3", "all").compression(".gz"), new TestDeb("other", "1"))
                .publish();
    }

    @AfterEach
    void close() {
        archive.close();
    }

    private PackageSource source(LockMode mode) {
        return archive.source(directory, mode);
    }

    private void lock() throws IOException {
        PackageSource.Renewal renewal = source(LockMode.LENIENT).renew(ARCH, List.of(PackageLock.Group.of(GROUP, WANTED, List.of())));
        renewal.lock().write(renewal.file());
    }

    private Path lockFile() {
        return directory.resolve("locks/packages-amd64.lock");
    }

    private static String text(List<LockedPackage> packages) {
        return packages.stream().map(p -> p.name() + " " + p.version()).collect(Collectors.joining(", "));
    }

    private String packages(LockMode mode) throws IOException {
        return text(source(mode).packages(GROUP, ARCH, WANTED));
    }

    private String refused(LockMode mode) {
        return refused(source(mode));
    }

    private String refused(PackageSource source) {
        return assertThrows(HookException.class, () -> source.packages(GROUP, ARCH, WANTED)).getMessage();
    }

    /** That nothing of what failed is taken for whole: everything is fine afterwards. */
    private void assertRecovers() throws IOException {
        archive.publish();
        assertEquals("app 1.0, data 3, lib 1.0", packages(LockMode.LENIENT));
    }

    private void rewriteLock(String before, String after) throws IOException {
        String text = Files.readString(lockFile());
        assertTrue(text.contains(before), text);
        Files.writeString(lockFile(), text.replace(before, after));
    }

    @Test
    void withALockNothingIsResolvedAndNoIndexIsFetched() throws IOException {
        lock();
        int before = archive.server.requests().size();
        PackageSource source = source(LockMode.STRICT);
        List<LockedPackage> packages = source.packages(GROUP, ARCH, WANTED);
        assertEquals("app 1.0, data 3, lib 1.0", text(packages));
        assertEquals(3, archive.server.requests().size() - before);
        assertTrue(archive.server.requests().stream().skip(before).allMatch(r -> r.endsWith(".deb")), archive.server.requests()::toString);
        List<String> paths = source.entries(packages.get(2)).stream().map(Entry::path).toList();
        assertEquals(List.of("", "usr", "usr/share", "usr/share/lib"), paths);
        assertEquals("lib (>= 1.0), data", source.control(packages.get(0)).get("Depends"));
        assertEquals("/etc/x\n", new String(source.controlFile(packages.get(0), "conffiles").orElseThrow(), StandardCharsets.UTF_8));
        assertTrue(source.controlFile(packages.get(0), "postinst").isEmpty());
        assertEquals(3, archive.server.requests().size() - before, "the second time everything is there");
        assertEquals(List.of(), archive.warnings);
        assertEquals(packages, source.locked(GROUP, ARCH));
    }

    @Test
    void theCacheHoldsNothingButWholeTars() throws IOException {
        lock();
        packages(LockMode.STRICT);
        try (Stream<Path> files = Files.walk(directory.resolve("cache/debian/packages"))) {
            assertEquals(List.of("control.tar", "control.tar.index", "data.tar", "data.tar.index"),
                    files.filter(Files::isRegularFile).map(f -> f.getFileName().toString()).distinct().sorted().toList());
        }
    }

    @Test
    void whatAKilledBuildLeftIsRemovedOrContinued() throws IOException {
        lock();
        byte[] lib = archive.server.get(LIB);
        Path place = Files.createDirectories(directory.resolve("cache/debian/packages/" + Digest.of(lib).hex()));
        Files.write(place.resolve(".data.tar.0-0-0.part"), new byte[10]);
        Files.write(place.resolve(".data.tar.index.0-0-0.part"), new byte[10]);
        Files.write(place.resolve("control.tar"), new byte[10]);
        Files.write(place.resolve(".package.deb.part"), Arrays.copyOf(lib, 100));
        assertEquals("app 1.0, data 3, lib 1.0", packages(LockMode.STRICT));
        assertTrue(archive.server.requests().contains("GET " + LIB + " bytes=100-"), archive.server.requests()::toString);
        try (Stream<Path> files = Files.list(place)) {
            assertEquals(List.of("control.tar", "control.tar.index", "data.tar", "data.tar.index"),
                    files.map(f -> f.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void withoutALockLenientResolvesAndStrictStops() throws IOException {
        assertEquals("app 1.0, data 3, lib 1.0", packages(LockMode.LENIENT));
        assertTrue(archive.warnings.get(0).startsWith("There is no package lock") && archive.warnings.get(0).contains("mvn hook:lock"));
        String message = refused(LockMode.STRICT);
        assertTrue(message.contains("There is no package lock") && message.contains("mvn hook:lock"), message);
    }

    @Test
    void aChangedRequestIsResolvedWithAWarningOrStops() throws IOException {
        lock();
        PackageSource lenient = source(LockMode.LENIENT);
        assertEquals("app 1.0, data 3, lib 1.0, other 1", text(lenient.packages(GROUP, ARCH, List.of("app", "other"))));
        assertTrue(archive.warnings.get(0).contains("is older than the list of packages of image (+other)"), archive.warnings::toString);
        PackageSource strict = source(LockMode.STRICT);
        String message = assertThrows(HookException.class, () -> strict.packages(GROUP, ARCH, List.of("other"))).getMessage();
        assertTrue(message.contains("(+other, -app)"), message);
        assertTrue(assertThrows(HookException.class, () -> strict.packages("new", ARCH, WANTED)).getMessage()
                .contains("has no group 'new'"));
        assertThrows(HookException.class, () -> strict.packages(GROUP, ARCH, WANTED, List.of("data")));
        assertEquals("app 1.0, lib 1.0", text(lenient.packages(GROUP, ARCH, WANTED, List.of("data"))));
    }

    @Test
    void renewingSaysWhatChangedAndLeavesTheRestAsItIs() throws IOException {
        lock();
        String before = Files.readString(lockFile());
        archive.add("test-security", new TestDeb("lib", "1.0+deb1").depends("extra"), new TestDeb("extra", "1", "all"))
                .remove("test", "data")
                .remove("test", "app").add("test", new TestDeb("app", "1.0").depends("lib (>= 1.0)"));
        for (Suite suite : TestArchive.SUITES) {
            archive.publish(suite.codename(), archive.release(suite.codename(), TestArchive.DATE.plusSeconds(3600), null), archive.key);
        }
        PackageSource.Renewal renewal = source(LockMode.STRICT).renew(ARCH, List.of(PackageLock.Group.of(GROUP, WANTED, List.of())));
        assertEquals("[app 1.0 (other file)  [image], - data 3  [image], + extra 1  [image], lib 1.0 → 1.0+deb1  [image]]",
                renewal.changes().toString());
        renewal.lock().write(renewal.file());
        assertFalse(before.equals(Files.readString(lockFile())));
        // A newer index of the same packages changes nothing.
        String after = Files.readString(lockFile());
        for (Suite suite : TestArchive.SUITES) {
            archive.publish(suite.codename(), archive.release(suite.codename(), TestArchive.DATE.plusSeconds(7200), null), archive.key);
        }
        renewal = source(LockMode.STRICT).renew(ARCH, List.of(PackageLock.Group.of(GROUP, WANTED, List.of())));
        assertEquals(List.of(), renewal.changes());
        assertEquals(after, renewal.lock().toString());
        assertTrue(after.contains("Archive: debian-security"), after);
    }

    @Test
    void aDamagedLockCanBeRenewed() throws IOException {
        lock();
        Files.writeString(lockFile(), Files.readString(lockFile()).substring(0, 300));
        String message = refused(LockMode.LENIENT);
        assertTrue(message.contains("packages-amd64.lock") && message.contains("mvn hook:lock"), message);
        lock();
        assertEquals("app 1.0, data 3, lib 1.0", packages(LockMode.STRICT));
    }

    @Test
    void whatNoMirrorHasComesFromTheSnapshot() throws IOException {
        lock();
        byte[] old = archive.server.get(LIB);
        archive.server.remove(LIB);
        archive.server.put("/snapshot/archive/debian/20261122T021046Z/pool/main/l/lib/lib_1.0_amd64.deb", old);
        assertEquals("app 1.0, data 3, lib 1.0", packages(LockMode.STRICT));
        assertTrue(archive.server.requests().contains("GET /snapshot/archive/debian/20261121T101046Z/pool/main/l/lib/lib_1.0_amd64.deb"));
        assertEquals(List.of(), archive.warnings);
    }

    @Test
    void whatIsGoneForGoodIsReplacedByALenientBuildOnly() throws IOException {
        archive.add("test", new TestDeb("bystander", "1")).remove("test", "app")
                .add("test", new TestDeb("app", "1.0").depends("lib (>= 1.0), data, bystander")).publish();
        lock();
        archive.server.remove(LIB);
        archive.remove("test", "lib").remove("test", "bystander")
                .add("test", new TestDeb("lib", "1.1").depends("extra"), new TestDeb("extra", "1"), new TestDeb("bystander", "2"))
                        .publish();
        String message = refused(LockMode.STRICT);
        assertTrue(message.contains("lib 1.0 (amd64)") && message.contains("hook.lock=strict") && message.contains("mvn hook:lock"),
                message);
        assertEquals("app 1.0, bystander 1, data 3, extra 1, lib 1.1", packages(LockMode.LENIENT), "just that package, and what it needs");
        String warning = archive.warnings.get(archive.warnings.size() - 1);
        assertTrue(warning.contains("has lib 1.0 (amd64)") && warning.contains("In their place: extra 1 (amd64), lib 1.1 (amd64)"),
                warning);
        assertFalse(warning.contains("bystander"), warning);
    }

    @Test
    void aReplacementThatNeedsMoreIsFollowed() throws IOException {
        lock();
        archive.server.remove(LIB);
        archive.remove("test", "lib").remove("test", "data")
                .add("test", new TestDeb("lib", "2").depends("data (>= 4)"), new TestDeb("data", "4", "all")).publish();
        assertEquals("app 1.0, data 4, lib 2", packages(LockMode.LENIENT));
    }

    @Test
    void aSilentSnapshotServiceIsNotTheEnd() throws IOException {
        lock();
        archive.server.remove(LIB);
        archive.remove("test", "lib").add("test", new TestDeb("lib", "1.1")).publish();
        for (String hour : List.of("21T101046Z", "22T021046Z", "21T021046Z")) {
            String path = "/snapshot/archive/debian/202611" + hour + "/pool/main/l/lib/lib_1.0_amd64.deb";
            archive.server.next(path, TestServer.status(503), TestServer.status(503), TestServer.status(503), TestServer.status(503));
        }
        assertEquals("app 1.0, data 3, lib 1.1", packages(LockMode.LENIENT));
    }

    @Test
    void aBrokenMirrorIsNotAMissingFile() throws IOException {
        lock();
        archive.server.next(LIB, TestServer.status(500), TestServer.status(500), TestServer.status(500));
        String message = refused(LockMode.LENIENT);
        assertTrue(message.contains("lib 1.0") && message.contains("500"), message);
        assertRecovers();
    }

    @Test
    void aTamperedPackageIsRefused() throws IOException {
        lock();
        byte[] bytes = archive.server.get(LIB);
        bytes[bytes.length / 2] ^= 1;
        archive.server.put(LIB, bytes);
        String message = refused(LockMode.LENIENT);
        assertTrue(message.contains("lib 1.0") && message.contains("SHA-256"), message);
        assertRecovers();
    }

    @Test
    void aTamperedIndexIsRefused() throws IOException {
        for (String path : archive.indices("test")) {
            byte[] bytes = archive.server.get(path);
            bytes[bytes.length / 2] ^= 1;
            archive.server.put(path, bytes);
        }
        assertTrue(refused(LockMode.LENIENT).contains("SHA-256"));
        assertRecovers();
    }

    @Test
    void aTamperedSignedIndexIsRefused() throws IOException {
        String path = "/debian/dists/test/InRelease";
        archive.server.put(path, new String(archive.server.get(path), StandardCharsets.UTF_8).replaceFirst("binary-amd64", "binary-amd46")
                .getBytes(StandardCharsets.UTF_8));
        String message = refused(LockMode.LENIENT);
        assertTrue(message.contains(archive.server.uri(path).toString()) && message.contains("is not what the key"), message);
        assertRecovers();
    }

    @Test
    void anExpiredIndexIsRefused() throws IOException {
        String message = refused(archive.source(directory, LockMode.LENIENT, false, TestArchive.NOW.plus(Duration.ofDays(30))));
        assertTrue(message.contains("has expired"), message);
        lock();
        PackageSource later = archive.source(directory, LockMode.STRICT, false, TestArchive.NOW.plus(Duration.ofDays(3000)));
        assertEquals("app 1.0, data 3, lib 1.0", text(later.packages(GROUP, ARCH, WANTED)), "a lock does not expire");
    }

    @Test
    void anUnknownKeyIsRefused() throws IOException {
        Keyring other = new TestKey(TestArchive.NOW.minus(Duration.ofDays(1)), 0).keyring();
        String message = refused(archive.source(directory, LockMode.LENIENT, false, TestArchive.NOW, archive.mirrors(), other));
        assertTrue(message.contains("not among the pinned"), message);
        message = refused(archive.source(directory, LockMode.LENIENT, false, TestArchive.NOW, archive.mirrors(), DebianKeys.keyring()));
        assertTrue(message.contains("not among the pinned"), message);
    }

    @Test
    void anotherSuitesIndexIsRefused() throws IOException {
        archive.server.put("/debian/dists/test/InRelease", archive.server.get("/debian-security/dists/test-security/InRelease"));
        assertTrue(refused(LockMode.LENIENT).contains("is the index of test-security (role-of-test-security), not of test"));
        assertRecovers();
    }

    @Test
    void aMirrorThatLiesIsFollowedByTheNext() throws IOException {
        archive.server.put("/bad/dists/test/InRelease", "<html>".getBytes(StandardCharsets.UTF_8));
        Mirrors mirrors = new Mirrors(List.of(archive.server.uri("/bad/"), archive.server.uri("/debian/")),
                archive.mirrors().security(), archive.mirrors().snapshot());
        PackageSource source = archive.source(directory, LockMode.LENIENT, false, TestArchive.NOW, mirrors, archive.key.keyring());
        assertEquals("app 1.0, data 3, lib 1.0", text(source.packages(GROUP, ARCH, WANTED)));
    }

    @Test
    void anOlderIndexThanTheLastIsNotUsed() throws IOException {
        assertRecovers();
        archive.remove("test", "lib").add("test", new TestDeb("lib", "0.9"));
        archive.publish("test", archive.release("test", TestArchive.DATE.minusSeconds(3600), null), archive.key);
        assertEquals("app 1.0, data 3, lib 1.0", packages(LockMode.LENIENT));
        assertTrue(archive.warnings.stream().anyMatch(w -> w.contains("older than the one")), archive.warnings::toString);
    }

    @Test
    void aMissingPackageAndAnUnmetDependencyAreExplained() throws IOException {
        archive.remove("test", "lib").publish();
        String message = refused(LockMode.LENIENT);
        assertEquals("image: The packages for amd64 cannot be put together: app 1.0 needs lib (>= 1.0): nothing provides lib", message);
        archive.remove("test", "app").publish();
        assertTrue(refused(LockMode.LENIENT).contains("There is no package 'app' for amd64 in test, test-security, test-backports"));
    }

    @Test
    void anEditedLockCannotPassOnePackageForAnother() throws IOException {
        archive.add("test", new TestDeb("evil", "6.6")).publish();
        lock();
        byte[] lib = archive.server.get(LIB);
        byte[] evil = archive.server.get("/debian/pool/main/e/evil/evil_6.6_amd64.deb");
        rewriteLock(Digest.of(lib).hex(), Digest.of(evil).hex());
        rewriteLock("Size: " + lib.length + "\nSHA256: " + Digest.of(evil).hex(),
                "Size: " + evil.length + "\nSHA256: " + Digest.of(evil).hex());
        rewriteLock("pool/main/l/lib/lib_1.0_amd64.deb", "pool/main/e/evil/evil_6.6_amd64.deb");
        String message = refused(LockMode.LENIENT);
        assertTrue(message.contains("is evil 6.6 (amd64), not lib 1.0 (amd64)"), message);
    }

    @Test
    void aHostilePackageIsRefusedByName() throws IOException {
        archive.remove("test", "lib").add("test", new TestDeb("lib", "1.0").file("../../etc/passwd", "x")).publish();
        lock();
        String message = refused(LockMode.STRICT);
        assertTrue(message.contains("package lib 1.0 (amd64)") && message.contains("../../etc/passwd"), message);
    }

    @Test
    void offlineColdNamesWhatIsMissingAndWarmWorks() throws IOException {
        PackageSource cold = archive.source(directory, LockMode.LENIENT, true, TestArchive.NOW);
        assertTrue(refused(cold).contains("Build once without -o"));
        lock();
        String message = refused(archive.source(directory, LockMode.STRICT, true, TestArchive.NOW));
        assertTrue(message.contains("app 1.0 (amd64), data 3 (all), lib 1.0 (amd64)") && message.contains("-o"), message);
        packages(LockMode.STRICT);
        int before = archive.server.requests().size();
        PackageSource warm = archive.source(directory, LockMode.STRICT, true, TestArchive.NOW);
        assertEquals("app 1.0, data 3, lib 1.0", text(warm.packages(GROUP, ARCH, WANTED)));
        Files.delete(lockFile());
        PackageSource resolving = archive.source(directory, LockMode.LENIENT, true, TestArchive.NOW);
        assertEquals("app 1.0, data 3, lib 1.0", text(resolving.packages(GROUP, ARCH, WANTED)), "the last index still serves");
        assertEquals(before, archive.server.requests().size());
    }

    @Test
    void cutAndBusyServersAreSurvived() throws IOException {
        lock();
        archive.server.next(LIB, TestServer.cutAfter(100), TestServer.status(429, "Retry-After", "0"));
        archive.server.next(APP, TestServer.status(503));
        assertEquals("app 1.0, data 3, lib 1.0", packages(LockMode.STRICT));
    }

    @Test
    void twoAtOnceShareOneCache() throws IOException {
        lock();
        List<Integer> builds = new ArrayList<>(List.of(1, 2, 3, 4));
        List<String> results = Parallel.map(4, builds, i -> packages(LockMode.STRICT));
        results.forEach(result -> assertEquals("app 1.0, data 3, lib 1.0", result));
        assertEquals(3, archive.fetched().size(), archive.fetched()::toString);
    }

    @Test
    void backportsAndOtherArchitectures() throws IOException {
        archive.add("test-backports", new TestDeb("lib", "2")).add("test", new TestDeb("app", "1.0", "arm64").depends("data")).publish();
        PackageSource source = source(LockMode.LENIENT);
        assertEquals("app 1.0, data 3, lib 2", text(source.packages(GROUP, ARCH, List.of("app", "lib/test-backports"))));
        assertEquals("app 1.0, data 3, lib 1.0", text(source.packages(GROUP, ARCH, List.of("app"))));
        assertEquals("app 1.0, data 3", text(source.packages(GROUP, Arch.AARCH64, List.of("app"))));
    }
}
