package org.tinkerbell.hook.oci;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;

/**
 * Images that somebody has pushed under a tag that stands for what they are made of, so that they need not be made again. To be asked before
 * each image is made, so it costs nothing to speak of where there is nobody to ask: a registry that does not answer well is not asked
 * again. For several threads at once.
 */
public final class ContentTags {
    private final Registry asked;
    private final Registry pulled;
    private final Progress progress;
    private final Map<String, Boolean> silent = new ConcurrentHashMap<>();

    /**
     * @param asked for whether there is an image; should have little patience
     * @param pulled for the image itself
     */
    public ContentTags(Registry asked, Registry pulled, Progress progress) {
        this.asked = asked;
        this.pulled = pulled;
        this.progress = progress;
    }

    /** The image of a name, which is in the store then; nothing if it has to be made. */
    public Optional<Image> find(ImageReference reference, Arch arch) throws IOException {
        String registry = reference.registry();
        if (silent.containsKey(registry)) {
            return Optional.empty();
        }
        try {
            if (asked.digest(reference).isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(pulled.pull(reference, arch));
        } catch (HookException e) {
            if (silent.putIfAbsent(registry, true) == null) {
                progress.info("Images are made here and not taken from " + registry + ": " + e.getMessage());
            }
            return Optional.empty();
        }
    }
}
