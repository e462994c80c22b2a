package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.maven.plugins.annotations.Mojo;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.linuxkit.LinuxKitImages;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.oci.Registry;

/**
 * Asks the registry what the tags of the LinuxKit project's images stand for, writes their digests into {@code linuxkit-images.yaml}, and prints
 * what has changed. Nothing is written unless the registry knows all of them.
 */
@Mojo(name = "images-lock", aggregator = true, threadSafe = true)
public final class ImagesLockMojo extends AbstractHookMojo {
    private static final String FILE = "hook-flavors/src/main/resources/" + FlavorFiles.LINUXKIT_IMAGES;

    @Override
    protected void run() throws IOException {
        Path file = session.getRequest().getMultiModuleProjectDirectory().toPath().resolve(FILE);
        if (!Files.isRegularFile(file)) {
            throw new HookException("There is no " + file + ": hook:images-lock renews the file of Hook's own source tree; run it at its root.");
        }
        Registry registry = registry(ImageStore.of(cache()));
        LinuxKitImages.Renewal renewal = LinuxKitImages.read(file).renewed(registry::digest);
        if (renewal.changes().isEmpty()) {
            progress().info(FILE + ": nothing has changed");
            return;
        }
        AtomicFile.write(file, renewal.text());
        progress().info(FILE + ":");
        renewal.changes().forEach(change -> progress().info("  " + change));
        progress().info("Build and test with -Dhook.images=linuxkit, then commit it.");
    }
}
