package org.tinkerbell.hook.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheTest {
    /** Adds one to the number in a file, slowly, under the cache's lock: the work of each of the competing processes. */
    static final class Counter {
        public static void main(String[] args) throws Exception {
            Cache cache = new Cache(Path.of(args[0]));
            Path counter = Path.of(args[1]);
            for (int i = 0; i < 5; i++) {
                try (Cache.Held held = cache.lock("counter")) {
                    int count = Integer.parseInt(Files.readString(counter));
                    Thread.sleep(20);
                    Files.writeString(counter, String.valueOf(count + 1));
                }
            }
        }
    }

    @TempDir
    Path directory;

    @Test
    void threadsThatWantTheSameFileMakeItOnce() throws Exception {
        Cache cache = new Cache(directory);
        AtomicInteger made = new AtomicInteger();
        List<Callable<Path>> wishes = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            wishes.add(() -> cache.file("room/file", temporary -> {
                made.incrementAndGet();
                Files.writeString(temporary, "content");
            }));
        }
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            for (Future<Path> wish : threads.invokeAll(wishes)) {
                assertEquals("content", Files.readString(wish.get()));
            }
        } finally {
            threads.shutdown();
        }
        assertEquals(1, made.get());
    }

    @Test
    void processesKeepEachOtherOut() throws Exception {
        Path counter = Files.writeString(directory.resolve("counter"), "0");
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            processes.add(new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                            "-cp",
                            System.getProperty("java.class.path"),
                            Counter.class.getName(),
                            directory.resolve("cache").toString(),
                            counter.toString())
                    .inheritIO()
                    .start());
        }
        for (Process process : processes) {
            assertEquals(true, process.waitFor(60, TimeUnit.SECONDS));
            assertEquals(0, process.exitValue());
        }
        assertEquals("15", Files.readString(counter));
    }

    @Test
    void aThreadMayTakeItsLockAgain() throws IOException {
        Cache cache = new Cache(directory);
        try (Cache.Held outer = cache.lock("key");
                Cache.Held inner = cache.lock("key")) {
            assertEquals("x", Files.readString(cache.file("f", temporary -> Files.writeString(temporary, "x"))));
        }
    }

    @Test
    void aLockThatSomebodyHoldsIsNotWaitedForIfSoAsked() throws Exception {
        Cache cache = new Cache(directory);
        try (Cache.Held held = cache.lock("key")) {
            assertEquals(false, CompletableFuture.supplyAsync(() -> isFree(cache, "key")).get());
            assertEquals(true, CompletableFuture.supplyAsync(() -> isFree(cache, "other")).get());
            assertEquals(true, isFree(cache, "key"), "it is this thread's own");
            assertEquals(false, CompletableFuture.supplyAsync(() -> isFree(cache, "key")).get(), "and still is");
        }
        assertEquals(true, CompletableFuture.supplyAsync(() -> isFree(cache, "key")).get());
    }

    private static boolean isFree(Cache cache, String key) {
        try {
            Optional<Cache.Held> lock = cache.tryLock(key);
            if (lock.isPresent()) {
                lock.get().close();
            }
            return lock.isPresent();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void whatCouldNotBeMadeIsMadeByTheNext() throws IOException {
        Cache cache = new Cache(directory);
        assertThrows(IOException.class, () -> cache.file("f", temporary -> {
            Files.writeString(temporary, "half");
            throw new IOException("killed");
        }));
        assertFalse(Files.exists(directory.resolve("f")));
        assertEquals("whole", Files.readString(cache.file("f", temporary -> Files.writeString(temporary, "whole"))));
    }
}
