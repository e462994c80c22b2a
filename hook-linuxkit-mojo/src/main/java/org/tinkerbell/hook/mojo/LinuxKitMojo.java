package org.tinkerbell.hook.mojo;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import javax.inject.Inject;
import org.apache.maven.plugin.descriptor.PluginDescriptor;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProjectHelper;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.linuxkit.DebugKeys;
import org.tinkerbell.hook.linuxkit.FlavorBuild;
import org.tinkerbell.hook.linuxkit.Formats;
import org.tinkerbell.hook.linuxkit.ImageSet;
import org.tinkerbell.hook.linuxkit.LinuxKitImages;
import org.tinkerbell.hook.linuxkit.TemplateVariables;
import org.tinkerbell.hook.oci.ImageArchive;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;

/**
 * Makes the flavor's system: puts versions and images into the LinuxKit template, and builds kernel and initramfs of it. Kernel and
 * images are those of the running build or, where their modules take no part in it, of the Maven repositories.
 */
@Mojo(name = "linuxkit", defaultPhase = LifecyclePhase.PREPARE_PACKAGE, threadSafe = true)
public final class LinuxKitMojo extends AbstractEngineMojo {
    private static final String ARCHIVE = "oci.tar";

    @Inject
    private MavenProjectHelper projectHelper;

    /** Version that the system shows. Default: {@code HOOK_VERSION} of the environment, else the version of the project. */
    @Parameter(property = "hook.version")
    private String hookVersion;

    /**
     * Where init, ca-certificates, firmware, rngd, sysctl, sysfs, modprobe, dhcpcd, openntpd, getty and sshd come from: {@code debian}, Hook's own images,
     * or {@code linuxkit}, the LinuxKit project's, by the names in {@code linuxkit-images.yaml}.
     */
    @Parameter(property = "hook.images", defaultValue = "debian")
    private String imageSet;

    /** A debug build: the template's lines for debugging count. Also {@code DEBUG=yes} in the environment. */
    @Parameter(property = "hook.debug", defaultValue = "false")
    private boolean debug;

    /** Public keys of those whom a debug build lets in, one a line. Default: yours, {@code ~/.ssh/*.pub}. */
    @Parameter(property = "hook.debug.key")
    private File debugKey;

    /** Compression of the initramfs: {@code zstd}, {@code zstd-19}, {@code gzip-9}, {@code xz-6}, ... */
    @Parameter(property = "hook.compression")
    private String compression;

    /**
     * In which forms the system is wanted, parted by commas: {@code kernel+initrd} (always made), {@code tar} (the root file system),
     * {@code filelist} (its paths), {@code iso} (made by hook:media), and with the linuxkit command whatever else that makes. Default: the
     * environment's {@code LINUXKIT_ISO} and {@code OUTPUT_TARBALL_FILELIST}.
     */
    @Parameter(property = "hook.formats")
    private String formats;

    /** Where the files of further formats go. */
    @Parameter(defaultValue = "${project.build.directory}", readonly = true)
    private File buildDirectory;

    /** Time of every file in the system, as ISO 8601 or in seconds since 1970; a machine without a clock starts from it. */
    @Parameter(defaultValue = "${project.build.outputTimestamp}")
    private String outputTimestamp;

    /** Where the YAML, its files and the report go. */
    @Parameter(defaultValue = "${project.build.directory}/linuxkit", readonly = true)
    private File workDirectory;

    /** Where the flavor's files go. */
    @Parameter(defaultValue = "${project.build.directory}/flavor", readonly = true)
    private File outputDirectory;

    @Parameter(defaultValue = "${plugin}", readonly = true)
    private PluginDescriptor plugin;

