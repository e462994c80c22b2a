package org.tinkerbell.hook.container;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tinkerbell.hook.debian.LockedPackage;
import org.tinkerbell.hook.debian.PackageLock;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Directories;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.toolbox.Tool;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;
import org.tinkerbell.hook.tree.TarFile;
import org.tinkerbell.hook.tree.TarWriter;

/**
 * The Java that runs inside the system: what the agents need of Debian's JDK, cut out by {@code jlink}.
 *
 * <p>The modules are those of the target's architecture, from its package; {@code jlink} itself is that of the host's, of the very same
 * version, unpacked and run through its own dynamic loader. So the bytes are the same wherever the runtime is made. For the same
 * reason it has no archive for class-data sharing: only a machine of the target's architecture could dump one.
 *
 * <p>The modules file is not compressed, since an initramfs compresses it better (13 MB against 21 MB in the end).
 */
final class JavaRuntime {
    /** Where it is in an image. */
    static final String PATH = "usr/lib/jvm/hook";

    /** {@code jdk.crypto.ec} is for TLS with servers that offer elliptic curves alone; Java 22 has it in {@code java.base}. */
    static final List<String> MODULES = List.of("java.base", "jdk.crypto.ec");

    /** Debian's libraries are stripped; the rest of it is for who develops with Java, or text. */
    private static final List<String> OPTIONS = List.of(
            "--strip-java-debug-attributes",
            "--no-man-pages",
            "--no-header-files",
            "--vm=server",
            "--compress=zip-0",
            "--exclude-files=glob:/*/legal/**,glob:/java.base/lib/jrt-fs.jar,glob:/java.base/lib/classlist,glob:/java.base/bin/keytool,"
                    + "glob:/java.base/lib/jexec");

    /** Raised when what is below changes the result. */
    private static final String FORMAT = "java-runtime 1";

    private static final List<String> EXECUTABLE = List.of("lib/jspawnhelper");

    private final Cache cache;
    private final PackageSource packages;
    private final Arch arch;
    private final Progress progress;

    /**
     * A runtime for an architecture.
     *
     * @param packages gives the groups {@link PackageGroups#java()} and {@link PackageGroups#jlink()}
     */
    JavaRuntime(Cache cache, PackageSource packages, Arch arch, Progress progress) {
        this.cache = cache;
        this.packages = packages;
        this.arch = arch;
        this.progress = progress;
    }

    /**
     * What the runtime's bytes depend on; the host is not among it.
     *
     * @param jdk the packages of {@link PackageGroups#java()}
     */
    static Digest key(Collection<LockedPackage> jdk) {
        String inputs = jdk.stream().map(p -> p.sha256().hex()).sorted().collect(Collectors.joining(","));
        return Digest.of(String.join("\n", FORMAT, inputs, MODULES.toString(), OPTIONS.toString()));
    }

    /**
     * The files of the runtime, below {@link #PATH}; made if they are not in the cache.
     *
     * @param jdk the packages of {@link PackageGroups#java()}
     * @throws HookException if the host cannot make it
     */
    List<Entry> entries(Collection<LockedPackage> jdk) throws IOException, InterruptedException {
        String name = "java/" + arch.debianName() + "-" + key(jdk).abbreviated(32) + ".tar";
        Path tar = cache.root().resolve(name);
        if (!Files.exists(tar)) {
            try (Cache.Held held = cache.lock(name)) {
                if (!Files.exists(tar)) {
                    make(jdk, tar);
                }
            }
        }
        return TarFile.open(tar, "the Java runtime").entries();
    }

    private void make(Collection<LockedPackage> jdk, Path tar) throws IOException, InterruptedException {
        requireLinux();
        Arch host = Arch.host();
        PackageLock.Group group = PackageGroups.jlink();
        List<LockedPackage> linker = packages.packages(group.name(), host, group.requested(), group.without());
        requireSameVersion(jdk, linker);
        Path work = tar.resolveSibling("." + tar.getFileName() + AtomicFile.SUFFIX);
        // Whoever left it behind was killed: the lock is ours.
        Directories.delete(work);
        Files.createDirectories(work);
        try (Progress.Task task = progress.start("Cutting the Java runtime for " + arch.debianName(), -1, Progress.Unit.ITEMS)) {
            Path tool = work.resolve("tool");
            unpack(linker, tool, path -> path.startsWith("usr/lib/") || path.startsWith("usr/lib64/") || path.startsWith("etc/java-"));
            Path modules = work.resolve("modules");
            unpack(jdk, modules, path -> MODULES.stream().anyMatch(module -> path.endsWith("/jmods/" + module + ".jmod")));
            Path output = work.resolve("output");
            List<String> arguments = new ArrayList<>(List.of(
                    "--module-path", javaHome(modules, arch).resolve("jmods").toString(),
                    "--add-modules", String.join(",", MODULES),
                    "--output", output.toString()));
            arguments.addAll(OPTIONS);
            jlink(tool, host).run(arguments);
            write(output, tar);
        } finally {
            Directories.delete(work);
        }
    }

