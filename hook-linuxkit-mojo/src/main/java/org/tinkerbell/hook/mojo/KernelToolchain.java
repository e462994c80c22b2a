package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Pattern;
import org.codehaus.plexus.util.xml.Xpp3Dom;
import org.tinkerbell.hook.container.ContainerImages;
import org.tinkerbell.hook.container.ImageDefinition;
import org.tinkerbell.hook.container.PackageGroups;
import org.tinkerbell.hook.debian.LockedPackage;
import org.tinkerbell.hook.debian.PackageLock;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Directories;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.kernel.ContainerBuilder;
import org.tinkerbell.hook.oci.ImageStore;

/**
 * The container in which kernels are compiled, run by docker-maven-plugin with the Docker engine that it finds. Its image is made of locked
 * Debian packages, as the images of the system are, so no registry is asked; or of a {@code Dockerfile}, on a stock Debian.
 */
final class KernelToolchain implements ContainerBuilder.Toolchain {
    private static final String BASE = "hook-kernel-";
    private static final String DOCKERFILE = "Dockerfile";
    private static final String ROOT = "root.tar";
    private static final int TAG_DIGITS = 12;

    /** Packages whose versions can change what is compiled, without the architecture in their names. */
    private static final Pattern VERSIONED = Pattern.compile("gcc-\\d+|binutils|bc|bison|flex|perl-base|xz-utils|zstd");

    private final DockerPlugin docker;
    private final Cache cache;
    private final PackageSource packages;
    private final Path directory;
    private final Optional<String> base;
    private final Progress progress;

    /**
     * A toolchain.
     *
     * @param packages whose locks are in the directory
     * @param directory with {@code image.yaml} and {@code Dockerfile}
     * @param base the image that the {@code Dockerfile} builds on, such as {@code debian:stable}; empty: no {@code Dockerfile}, but Debian's
     *     packages as the lock has them
     */
    KernelToolchain(DockerPlugin docker, Cache cache, PackageSource packages, Path directory, Optional<String> base, Progress progress) {
        this.docker = docker;
        this.cache = cache;
        this.packages = packages;
        this.directory = directory;
        this.base = base;
        this.progress = progress;
    }

    @Override
    public String fingerprint(Arch target) throws IOException {
        if (base.isPresent()) {
            return base.get() + "\n" + Digest.of(directory.resolve(DOCKERFILE));
        }
        SortedSet<String> versions = new TreeSet<>();
        for (LockedPackage locked : packages()) {
            String name = locked.name().replace("-" + debianTriplet(target), "");
            // The cross-compiler of one architecture is the compiler of the other, built from the same source.
            boolean compiler = name.startsWith("gcc-") || name.equals("binutils");
            if (VERSIONED.matcher(name).matches() && (!compiler || !name.equals(locked.name()))) {
                versions.add(name + " " + locked.version().replaceFirst("cross\\d+$", ""));
            }
        }
        return String.join("\n", versions);
    }

    private static String debianTriplet(Arch arch) {
        return arch.triplet().replace('_', '-');
    }

    private List<LockedPackage> packages() throws IOException {
        PackageLock.Group group = PackageGroups.of(List.of(definition()), Arch.host()).get(0);
        List<LockedPackage> locked = packages.locked(group.name(), Arch.host());
        return locked.isEmpty() ? packages.packages(group.name(), Arch.host(), group.requested(), group.without()) : locked;
    }

    private ImageDefinition definition() throws IOException {
        return ImageDefinition.read(directory);
    }

    /**
     * Sees to it that the engine has the image.
     *
     * @param anew whether to make it even if it seems to be there
     * @return its name
     */
    String image(boolean anew) throws IOException {
        if (base.isPresent()) {
            String name = BASE + "stock:" + Digest.of(base.get() + Digest.of(directory.resolve(DOCKERFILE))).abbreviated(TAG_DIGITS);
            load(name, directory, anew);
            return name;
        }
        ImageStore store = ImageStore.of(cache);
        ContainerImages.Built built = new ContainerImages(cache, store, packages, Arch.host(), BASE, Map.of(), Optional.empty(), progress)
                .build(List.of(definition())).get(0);
        String name = BASE + built.name() + ":" + built.reference().tag().orElseThrow();
        if (anew || !isMarked(name)) {
            Path context = Files.createDirectories(cache.directory("toolchain")).resolve("." + UUID.randomUUID() + AtomicFile.SUFFIX);
            try {
                Files.createDirectories(context);
                StringBuilder text = new StringBuilder("FROM scratch\nADD " + ROOT + " /\n");
                built.image().config().env().forEach(line -> text.append("ENV ").append(line).append('\n'));
                Files.writeString(context.resolve(DOCKERFILE), text);
                link(store.layers(built.image()).get(0).path(), context.resolve(ROOT));
                load(name, context, anew);
            } finally {
                Directories.delete(context);
            }
        }
        return name;
    }

