package org.tinkerbell.hook.io;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The directory that keeps what is expensive to get or to make, shared by builds that run at the same time.
 *
 * <p>Whoever makes something in it holds the lock of its key; whoever only reads needs none, since files come under their
 * final name in one step ({@link AtomicFile}). The whole directory may be deleted between builds.
 *
 * @param root the directory; it is made when it is first needed
 */
public record Cache(Path root) {
    // A FileLock keeps out other processes only; within this one a lock of the JDK has to.
    private static final ConcurrentHashMap<Path, ReentrantLock> IN_THIS_PROCESS = new ConcurrentHashMap<>();

    private static final long LONGEST_PAUSE = 100;

    public Cache {
        root = root.toAbsolutePath().normalize();
    }

    /** A lock that is held until it is closed, by the thread that took it. */
    public interface Held extends AutoCloseable {
        @Override
        void close() throws IOException;
    }

    /** A directory of the cache, made if it is missing. */
    public Path directory(String name) throws IOException {
        return Files.createDirectories(root.resolve(name));
    }

    /**
     * Takes the lock of a key, waiting for whoever holds it, in this process or another.
     *
     * @param key any text; it becomes a file name by its digest
     */
    public Held lock(String key) throws IOException {
        Path file = lockFile(key);
        ReentrantLock local = inThisProcess(file);
        local.lock();
        return locked(file, local, true).orElseThrow();
    }

    /**
     * Takes the lock of a key, unless somebody holds it, in this process or another.
     *
     * @param key as {@link #lock} has it
     */
    public Optional<Held> tryLock(String key) throws IOException {
        Path file = lockFile(key);
        ReentrantLock local = inThisProcess(file);
        return local.tryLock() ? locked(file, local, false) : Optional.empty();
    }

    private Path lockFile(String key) throws IOException {
        return directory("locks").resolve(Digest.of(key).abbreviated(32));
    }

    private static ReentrantLock inThisProcess(Path file) {
        return IN_THIS_PROCESS.computeIfAbsent(file, f -> new ReentrantLock());
    }

    private static Optional<Held> locked(Path file, ReentrantLock local, boolean waiting) throws IOException {
        FileChannel channel = null;
        FileLock lock = null;
        boolean again = local.getHoldCount() > 1;
        try {
            if (again) {
                return Optional.of(local::unlock);
            }
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            lock = waiting ? await(channel) : channel.tryLock();
            if (lock == null) {
                return Optional.empty();
            }
            FileLock taken = lock;
            FileChannel open = channel;
            return Optional.of(() -> {
                try (open) {
                    taken.release();
                } finally {
                    local.unlock();
                }
            });
        } finally {
            if (lock == null && !again) {
                if (channel != null) {
                    channel.close();
                }
                local.unlock();
            }
        }
    }

    /**
     * Asks again and again instead of waiting in the kernel: that sees locks per process, and takes two builds for a deadlock of
     * which each waits, in one thread, for what the other holds in another (EDEADLK of fcntl(2)).
     */
    private static FileLock await(FileChannel channel) throws IOException {
        FileLock lock = channel.tryLock();
        for (long pause = 5; lock == null; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
            try {
                Thread.sleep(pause);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while another build held a lock of the cache");
            }
            lock = channel.tryLock();
        }
        return lock;
    }

    /**
     * A file of the cache, made under its lock if it is not there yet.
     *
     * @param name path below the root; it should hold the digest of all that the content depends on
     */
    public Path file(String name, AtomicFile.Maker maker) throws IOException {
        Path file = root.resolve(name);
        if (Files.exists(file)) {
            return file;
        }
        try (Held held = lock(name)) {
            if (!Files.exists(file)) {
                AtomicFile.make(file, maker);
            }
        }
        return file;
    }
}