    private static void requireLinux() {
        String os = System.getProperty("os.name");
        if (!os.toLowerCase(Locale.ROOT).equals("linux")) {
            throw new HookException("The Java runtime of the images is cut by Debian's jlink, which runs on Linux only; this is " + os
                    + ". Build the images on a Linux machine, in WSL or in a container, or build hook-dist alone (-pl hook-dist) from images "
                    + "that were published to a Maven repository.");
        }
    }

    // jlink puts a little of its own version into what it makes.
    private static void requireSameVersion(Collection<LockedPackage> jdk, Collection<LockedPackage> linker) {
        String target = version(jdk, PackageGroups.JDK + "-jdk-headless");
        String tool = version(linker, PackageGroups.JDK + "-jre-headless");
        if (!target.equals(tool)) {
            throw new HookException("The Java of the images is " + PackageGroups.JDK + " " + target + ", but that of the building host's architecture, "
                    + "which has to cut it, is " + tool + ": the locks of the two architectures are of different days. Renew them together with mvn hook:lock.");
        }
    }

    private static String version(Collection<LockedPackage> group, String name) {
        return group.stream()
                .filter(p -> p.name().equals(name))
                .map(LockedPackage::version)
                .findFirst()
                .orElseThrow(() -> new HookException("There is no " + name + " among the packages of the Java runtime: "
                        + group.stream().map(LockedPackage::name).toList() + ". Renew the lock with mvn hook:lock."));
    }

    private Tool jlink(Path root, Arch host) throws IOException {
        Path home = javaHome(root, host);
        String libraries = Stream.of(root.resolve("usr/lib/" + host.triplet()), home.resolve("lib"), home.resolve("lib/server"))
                .map(Path::toString)
                .collect(Collectors.joining(":"));
        // ld.so(8): the host's own libraries may be older than what Debian's JDK was built with.
        List<String> command = List.of(
                root.resolve(host.dynamicLoader()).toString(),
                "--inhibit-cache",
                "--library-path",
                libraries,
                home.resolve("bin/java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Duser.language=en",
                "-Duser.country=",
                "-Duser.timezone=UTC",
                "-Dfile.encoding=UTF-8",
                "-m",
                "jdk.jlink/jdk.tools.jlink.internal.Main");
        TreeMap<String, String> environment = new TreeMap<>();
        // The launcher adds what these say to every command line.
        environment.put("JDK_JAVA_OPTIONS", "");
        environment.put("JAVA_TOOL_OPTIONS", "");
        environment.put("_JAVA_OPTIONS", "");
        environment.put("LC_ALL", "C");
        return new Tool("jlink", command, root, environment);
    }

    private static Path javaHome(Path root, Arch of) throws IOException {
        Path jvm = root.resolve("usr/lib/jvm");
        try (Stream<Path> homes = Files.list(jvm)) {
            // Beside it, links by other names lead to it.
            return homes.filter(home -> !Files.isSymbolicLink(home) && home.getFileName().toString().endsWith("-" + of.debianName()))
                    .filter(home -> Files.exists(home.resolve("jmods")) || Files.exists(home.resolve("bin/java")))
                    .findFirst()
                    .orElseThrow(() -> new HookException("Debian's " + PackageGroups.JDK + " packages have no Java below /usr/lib/jvm: their layout "
                            + "has changed, and the runtime cannot be made from them."));
        }
    }

    private void unpack(Collection<LockedPackage> from, Path root, Predicate<String> wanted) throws IOException {
        FileTree tree = new FileTree();
        for (List<Entry> entries : packages.entries(from).values()) {
            tree.putAll(entries, FileTree.Clash.REFUSE);
        }
        Files.createDirectories(root);
        for (Entry entry : tree) {
            if (!wanted.test(entry.path()) || entry.type() == Entry.Type.DIRECTORY) {
                continue;
            }
            Path path = root.resolve(entry.path());
            Files.createDirectories(path.getParent());
            if (entry.type() == Entry.Type.SYMLINK) {
                // An absolute link means the root that the package would have been installed to.
                Path target = entry.link().startsWith("/") ? root.resolve(entry.link().substring(1)) : Path.of(entry.link());
                Files.createSymbolicLink(path, target);
            } else if (entry.type() == Entry.Type.FILE) {
                try (InputStream in = entry.content().open()) {
                    Files.copy(in, path);
                }
                if ((entry.mode() & 0100) != 0 && !path.toFile().setExecutable(true)) {
                    throw new IOException("cannot be made executable: " + path);
                }
            }
        }
    }

    /** Packs what jlink made. Modes are by name: those on disk depend on who builds. */
    private static void write(Path output, Path tar) throws IOException {
        List<Path> files;
        try (Stream<Path> walk = Files.walk(output)) {
            files = walk.filter(Files::isRegularFile).sorted(Comparator.comparing(file -> relative(output, file))).toList();
        }
        FileTree tree = new FileTree();
        for (Path file : files) {
            String path = relative(output, file);
            boolean executable = path.startsWith("bin/") || EXECUTABLE.contains(path);
            tree.put(Entry.file(PATH + "/" + path, executable ? 0755 : 0644, Content.of(file)));
        }
        AtomicFile.make(tar, temporary -> {
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(temporary))) {
                TarWriter.write(tree, out, 0);
            }
        });
    }

    private static String relative(Path output, Path file) {
        return output.relativize(file).toString().replace('\\', '/');
    }
}
