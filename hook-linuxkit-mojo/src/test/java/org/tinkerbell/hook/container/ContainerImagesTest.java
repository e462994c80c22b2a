package org.tinkerbell.hook.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.debian.Mirrors;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;

/** What is looked for elsewhere before it is made; {@link ContainerImagesIT} makes images of packages. */
class ContainerImagesTest {
    @TempDir
    Path directory;

    private ContainerImages images(String cache) throws IOException {
        Cache of = new Cache(directory.resolve(cache));
        NetworkSettings offline = NetworkSettings.defaults().withOffline(true);
        PackageSource none = new PackageSource(of, new Downloader(of, offline, Progress.SILENT),
                Mirrors.of(null, null, null, directory), "trixie", directory.resolve("locks"), LockMode.LENIENT, Progress.SILENT);
        return new ContainerImages(of, ImageStore.of(of), none, Arch.AARCH64, "example.org/x/", Map.of(), Optional.empty(), Progress.SILENT);
    }

    @Test
    void anImageThatIsElsewhereIsNotMade() throws IOException {
        Path box = Files.createDirectories(directory.resolve("images/box"));
        Files.writeString(box.resolve("image.yaml"), "description: one file\nfiles: [{path: etc/x, contents: x}]\n");
        List<ImageDefinition> definitions = ContainerImages.definitions(directory.resolve("images"));
        List<ImageReference> asked = new ArrayList<>();

        ContainerImages.Built made = images("first").asking((reference, arch) -> {
            asked.add(reference);
            return Optional.empty();
        }).build(definitions).get(0);
        assertTrue(made.made());
        assertEquals(List.of(made.reference()), asked, "by the name that it then gets");

        Image known = made.image();
        ContainerImages.Built found = images("second").asking((reference, arch) -> Optional.of(known)).build(definitions).get(0);
        assertFalse(found.made());
        assertEquals(made.reference(), found.reference());
        assertEquals(known, found.image());

        asked.clear();
        assertFalse(images("first").asking((reference, arch) -> {
            asked.add(reference);
            return Optional.empty();
        }).build(definitions).get(0).made());
        assertEquals(List.of(), asked, "what is in the store is asked for nowhere");
    }
}
