package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.kernel.KernelImage;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageArchive;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;

/** The kernel that the Maven repositories have of this version of Hook, if it is the one that is asked for. */
final class MavenKernels implements KernelImage.Place {
    private final String flavor;
    private final Artifacts artifacts;
    private final ImageStore store;
    private final ImageArchive archives;

    /** The artifacts of the module that makes kernels. */
    @FunctionalInterface
    interface Artifacts {
        /** An artifact by classifier and extension, if a repository has it. */
        Optional<Path> find(String classifier, String extension);
    }

    /**
     * @param flavor id of the flavor whose kernel it is, the classifier of the artifacts
     */
    MavenKernels(String flavor, Artifacts artifacts, ImageStore store, ImageArchive archives) {
        this.flavor = flavor;
        this.artifacts = artifacts;
        this.store = store;
        this.archives = archives;
    }

    @Override
    public String name() {
        return "the Maven repositories";
    }

    @Override
    public Optional<Image> image(ImageReference reference, Arch arch) throws IOException {
        Optional<Path> description = artifacts.find(flavor, "json");
        if (description.isEmpty()) {
            return Optional.empty();
        }
        PublishedImages published = PublishedImages.read(description.get());
        for (PublishedImages.Image image : published.images()) {
            // The site that published it may call its registry otherwise; the tag says what it is.
            if (published.arch() == arch && ImageReference.parse(image.reference()).tag().equals(reference.tag())) {
                Path archive = artifacts.find(image.classifier(), "oci.tar").orElseThrow(() -> new HookException(name() + " have the description of "
                        + reference + ", but not its archive."));
                archives.read(archive, Optional.of(reference));
                return store.find(reference, arch);
            }
        }
        return Optional.empty();
    }
}
