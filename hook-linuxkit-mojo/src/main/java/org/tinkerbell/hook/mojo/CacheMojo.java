package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.maven.plugins.annotations.Mojo;

/** Says where the cache is and how large it has become. */
@Mojo(name = "cache", requiresProject = false, aggregator = true, threadSafe = true)
public final class CacheMojo extends AbstractHookMojo {
    @Override
    protected void run() throws IOException {
        Path root = cache().root();
        AtomicLong bytes = new AtomicLong();
        if (Files.isDirectory(root)) {
            Files.walkFileTree(root, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    bytes.addAndGet(attributes.size());
                    return FileVisitResult.CONTINUE;
                }
            });
        }
        progress().info(root + ": " + bytes.get() / 1_000_000 + " MB");
    }
}
