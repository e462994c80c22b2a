package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.stream.Stream;
import org.codehaus.plexus.util.xml.Xpp3Dom;
import org.tinkerbell.hook.container.ContainerImages.Built;
import org.tinkerbell.hook.container.ImageDefinition;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageArchive;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;

/**
 * Images that somebody brings with a {@code Dockerfile}: built by fabric8's docker-maven-plugin, with the Docker engine that it finds, and
 * taken into the image store.
 *
 * <p>The tag is a digest of the directory. What a {@code Dockerfile} fetches is not in it: name base images by digest.
 */
final class DockerfileImages {
    private static final String DOCKERFILE = "Dockerfile";
    private static final int TAG_DIGITS = 12;

    private final DockerPlugin docker;
    private final ImageStore store;
    private final Cache cache;
    private final Arch arch;
    private final String base;
    private final Path target;

    /**
     * A maker of such images.
     *
     * @param docker what builds them
     * @param base what stands before an image's name in its reference
     * @param target where the engine's archives go for as long as they are read
     */
    DockerfileImages(
            DockerPlugin docker,
            ImageStore store,
            Cache cache,
            Arch arch,
            String base,
            Path target) {
        this.docker = docker;
        this.store = store;
        this.cache = cache;
        this.arch = arch;
        this.base = base;
        this.target = target;
    }

    /**
     * Sees to it that the image of each directory with a {@code Dockerfile} is in the store.
     *
     * @throws HookException if a directory has both kinds of definition, or an image cannot be built
     */
    List<Built> build(Path imagesDirectory) throws IOException {
        List<Path> directories;
        try (Stream<Path> children = Files.list(imagesDirectory)) {
            directories = children.filter(child -> Files.isRegularFile(child.resolve(DOCKERFILE))).sorted().toList();
        }
        List<Built> built = new ArrayList<>();
        for (Path directory : directories) {
            if (Files.exists(directory.resolve(ImageDefinition.FILE))) {
                throw new HookException(directory + " has both a " + DOCKERFILE + " and an " + ImageDefinition.FILE + ". Keep one of them.");
            }
            built.add(image(directory.toAbsolutePath().normalize()));
        }
        return built;
    }

    private Built image(Path directory) throws IOException {
        String name = directory.getFileName().toString();
        ImageReference reference = ImageReference.parse(base + name + ":" + tag(directory) + "-" + arch.ociName());
        Optional<Image> there = store.find(reference, arch);
        if (there.isPresent()) {
            return new Built(name, reference, there.get(), false);
        }
        Path archive = target.resolve(name + ".docker.tar");
        Files.createDirectories(target);
        Files.deleteIfExists(archive);
        try {
            run("build", directory, reference, archive);
            run("save", directory, reference, archive);
            new ImageArchive(store, cache).read(archive, Optional.of(reference));
        } finally {
            Files.deleteIfExists(archive);
        }
        Image image = store.find(reference, arch).orElseThrow(() -> new HookException("The image that the Docker engine built from " + directory.resolve(DOCKERFILE)
                + " is not for linux/" + arch.ociName() + ". Its base image has to be there for that architecture, and the engine has to be able to run it."));
        return new Built(name, reference, image, true);
    }

    private void run(String goal, Path directory, ImageReference reference, Path archive) {
        try {
            docker.run(goal, configuration(directory, reference, archive));
        } catch (DockerPlugin.Failure e) {
            throw new HookException("Image " + directory.getFileName() + " is made from a " + DOCKERFILE + ", which " + DockerPlugin.NAME
                    + " builds with a Docker engine, and " + e.getMessage() + ". Start an engine or name one by DOCKER_HOST; or describe the image in an "
                    + ImageDefinition.FILE + ", which needs none.", e);
        }
    }

    private Xpp3Dom configuration(Path directory, ImageReference reference, Path archive) {
        Xpp3Dom configuration = DockerPlugin.configuration();
        Xpp3Dom image = DockerPlugin.child(DockerPlugin.child(configuration, "images"), "image");
        DockerPlugin.child(image, "name", reference.toString());
        Xpp3Dom build = DockerPlugin.child(image, "build");
        DockerPlugin.child(build, "contextDir", directory.toString());
        DockerPlugin.child(build, "imagePullPolicy", "IfNotPresent");
        DockerPlugin.child(DockerPlugin.child(build, "createImageOptions"), "platform", "linux/" + arch.ociName());
        DockerPlugin.child(DockerPlugin.child(build, "buildOptions"), "platform", "linux/" + arch.ociName());
        DockerPlugin.child(configuration, "saveFile", archive.toString());
        return configuration;
    }

    private static String tag(Path directory) throws IOException {
        StringJoiner all = new StringJoiner("\n");
        try (Stream<Path> walk = Files.walk(directory)) {
            List<Path> files = walk.filter(path -> !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS))
                    .sorted(Comparator.comparing(path -> relative(directory, path)))
                    .toList();
            for (Path file : files) {
                String content = Files.isSymbolicLink(file) ? "-> " + Files.readSymbolicLink(file) : Digest.of(file).hex();
                all.add(relative(directory, file) + " " + Files.isExecutable(file) + " " + content);
            }
        }
        return Digest.of(all.toString()).abbreviated(TAG_DIGITS);
    }

    private static String relative(Path directory, Path file) {
        return directory.relativize(file).toString().replace('\\', '/');
    }
}
