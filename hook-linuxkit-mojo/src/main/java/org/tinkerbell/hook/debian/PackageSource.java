package org.tinkerbell.hook.debian;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.DownloadException;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Parallel;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.openpgp.Keyring;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarFile;

/**
 * Gives groups of Debian packages, as a lock has them, and the files in them.
 *
 * <p>With a lock nothing is resolved and no index is fetched. A file that no mirror has any more is looked for at the snapshot
 * service; what is not there either stops a strict build, and is resolved anew by a lenient one. Packages are kept in the
 * cache as uncompressed tars, by the digest of the package file.
 *
 * <p>It may be used by several threads, and several of it may share one cache.
 */
public final class PackageSource {
    private static final String DIRECTORY = "debian/packages/";
    private static final String RENEW = "Renew the lock with mvn hook:lock and commit it.";

    private final Cache cache;
    private final Downloader downloader;
    private final Mirrors mirrors;
    private final Keyring keyring;
    private final Clock clock;
    private final List<Suite> suites;
    private final Path lockDirectory;
    private final LockMode mode;
    private final Progress progress;

    private final Map<String, PackageIndex> indices = new HashMap<>();
    private final Map<String, Optional<PackageLock>> locks = new HashMap<>();
    private final Set<LockedPackage> gone = ConcurrentHashMap.newKeySet();
    // Fetching waits for the network, unpacking for processors: the one has as many threads as connections, the other as processors.
    private final Semaphore processors = new Semaphore(Runtime.getRuntime().availableProcessors());

    /**
     * A source of Debian's packages of a release.
     *
     * @param release code name, such as {@code trixie}
     * @param lockDirectory where the locks {@code packages-<architecture>.lock} are; they may be missing if the mode is lenient
     */
    public PackageSource(
            Cache cache, Downloader downloader, Mirrors mirrors, String release, Path lockDirectory, LockMode mode, Progress progress) {
        this(cache, downloader, mirrors, DebianKeys.keyring(), Clock.systemUTC(), Suite.ofRelease(release), lockDirectory, mode, progress);
    }

    /**
     * A source of the packages of any suites.
     *
     * @param keyring the keys that sign them
     * @param clock by which keys and indices expire
     */
    public PackageSource(
            Cache cache,
            Downloader downloader,
            Mirrors mirrors,
            Keyring keyring,
            Clock clock,
            List<Suite> suites,
            Path lockDirectory,
            LockMode mode,
            Progress progress) {
        this.cache = cache;
        this.downloader = downloader;
        this.mirrors = mirrors;
        this.keyring = keyring;
        this.clock = clock;
        this.suites = List.copyOf(suites);
        this.lockDirectory = lockDirectory;
        this.mode = mode;
        this.progress = progress;
    }

    /**
     * The result of renewing a lock.
     *
     * @param lock to be written to {@code file}
     * @param changes what differs from the lock that was there
     */
    public record Renewal(Path file, PackageLock lock, List<PackageLock.Change> changes) {}

    /** {@link #packages(String, Arch, Collection, Collection)} with nothing left out. */
    public List<LockedPackage> packages(String group, Arch arch, Collection<String> requested) throws IOException {
        return packages(group, arch, requested, List.of());
    }

    /**
     * The packages of a group: those that are asked for and all that they need. When this returns they are in the cache.
     *
     * @param group name of the group in the lock, such as an image's
     * @param requested {@code name}, {@code name/suite} (backports) or {@code name=version}
     * @param without packages that are left out although others depend on them, such as those that only maintainer scripts need
     * @return sorted by name
     * @throws HookException if the lock is damaged, a strict build's lock does not fit, or something cannot be had
     */
    public List<LockedPackage> packages(String group, Arch arch, Collection<String> requested, Collection<String> without)
            throws IOException {
        String architecture = arch.debianName();
        PackageLock.Group wanted = PackageLock.Group.of(group, requested, without);
        Optional<PackageLock> lock = lock(architecture);
        PackageLock.Group locked = lock.map(l -> l.groups().get(group)).orElse(null);
        if (!wanted.equals(locked)) {
            String reason = lock.isEmpty() ? "There is no package lock " + lockFile(architecture)
                    : locked == null ? lockFile(architecture) + " has no group '" + group + "'"
                    : lockFile(architecture) + " is older than the list of packages of " + group + " (" + difference(locked, wanted) + ")";
            if (mode == LockMode.STRICT) {
                throw new HookException(reason + ", and with hook.lock=strict only locked packages are taken. " + RENEW);
            }
            progress.warn(reason + "; its packages are resolved now. " + RENEW);
            List<LockedPackage> resolved = resolve(architecture, wanted);
            List<LockedPackage> missing = provide(resolved);
            if (!missing.isEmpty()) {
                throw new HookException("No mirror has " + names(missing) + ", although the index names "
                        + (missing.size() == 1 ? "it" : "them")
                        + ": the mirror is being updated, try again in an hour, or use another one");
            }
            return resolved;
        }
        List<LockedPackage> packages = lock.get().packages(group);
        List<LockedPackage> missing = provide(packages);
        return missing.isEmpty() ? packages : replaced(architecture, wanted, packages, missing);
    }

