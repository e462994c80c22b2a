package org.tinkerbell.hook.io;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Independent pieces of work done at the same time. */
public final class Parallel {
    private Parallel() {}

    /** What is done with one item. */
    @FunctionalInterface
    public interface Action<T> {
        void accept(T item) throws IOException, InterruptedException;
    }

    /** What is made of one item. */
    @FunctionalInterface
    public interface Function<T, R> {
        R apply(T item) throws IOException, InterruptedException;
    }

    /**
     * Does something with every item, on at most so many threads, and returns when all of it is done. The first failure
     * interrupts what is under way and is thrown when that has ended.
     */
    public static <T> void forEach(int threads, List<T> items, Action<T> action) throws IOException {
        map(threads, items, item -> {
            action.accept(item);
            return Boolean.TRUE;
        });
    }

    /** Makes something of every item like {@link #forEach}; the results come in the order of the items. */
    public static <T, R> List<R> map(int threads, List<T> items, Function<T, R> function) throws IOException {
        if (items.isEmpty()) {
            return List.of();
        }
        ExecutorService workers = Executors.newFixedThreadPool(Math.min(threads, items.size()), runnable -> {
            Thread thread = new Thread(runnable, "hook-worker");
            thread.setDaemon(true);
            return thread;
        });
        boolean complete = false;
        try {
            ExecutorCompletionService<R> service = new ExecutorCompletionService<>(workers);
            List<Future<R>> futures = new ArrayList<>();
            for (T item : items) {
                futures.add(service.submit(() -> function.apply(item)));
            }
            for (int i = 0; i < items.size(); i++) {
                service.take().get();
            }
            List<R> results = new ArrayList<>();
            for (Future<R> future : futures) {
                results.add(future.get());
            }
            complete = true;
            return results;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HookException("Interrupted", e);
        } catch (ExecutionException e) {
            throw rethrown(e.getCause());
        } finally {
            if (complete) {
                workers.shutdown();
            } else {
                workers.shutdownNow();
                awaitEnd(workers);
            }
        }
    }

    private static RuntimeException rethrown(Throwable cause) throws IOException {
        if (cause instanceof IOException e) {
            throw e;
        }
        if (cause instanceof RuntimeException e) {
            throw e;
        }
        if (cause instanceof Error e) {
            throw e;
        }
        return new HookException("Interrupted", cause);
    }

    // Nobody may go on, and perhaps delete a directory, while a thread still writes.
    private static void awaitEnd(ExecutorService workers) {
        boolean interrupted = Thread.interrupted();
        try {
            workers.awaitTermination(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
