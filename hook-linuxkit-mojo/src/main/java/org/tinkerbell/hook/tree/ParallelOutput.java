package org.tinkerbell.hook.tree;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * Writes the same bytes to several streams, each on a thread of its own, so that hashing, compressing and writing run side
 * by side. Memory is bounded: the writer waits for the slowest. The streams are flushed, not closed, when this is closed.
 */
final class ParallelOutput extends OutputStream {
    private static final int CHUNK = 1 << 18;
    private static final int WAITING = 8;
    private static final byte[] END = new byte[0];

    private final List<Branch> branches = new ArrayList<>();
    private byte[] chunk = new byte[CHUNK];
    private int length;
    private boolean closed;

    ParallelOutput(List<OutputStream> outputs) {
        for (OutputStream output : outputs) {
            Branch branch = new Branch(output);
            branch.setName("hook-output");
            branch.setDaemon(true);
            branch.start();
            branches.add(branch);
        }
    }

    private static final class Branch extends Thread {
        private final BlockingQueue<byte[]> queue = new ArrayBlockingQueue<>(WAITING);
        private final OutputStream output;
        private volatile Throwable failure;

        Branch(OutputStream output) {
            this.output = output;
        }

        @Override
        public void run() {
            try {
                for (byte[] bytes = queue.take(); bytes != END; bytes = queue.take()) {
                    write(bytes);
                }
                if (failure == null) {
                    output.flush();
                }
            } catch (IOException | InterruptedException | RuntimeException e) {
                failure = e;
            }
        }

        // After a failure everything is still taken out of the queue, so that the writer never waits for nobody.
        private void write(byte[] bytes) {
            if (failure == null) {
                try {
                    output.write(bytes);
                } catch (IOException | RuntimeException e) {
                    failure = e;
                }
            }
        }
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int count) throws IOException {
        int at = from;
        int left = count;
        while (left > 0) {
            int n = Math.min(left, CHUNK - length);
            System.arraycopy(bytes, at, chunk, length, n);
            length += n;
            at += n;
            left -= n;
            if (length == CHUNK) {
                hand(chunk);
                chunk = new byte[CHUNK];
                length = 0;
            }
        }
    }

    private void hand(byte[] bytes) throws IOException {
        for (Branch branch : branches) {
            rethrow(branch.failure);
            try {
                branch.queue.put(bytes);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while writing");
            }
        }
    }

    private static void rethrow(Throwable failure) throws IOException {
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        if (failure != null) {
            throw new IOException(failure.getMessage(), failure);
        }
    }

    /** Hands on what is left and waits until every stream has got all of it. */
    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        try {
            if (length > 0) {
                hand(Arrays.copyOf(chunk, length));
            }
        } finally {
            end();
        }
        for (Branch branch : branches) {
            rethrow(branch.failure);
        }
    }

    private void end() throws IOException {
        try {
            for (Branch branch : branches) {
                branch.queue.put(END);
            }
            for (Branch branch : branches) {
                branch.join();
            }
        } catch (InterruptedException e) {
            branches.forEach(Thread::interrupt);
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while writing");
        }
    }
}
