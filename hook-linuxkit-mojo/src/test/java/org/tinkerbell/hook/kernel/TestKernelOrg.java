package org.tinkerbell.hook.kernel;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.TestServer;
import org.tinkerbell.hook.openpgp.TestKey;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarWriter;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** A server with the files of kernel.org, of kernels that are very small. */
final class TestKernelOrg implements AutoCloseable {
    static final String DIRECTORY = "/pub/linux/kernel/v6.x/";

    final TestServer server = new TestServer();

    TestKernelOrg() throws IOException {}

    /** The uncompressed tar of a release. */
    static byte[] tar(String version, String more) {
        List<Entry> entries = new ArrayList<>();
        String root = "linux-" + version + "/";
        entries.add(Entry.file(root + "Makefile", 0644, Content.of("# Linux " + version + "\n" + more)));
        entries.add(Entry.file(root + "scripts/run.sh", 0755, Content.of("#!/bin/sh\n")));
        entries.add(Entry.symlink(root + "scripts/link", "run.sh"));
        entries.add(Entry.file(root + "arch/x86/include/asm/setup.h", 0644, Content.of("/* */\n#define COMMAND_LINE_SIZE 2048\n#define X 2048\n")));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            TarWriter.write(entries, bytes, 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    static byte[] xz(byte[] bytes) {
        ByteArrayOutputStream result = new ByteArrayOutputStream();
        try (OutputStream out = new XZOutputStream(result, new LZMA2Options(0))) {
            out.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return result.toByteArray();
    }

    static String name(String version) {
        return "linux-" + version + ".tar.xz";
    }

    /** Publishes a release, rightly signed. */
    TestKernelOrg publish(String version, TestKey sums, TestKey developer) {
        byte[] tar = tar(version, "");
        server.put(DIRECTORY + name(version), xz(tar));
        server.put(DIRECTORY + "linux-" + version + ".tar.sign", developer.signFile(tar));
        return sign(version, xz(tar), sums);
    }

    /** Publishes the list of checksums, with one that is not asked for. */
    TestKernelOrg sign(String version, byte[] tarball, TestKey sums) {
        String text = Digest.of("other").hex() + "  ChangeLog-" + version + "\n" + Digest.of(tarball).hex() + "  " + name(version) + "\n";
        server.put(DIRECTORY + "sha256sums.asc", TestKey.clearSign(text, sums));
        return this;
    }

    /** Publishes a list of releases: version and moniker in turn. */
    TestKernelOrg list(String... releases) {
        StringBuilder json = new StringBuilder("{\"latest_stable\": {\"version\": \"6.17.9\"}, \"releases\": [");
        for (int i = 0; i < releases.length; i += 2) {
            json.append(i == 0 ? "" : ", ").append("{\"iseol\": ").append(releases[i + 1].startsWith("ended"))
                    .append(", \"version\": \"").append(releases[i]).append("\", \"moniker\": \"")
                    .append(releases[i + 1].replace("ended ", "")).append("\"}");
        }
        server.put("/releases.json", (json + "]}").getBytes(StandardCharsets.UTF_8));
        return this;
    }

    /** What was asked for, without what was asked before. */
    List<String> requestsSince(int count) {
        List<String> all = server.requests();
        return all.subList(count, all.size());
    }

    @Override
    public void close() {
        server.close();
    }
}
