package org.tinkerbell.hook.mojo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.release.Publisher.Family;
import org.tinkerbell.hook.release.Publisher.Item;

class PublishedListsTest {
    @TempDir
    Path directory;

    private Item write(Arch arch, String name, String reference, String file, Optional<String> version) throws IOException {
        new PublishedImages(arch, List.of(new PublishedImages.Image(name, reference, Digest.of("x"), name, version)))
                .write(directory.resolve(file + ".json"));
        return new Item(ImageReference.parse(reference), arch);
    }

    @Test
    void containersOfBothArchitecturesHaveTheVersionForACommonName() throws IOException {
        PublishedLists lists = new PublishedLists(directory, "1.2+3");
        Item amd64 = write(Arch.X86_64, "box", "example.org/x/box:0-amd64", "images-amd64", Optional.empty());
        assertEquals(List.of(), lists.containerFamilies());
        Item arm64 = write(Arch.AARCH64, "box", "example.org/x/box:1-arm64", "images-arm64", Optional.empty());
        assertEquals(List.of(new Family(ImageReference.parse("example.org/x/box:1.2-3"), List.of(amd64, arm64))), lists.containerFamilies());
    }

    @Test
    void kernelsOfOneFamilyHaveItsNameInTheirCommonOne() throws IOException {
        PublishedLists lists = new PublishedLists(directory, "1.2");
        Item amd64 = write(Arch.X86_64, "debian-amd64", "example.org/k:6.12-0", "debian-amd64-0123456789ab", Optional.of("6.12"));
        write(Arch.X86_64, "debian-amd64-rt", "example.org/k:6.12-2", "debian-amd64-rt-0123456789ab", Optional.of("6.12"));
        assertEquals(List.of(), lists.kernelFamilies("debian-amd64", Arch.X86_64));
        Item arm64 = write(Arch.AARCH64, "debian-arm64", "example.org/k:6.12-1", "debian-arm64-0123456789ab", Optional.of("6.12"));
        List<Family> both = List.of(new Family(ImageReference.parse("example.org/k:1.2-debian"), List.of(amd64, arm64)));
        assertEquals(both, lists.kernelFamilies("debian-amd64", Arch.X86_64));
        assertEquals(both, lists.kernelFamilies("debian-arm64", Arch.AARCH64));
        assertEquals(List.of(), lists.kernelFamilies("armbian-meson64-edge", Arch.AARCH64));
    }
}
