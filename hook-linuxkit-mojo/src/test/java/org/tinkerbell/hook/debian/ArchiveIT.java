package org.tinkerbell.hook.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

/** The real archive, with Debian's own tools as the judges. */
class ArchiveIT {
    private static final List<String> REQUESTED = List.of("docker.io", "iptables", "ca-certificates");
    private static final String GROUP = "hook-docker";

    @TempDir
    Path temporary;

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

    private PackageSource source(Path cache, boolean offline, LockMode mode) throws IOException {
        Downloader downloader = new Downloader(new Cache(cache), NetworkSettings.defaults().withOffline(offline), progress);
        return new PackageSource(
                new Cache(cache), downloader, Mirrors.of(null, null, null, Path.of("/etc/apt")), "trixie", temporary, mode, progress);
    }

    @ParameterizedTest
    @EnumSource(Arch.class)
    void resolvesAsAptDoesAndUnpacksAsDpkgDoes(Arch arch) throws Exception {
        Path cache = temporary.resolve("cache");
        long begin = System.nanoTime();
        PackageSource source = source(cache, false, LockMode.LENIENT);
        PackageSource.Renewal renewal = source.renew(arch, List.of(PackageLock.Group.of(GROUP, REQUESTED, List.of())));
        report(arch, "resolved", begin);
        renewal.lock().write(renewal.file());

        begin = System.nanoTime();
        source = source(cache, false, LockMode.STRICT);
        List<LockedPackage> packages = source.packages(GROUP, arch, REQUESTED);
        report(arch, packages.size() + " packages fetched and unpacked", begin);
        assertEquals(List.of(), warnings);

        begin = System.nanoTime();
        PackageSource offline = source(cache, true, LockMode.STRICT);
        List<LockedPackage> again = offline.packages(GROUP, arch, REQUESTED);
        Map<LockedPackage, List<Entry>> entries = offline.entries(again);
        report(arch, entries.values().stream().mapToInt(List::size).sum() + " entries, warm and offline", begin);
        assertEquals(packages, again);

        compareWithApt(arch, packages);
        compareWithDpkg(entries);
    }

    private static void report(Arch arch, String what, long begin) {
        System.out.printf(Locale.ROOT, "%s: %s in %.2f s%n", arch, what, (System.nanoTime() - begin) / 1e9);
    }