    /**
     * The packages of a group as the lock has them, without fetching anything.
     *
     * @return sorted by name; empty if there is no lock or no such group
     */
    public List<LockedPackage> locked(String group, Arch arch) throws IOException {
        return lock(arch.debianName()).map(lock -> lock.packages(group)).orElse(List.of());
    }

    /**
     * The files of a package, as its data tar has them.
     *
     * @throws HookException if the package cannot be had, is not what its lock says, or has a member that must not be unpacked
     */
    public List<Entry> entries(LockedPackage locked) throws IOException {
        return entries(List.of(locked)).get(locked);
    }

    /** The files of several packages, which are fetched and unpacked in parallel if they are not in the cache; in the order given. */
    public Map<LockedPackage, List<Entry>> entries(Collection<LockedPackage> locked) throws IOException {
        List<LockedPackage> all = List.copyOf(new LinkedHashSet<>(locked));
        List<LockedPackage> missing = provide(all);
        if (!missing.isEmpty()) {
            throw new HookException("Neither a mirror nor the snapshot service has " + names(missing) + ". " + RENEW);
        }
        int threads = Math.min(Runtime.getRuntime().availableProcessors(), Math.max(all.size(), 1));
        List<List<Entry>> entries = Parallel.map(threads, all, p -> TarFile.open(path(p, "data.tar"), label(p)).entries());
        Map<LockedPackage, List<Entry>> result = new LinkedHashMap<>();
        for (int i = 0; i < all.size(); i++) {
            result.put(all.get(i), entries.get(i));
        }
        return result;
    }

    /** A package's own description: the fields of its control file by name, in any case. */
    public Deb822.Stanza control(LockedPackage locked) throws IOException {
        byte[] bytes = controlFile(locked, "control").orElseThrow(() -> new HookException(label(locked) + " has no control file"));
        return stanza(bytes, locked);
    }

    /**
     * A file that comes with a package to administer it, such as {@code conffiles} or {@code triggers}.
     *
     * @return its bytes if the package has it
     */
    public Optional<byte[]> controlFile(LockedPackage locked, String name) throws IOException {
        entries(locked);
        for (Entry entry : TarFile.open(path(locked, "control.tar"), label(locked)).entries()) {
            if (entry.path().equals(name) && entry.content() != null) {
                try (InputStream in = entry.content().open()) {
                    return Optional.of(in.readAllBytes());
                }
            }
        }
        return Optional.empty();
    }

    /**
     * A lock of the newest packages for these groups; groups of the old lock that are not among them are gone from it. Where a
     * package stays the same its stanza does too.
     *
     * @throws HookException if a group cannot be resolved
     */
    public Renewal renew(Arch arch, List<PackageLock.Group> groups) throws IOException {
        String architecture = arch.debianName();
        Path file = lockFile(architecture);
        PackageLock old;
        try {
            old = lock(architecture).orElse(PackageLock.of(architecture, Map.of()));
        } catch (HookException e) {
            progress.warn(e.getMessage() + " It is made anew.");
            old = PackageLock.of(architecture, Map.of());
        }
        Map<String, LockedPackage> known = new HashMap<>();
        old.packages().keySet().forEach(p -> known.put(p.sha256().hex() + p.filename(), p));
        Map<PackageLock.Group, List<LockedPackage>> resolved = new LinkedHashMap<>();
        for (PackageLock.Group group : groups) {
            resolved.put(group, resolve(architecture, group).stream()
                    .map(p -> known.getOrDefault(p.sha256().hex() + p.filename(), p))
                    .toList());
        }
        PackageLock lock = PackageLock.of(architecture, resolved);
        return new Renewal(file, lock, lock.changesSince(old));
    }

    /** The lock of an architecture; the file need not exist. */
    public Path lockFile(Arch arch) {
        return lockFile(arch.debianName());
    }

    private Path lockFile(String architecture) {
        return lockDirectory.resolve(PackageLock.fileName(architecture));
    }

