package org.tinkerbell.hook.dist;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.tinkerbell.hook.debian.LockedPackage;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageBuilder;
import org.tinkerbell.hook.oci.ImageConfig;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;

/**
 * A worker that tells the test its environment and then does as it is told: waits, or ends at once with some status. And the place that it
 * tells it to.
 */
final class StandInWorker implements AutoCloseable {
    private static final String BUSYBOX = "busybox-static";

    private final HttpServer server;
    private final String host;
    private final List<Integer> ends;
    private final List<CompletableFuture<Map<String, String>>> reports = new ArrayList<>();
    private int started;

    /** One that waits, in a machine on QEMU's user-mode network, which sees the host's loopback at 10.0.2.2. */
    StandInWorker() throws IOException {
        this(InetAddress.getLoopbackAddress(), "10.0.2.2", List.of());
    }

    /**
     * @param address where it is listened to
     * @param host how a machine names that
     * @param ends exit statuses with which the first workers end at once; those after them wait
     */
    StandInWorker(InetAddress address, String host, List<Integer> ends) throws IOException {
        this.host = host;
        this.ends = List.copyOf(ends);
        server = HttpServer.create(new InetSocketAddress(address, 0), 0);
        server.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            byte[] order = take(body).getBytes(StandardCharsets.US_ASCII);
            exchange.sendResponseHeaders(200, order.length);
            exchange.getResponseBody().write(order);
            exchange.close();
        });
        server.start();
    }

    private synchronized String take(String body) {
        int number = started++;
        future(number).complete(body.lines()
                .filter(line -> line.contains("="))
                .collect(Collectors.toMap(line -> line.substring(0, line.indexOf('=')), line -> line.substring(line.indexOf('=') + 1),
                        (a, b) -> b)));
        return number < ends.size() ? "end " + ends.get(number) : "wait";
    }

    private synchronized CompletableFuture<Map<String, String>> future(int number) {
        while (reports.size() <= number) {
            reports.add(new CompletableFuture<>());
        }
        return reports.get(number);
    }

    /** Completes with the first worker's environment when it runs. */
    CompletableFuture<Map<String, String>> report() {
        return future(0);
    }

    /** The same of a later one. */
    CompletableFuture<Map<String, String>> report(int number) {
        return future(number);
    }

    /** How many have run. */
    synchronized int started() {
        return started;
    }

    /** Builds the worker's image into a store. */
    Image build(PackageSource packages, ImageStore store, ImageReference reference, Arch arch) throws IOException {
        FileTree tree = new FileTree();
        for (LockedPackage locked : packages.packages("worker", arch, List.of(BUSYBOX))) {
            if (locked.name().equals(BUSYBOX)) {
                tree.putAll(packages.entries(locked), FileTree.Clash.REFUSE);
            }
        }
        tree.put(Entry.symlink("bin", "usr/bin"));
        tree.put(Entry.symlink("usr/bin/sh", "busybox"));
        tree.put(Entry.directory("tmp", 01777));
        String script = "#!/bin/sh\n"
                + "echo 'the worker runs'\n"
                + "until order=$(busybox wget -q -O - --post-data \"$(busybox env)\" http://" + host + ":" + server.getAddress().getPort()
                        + "/); do\n"
                + "    busybox sleep 1\n"
                + "done\n"
                + "case $order in end*) exit \"${order#end }\" ;; esac\n"
                + "exec busybox tail -f /dev/null\n";
        // /worker itself is a directory that bootkit mounts.
        tree.put(Entry.file("usr/bin/tink-worker", 0755, Content.of(script)));
        return new ImageBuilder(store).build(reference, ImageConfig.of(arch).withEntrypoint(List.of("/usr/bin/tink-worker")), tree, 0);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
