package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
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
        request.formats().requireNoCommand();
        SystemFiles.removeLeftovers(request);
        warnOfTrust(config, progress);
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

        Map<String, Digest> digests = new LinkedHashMap<>();
        found.forEach((name, image) -> digests.put(name, image.digest()));
        return new SystemFiles(cache, progress).write(request, digests, system);
    }

    static void warnOfTrust(LinuxKitConfig config, Progress progress) {
        if (config.hasTrust()) {
            progress.warn(config.source().at("/trust") + ": trust: has no effect; LinuxKit dropped Docker Content Trust, and images are "
                    + "verified by the digest in their name.");
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
