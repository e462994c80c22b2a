package org.tinkerbell.hook.mojo;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import javax.inject.Inject;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProjectHelper;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.linuxkit.Formats;
import org.tinkerbell.hook.media.EfiIso;

/**
 * Makes the media that are wanted of the flavor's kernel and initramfs, and attaches them with their checksums: where hook.formats has
 * {@code iso}, an ISO for UEFI firmware. It has the name that upstream gives it, which Tinkerbell's settings have.
 */
@Mojo(name = "media", defaultPhase = LifecyclePhase.PACKAGE, threadSafe = true)
public final class MediaMojo extends AbstractFlavorMojo {
    @Inject
    private MavenProjectHelper projectHelper;

    /** In which forms the system is wanted; see hook:linuxkit. */
    @Parameter(property = "hook.formats")
    private String formats;

    /**
     * The kernel's parameters on the ISO. What Tinkerbell's server overwrites comes after them. Default: the screen and the first serial
     * port as consoles.
     */
    @Parameter(property = "hook.iso.cmdline")
    private String isoCommandLine;

    /** Where the flavor's files are. */
    @Parameter(defaultValue = "${project.build.directory}/flavor", readonly = true)
    private File flavorDirectory;

    /** Where the media go. */
    @Parameter(defaultValue = "${project.build.directory}", readonly = true)
    private File buildDirectory;

    /** Time of everything on a medium, as ISO 8601 or in seconds since 1970. */
    @Parameter(defaultValue = "${project.build.outputTimestamp}")
    private String outputTimestamp;

    /** Name of the ISO of a flavor. */
    static String isoName(Flavor flavor) {
        return "hook-" + flavor.outputId() + "-efi-initrd.iso";
    }

    @Override
    protected void run() throws IOException, InterruptedException {
        Flavor flavor = flavor();
        DistributedFile iso = new DistributedFile(buildDirectory.toPath().resolve(isoName(flavor)), "iso");
        if (!Formats.parse(formats, knownSettings()).has(Formats.ISO)) {
            // One of an earlier build would be of another kernel, or another initramfs.
            iso.delete();
            return;
        }
        requireIso(flavor);
        Path files = flavorDirectory.toPath();
        new EfiIso(toolbox(), progress()).write(new EfiIso.Content(
                flavor.arch(),
                "Hook " + flavor.id(),
                files.resolve("vmlinuz-" + flavor.outputId()),
                files.resolve("initramfs-" + flavor.outputId()),
                isoCommandLine == null || isoCommandLine.isBlank() ? EfiIso.consoles(flavor.arch()) : isoCommandLine,
                OutputTimestamp.seconds(outputTimestamp)), iso.file());
        iso.attach(project, projectHelper, flavor, progress());
    }
}
