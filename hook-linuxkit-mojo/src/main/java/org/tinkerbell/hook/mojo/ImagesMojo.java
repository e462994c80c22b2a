package org.tinkerbell.hook.mojo;

import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import javax.inject.Inject;
import org.apache.maven.artifact.Artifact;
import org.apache.maven.plugin.BuildPluginManager;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.plugins.annotations.ResolutionScope;
import org.apache.maven.project.MavenProjectHelper;
import org.tinkerbell.hook.container.ContainerImages.Built;
import org.tinkerbell.hook.container.ContainerImages;
import org.tinkerbell.hook.container.EmbeddedImages;
import org.tinkerbell.hook.container.ImageDefinition;
import org.tinkerbell.hook.container.PlainJar;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.io.Parallel;
import org.tinkerbell.hook.oci.ContentTags;
import org.tinkerbell.hook.oci.ImageArchive;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.tree.Glob;

/**
 * Makes the container images of the module, one a directory with an {@code image.yaml} or a {@code Dockerfile}, for the flavor's
 * architecture; puts them into the image store and attaches each as an OCI archive, with a list of them all.
 */
@Mojo(name = "images", defaultPhase = LifecyclePhase.PACKAGE, requiresDependencyResolution = ResolutionScope.RUNTIME, threadSafe = true)
public final class ImagesMojo extends AbstractFlavorMojo {
    private static final String AGENTS = "hook-agents";
    private static final String FIRMWARE = "usr/lib/firmware/";

    @Inject
    private MavenProjectHelper projectHelper;

    @Inject
    private BuildPluginManager pluginManager;

    /** The directory that has the images' directories in it, and the package locks. */
    @Parameter(defaultValue = "${project.basedir}", readonly = true)
    private File imagesDirectory;

    /** Where the archives go. */
    @Parameter(defaultValue = "${project.build.directory}", readonly = true)
    private File buildDirectory;

    /** What stands before the images' names. Default: the environment's {@code HOOK_LK_CONTAINERS_OCI_BASE}, else Hook's own. */
    @Parameter(property = "HOOK_LK_CONTAINERS_OCI_BASE")
    private String base;

    /** A site's own list of images to embed, in place of {@code hook-embedded/images.yaml}. */
    @Parameter(property = "hook.embedded")
    private File embedded;

    @Override
    protected void run() throws Exception {
        Flavor flavor = flavor();
        ImageStore store = ImageStore.of(cache());
        List<ImageDefinition> definitions = ContainerImages.definitions(imagesDirectory.toPath());
        Optional<Path> agents = agents();
        if (agents.isPresent()) {
            agents = Optional.of(PlainJar.of(agents.get(), cache()));
        }
        ContainerImages images = new ContainerImages(
                cache(), store, packageSource(imagesDirectory.toPath()), flavor.arch(), base(), lists(flavor), agents, progress());
        if (!set().isEmpty() && !networkSettings().offline()) {
            ContentTags tags = new ContentTags(impatientRegistry(store), registry(store), progress());
            images = images.asking(tags::find);
        }
        List<Built> built = new ArrayList<>(images.build(definitions.stream().filter(d -> d.embed().isEmpty()).toList()));
        built.addAll(new DockerfileImages(new DockerPlugin(session, project, pluginManager), store, cache(), flavor.arch(), base(), buildDirectory.toPath())
                .build(imagesDirectory.toPath()));
        List<ImageDefinition> embedding = definitions.stream().filter(d -> d.embed().isPresent()).toList();
        built.addAll(images.with(additions(embedding, built, store, flavor.arch())).build(embedding));
        built.sort(Comparator.comparing(Built::name));
        List<PublishedImages.Image> published = new ArrayList<>();
        Parallel.forEach(Runtime.getRuntime().availableProcessors(), built, image -> archive(store, image));
        for (Built image : built) {
            String classifier = image.name() + "-" + flavor.arch().ociName();
            published.add(new PublishedImages.Image(
                    image.name(), image.reference().toString(), image.image().digest(), classifier, Optional.empty()));
            projectHelper.attachArtifact(project, "oci.tar", classifier, archiveFile(image).toFile());
        }
        String classifier = PublishedLists.containersName(flavor.arch());
        Path list = buildDirectory.toPath().resolve(classifier + ".json");
        PublishedImages all = new PublishedImages(flavor.arch(), published);
        all.write(list);
        projectHelper.attachArtifact(project, "json", classifier, list.toFile());
        long made = built.stream().filter(Built::made).count();
        progress().info(built.size() + " images for " + flavor.arch().ociName() + " in " + store.layout() + ": " + made + " made, "
                + (built.size() - made) + " as they were");
        publish(Exported.CONTAINERS, PublishedLists.items(all), new PublishedLists(buildDirectory.toPath(), project.getVersion()).containerFamilies());
    }

    private Map<String, ContainerImages.Addition> additions(List<ImageDefinition> embedding, List<Built> built, ImageStore store, Arch arch)
            throws IOException {
        Map<String, ContainerImages.Addition> additions = new TreeMap<>();
        for (ImageDefinition definition : embedding) {
            Path list = embedded == null ? definition.directory().resolve(EmbeddedImages.FILE)
                    : Path.of(session.getExecutionRootDirectory()).resolve(embedded.toPath());
            EmbeddedImages images = EmbeddedImages.read(list);
            additions.put(definition.name(), images.resolve(
                    store, arch, lockMode(), registry(store)::pull, built, definition.embed().orElseThrow(), progress()));
        }
        return additions;
    }

    /** Packs an image, unless that was done already: the tag in the file's name stands for the content. */
    private void archive(ImageStore store, Built image) throws IOException {
        Path file = archiveFile(image);
        if (Files.exists(file)) {
            return;
        }
        if (Files.isDirectory(file.getParent())) {
            try (DirectoryStream<Path> older = Files.newDirectoryStream(file.getParent(), image.name() + "_*.oci.tar")) {
                for (Path each : older) {
                    Files.delete(each);
                }
            }
        }
        new ImageArchive(store, cache()).write(image.reference(), image.image(), file);
    }

    private Path archiveFile(Built image) {
        return buildDirectory.toPath().resolve(image.name() + "_" + image.reference().tag().orElseThrow() + ".oci.tar");
    }

    private String base() {
        return set().isEmpty() ? "ghcr.io/tinkerbell/hook/linuxkit/" : set();
    }

    /** The base that somebody has set, whose registry is asked before an image is made; else empty. */
    private String set() {
        String environment = System.getenv("HOOK_LK_CONTAINERS_OCI_BASE");
        return base != null && !base.isBlank() ? base : environment == null || environment.isBlank() ? "" : environment;
    }

    private static Map<String, List<Glob>> lists(Flavor flavor) {
        return Map.of("firmware", flavor.firmware().stream().map(pattern -> Glob.of(FIRMWARE + pattern)).toList());
    }

    private Optional<Path> agents() {
        return project.getArtifacts().stream()
                .filter(artifact -> artifact.getArtifactId().equals(AGENTS) && artifact.getType().equals("jar"))
                .map(Artifact::getFile)
                // In a build that ends before "package" it is the directory of classes.
                .filter(file -> file != null && Files.isRegularFile(file.toPath()))
                .map(File::toPath)
                .findFirst();
    }
}
