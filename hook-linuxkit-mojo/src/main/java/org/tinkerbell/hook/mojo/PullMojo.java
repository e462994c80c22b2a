package org.tinkerbell.hook.mojo;

import java.io.IOException;
import org.apache.maven.plugins.annotations.Mojo;
import org.tinkerbell.hook.flavor.Flavor;

/**
 * Pulls the flavor's container images and kernel from their registry into the image store. Which ones, say the lists that their modules have
 * written here or published to a Maven repository; or name images by hook.image.
 */
@Mojo(name = "pull", aggregator = true, requiresProject = true)
public final class PullMojo extends AbstractImagesMojo {
    @Override
    protected void run() throws IOException {
        Flavor flavor = flavor();
        publisher().pull(items(flavor));
    }
}