    private synchronized Optional<PackageLock> lock(String architecture) throws IOException {
        Optional<PackageLock> lock = locks.get(architecture);
        if (lock == null) {
            Path file = lockFile(architecture);
            lock = Files.exists(file) ? Optional.of(PackageLock.read(file, architecture)) : Optional.empty();
            locks.put(architecture, lock);
        }
        return lock;
    }

    private synchronized PackageIndex index(String architecture) throws IOException {
        PackageIndex index = indices.get(architecture);
        if (index == null) {
            index = new Archive(cache, downloader, mirrors, keyring, clock, progress).index(suites, architecture);
            indices.put(architecture, index);
        }
        return index;
    }

    private List<LockedPackage> resolve(String architecture, PackageLock.Group group) throws IOException {
        return resolve(index(architecture), architecture, group);
    }

    private List<LockedPackage> resolve(PackageIndex index, String architecture, PackageLock.Group group) {
        String where = suites.stream().map(Suite::codename).collect(Collectors.joining(", "));
        try {
            return new Resolver(index, architecture, where).resolve(group.requested(), group.without()).stream()
                    .map(BinaryPackage::locked)
                    .toList();
        } catch (HookException e) {
            throw new HookException(group.name() + ": " + e.getMessage(), e);
        }
    }

    /** The group with something else in the place of what cannot be had any more, and all the rest as it is locked. */
    private List<LockedPackage> replaced(
            String architecture, PackageLock.Group group, List<LockedPackage> packages, List<LockedPackage> missing) throws IOException {
        String what = "Neither a mirror nor " + mirrors.snapshot() + " has " + names(missing) + " of the package lock";
        if (mode == LockMode.STRICT) {
            throw new HookException(what + ", and with hook.lock=strict nothing else is taken. " + RENEW);
        }
        List<BinaryPackage> choice = new ArrayList<>();
        for (LockedPackage kept : packages) {
            if (!missing.contains(kept)) {
                choice.add(BinaryPackage.ofLock(kept, control(kept)));
            }
        }
        choice.addAll(index(architecture).all());
        List<LockedPackage> result = resolve(new PackageIndex(choice), architecture, group);
        List<LockedPackage> stillMissing = provide(result);
        if (!stillMissing.isEmpty()) {
            throw new HookException(what + ", and no mirror has what would replace it: " + names(stillMissing)
                    + ". The mirror is being updated, try again in an hour, or use another one.");
        }
        progress.warn(what + ". In their place: " + result.stream().filter(p -> !packages.contains(p)).map(LockedPackage::toString)
                .collect(Collectors.joining(", ")) + ". " + RENEW);
        return result;
    }

    /** Brings packages into the cache and says which no server has. */
    private List<LockedPackage> provide(List<LockedPackage> packages) throws IOException {
        List<LockedPackage> wanted = packages.stream().filter(p -> !isReady(p)).toList();
        if (wanted.isEmpty()) {
            return List.of();
        }
        if (downloader.settings().offline()) {
            List<LockedPackage> unreachable =
                    wanted.stream().filter(p -> addresses(p).stream().noneMatch(a -> "file".equals(a.getScheme()))).toList();
            if (!unreachable.isEmpty()) {
                throw new HookException("Maven is offline, and these packages are not in the cache (" + cache.root() + "): "
                        + names(unreachable) + ". Build once without -o.");
            }
        }
        List<LockedPackage> missing = fetch(wanted.stream().filter(p -> !gone.contains(p)).toList(), this::addresses);
        List<LockedPackage> lost = missing.isEmpty() ? List.of() : fetchFromSnapshot(missing);
        gone.addAll(lost);
        return wanted.stream().filter(gone::contains).toList();
    }

    private List<LockedPackage> fetchFromSnapshot(List<LockedPackage> missing) throws IOException {
        progress.info("No mirror has " + names(missing) + " any more; asking " + mirrors.snapshot());
        try {
            return fetch(missing, p -> mirrors.snapshots(p.archive(), p.filename(), p.archiveTime()));
        } catch (DownloadException e) {
            // Unreachable is as good as missing here, but a person wants to know which it was.
            progress.warn(e.getMessage());
            return missing.stream().filter(p -> !isReady(p)).toList();
        }
    }

    private List<URI> addresses(LockedPackage locked) {
        return mirrors.of(locked.archive(), locked.filename());
    }

