package org.tinkerbell.hook.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.debian.LockedPackage;
import org.tinkerbell.hook.debian.Mirrors;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;

/** Debian's source through the lock that is committed. The package has 150 MB, so it comes from, or into, the cache of builds. */
class DebianSourceIT {
    private static PackageSource packages() throws IOException {
        String set = System.getenv("CACHE_DIR");
        Cache cache = new Cache(set == null || set.isBlank() ? Path.of(System.getProperty("user.home"), ".cache", "hook") : Path.of(set));
        Mirrors mirrors = Mirrors.of(System.getProperty("hook.debian.mirror"), System.getProperty("hook.debian.securityMirror"),
                System.getProperty("hook.debian.snapshot"), Path.of("/etc/apt"));
        Path locks = Path.of("..", "hook-kernel-default").toAbsolutePath();
        return new PackageSource(cache, new Downloader(cache, NetworkSettings.defaults(), Progress.SILENT), mirrors, "trixie", locks,
                LockMode.LENIENT, Progress.SILENT);
    }

    @Test
    void isTheKernelThatTheLockNames() throws IOException {
        PackageSource packages = packages();
        DebianSource debian = new DebianSource(packages);
        KernelSource source = debian.source("6.12", Optional.empty(), Arch.X86_64);
        List<LockedPackage> locked = packages.locked("linux-source-6.12", Arch.X86_64);
        assertEquals(1, locked.size(), "the lock is committed");
        assertEquals("6.12", source.series());
        assertTrue(source.origin().contains("linux-source-6.12 " + source.version()), source.origin());
        assertEquals(source.version(), version(source), "what the Makefile says");
        assertEquals(source.digest(), debian.source("longterm", Optional.empty(), Arch.X86_64).digest(), "Debian's longterm series is this one");
        assertEquals(source.digest(), debian.source("6.12", Optional.empty(), Arch.AARCH64).digest(), "it is the same for all architectures");
        String point = source.version().substring("6.12.".length());
        assertEquals(source.version(), debian.source("6.12", Optional.of(point), Arch.X86_64).version());
        String message = assertThrows(HookException.class, () -> debian.source("6.12", Optional.of("1"), Arch.X86_64)).getMessage();
        assertTrue(message.contains("hook.kernel.source=kernel.org"), message);
    }

    /** The numbers at the head of the top Makefile. */
    private static String version(KernelSource source) throws IOException {
        try (InputStream in = KernelSource.uncompressed(source.tarball().content());
                TarArchiveInputStream tar = new TarArchiveInputStream(in)) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                if (entry.getName().matches("[^/]+/Makefile")) {
                    Map<String, String> numbers = new LinkedHashMap<>();
                    new BufferedReader(new InputStreamReader(tar, StandardCharsets.UTF_8)).lines().limit(10)
                            .filter(line -> line.contains(" = ")).forEach(line -> numbers.put(line.split(" = ")[0], line.split(" = ")[1]));
                    return numbers.get("VERSION") + "." + numbers.get("PATCHLEVEL") + "." + numbers.get("SUBLEVEL");
                }
            }
        }
        return "no Makefile";
    }
}
