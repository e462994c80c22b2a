package org.tinkerbell.hook.dist;

import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An Ethernet switch with two ports: a trunk, on which only frames of one VLAN pass (IEEE 802.1Q), and an access port of that VLAN, on which
 * the same frames go without a tag. What comes untagged or of another VLAN on the trunk is dropped and counted. Its cables are QEMU's stream
 * sockets: before each frame its length in four bytes, the highest first.
 */
final class AccessSwitch implements AutoCloseable {
    private static final int ADDRESSES = 12;
    private static final int TAG = 4;
    private static final int TAGGED = 0x8100;
    private static final int VLAN_BITS = 0xfff;

    private final int vlan;
    private final Path directory;
    private final ServerSocketChannel trunk;
    private final ServerSocketChannel access;
    private final AtomicInteger passed = new AtomicInteger();
    private final AtomicInteger dropped = new AtomicInteger();

    AccessSwitch(int vlan) throws IOException {
        this.vlan = vlan;
        directory = Files.createTempDirectory("hook-switch");
        trunk = listen(trunk());
        access = listen(network());
        Thread thread = new Thread(this::run, "switch");
        thread.setDaemon(true);
        thread.start();
    }

    /** The socket of the trunk. */
    Path trunk() {
        return directory.resolve("trunk");
    }

    /** The socket of the access port. */
    Path network() {
        return directory.resolve("access");
    }

    /** Frames of the VLAN that came from the trunk. */
    int passed() {
        return passed.get();
    }

    /** Frames that came from the trunk without the VLAN's tag. */
    int dropped() {
        return dropped.get();
    }

    private static ServerSocketChannel listen(Path path) throws IOException {
        return ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
    }

    private void run() {
        try {
            // QEMU connects both at its start, in whichever order.
            SocketChannel one = trunk.accept();
            SocketChannel two = access.accept();
            Thread back = new Thread(() -> forward(two, one, false), "switch-back");
            back.setDaemon(true);
            back.start();
            forward(one, two, true);
        } catch (IOException e) {
            // It is closed.
        }
    }

    private void forward(SocketChannel from, SocketChannel to, boolean tagged) {
        try (from; to) {
            // The channels' own streams would not read and write at the same time.
            while (true) {
                byte[] frame = read(from, read(from, Integer.BYTES).getInt()).array();
                ByteBuffer changed = tagged ? untagged(frame) : tagged(frame);
                while (changed != null && changed.hasRemaining()) {
                    to.write(changed);
                }
            }
        } catch (IOException e) {
            // The machine is off.
        }
    }

    private static ByteBuffer read(SocketChannel from, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining()) {
            if (from.read(bytes) < 0) {
                throw new EOFException();
            }
        }
        return bytes.flip();
    }

    private ByteBuffer untagged(byte[] frame) {
        ByteBuffer in = ByteBuffer.wrap(frame);
        if (frame.length < ADDRESSES + TAG || (in.getShort(ADDRESSES) & 0xffff) != TAGGED
                || (in.getShort(ADDRESSES + 2) & VLAN_BITS) != vlan) {
            dropped.incrementAndGet();
            return null;
        }
        passed.incrementAndGet();
        return ByteBuffer.allocate(Integer.BYTES + frame.length - TAG).putInt(frame.length - TAG).put(frame, 0, ADDRESSES)
                .put(frame, ADDRESSES + TAG, frame.length - ADDRESSES - TAG).flip();
    }

    private ByteBuffer tagged(byte[] frame) {
        return ByteBuffer.allocate(Integer.BYTES + frame.length + TAG).putInt(frame.length + TAG).put(frame, 0, ADDRESSES)
                .putShort((short) TAGGED).putShort((short) vlan).put(frame, ADDRESSES, frame.length - ADDRESSES).flip();
    }

    @Override
    public void close() throws IOException {
        trunk.close();
        access.close();
        Files.deleteIfExists(trunk());
        Files.deleteIfExists(network());
        Files.deleteIfExists(directory);
    }
}
