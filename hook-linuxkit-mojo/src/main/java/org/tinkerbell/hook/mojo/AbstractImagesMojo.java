package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProject;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.release.Publisher;

/** What the goals have that bring images out of the store and into it: which images. */
abstract class AbstractImagesMojo extends AbstractFlavorMojo {
    private static final String IMAGES_MODULE = "hook-images";

    /** Names of images, parted by commas, in place of the flavor's container images and kernel. */
    @Parameter(property = "hook.image")
    private String image;

    /** The module's images of the flavor, as the module has listed them in this tree or published them. */
    protected final List<Publisher.Item> items(Flavor flavor) throws IOException {
        List<Publisher.Item> items = new ArrayList<>(containers(flavor));
        items.addAll(kernels(flavor));
        return items;
    }

    /** The container images of the flavor, or those that were named. */
    protected final List<Publisher.Item> containers(Flavor flavor) throws IOException {
        if (image != null && !image.isBlank()) {
            List<Publisher.Item> items = new ArrayList<>();
            for (String name : image.trim().split("\\s*,\\s*")) {
                items.add(new Publisher.Item(ImageReference.parse(name), flavor.arch()));
            }
            return items;
        }
        Optional<PublishedImages> here = containerLists().isPresent() ? containerLists().get().containers(flavor.arch()) : Optional.empty();
        return PublishedLists.items(here.isPresent() ? here.get()
                : PublishedImages.read(resolve(IMAGES_MODULE, PublishedLists.containersName(flavor.arch()), "json")));
    }

    /** The kernel of the flavor; none where images were named. */
    protected final List<Publisher.Item> kernels(Flavor flavor) throws IOException {
        if (image != null && !image.isBlank()) {
            return List.of();
        }
        Optional<PublishedImages> here = kernelLists(flavor).isPresent() ? kernelLists(flavor).get().kernel(flavor.kernelId()) : Optional.empty();
        return PublishedLists.items(here.isPresent() ? here.get()
                : PublishedImages.read(resolve(flavor.kernel().method().module(), flavor.kernelId(), "json")));
    }

    /** The images that there are for all architectures in this tree. */
    protected final List<Publisher.Family> families(Flavor flavor) throws IOException {
        List<Publisher.Family> families = new ArrayList<>();
        if (image != null && !image.isBlank()) {
            ImageStore store = ImageStore.of(cache());
            for (Publisher.Item item : containers(flavor)) {
                List<Publisher.Item> members = new ArrayList<>();
                for (Arch arch : Arch.values()) {
                    store.find(item.reference(), arch).ifPresent(there -> members.add(new Publisher.Item(item.reference(), arch)));
                }
                families.add(new Publisher.Family(item.reference(), members));
            }
            return families;
        }
        if (containerLists().isPresent()) {
            families.addAll(containerLists().get().containerFamilies());
        }
        if (kernelLists(flavor).isPresent()) {
            families.addAll(kernelLists(flavor).get().kernelFamilies(flavor.kernelId(), flavor.arch()));
        }
        return families;
    }

    private Optional<PublishedLists> containerLists() {
        return lists(IMAGES_MODULE);
    }

    private Optional<PublishedLists> kernelLists(Flavor flavor) {
        return lists(flavor.kernel().method().module());
    }

    private Optional<PublishedLists> lists(String module) {
        return inReactor(module).map(MavenProject::getBuild).map(build -> new PublishedLists(Path.of(build.getDirectory()), project.getVersion()));
    }
}