    /** APT, with a root directory of its own, a status file without packages, and the same suites. */
    private void compareWithApt(Arch arch, List<LockedPackage> packages) throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/apt-get")), "apt-get is not here");
        Path root = temporary.resolve("apt-" + arch.debianName());
        for (String directory : List.of("etc/apt/sources.list.d", "etc/apt/preferences.d", "etc/apt/apt.conf.d",
                "var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/lib/dpkg")) {
            Files.createDirectories(root.resolve(directory));
        }
        Files.writeString(root.resolve("var/lib/dpkg/status"), "");
        Mirrors mirrors = Mirrors.of(null, null, null, Path.of("/etc/apt"));
        StringBuilder sources = new StringBuilder();
        for (Suite suite : Suite.ofRelease("trixie")) {
            sources.append("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ").append(mirrors.of(suite.archive()).get(0))
                    .append(' ').append(suite.codename()).append(" main\n");
        }
        Files.writeString(root.resolve("etc/apt/sources.list"), sources);
        Files.writeString(root.resolve("apt.conf"), String.join("\n",
                "Dir \"" + root + "\";", "APT::Architecture \"" + arch.debianName() + "\";",
                "APT::Architectures { \"" + arch.debianName() + "\"; };", "APT::Sandbox::User \"root\";", "Acquire::Languages \"none\";",
                "Dir::State::status \"" + root.resolve("var/lib/dpkg/status") + "\";", ""));
        run(root, "apt-get", "-qq", "update");
        List<String> command = new ArrayList<>(List.of("apt-get", "-qq", "-s", "--no-install-recommends", "install"));
        command.addAll(REQUESTED);
        SortedSet<String> expected = new TreeSet<>();
        for (String line : run(root, command.toArray(String[]::new)).split("\n")) {
            if (line.startsWith("Inst ")) {
                expected.add(line.replaceFirst("^Inst (\\S+) \\((\\S+) .*$", "$1 $2").replaceFirst("^Inst (\\S+) \\[.*?\\] \\((\\S+) .*$",
                        "$1 $2"));
            }
        }
        assertEquals(String.join("\n", expected),
                packages.stream().map(p -> p.name() + " " + p.version()).sorted().collect(Collectors.joining("\n")));
    }

    private static String run(Path root, String... command) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().put("APT_CONFIG", root.resolve("apt.conf").toString());
        builder.environment().put("LC_ALL", "C.UTF-8");
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), () -> String.join(" ", command) + "\n" + output);
        return output;
    }

    /** The records against what dpkg-deb writes and tar lists. */
    private void compareWithDpkg(Map<LockedPackage, List<Entry>> entries) throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/dpkg-deb")), "dpkg-deb is not here");
        Mirrors mirrors = Mirrors.of(null, null, null, Path.of("/etc/apt"));
        Downloader downloader = new Downloader(new Cache(temporary.resolve("cache")), NetworkSettings.defaults(), progress);
        List<String> names = List.of("docker.io", "iptables", "libc6", "base-files", "perl-base", "openssl", "util-linux", "passwd");
        int compared = 0;
        for (Map.Entry<LockedPackage, List<Entry>> unpacked : entries.entrySet()) {
            LockedPackage locked = unpacked.getKey();
            if (!names.contains(locked.name())) {
                continue;
            }
            compared++;
            Path deb = temporary.resolve(locked.name() + ".deb");
            downloader.fetch(new Downloader.Request(
                    locked.name(), mirrors.of(locked.archive(), locked.filename()), locked.size(), locked.sha256(), deb));
            Path directory = temporary.resolve(locked.name() + ".d");
            run(temporary, "dpkg-deb", "-x", deb.toString(), directory.toString());
            Map<String, String> expected = new TreeMap<>();
            String[] listed = run(temporary, "sh", "-c", "dpkg-deb --fsys-tarfile " + deb
                    + " | TZ=UTC tar --numeric-owner --full-time --quoting-style=literal -tvf -").split("\n");
            for (String line : listed) {
                String[] parts = line.split("\\s+", 6);
                String path = parts[5].replaceFirst(" (->|link to) .*", "").replaceFirst("^\\./", "").replaceFirst("/$", "");
                expected.put(path, parts[0].substring(1) + " " + parts[1]);
            }
            Map<String, String> actual = new TreeMap<>();
            for (Entry entry : unpacked.getValue()) {
                actual.put(entry.path(), permissions(entry.mode()) + " " + entry.uid() + "/" + entry.gid());
                Path file = directory.resolve(entry.path());
                switch (entry.type()) {
                    case FILE -> assertEquals(digest(file), digest(entry.content()), locked.name() + " " + entry.path());
                    case SYMLINK -> assertEquals(Files.readSymbolicLink(file).toString(), entry.link());
                    case DIRECTORY -> assertTrue(Files.isDirectory(file));
                    default -> assertFalse(Files.isRegularFile(file));
                }
            }
            assertEquals(expected, actual, locked.name());
        }
        assertTrue(compared >= 4, "only " + compared + " of the packages are part of the closure");
    }

    private static String permissions(int mode) {
        StringBuilder text = new StringBuilder();
        for (int shift = 6; shift >= 0; shift -= 3) {
            int bits = mode >> shift & 7;
            boolean special = (mode & (shift == 6 ? 04000 : shift == 3 ? 02000 : 01000)) != 0;
            char set = shift == 0 ? 't' : 's';
            text.append((bits & 4) != 0 ? 'r' : '-').append((bits & 2) != 0 ? 'w' : '-')
                    .append(special ? (bits & 1) != 0 ? set : Character.toUpperCase(set) : (bits & 1) != 0 ? 'x' : '-');
        }
        return text.toString();
    }

    private static String digest(Path file) throws IOException {
        return Digest.of(file).hex();
    }

    private static String digest(Content content) throws IOException {
        return content.digest().hex();
    }
}
