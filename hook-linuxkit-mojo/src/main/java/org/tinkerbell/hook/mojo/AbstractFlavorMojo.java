package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.inject.Inject;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProject;
import org.eclipse.aether.RepositorySystem;
import org.eclipse.aether.artifact.Artifact;
import org.eclipse.aether.artifact.DefaultArtifact;
import org.eclipse.aether.resolution.ArtifactRequest;
import org.eclipse.aether.resolution.ArtifactResolutionException;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.flavor.Inventory;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.oci.ImageArchive;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.release.Publisher;

/** What the goals have that work on one flavor: the inventory and the choice in it, and the artifacts of other modules. */
abstract class AbstractFlavorMojo extends AbstractHookMojo {
    private static final String GROUP = "org.tinkerbell.hook";
    private static final String FLAVORS_MODULE = "hook-flavors";

    @Inject
    private RepositorySystem repositories;

    @Parameter(defaultValue = "${project}", readonly = true, required = true)
    protected MavenProject project;

    /** Id of the flavor to build; the Maven profiles set it. Default: Hook's own kernel for the machine that builds. */
    @Parameter(property = "hook.flavor")
    private String flavor;

    /** A site's own inventory, which adds flavors and changes fields of the built-in ones. */
    // No File: Maven would look for it in each module's own directory.
    @Parameter(property = "hook.flavors")
    private String flavors;

    /**
     * Push to the registry what was built: {@code yes} or {@code no}. Also of that name in the environment.
     */
    @Parameter(property = "DO_PUSH")
    private String push;

    /** Where hook:export writes archives. Default: those of the environment for each kind, else {@code target/export} of the whole tree. */
    // No File: see above.
    @Parameter(property = "hook.export.directory")
    private String exportDirectory;

    /**
     * How layers are in exported archives: {@code plain}, which everything reads, or {@code stored}, as they are pushed, so that an image
     * keeps its digest; Docker reads those from version 23 on.
     */
    @Parameter(property = "hook.export.layers", defaultValue = "plain")
    private String exportLayers;

    private FlavorFiles files;

    /** Whether somebody said which flavor to build. */
    protected final boolean flavorNamed() {
        return flavor != null && !flavor.isBlank();
    }

    /** The flavor that this build is of. */
    protected final Flavor flavor() throws IOException {
        return inventory().flavor(flavorNamed() ? flavor : Inventory.defaultId(Arch.host()));
    }

    /**
     * Lets a flavor pass of which an ISO can be made.
     *
     * @throws HookException if none can
     */
    protected static void requireIso(Flavor flavor) {
        if (!flavor.iso()) {
            throw new HookException("No ISO is made of flavor " + flavor.id() + ": its machines do not boot by UEFI from a medium. If yours do, say "
                    + "iso: true for it in an inventory of your own (-Dhook.flavors=...).");
        }
    }

    /** The kinds of images that are exported, by upstream's names of the settings. */
    protected enum Exported {
        /** Container images. */
        CONTAINERS("EXPORT_LK_CONTAINERS"),
        /** Kernels. */
        KERNEL("EXPORT_KERNEL_IMAGE");

        private final String setting;

        Exported(String setting) {
            this.setting = setting;
        }
    }

    /** Where archives of a kind go. */
    protected final Path exportDirectory(Exported kind) {
        String variable = knownSettings().get(kind.setting + "_DIR");
        Path directory = exportDirectory != null && !exportDirectory.isBlank() ? Path.of(exportDirectory)
                : variable != null && !variable.isBlank() ? Path.of(variable) : Path.of("target", "export");
        return fromWhereMavenWasStarted(directory);
    }

    /** How layers are in exported archives. */
    protected final ImageArchive.Layers exportLayers() {
        return switch (exportLayers == null ? "plain" : exportLayers) {
            case "plain" -> ImageArchive.Layers.UNCOMPRESSED;
            case "stored" -> ImageArchive.Layers.AS_STORED;
            default -> throw new HookException("hook.export.layers is '" + exportLayers + "': it is plain (the default) or stored.");
        };
    }