    private List<LockedPackage> fetch(List<LockedPackage> wanted, Function<LockedPackage, List<URI>> addresses) throws IOException {
        if (wanted.isEmpty()) {
            return List.of();
        }
        List<LockedPackage> missing = Collections.synchronizedList(new ArrayList<>());
        long total = wanted.stream().mapToLong(LockedPackage::size).sum();
        String what = "Fetching " + (wanted.size() == 1 ? "package " + wanted.get(0) : wanted.size() + " packages");
        try (Progress.Task task = progress.start(what, total, Progress.Unit.BYTES)) {
            Parallel.forEach(downloader.settings().connections(), wanted, locked -> {
                try {
                    fetch(locked, addresses.apply(locked), task);
                } catch (DownloadException e) {
                    if (!e.missing()) {
                        throw e;
                    }
                    missing.add(locked);
                }
            });
        }
        return wanted.stream().filter(missing::contains).toList();
    }

    private void fetch(LockedPackage locked, List<URI> addresses, Progress.Task task) throws IOException, InterruptedException {
        try (Cache.Held held = cache.lock("debian package " + locked.sha256().hex())) {
            if (isReady(locked)) {
                return;
            }
            Path file = path(locked, "package.deb");
            removeLeftovers(file.getParent());
            downloader.fetch(new Downloader.Request("package " + locked, addresses, locked.size(), locked.sha256(), file), task);
            processors.acquire();
            try {
                unpack(locked, file);
            } finally {
                processors.release();
            }
            Files.delete(file);
        }
    }

    /** Removes what a killed build was unpacking; what it was fetching is continued. */
    private static void removeLeftovers(Path directory) throws IOException {
        if (Files.isDirectory(directory)) {
            try (DirectoryStream<Path> leftovers = Files.newDirectoryStream(directory, ".{data,control}.tar*" + AtomicFile.SUFFIX)) {
                for (Path leftover : leftovers) {
                    Files.deleteIfExists(leftover);
                }
            }
        }
    }

    /** Makes the tars; the data last, since with it the package counts as there. */
    private void unpack(LockedPackage locked, Path file) throws IOException {
        DebFile deb = new DebFile(Content.of(file), label(locked));
        TarFile control;
        try (InputStream in = deb.control()) {
            control = TarFile.index(in, path(locked, "control.tar"), label(locked) + " (control)");
        }
        checkIdentity(locked, control);
        try (InputStream in = deb.data()) {
            TarFile.index(in, path(locked, "data.tar"), label(locked));
        }
    }

    /** Whether it is the package that the lock calls by that name: somebody may have edited the lock. */
    private void checkIdentity(LockedPackage locked, TarFile control) throws IOException {
        for (Entry entry : control.entries()) {
            if (entry.path().equals("control") && entry.content() != null) {
                try (InputStream in = entry.content().open()) {
                    Deb822.Stanza stanza = stanza(in.readAllBytes(), locked);
                    String actual = stanza.require("Package") + " " + stanza.require("Version") + " (" + stanza.require("Architecture")
                            + ")";
                    if (!actual.equals(locked.toString())) {
                        throw new HookException("The file " + locked.filename() + " is " + actual + ", not " + locked
                                + ": the package lock was edited. " + RENEW);
                    }
                    return;
                }
            }
        }
        throw new HookException(label(locked) + " has no control file");
    }

    private static Deb822.Stanza stanza(byte[] control, LockedPackage locked) throws IOException {
        try (Deb822 reader = new Deb822(new ByteArrayInputStream(control), label(locked) + "/control", Set.of())) {
            Deb822.Stanza stanza = reader.next();
            if (stanza == null) {
                throw new HookException(label(locked) + " has an empty control file");
            }
            return stanza;
        }
    }

    private boolean isReady(LockedPackage locked) {
        return Files.exists(path(locked, "data.tar")) && Files.exists(path(locked, "control.tar"));
    }

    private Path path(LockedPackage locked, String name) {
        return cache.root().resolve(DIRECTORY + locked.sha256().hex()).resolve(name);
    }

    private static String label(LockedPackage locked) {
        return "package " + locked;
    }

    private static String names(Collection<LockedPackage> packages) {
        return packages.stream().map(LockedPackage::toString).collect(Collectors.joining(", "));
    }

    private static String difference(PackageLock.Group locked, PackageLock.Group wanted) {
        List<String> differences = new ArrayList<>();
        wanted.requested().stream().filter(n -> !locked.requested().contains(n)).forEach(n -> differences.add("+" + n));
        locked.requested().stream().filter(n -> !wanted.requested().contains(n)).forEach(n -> differences.add("-" + n));
        wanted.without().stream().filter(n -> !locked.without().contains(n)).forEach(n -> differences.add("without " + n));
        locked.without().stream().filter(n -> !wanted.without().contains(n)).forEach(n -> differences.add("no longer without " + n));
        return String.join(", ", differences);
    }
}
