package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.release.Publisher.Family;
import org.tinkerbell.hook.release.Publisher.Item;

/**
 * The lists of images that a module has written into its build directory, one for each architecture that was built, and how those images
 * are called together. An image's own tag is a digest of what it is made from, so it is another one for each architecture; the images of
 * all architectures have the version of Hook for a tag, and kernels the flavor's name without its architecture after it.
 *
 * @param directory the module's build directory
 * @param version of Hook
 */
record PublishedLists(Path directory, String version) {
    /** Name of the list of the container images. */
    static String containersName(Arch arch) {
        return "images-" + arch.ociName();
    }

    /** The list of the container images for an architecture. */
    Optional<PublishedImages> containers(Arch arch) throws IOException {
        Path file = directory.resolve(containersName(arch) + ".json");
        return Files.isRegularFile(file) ? Optional.of(PublishedImages.read(file)) : Optional.empty();
    }

    /** The list of the kernel of a flavor, of which there is one. */
    Optional<PublishedImages> kernel(String flavor) throws IOException {
        if (Files.isDirectory(directory)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, flavor + "-*.json")) {
                for (Path file : files) {
                    if (file.getFileName().toString().matches("\\Q" + flavor + "\\E-[0-9a-f]+\\.json")) {
                        return Optional.of(PublishedImages.read(file));
                    }
                }
            }
        }
        return Optional.empty();
    }

    /** The images of a list. */
    static List<Item> items(PublishedImages list) {
        return list.images().stream().map(image -> new Item(ImageReference.parse(image.reference()), list.arch())).toList();
    }

    /** The container images that there are for every architecture. */
    List<Family> containerFamilies() throws IOException {
        List<PublishedImages> lists = new ArrayList<>();
        for (Arch arch : Arch.values()) {
            containers(arch).ifPresent(lists::add);
        }
        List<Family> families = new ArrayList<>();
        if (lists.size() == Arch.values().length) {
            for (PublishedImages.Image first : lists.get(0).images()) {
                families.add(family(lists, first.name(), tag(version)));
            }
        }
        return families;
    }

    /** The kernel of a flavor with those of the flavors that differ from it in the architecture only. */
    List<Family> kernelFamilies(String flavor, Arch arch) throws IOException {
        String ending = "-" + arch.ociName();
        if (!flavor.endsWith(ending)) {
            return List.of();
        }
        String stem = flavor.substring(0, flavor.length() - ending.length());
        List<Item> members = new ArrayList<>();
        for (Arch each : Arch.values()) {
            kernel(stem + "-" + each.ociName()).ifPresent(list -> members.addAll(items(list)));
        }
        return members.size() < Arch.values().length ? List.of()
                : List.of(new Family(members.get(0).reference().withTag(tag(version + "-" + stem)), members));
    }

    private static Family family(List<PublishedImages> lists, String name, String tag) {
        List<Item> members = new ArrayList<>();
        for (PublishedImages list : lists) {
            list.images().stream().filter(image -> image.name().equals(name))
                    .forEach(image -> members.add(new Item(ImageReference.parse(image.reference()), list.arch())));
        }
        return new Family(members.get(0).reference().withTag(tag), members);
    }

    /** A tag may have letters, digits and {@code _.-}; a version such as {@code 1.2+3} has others. */
    private static String tag(String text) {
        String tag = text.replaceAll("[^A-Za-z0-9_.-]", "-").replaceFirst("^[.-]+", "");
        return tag.substring(0, Math.min(128, tag.length()));
    }
}