    @Override
    protected void run() throws IOException {
        ImageSet set = ImageSet.of(imageSet);
        Flavor flavor = flavor();
        // For the assembly, which runs later and names the tarball by it.
        project.getProperties().setProperty("hook.outputId", flavor.outputId());
        // For the boot test.
        project.getProperties().setProperty("hook.flavorId", flavor.id());
        project.getProperties().setProperty("hook.arch", flavor.arch().kernelName());
        project.getProperties().setProperty("hook.kernelMethod", flavor.kernel().method().id());
        ImageStore store = ImageStore.of(cache());
        PublishedImages.Image kernel =
                imported(flavor.kernel().method().module(), flavor.kernelId(), store).values().iterator().next();
        Map<String, String> images = new TreeMap<>();
        imported("hook-images", "images-" + flavor.arch().ociName(), store).forEach((name, image) -> images.put(name, image.reference()));

        TemplateVariables variables =
                TemplateVariables.of(version(), flavor.id(), kernel.reference(), kernel.version().orElse("unknown"), images);
        if (set == ImageSet.LINUXKIT) {
            variables = variables.withLinuxKit(LinuxKitImages.read(flavorFiles().linuxkitImages()).names(lockMode(), progress()));
        }
        boolean debugging = debug || "yes".equals(System.getenv("DEBUG"));
        Chosen chosen = engine(store, Optional.of(flavor.linuxkit()), debugging);
        if (debugging) {
            variables = variables.with(DebugKeys.of(Optional.ofNullable(debugKey).map(File::toPath), Path.of(System.getProperty("user.home"))));
        }
        FlavorBuild build = new FlavorBuild(chosen.engine(), store, cache());
        FlavorBuild.Result result = build.build(new FlavorBuild.Request(
                flavor,
                flavorFiles().template(flavor),
                variables,
                debugging,
                isSet(compression) ? Compression.parse(compression) : Compression.DEFAULT,
                OutputTimestamp.seconds(outputTimestamp),
                workDirectory.toPath(),
                outputDirectory.toPath(),
                buildDirectory.toPath().resolve(AttachMojo.tarballName(flavor)),
                Formats.parse(formats, knownSettings()),
                buildDirectory.toPath(),
                Digest.of(plugin.getPluginArtifact().getFile().toPath()) + " " + chosen.identity()));
        result.others().forEach((format, files) -> attach(flavor, format, files));
        result.report().ifPresentOrElse(
                report -> report.lines().forEach(progress()::info),
                () -> progress().info("Nothing has changed since " + flavor.id() + " was built: its files stay as they are"));
    }

    /** Attaches the files of a format: the type is what their names end in; LinuxKit's own have the format in the classifier. */
    private void attach(Flavor flavor, String format, List<Path> files) {
        boolean ours = format.equals(Formats.TAR) || format.equals(Formats.FILE_LIST);
        for (Path file : files) {
            String name = file.getFileName().toString();
            String classifier = ours ? flavor.id() : flavor.id() + "-" + format.replace('+', '-')
                    + (files.size() == 1 ? "" : "-" + files.indexOf(file));
            projectHelper.attachArtifact(project, name.substring(name.lastIndexOf('.') + 1), classifier, file.toFile());
            progress().info(file.toString());
        }
    }

    /** The images that a module has published, each of which is in the store afterwards. */
    private Map<String, PublishedImages.Image> imported(String module, String classifier, ImageStore store) throws IOException {
        PublishedImages published = PublishedImages.read(resolve(module, classifier, "json"));
        Map<String, PublishedImages.Image> images = new TreeMap<>();
        for (PublishedImages.Image image : published.images()) {
            ImageReference reference = ImageReference.parse(image.reference());
            if (!isThere(store, reference, published, image)) {
                new ImageArchive(store, cache()).read(resolve(module, image.classifier(), ARCHIVE), Optional.of(reference));
                if (!isThere(store, reference, published, image)) {
                    throw new HookException("The archive " + image.classifier() + " of " + module + " does not hold the image " + image.reference()
                            + " with digest " + image.digest() + ", which " + module + " has published. Publish that module again.");
                }
            }
            images.put(image.name(), image);
        }
        if (images.isEmpty()) {
            throw new HookException(module + " has published no image as " + classifier + ". Publish that module again.");
        }
        return images;
    }

    private static boolean isThere(ImageStore store, ImageReference reference, PublishedImages published, PublishedImages.Image image)
            throws IOException {
        return store.find(reference, published.arch()).filter(found -> found.digest().equals(image.digest())).isPresent();
    }

    private String version() {
        if (isSet(hookVersion)) {
            return hookVersion;
        }
        String environment = System.getenv("HOOK_VERSION");
        return isSet(environment) ? environment : project.getVersion();
    }
}
