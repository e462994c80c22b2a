package org.tinkerbell.hook.toolbox;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.EnumMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.stream.Collectors;
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
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;

/**
 * Programs that the build runs on the host, without one being installed: unpacked from locked Debian packages of the
 * host's architecture into the cache, and started there by their own dynamic loader. Any Linux host will do, whatever C
 * library it has. Nothing of the packages' scripts is run.
 *
 * <p>The packages' lock belongs to this class, so it comes with the plugin.
 */
public final class Toolbox {
    /** Change it when trees are unpacked otherwise. */
    private static final String FORMAT = "1";

    private static final String DIRECTORY = "toolbox";
    private static final int BLOCK = 1 << 16;

    private final Cache cache;
    private final Packages sources;
    private final Progress progress;
    private final Map<ToolSet, Path> unpacked = new EnumMap<>(ToolSet.class);
    private PackageSource source;

    /** Where the packages come from. */
    @FunctionalInterface
    public interface Packages {
        /** A source of packages whose locks are in a directory. */
        PackageSource lockedIn(Path directory) throws IOException;
    }

    /**
     * A toolbox that unpacks what it is asked for.
     *
     * @param sources asked once, when the first tool is
     */
    public Toolbox(Cache cache, Packages sources, Progress progress) {
        this.cache = cache;
        this.sources = sources;
        this.progress = progress;
    }

    /** The groups of the toolbox's package lock for an architecture. */
    public static List<PackageLock.Group> groups(Arch arch) {
        return Arrays.stream(ToolSet.values()).filter(set -> set.arch(arch) == arch).map(ToolSet::locked).toList();
    }

    /**
     * A program.
     *
     * @param executable its path in the packages, such as {@code usr/bin/kmod}
     * @throws HookException if the host cannot run it, or the packages do not have it
     */
    public Tool tool(ToolSet set, String executable) throws IOException {
        Path root = root(set);
        Path file = root.resolve(executable);
        if (!Files.isRegularFile(file)) {
            throw new HookException("The packages of the tool set " + set.group() + " have no " + executable + " (looked for in " + root
                    + ").");
        }
        Arch host = Arch.host();
        List<String> prefix = new ArrayList<>();
        Path loader = root.resolve(host.dynamicLoader());
        if (isDynamic(file)) {
            // ld.so(8): the program's own search path must not lead to the host's libraries.
            prefix.addAll(List.of(loader.toString(), "--inhibit-cache", "--library-path",
                    root.resolve("usr/lib").resolve(host.triplet()).toString()));
        }
        prefix.add(file.toString());
        prefix.addAll(set.arguments(root));
        return new Tool(file.getFileName().toString(), prefix, root, set.environment(root, host));
    }

    /**
     * Which programs a set has, without unpacking them: the packages and their versions. It is the same on hosts of any architecture, as
     * long as Debian has the same versions for all of them.
     */
    public String versions(ToolSet set) throws IOException {
        List<LockedPackage> locked = source().locked(set.group(), Arch.host());
        List<LockedPackage> packages =
                locked.isEmpty() ? source().packages(set.group(), Arch.host(), set.packages(), set.without()) : locked;
        return packages.stream().map(p -> p.name() + " " + p.version()).sorted().collect(Collectors.joining("\n"));
    }

    /** QEMU's emulator of a machine with an architecture. */
    public Tool qemu(Arch guest) throws IOException {
        return tool(ToolSet.qemu(guest), "usr/bin/qemu-system-" + guest.qemuName());
    }

    /**
     * The directory that the packages of a set are unpacked in.
     *
     * @throws HookException if the host runs no Linux
     */
    public synchronized Path root(ToolSet set) throws IOException {
        String os = System.getProperty("os.name");
        if (!os.toLowerCase(Locale.ROOT).equals("linux")) {
            throw new HookException("This needs " + String.join(", ", set.packages())
                    + ", which Hook takes from Debian's packages and runs on Linux "
                    + "only; this is " + os + ". Build on a Linux machine, in WSL or in a container.");
        }
        Path root = unpacked.get(set);
        if (root == null || !Files.isDirectory(root)) {
            root = unpack(set);
            unpacked.put(set, root);
        }
        return root;
    }

    private Path unpack(ToolSet set) throws IOException {
        Arch host = set.arch(Arch.host());
        List<LockedPackage> packages = source().packages(set.group(), host, set.packages(), set.without());
        String inputs = packages.stream().map(p -> p.sha256().hex()).sorted().collect(Collectors.joining("\n"));
        Digest key = Digest.of(FORMAT + "\n" + set.rules() + "\n" + inputs);
        Path root = cache.directory(DIRECTORY).resolve(set.group() + "-" + key.abbreviated(16));
        if (Files.isDirectory(root)) {
            return root;
        }
        try (Cache.Held held = cache.lock(root.toString())) {
            if (!Files.isDirectory(root)) {
                Path temporary = root.resolveSibling("." + root.getFileName() + AtomicFile.SUFFIX);
                // Whoever left it behind does not hold the lock any more.
                Directories.delete(temporary);
                try (Progress.Task task = progress.start("Unpacking " + set.group() + " from " + packages.size() + " packages", -1,
                        Progress.Unit.ITEMS)) {
                    FileTree tree = new FileTree();
                    source().entries(packages).values().forEach(entries -> tree.putAll(entries, FileTree.Clash.REFUSE));
                    write(tree, set, temporary, task);
                    Files.move(temporary, root);
                } finally {
                    Directories.delete(temporary);
                }
            }
        }
        return root;
    }

