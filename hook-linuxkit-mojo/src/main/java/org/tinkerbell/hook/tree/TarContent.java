package org.tinkerbell.hook.tree;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.tinkerbell.hook.io.Digest;

/**
 * The bytes of one member of an uncompressed tar on disk.
 *
 * @param tar the archive
 * @param offset where the bytes begin in it
 * @param size how many they are
 * @param digest SHA-256 of them, taken when the archive was indexed
 */
record TarContent(Path tar, long offset, long size, Digest digest) implements Content {
    @Override
    public InputStream open() throws IOException {
        FileChannel channel = FileChannel.open(tar, StandardOpenOption.READ);
        try {
            channel.position(offset);
            return new Part(channel, size);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** A stretch of a file. That it ends early is an error: the archive was cut after it had been indexed. */
    private final class Part extends InputStream {
        private final FileChannel channel;
        private final InputStream in;
        private long left;

        Part(FileChannel channel, long left) {
            this.channel = channel;
            this.in = Channels.newInputStream(channel);
            this.left = left;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            if (left == 0) {
                return -1;
            }
            int n = in.read(buffer, from, (int) Math.min(length, left));
            if (n < 0) {
                throw new EOFException(tar + " ends " + left + " bytes before a member's end: delete it, so that it is made again");
            }
            left -= n;
            return n;
        }

        @Override
        public long skip(long wanted) throws IOException {
            long n = Math.max(0, Math.min(wanted, left));
            channel.position(channel.position() + n);
            left -= n;
            return n;
        }

        @Override
        public int available() {
            return (int) Math.min(left, Integer.MAX_VALUE);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    /** Reads all of it at once. */
    @Override
    public byte[] bytes() throws IOException {
        byte[] all = new byte[Math.toIntExact(size)];
        ByteBuffer buffer = ByteBuffer.wrap(all);
        try (FileChannel channel = FileChannel.open(tar, StandardOpenOption.READ)) {
            while (buffer.hasRemaining()) {
                if (channel.read(buffer, offset + buffer.position()) < 0) {
                    throw new EOFException(tar + " ends before a member's end: delete it, so that it is made again");
                }
            }
        }
        return all;
    }
}
