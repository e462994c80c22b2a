package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.tinkerbell.hook.initramfs.Initramfs;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Directories;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.tree.TarWriter;

/**
 * Writes a system to the files that are booted, the same for whichever engine has put it together: what is the same becomes hard links, and
 * the initramfs is compressed as the request says.
 *
 * @param cache keeps compressed segments
 */
record SystemFiles(Cache cache, Progress progress) {
    /**
     * Writes kernel, initramfs, command line and report, and the tar where the request needs it.
     *
     * @param images digest of every image's manifest, by full name
     */
    Engine.Result write(Engine.Request request, Map<String, Digest> images, RootFileSystem.Assembled system) throws IOException {
        Path initrd = request.directory().resolve(request.name() + "-initrd.img");
        Path kernel = request.directory().resolve(request.name() + "-kernel");
        Path cmdline = request.directory().resolve(request.name() + "-cmdline");
        Path reportFile = request.directory().resolve(request.name() + "-report.json");
        Initramfs.Result written = new Initramfs(cache, request.compression(), request.mtime(), progress)
                .write(system.entries(), system.microcode().map(List::of).orElse(List.of()), initrd);
        if (system.kernel().isPresent()) {
            AtomicFile.write(kernel, out -> {
                try (InputStream in = system.kernel().get().open()) {
                    in.transferTo(out);
                }
            });
        } else {
            Files.deleteIfExists(kernel);
        }
        if (system.cmdline().isEmpty()) {
            Files.deleteIfExists(cmdline);
        } else {
            AtomicFile.write(cmdline, system.cmdline());
        }
        Map<String, String> digests = new TreeMap<>();
        images.forEach((name, digest) -> digests.put(name, digest.toString()));
        Report report = Report.of(request, digests, system, written);
        AtomicFile.write(reportFile, report.json());
        Map<String, List<Path>> others = new TreeMap<>();
        if (request.formats().needsTar()) {
            Path tar = request.directory().resolve(request.name() + ".tar");
            AtomicFile.write(tar, out -> TarWriter.write(system.everything(), out, request.mtime()));
            others.put(Formats.TAR, List.of(tar));
        }
        return new Engine.Result(
                system.kernel().map(content -> kernel),
                initrd,
                system.cmdline().isEmpty() ? Optional.empty() : Optional.of(cmdline),
                report,
                reportFile,
                others);
    }

    /** Deletes what an earlier build of the same name was writing when it was killed. */
    static void removeLeftovers(Engine.Request request) throws IOException {
        if (Files.isDirectory(request.directory())) {
            String glob = "." + request.name().replaceAll("[^A-Za-z0-9_.-]", "?") + "-*" + AtomicFile.SUFFIX;
            try (DirectoryStream<Path> leftovers = Files.newDirectoryStream(request.directory(), glob)) {
                for (Path leftover : leftovers) {
                    if (Files.isDirectory(leftover)) {
                        Directories.delete(leftover);
                    } else {
                        Files.deleteIfExists(leftover);
                    }
                }
            }
        }
    }
}