    private static void link(Path from, Path to) throws IOException {
        try {
            Files.createLink(to, from);
        } catch (FileSystemException | UnsupportedOperationException e) {
            Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private void load(String name, Path context, boolean anew) throws IOException {
        if (!anew && isMarked(name)) {
            return;
        }
        progress.info("Giving the Docker engine " + name + ", in which kernels are compiled");
        Xpp3Dom configuration = DockerPlugin.configuration();
        Xpp3Dom image = DockerPlugin.child(DockerPlugin.child(configuration, "images"), "image");
        DockerPlugin.child(image, "name", name);
        Xpp3Dom build = DockerPlugin.child(image, "build");
        DockerPlugin.child(build, "contextDir", context.toString());
        DockerPlugin.child(build, "imagePullPolicy", "IfNotPresent");
        base.ifPresent(stock -> DockerPlugin.children(build, "args", Map.of("BASE", stock)));
        run("build", configuration);
        Files.createDirectories(mark(name).getParent());
        AtomicFile.write(mark(name), name + "\n");
    }

    @Override
    public void start(Path work, List<String> command, Map<String, String> environment) throws IOException {
        String name = image(false);
        try {
            docker.run("start", container(name, work, command, environment));
        } catch (DockerPlugin.Failure e) {
            progress.info(e.getMessage());
            // Somebody may have removed the image from the engine, or it is another engine.
            image(true);
            run("start", container(name, work, command, environment));
        }
    }

    private static Xpp3Dom container(String name, Path work, List<String> command, Map<String, String> environment) throws IOException {
        Xpp3Dom configuration = DockerPlugin.configuration();
        Xpp3Dom image = DockerPlugin.child(DockerPlugin.child(configuration, "images"), "image");
        DockerPlugin.child(image, "name", name);
        Xpp3Dom run = DockerPlugin.child(image, "run");
        DockerPlugin.child(run, "imagePullPolicy", "Never");
        DockerPlugin.child(run, "containerNamePattern", "hook-kernel-%t-" + UUID.randomUUID().toString().substring(0, 8));
        DockerPlugin.child(run, "autoRemove", "true");
        DockerPlugin.child(run, "user", Files.getAttribute(work, "unix:uid") + ":" + Files.getAttribute(work, "unix:gid"));
        DockerPlugin.child(DockerPlugin.child(run, "network"), "mode", "none");
        DockerPlugin.children(run, "env", environment);
        Xpp3Dom exec = DockerPlugin.child(DockerPlugin.child(run, "cmd"), "exec");
        command.forEach(word -> DockerPlugin.child(exec, "arg", word));
        DockerPlugin.child(DockerPlugin.child(DockerPlugin.child(run, "volumes"), "bind"), "volume", work + ":" + ContainerBuilder.MOUNT);
        return configuration;
    }

    private void run(String goal, Xpp3Dom configuration) {
        try {
            docker.run(goal, configuration);
        } catch (DockerPlugin.Failure e) {
            throw new HookException("Kernels are compiled in a container, by a Docker engine and " + DockerPlugin.NAME + ", and " + e.getMessage()
                    + "\nWhat can be done: start a Docker engine, or name one of this machine by DOCKER_HOST; or compile with the tools of this machine, "
                    + "-Dhook.kernel.builder=host; or take a kernel that is published (-pl hook-dist, or HOOK_KERNEL_OCI_BASE); or build another "
                    + "flavor, such as debian-" + Arch.host().debianName() + ".", e);
        }
    }

    /** That an engine was given an image: sending it again takes longer than to look. */
    private Path mark(String name) throws IOException {
        String engine = Optional.ofNullable(System.getenv("DOCKER_HOST")).orElse("");
        return cache.directory("toolchain").resolve("loaded-" + Digest.of(engine + "\n" + name).abbreviated(TAG_DIGITS));
    }

    private boolean isMarked(String name) throws IOException {
        return Files.exists(mark(name));
    }
}
