package org.tinkerbell.hook.mojo;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProjectHelper;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.flavor.Kernel;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.kernel.ArmbianLock;
import org.tinkerbell.hook.kernel.DebianKernel;
import org.tinkerbell.hook.kernel.KernelImage;
import org.tinkerbell.hook.kernel.KernelMethod;
import org.tinkerbell.hook.kernel.KernelStock;
import org.tinkerbell.hook.kernel.RegistryKernels;
import org.tinkerbell.hook.oci.ImageArchive;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.oci.Registry;

/**
 * Makes the flavor's kernel in the module of its method, and attaches it with the flavor's id as classifier: the kernel
 * ({@code vmlinuz}), its modules ({@code tar}), its device trees ({@code tar.gz}), the image that LinuxKit takes it from
 * ({@code oci.tar}), what was left out ({@code report.json}), and a description for the modules after this one ({@code json}).
 */
@Mojo(name = "kernel", defaultPhase = LifecyclePhase.PACKAGE, threadSafe = true)
public final class KernelMojo extends AbstractKernelMojo {
    private static final String DEFAULT_REPOSITORY = "ghcr.io/tinkerbell/hook/kernel/hook-kernel";
    private static final String REPOSITORY = "HOOK_KERNEL_OCI_BASE";
    private static final String FORCE = "FORCE_BUILD_KERNEL";
    private static final String LATEST = "USE_LATEST_BUILT_KERNEL";
    private static final int NAMED_DIGITS = 12;

    @Inject
    private MavenProjectHelper projectHelper;

    /** Name of the kernel's image without its tag, to which the method is added. Also of that name in the environment. */
    @Parameter(property = REPOSITORY)
    private String repository;

    /** Compile a kernel from source even if there is one already that was made from the same. Also of that name in the environment. */
    @Parameter(property = FORCE)
    private String force;

    /**
     * Take the newest kernel of the series that the registry has, whatever configuration it was compiled with, in the place of one from the
     * source and configuration here. Also of that name in the environment.
     */
    @Parameter(property = LATEST)
    private String latest;

    /** Where the attached files are. */
    @Parameter(defaultValue = "${project.build.directory}", readonly = true)
    private File buildDirectory;

    @Override
    protected void run() throws IOException, InterruptedException {
        Flavor chosen = flavor();
        Flavor flavor = kernelFlavor();
        Kernel kernel = flavor.kernel();
        if (!kernel.method().module().equals(project.getArtifactId())) {
            progress().info(chosen.id() + " takes its kernel from " + kernel.method().module() + ": nothing to do here");
            return;
        }
        ImageStore store = ImageStore.of(cache());
        KernelImage images = new KernelImage(cache(), store, toolbox(), progress());
        KernelImage.Result result = switch (kernel.method()) {
            case DEFAULT -> compiled(flavor, images, store);
            case DEBIAN -> built(new DebianKernel(packageSource(project.getBasedir().toPath())), flavor, images);
            case ARMBIAN -> built(armbianKernel(buildDirectory.toPath().resolve(ArmbianLock.FILE)), flavor, images);
        };
        attach(flavor, result, store);
        result.report().lines().forEach(progress()::info);
    }

    private KernelImage.Result built(KernelMethod method, Flavor flavor, KernelImage images) throws IOException, InterruptedException {
        return images.build(method.kernel(flavor), flavor.excludedModules(), flavor.keptModules(), repository(flavor.kernel().method()));
    }

    private KernelImage.Result compiled(Flavor flavor, KernelImage images, ImageStore store) throws IOException, InterruptedException {
        Registry registry = registry(store);
        KernelImage.Place registries = new RegistryKernels(registry);
        List<KernelImage.Place> places = new ArrayList<>();
        places.add(new MavenKernels(flavor.id(), (classifier, extension) -> find(project.getArtifactId(), classifier, extension), store,
                new ImageArchive(store, cache())));
        if (!networkSettings().offline()) {
            places.add(registries);
        }
        KernelStock stock = new KernelStock(images, places, repository(flavor.kernel().method()), progress());
        if (isYes(first(latest, System.getenv(LATEST)).orElse(""))) {
            if (networkSettings().offline()) {
                throw new HookException(LATEST + " asks the registry for its newest kernel, and Maven is offline.");
            }
            return stock.newest(flavor, registry::tags, registries);
        }
        return stock.kernel(sourceKernel(), flavor, isYes(first(force, System.getenv(FORCE)).orElse("")));
    }

    private String repository(Kernel.Method method) {
        String named = repository != null && !repository.isBlank() ? repository : System.getenv(REPOSITORY);
        return (named != null && !named.isBlank() ? named : DEFAULT_REPOSITORY) + (method == Kernel.Method.DEFAULT ? "" : "-"
                + method.id());
    }

    private void attach(Flavor flavor, KernelImage.Result result, ImageStore store) throws IOException {
        String id = flavor.id();
        Path directory = Files.createDirectories(buildDirectory.toPath());
        // The digest in the names says whether the files of an earlier build are these.
        String stem = id + "-" + result.image().digest().abbreviated(NAMED_DIGITS) + ".";
        try (Stream<Path> old = Files.list(directory)) {
            for (Path file : old.filter(Files::isRegularFile).filter(f -> f.getFileName().toString().startsWith(id + "-")).toList()) {
                if (!file.getFileName().toString().startsWith(stem)) {
                    Files.delete(file);
                }
            }
        }
        attach(id, "vmlinuz", linked(result.kernel(), directory.resolve(stem + "vmlinuz")));
        attach(id, "tar", linked(result.modules(), directory.resolve(stem + "tar")));
        if (result.deviceTrees().isPresent()) {
            attach(id, "tar.gz", linked(result.deviceTrees().get(), directory.resolve(stem + "tar.gz")));
        }
        Path archive = directory.resolve(stem + "oci.tar");
        if (!Files.exists(archive)) {
            new ImageArchive(store, cache()).write(result.reference(), result.image(), archive);
        }
        attach(id, "oci.tar", archive);
        Path report = directory.resolve(stem + "report.json");
        AtomicFile.write(report, result.report().json());
        attach(id, "report.json", report);
        Path description = directory.resolve(stem + "json");
        PublishedImages list = new PublishedImages(flavor.arch(), List.of(new PublishedImages.Image(
                id, result.reference().toString(), result.image().digest(), id, Optional.of(result.release()))));
        list.write(description);
        attach(id, "json", description);
        publish(Exported.KERNEL, PublishedLists.items(list), new PublishedLists(directory, project.getVersion()).kernelFamilies(id, flavor.arch()));
    }

    private void attach(String classifier, String type, Path file) {
        projectHelper.attachArtifact(project, type, classifier, file.toFile());
    }

    private static Path linked(Path file, Path target) throws IOException {
        if (!Files.exists(target)) {
            AtomicFile.make(target, temporary -> {
                try {
                    Files.createLink(temporary, file);
                } catch (IOException | UnsupportedOperationException e) {
                    // The cache is on another file system, or the file system has no links.
                    Files.copy(file, temporary);
                }
            });
        }
        return target;
    }
}
