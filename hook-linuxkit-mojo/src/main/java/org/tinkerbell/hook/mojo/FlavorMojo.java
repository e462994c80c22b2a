package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.apache.maven.model.Profile;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.linuxkit.Engine;
import org.tinkerbell.hook.linuxkit.Formats;

/** Says which flavor is built, and stops at once if it is one that cannot be. */
@Mojo(name = "flavor", defaultPhase = LifecyclePhase.VALIDATE, threadSafe = true)
public final class FlavorMojo extends AbstractFlavorMojo {
    /** In which forms the system is wanted; see hook:linuxkit. */
    @Parameter(property = "hook.formats")
    private String formats;

    /** The engine that builds it; see hook:linuxkit. */
    @Parameter(property = "hook.engine", defaultValue = "embedded")
    private String engine;

    /** How the initramfs is compressed; see hook:linuxkit. */
    @Parameter(property = "hook.compression")
    private String compression;

    @Override
    protected void run() throws IOException {
        requireProfiles();
        Flavor flavor = flavor();
        requireSettings(flavor);
        flavorFiles().template(flavor);
        progress().info("Flavor " + flavor.id() + (flavor.description().isEmpty() ? "" : ": " + flavor.description()) + " ("
                + flavor.arch().kernelName() + ", kernel by " + flavor.kernel().method().module() + ")");
    }

    /** Looks at what is used at the end only, when all packages have been fetched. */
    private void requireSettings(Flavor flavor) {
        Formats wanted = Formats.parse(formats, knownSettings());
        if (wanted.has(Formats.ISO)) {
            requireIso(flavor);
        }
        if (Engine.Kind.of(engine) == Engine.Kind.EMBEDDED) {
            wanted.requireNoCommand();
        }
        if (compression != null && !compression.isBlank()) {
            Compression.parse(compression);
        }
    }

    /** Maven 3 has but a warning for a profile that does not exist, and what would be built is not what somebody wanted. */
    private void requireProfiles() throws IOException {
        if (flavorNamed()) {
            return;
        }
        SortedSet<String> unknown = unknown(session.getRequest().getActiveProfiles(),
                session.getRequest().getProfiles().stream().map(Profile::getId).toList(),
                session.getProjects().stream().flatMap(each -> each.getInjectedProfileIds().values().stream()).toList());
        if (!unknown.isEmpty()) {
            throw new HookException("There is no Maven profile '" + unknown.first() + "', and without one " + flavor().id() + " would be built. "
                    + inventory().suggestion(unknown.first()));
        }
    }

    /**
     * The profiles that are nowhere.
     *
     * @param requested by {@code -P}
     * @param settings those of {@code settings.xml}
     * @param injected those that have become active, of each model
     */
    static SortedSet<String> unknown(Collection<String> requested, Collection<String> settings, Collection<List<String>> injected) {
        SortedSet<String> unknown = new TreeSet<>(requested);
        unknown.removeAll(settings);
        injected.forEach(unknown::removeAll);
        return unknown;
    }
}
