package org.tinkerbell.hook.dist;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
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

/** A worker that tells the test its environment and then waits, and the place that it tells it to. */
final class StandInWorker implements AutoCloseable {
    private static final String BUSYBOX = "busybox-static";

    private final HttpServer server;
    private final CompletableFuture<Map<String, String>> report = new CompletableFuture<>();

    StandInWorker() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
            report.complete(body.lines()
                    .filter(line -> line.contains("="))
                    .collect(Collectors.toMap(line -> line.substring(0, line.indexOf('=')), line -> line.substring(line.indexOf('=') + 1),
                            (a, b) -> b)));
        });
        server.start();
    }

    /** Completes with the worker's environment when it runs. */
    CompletableFuture<Map<String, String>> report() {
        return report;
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
        // The guest sees the host's loopback at 10.0.2.2.
        String script = "#!/bin/sh\n"
                + "echo 'the worker runs'\n"
                + "until busybox wget -q -O /dev/null --post-data \"$(busybox env)\" http://10.0.2.2:" + server.getAddress().getPort()
                        + "/; do\n"
                + "    busybox sleep 1\n"
                + "done\n"
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
