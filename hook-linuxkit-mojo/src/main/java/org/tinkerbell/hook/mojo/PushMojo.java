package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.util.List;
import org.apache.maven.plugins.annotations.Mojo;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.release.Publisher;

/**
 * Pushes the flavor's container images and kernel, as they were built last, to the registry that their names have, and with the images for
 * the other architecture an index of both, whose tag is Hook's version. {@code DO_PUSH=yes} does the same during the build.
 */
@Mojo(name = "push", aggregator = true, requiresProject = true)
public final class PushMojo extends AbstractImagesMojo {
    @Override
    protected void run() throws IOException {
        Flavor flavor = flavor();
        Publisher publisher = publisher();
        List<Publisher.Family> families = families(flavor);
        // A name that is for both architectures itself is pushed as an index only: its tag would else change twice.
        publisher.push(items(flavor).stream().filter(item -> families.stream()
                .noneMatch(family -> family.members().size() > 1 && family.reference().equals(item.reference()))).toList());
        publisher.pushFamilies(families);
    }
}
