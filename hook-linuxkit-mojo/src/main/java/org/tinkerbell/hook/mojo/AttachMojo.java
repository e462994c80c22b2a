package org.tinkerbell.hook.mojo;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.inject.Inject;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProjectHelper;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Checksums;
import org.tinkerbell.hook.io.HookException;

/**
 * Writes the SHA-256 and SHA-512 files of the flavor's tarball, in the form that {@code sha256sum -c} reads, and attaches
 * all three to the project with the flavor's id as classifier.
 */
@Mojo(name = "attach", defaultPhase = LifecyclePhase.PACKAGE, threadSafe = true)
public final class AttachMojo extends AbstractFlavorMojo {
    @Inject
    private MavenProjectHelper projectHelper;

    /** Where the tarball is. */
    @Parameter(defaultValue = "${project.build.directory}", readonly = true)
    private File buildDirectory;

    /** Name of the tarball of a flavor. */
    static String tarballName(Flavor flavor) {
        return "hook_" + flavor.outputId() + ".tar.gz";
    }

    @Override
    protected void run() throws IOException {
        Flavor flavor = flavor();
        Path tarball = buildDirectory.toPath().resolve(tarballName(flavor));
        if (!Files.isRegularFile(tarball)) {
            throw new HookException("There is no " + tarball + ": the assembly has to run before hook:attach.");
        }
        Checksums checksums = Checksums.of(tarball);
        projectHelper.attachArtifact(project, "tar.gz", flavor.id(), tarball.toFile());
        attach(flavor, tarball, "sha256", checksums.sha256());
        attach(flavor, tarball, "sha512", checksums.sha512());
        progress().info(String.format("%s: %.1f MB, sha256 %s", tarball.getFileName(), Files.size(tarball) / 1e6, checksums.sha256()));
    }

    private void attach(Flavor flavor, Path tarball, String algorithm, String hex) throws IOException {
        Path file = tarball.resolveSibling(tarball.getFileName() + "." + algorithm);
        AtomicFile.write(file, hex + "  " + tarball.getFileName() + "\n");
        projectHelper.attachArtifact(project, "tar.gz." + algorithm, flavor.id(), file.toFile());
    }
}
