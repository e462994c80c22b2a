package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;

/**
 * The content of hook-flavors in a directory: {@code flavors.yaml}, {@code <name>.template.yaml}, and the files that the
 * templates lay into the system.
 *
 * @param directory where they are
 */
record FlavorFiles(Path directory) {
    /** Name of the file with the LinuxKit project's own images. */
    static final String LINUXKIT_IMAGES = "linuxkit-images.yaml";

    /** Those of a source tree. */
    static FlavorFiles ofDirectory(Path directory) {
        return new FlavorFiles(directory);
    }

    /** Those of the published artifact, unpacked into the cache under its digest. */
    static FlavorFiles ofJar(Path jar, Cache cache) throws IOException {
        Path directory = cache.root().resolve("flavors").resolve(Digest.of(jar).abbreviated(32));
        Path done = directory.resolve(".complete");
        if (!Files.exists(done)) {
            try (Cache.Held held = cache.lock(directory.toString());
                    ZipFile zip = new ZipFile(jar.toFile())) {
                Enumeration<? extends ZipEntry> entries = zip.entries();
                while (entries.hasMoreElements()) {
                    ZipEntry entry = entries.nextElement();
                    Path target = directory.resolve(entry.getName()).normalize();
                    if (!target.startsWith(directory)) {
                        throw new HookException(jar + ": the entry " + entry.getName() + " would land outside; the artifact is not Hook's.");
                    }
                    if (!entry.isDirectory()) {
                        try (InputStream in = zip.getInputStream(entry)) {
                            AtomicFile.write(target, in::transferTo);
                        }
                    }
                }
                AtomicFile.write(done, "");
            }
        }
        return new FlavorFiles(directory);
    }

    /** The built-in inventory. */
    Path inventory() {
        return directory.resolve("flavors.yaml");
    }

    /** The LinuxKit project's own images. */
    Path linuxkitImages() {
        return directory.resolve(LINUXKIT_IMAGES);
    }

    /**
     * The LinuxKit template of a flavor.
     *
     * @throws HookException if there is no such template
     */
    Path template(Flavor flavor) {
        Path file = Path.of(flavor.template());
        if (!file.isAbsolute()) {
            file = directory.resolve(flavor.template() + ".template.yaml");
        }
        if (!Files.isRegularFile(file)) {
            throw new HookException("Flavor " + flavor.id() + " names the template '" + flavor.template() + "', but there is no file " + file + ".");
        }
        return file;
    }
}
