package org.tinkerbell.hook.mojo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageArchive;
import org.tinkerbell.hook.oci.ImageBuilder;
import org.tinkerbell.hook.oci.ImageConfig;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

class MavenKernelsTest {
    private static final ImageReference PUBLISHED = ImageReference.parse("nexus.example/hook-kernel:6.12.58-0123abcd");
    private static final ImageReference WANTED = ImageReference.parse("ghcr.io/tinkerbell/hook/kernel/hook-kernel:6.12.58-0123abcd");

    @TempDir
    Path directory;

    private final List<String> asked = new ArrayList<>();
    private Image image;

    /** What another machine has deployed. */
    @BeforeEach
    void publish() throws IOException {
        Cache cache = new Cache(directory.resolve("publisher"));
        ImageStore store = ImageStore.of(cache);
        image = new ImageBuilder(store).build(PUBLISHED, ImageConfig.of(Arch.X86_64), List.of(Entry.file("kernel", 0644, Content.of("bz"))), 0);
        new ImageArchive(store, cache).write(PUBLISHED, image, directory.resolve("hook-default-amd64.oci.tar"));
        new PublishedImages(Arch.X86_64, List.of(new PublishedImages.Image("hook-default-amd64", PUBLISHED.toString(), image.digest(),
                "hook-default-amd64", Optional.of("6.12.58")))).write(directory.resolve("hook-default-amd64.json"));
    }

    private MavenKernels kernels(String flavor) {
        Cache cache = new Cache(directory.resolve("other"));
        ImageStore store = ImageStore.of(cache);
        return new MavenKernels(flavor, (classifier, extension) -> {
            asked.add(extension);
            return Optional.of(directory.resolve(classifier + "." + extension)).filter(Files::exists);
        }, store, new ImageArchive(store, cache));
    }

    @Test
    void theKernelOfTheTagIsTaken() throws IOException {
        assertEquals(image.digest(), kernels("hook-default-amd64").image(WANTED, Arch.X86_64).orElseThrow().digest());
        assertEquals(image, ImageStore.of(new Cache(directory.resolve("other"))).find(WANTED, Arch.X86_64).orElseThrow());
    }

    @Test
    void anotherKernelIsNotEvenFetched() throws IOException {
        assertEquals(Optional.empty(), kernels("hook-default-amd64").image(WANTED.withTag("6.12.58-ffffffff"), Arch.X86_64));
        assertEquals(Optional.empty(), kernels("hook-default-amd64").image(WANTED, Arch.AARCH64));
        assertEquals(List.of("json", "json"), asked);
        assertEquals(Optional.empty(), kernels("hook-latest-lts-amd64").image(WANTED, Arch.X86_64));
    }

    @Test
    void halfAPublicationIsSaid() throws IOException {
        Files.delete(directory.resolve("hook-default-amd64.oci.tar"));
        String message = assertThrows(HookException.class, () -> kernels("hook-default-amd64").image(WANTED, Arch.X86_64)).getMessage();
        assertTrue(message.contains("not its archive"), message);
    }
}
