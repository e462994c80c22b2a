package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.tinkerbell.hook.oci.ImageArchive;

/**
 * Puts the images of archives into the image store, under the names that the archives give them: of hook:export, {@code docker save},
 * {@code skopeo} and others. A build then finds them instead of making them.
 */
@Mojo(name = "import", aggregator = true, requiresProject = true)
public final class ImportMojo extends AbstractFlavorMojo {
    /** Archives, or directories with archives, parted by commas. Default: where hook:export writes to. */
    @Parameter(property = "hook.archives")
    private String archives;

    @Override
    protected void run() throws IOException {
        List<Path> places = new ArrayList<>();
        if (archives != null && !archives.isBlank()) {
            for (String place : archives.trim().split("\\s*,\\s*")) {
                places.add(fromWhereMavenWasStarted(Path.of(place)));
            }
        } else {
            places.addAll(new LinkedHashSet<>(List.of(exportDirectory(Exported.CONTAINERS), exportDirectory(Exported.KERNEL))));
        }
        for (ImageArchive.Named image : publisher().read(places)) {
            progress().info(image.reference() + " for " + image.image().config().architecture());
        }
    }
}