    /** Brings images out of the store and into it. */
    protected final Publisher publisher() {
        ImageStore store = ImageStore.of(cache());
        return new Publisher(store, registry(store), new ImageArchive(store, cache()), progress());
    }

    /** Pushes and exports what a module has built, where {@code DO_PUSH} and the kind's setting say so. */
    protected final void publish(Exported kind, List<Publisher.Item> items, List<Publisher.Family> families) throws IOException {
        if (isYes(push == null || push.isBlank() ? System.getenv("DO_PUSH") : push)) {
            publisher().push(items);
            publisher().pushFamilies(families);
        }
        if (isYes(knownSettings().get(kind.setting))) {
            publisher().export(items, exportLayers(), exportDirectory(kind));
        }
    }

    /** Whether a setting that upstream's scripts know is on; null is not. */
    protected static boolean isYes(String text) {
        return text != null && text.trim().matches("(?i)yes|true|1");
    }

    /** The settings that people know from upstream's scripts: the environment, and before it what was said by {@code -D}. */
    protected final Map<String, String> knownSettings() {
        Map<String, String> settings = new HashMap<>(System.getenv());
        session.getUserProperties().forEach((name, value) -> settings.put(name.toString(), value.toString()));
        return settings;
    }

    /** The inventory with the site's changes. */
    protected final Inventory inventory() throws IOException {
        return Inventory.read(flavorFiles().inventory(), Optional.ofNullable(flavors).map(Path::of).map(this::fromWhereMavenWasStarted));
    }

    /** Inventory, templates and files: those of the tree that is built or, outside of it, those of the published artifact. */
    protected final FlavorFiles flavorFiles() throws IOException {
        if (files == null) {
            Optional<MavenProject> module = inReactor(FLAVORS_MODULE);
            files = module.isPresent()
                    ? FlavorFiles.ofDirectory(module.get().getBasedir().toPath().resolve("src").resolve("main").resolve("resources"))
                    : FlavorFiles.ofJar(resolve(FLAVORS_MODULE, "", "jar"), cache());
        }
        return files;
    }

    /** The module of this build that has an artifact id, if it takes part in the build. */
    protected final Optional<MavenProject> inReactor(String artifactId) {
        return session.getProjects().stream()
                .filter(p -> p.getGroupId().equals(GROUP) && p.getArtifactId().equals(artifactId))
                .findFirst();
    }

    /**
     * An artifact of another module, of this version: from the running build, else from the Maven repositories.
     *
     * @param classifier may be empty
     * @throws HookException if no repository has it
     */
    protected final Path resolve(String artifactId, String classifier, String extension) {
        Artifact artifact = new DefaultArtifact(GROUP, artifactId, classifier, extension, project.getVersion());
        try {
            return repositories
                    .resolveArtifact(
                            session.getRepositorySession(), new ArtifactRequest(artifact, project.getRemoteProjectRepositories(), null))
                    .getArtifact()
                    .getFile()
                    .toPath();
        } catch (ArtifactResolutionException e) {
            throw new HookException(
                    "No Maven repository has " + artifact + ". Build the module that makes it (leave out -pl, or add -am), or let Maven know the "
                            + "repository that it was deployed to.",
                    e);
        }
    }

    /** The same as {@link #resolve}, but nothing where no repository has the artifact. */
    protected final Optional<Path> find(String artifactId, String classifier, String extension) {
        try {
            return Optional.of(resolve(artifactId, classifier, extension));
        } catch (HookException e) {
            return Optional.empty();
        }
    }

    /** A path that a person wrote, absolute. */
    protected final Path fromWhereMavenWasStarted(Path path) {
        MavenSession current = session;
        return Path.of(current.getExecutionRootDirectory()).resolve(path);
    }
}
