package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageReference;

/** Kernels from source of which none is compiled that somebody has compiled already. */
public final class KernelStock {
    private static final Pattern TAG = Pattern.compile("(?<version>\\d+\\.\\d+\\.\\d+)-[0-9a-f]{8}");

    private final KernelImage images;
    private final List<KernelImage.Place> places;
    private final String repository;
    private final Progress progress;

    /** The tags of a repository. */
    @FunctionalInterface
    public interface Tags {
        List<String> of(ImageReference repository) throws IOException;
    }

    /**
     * @param places where kernels may be besides the local store, asked in this order
     * @param repository the images' name without tag
     */
    public KernelStock(KernelImage images, List<KernelImage.Place> places, String repository, Progress progress) {
        this.images = images;
        this.places = List.copyOf(places);
        this.repository = repository;
        this.progress = progress;
    }

    /**
     * A flavor's kernel: found where it is, else compiled.
     *
     * @param anew whether to look nowhere and compile it
     * @throws HookException if it is nowhere and cannot be compiled
     */
    public KernelImage.Result kernel(SourceKernel method, Flavor flavor, boolean anew) throws IOException, InterruptedException {
        SourceKernel.Plan plan = method.plan(flavor);
        KernelImage.Name name = images.name(plan.arch(), plan.source().version(), plan.inputs(), flavor.excludedModules(),
                flavor.keptModules(), repository);
        Optional<KernelImage.Result> found = anew ? Optional.empty() : images.find(name, places);
        if (found.isPresent()) {
            return found.get();
        }
        return images.build(method.kernel(plan, anew), flavor.excludedModules(), flavor.keptModules(), repository, anew);
    }

    /**
     * The newest kernel of a series that a registry has for the flavor's architecture, whatever configuration it was compiled with. Of
     * several images of a version it is the one with the last tag in alphabetical order.
     *
     * @param tags the tags that the registry has
     * @param registry gives the images
     * @throws HookException if there is none
     */
    public KernelImage.Result newest(Flavor flavor, Tags tags, KernelImage.Place registry) throws IOException {
        String series = flavor.kernel().series().orElseThrow();
        ImageReference all = ImageReference.parse(repository + ":latest");
        Comparator<String> order = Comparator.comparing(KernelStock::version).thenComparing(Comparator.naturalOrder());
        List<String> candidates = tags.of(all).stream()
                .filter(tag -> TAG.matcher(tag).matches())
                .filter(tag -> series.equals("longterm") || version(tag).series().equals(series))
                .sorted(order.reversed())
                .toList();
        for (String tag : candidates) {
            ImageReference reference = all.withTag(tag);
            Optional<Image> image;
            try {
                image = registry.image(reference, flavor.arch());
            } catch (HookException e) {
                // For another architecture, most often.
                progress.info(reference + " cannot be taken: " + e.getMessage());
                continue;
            }
            if (image.isPresent()) {
                progress.info("Taking the newest kernel that was published: " + reference);
                return images.of(reference, image.get());
            }
        }
        throw new HookException(registry.name() + " has no kernel of the series " + series + " for " + flavor.arch().kernelName() + " in "
                + all.name() + (candidates.isEmpty() ? "" : " that can be taken; its tags are " + String.join(", ", candidates))
                + ". Build one without USE_LATEST_BUILT_KERNEL, or name another repository with HOOK_KERNEL_OCI_BASE.");
    }

    private static KernelVersion version(String tag) {
        Matcher matcher = TAG.matcher(tag);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(tag);
        }
        return KernelVersion.of(matcher.group("version")).orElseThrow();
    }
}
