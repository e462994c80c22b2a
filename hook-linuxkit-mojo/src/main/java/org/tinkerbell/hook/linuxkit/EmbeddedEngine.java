package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.initramfs.Initramfs;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Parallel;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.tree.Entry;

/** The engine in pure Java: no command, no container daemon, no root, by LinuxKit's rules to the letter. */
public final class EmbeddedEngine implements Engine {
    private static final int FETCHES_AT_ONCE = 4;

    private final Images images;
    private final Cache cache;
    private final Progress progress;

    /**
     * An engine.
     *
     * @param images where images come from
     * @param cache keeps compressed segments and the kernel's tar
     */
    public EmbeddedEngine(Images images, Cache cache, Progress progress) {
        this.images = images;
        this.cache = cache;
        this.progress = progress;
    }

    @Override
    public Result build(Request request) throws IOException {
        LinuxKitConfig config = request.config();
        removeLeftovers(request);
        if (config.hasTrust()) {
            progress.warn(config.source().at("/trust") + ": trust: has no effect; LinuxKit dropped Docker Content Trust, and images are "
                    + "verified by the digest in their name.");
        }
        Map<String, Images.Layered> found = images(config, request.arch());
        Map<String, List<Entry>> layouts = new HashMap<>();
        for (LinuxKitConfig.Volume volume : config.volumes()) {
            if (volume.layout() && volume.image().isPresent()) {
                try {
                    layouts.put(volume.name(), images.layout(volume.image().get().name(), volume.platforms()));
                } catch (HookException e) {
                    throw new HookException(config.source().error(volume.pointer(), e.getMessage()).getMessage(), e);
                }
            }
        }
        FilesSection files = new FilesSection(config, request.sources(), Path.of(System.getProperty("user.home")));
        RootFileSystem.Assembled system = new RootFileSystem(config, found, layouts, cache, files).assemble();

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
        Map<String, String> digests = new LinkedHashMap<>();
        found.forEach((name, image) -> digests.put(name, image.digest().toString()));
        Report report = Report.of(request, digests, system, written);
        AtomicFile.write(reportFile, report.json());
        return new Result(
                system.kernel().map(content -> kernel),
                initrd,
                system.cmdline().isEmpty() ? Optional.empty() : Optional.of(cmdline),
                report,
                reportFile);
    }

    /** Deletes what an earlier build of the same name was writing when it was killed. */
    private static void removeLeftovers(Request request) throws IOException {
        if (Files.isDirectory(request.directory())) {
            String glob = "." + request.name().replaceAll("[^A-Za-z0-9_.-]", "?") + "-*" + AtomicFile.SUFFIX;
            try (DirectoryStream<Path> leftovers = Files.newDirectoryStream(request.directory(), glob)) {
                for (Path leftover : leftovers) {
                    Files.deleteIfExists(leftover);
                }
            }
        }
    }

    private Map<String, Images.Layered> images(LinuxKitConfig config, Arch arch) throws IOException {
        List<LinuxKitConfig.ImageUse> uses = new ArrayList<>(config.images().values());
        List<Images.Layered> found = Parallel.map(FETCHES_AT_ONCE, uses, use -> {
            try {
                return images.image(use.name(), arch);
            } catch (HookException e) {
                throw new HookException(config.source().error(use.pointer(), e.getMessage()).getMessage(), e);
            }
        });
        Map<String, Images.Layered> byName = new LinkedHashMap<>();
        for (int i = 0; i < uses.size(); i++) {
            byName.put(uses.get(i).name(), found.get(i));
        }
        return byName;
    }
}
