package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Images of an image store, which gets those that it lacks from elsewhere. */
public final class StoreImages implements Images {
    private static final String REF_NAME = "org.opencontainers.image.ref.name";

    private final ImageStore store;
    private final Pull pull;

    /** How an image gets into the store that is not there. */
    @FunctionalInterface
    public interface Pull {
        /**
         * Puts an image into the store under its name.
         *
         * @throws HookException if it cannot be had, with what to do
         */
        void pull(ImageReference reference, Arch arch) throws IOException;
    }

    /** Images of a store. */
    public StoreImages(ImageStore store, Pull pull) {
        this.store = store;
        this.pull = pull;
    }

    @Override
    public Images.Layered image(String name, Arch arch) throws IOException {
        Image found = present(name, arch);
        return new Images.Layered(found.digest(), store.entries(found), found.configJson().path("config"));
    }

    /** Digest of the manifest of an image, which is in the store afterwards; nothing of it is unpacked. */
    Digest digest(String name, Arch arch) throws IOException {
        return present(name, arch).digest();
    }

    /** Sees to it that an image is in the store for every one of these platforms. */
    void complete(String name, List<String> platforms) throws IOException {
        pullForLayout(ImageReference.parse(name), platforms);
    }

    /** The directory of the store, an OCI image layout. */
    Path storeLayout() {
        return store.layout();
    }

    private Image present(String name, Arch arch) throws IOException {
        ImageReference reference = ImageReference.parse(name);
        Optional<Image> found = store.find(reference, arch);
        if (found.isEmpty()) {
            pull.pull(reference, arch);
            found = store.find(reference, arch);
        }
        return found.orElseThrow(() -> new HookException("the image " + reference + " is not for " + arch.ociName()));
    }

    @Override
    public List<Entry> layout(String name, List<String> platforms) throws IOException {
        ImageReference reference = ImageReference.parse(name);
        pullForLayout(reference, platforms);
        JsonMapper json = new JsonMapper();
        Path index = store.layout().resolve("index.json");
        for (JsonNode item : json.readTree(Files.readAllBytes(index)).path("manifests")) {
            if (item.path("annotations").path(REF_NAME).asString("").equals(reference.toString())) {
                return ImageLayout.of(name, Digest.parse(item.get("digest").asString()), this::blob, platforms);
            }
        }
        throw new HookException("the image " + reference + " is not in the store " + store.layout());
    }

    /** Every platform that is asked for has to be there; if none is, whichever the image has are taken. */
    private void pullForLayout(ImageReference reference, List<String> platforms) throws IOException {
        HookException failure = null;
        boolean any = false;
        for (Arch arch : Arch.values()) {
            boolean wanted = platforms.contains("linux/" + arch.ociName());
            boolean there = store.find(reference, arch).isPresent();
            if (!there && (wanted || platforms.isEmpty() && !any)) {
                try {
                    pull.pull(reference, arch);
                    there = true;
                } catch (HookException e) {
                    if (wanted) {
                        throw e;
                    }
                    failure = e;
                }
            }
            any |= there;
        }
        if (!any && failure != null) {
            throw failure;
        }
    }

    private Content blob(Digest digest) throws IOException {
        Path file = store.layout().resolve("blobs").resolve("sha256").resolve(digest.hex());
        try {
            return Content.of(file);
        } catch (NoSuchFileException e) {
            throw new HookException("the store has no blob " + digest + "; delete " + store.layout() + " and build again", e);
        }
    }
}