    private PackageSource source() throws IOException {
        if (source == null) {
            source = sources.lockedIn(locks());
        }
        return source;
    }

    /** The plugin's locks in a directory, which the source of packages wants. */
    private Path locks() throws IOException {
        Map<String, byte[]> locks = new TreeMap<>();
        StringJoiner digests = new StringJoiner("\n");
        for (Arch arch : Arch.values()) {
            String name = PackageLock.fileName(arch.debianName());
            try (InputStream in = Toolbox.class.getResourceAsStream(name)) {
                if (in != null) {
                    locks.put(name, in.readAllBytes());
                    digests.add(name + " " + Digest.of(locks.get(name)));
                }
            }
        }
        Path directory = cache.root().resolve(DIRECTORY).resolve("lock-" + Digest.of(digests.toString()).abbreviated(16));
        Files.createDirectories(directory);
        for (Map.Entry<String, byte[]> lock : locks.entrySet()) {
            if (!Files.exists(directory.resolve(lock.getKey()))) {
                AtomicFile.write(directory.resolve(lock.getKey()), lock.getValue());
            }
        }
        return directory;
    }

    static void write(FileTree tree, ToolSet set, Path root, Progress.Task task) throws IOException {
        Map<Content, Path> written = new IdentityHashMap<>();
        Files.createDirectories(root);
        for (Entry entry : tree) {
            if (entry.path().isEmpty() || !set.takes(entry.path())) {
                continue;
            }
            Path path = root.resolve(entry.path());
            switch (entry.type()) {
                case DIRECTORY -> Files.createDirectories(path);
                case SYMLINK -> {
                    Files.createDirectories(path.getParent());
                    Files.createSymbolicLink(path, Path.of(inside(entry)));
                }
                case FILE -> {
                    Files.createDirectories(path.getParent());
                    Path first = written.putIfAbsent(entry.content(), path);
                    if (first != null) {
                        Files.createLink(path, first);
                    } else {
                        copy(entry.content(), path);
                        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString((entry.mode() & 0111) != 0 ? "rwxr-xr-x"
                                : "rw-r--r--"));
                    }
                    task.advance(1);
                }
                default -> {
                    // A tool needs no devices of its own.
                }
            }
        }
    }

    /** The target of a link so that it stays in the root that it was unpacked to, wherever that is. */
    static String inside(Entry link) {
        Deque<String> at = new ArrayDeque<>();
        List<String> parent = link.parent().isEmpty() ? List.of() : List.of(link.parent().split("/"));
        if (!link.link().startsWith("/")) {
            at.addAll(parent);
        }
        boolean leaves = link.link().startsWith("/");
        for (String name : link.link().split("/")) {
            if (name.equals("..")) {
                leaves |= at.pollLast() == null;
            } else if (!name.isEmpty() && !name.equals(".")) {
                at.addLast(name);
            }
        }
        if (!leaves) {
            return link.link();
        }
        String target = "../".repeat(parent.size()) + String.join("/", at);
        return target.isEmpty() ? "." : target;
    }

    // Firmware images are mostly holes.
    private static void copy(Content content, Path path) throws IOException {
        try (InputStream in = content.open();
                FileChannel out = FileChannel.open(path, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE,
                        StandardOpenOption.SPARSE))) {
            byte[] block = new byte[BLOCK];
            byte[] zeros = new byte[BLOCK];
            long position = 0;
            for (int n = in.readNBytes(block, 0, BLOCK); n > 0; n = in.readNBytes(block, 0, BLOCK)) {
                boolean hole = Arrays.equals(block, 0, n, zeros, 0, n) && position + n < content.size();
                ByteBuffer buffer = ByteBuffer.wrap(block, 0, n);
                while (!hole && buffer.hasRemaining()) {
                    out.write(buffer, position + buffer.position());
                }
                position += n;
            }
        }
    }

    /** Whether an ELF file names a dynamic loader (elf(5), PT_INTERP). */
    private static boolean isDynamic(Path file) throws IOException {
        try (FileChannel in = FileChannel.open(file)) {
            ByteBuffer header = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
            while (header.hasRemaining() && in.read(header) >= 0) {
                continue;
            }
            header.flip();
            if (header.limit() < 64 || header.getInt(0) != 0x464c457f) {
                return false;
            }
            long offset = header.getLong(32);
            int size = header.getShort(54);
            int count = header.getShort(56);
            for (int i = 0; i < count && offset + (long) i * size + 4 <= header.limit(); i++) {
                if (header.getInt((int) offset + i * size) == 3) {
                    return true;
                }
            }
            return false;
        }
    }
}
