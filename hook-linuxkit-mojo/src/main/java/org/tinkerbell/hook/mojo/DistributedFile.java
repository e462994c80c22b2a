package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.maven.project.MavenProject;
import org.apache.maven.project.MavenProjectHelper;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.io.Checksums;
import org.tinkerbell.hook.io.Progress;

/**
 * A file that people download, with its checksums beside it.
 *
 * @param file in the module's build directory
 * @param type of the artifact, as Maven has it: {@code tar.gz}; its checksums' are {@code tar.gz.sha256} and {@code tar.gz.sha512}
 */
record DistributedFile(Path file, String type) {
    /** Writes the checksums, and attaches all three with the flavor's id as their classifier. */
    void attach(MavenProject project, MavenProjectHelper helper, Flavor flavor, Progress progress) throws IOException {
        Checksums checksums = Checksums.beside(file);
        helper.attachArtifact(project, type, flavor.id(), file.toFile());
        for (Map.Entry<String, Path> sums : Checksums.files(file).entrySet()) {
            helper.attachArtifact(project, type + "." + sums.getKey(), flavor.id(), sums.getValue().toFile());
        }
        progress.info(String.format("%s: %.1f MB, sha256 %s", file.getFileName(), Files.size(file) / 1e6, checksums.sha256()));
    }

    /** Removes the file and its checksums, where they are. */
    void delete() throws IOException {
        Files.deleteIfExists(file);
        for (Path sums : Checksums.files(file).values()) {
            Files.deleteIfExists(sums);
        }
    }
}
