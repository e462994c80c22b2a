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
        new DistributedFile(tarball, "tar.gz").attach(project, projectHelper, flavor, progress());
    }
}
