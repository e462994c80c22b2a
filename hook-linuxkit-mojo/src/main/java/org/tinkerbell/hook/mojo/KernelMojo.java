package org.tinkerbell.hook.mojo;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
import org.tinkerbell.hook.kernel.DebianKernel;
import org.tinkerbell.hook.kernel.KernelFiles;
import org.tinkerbell.hook.kernel.KernelImage;
import org.tinkerbell.hook.kernel.KernelMethod;
import org.tinkerbell.hook.oci.ImageArchive;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.toolbox.ToolSet;

/**
 * Makes the flavor's kernel in the module of its method, and attaches it with the flavor's id as classifier: the kernel
 * ({@code vmlinuz}), its modules ({@code tar}), its device trees ({@code tar.gz}), the image that LinuxKit takes it from
 * ({@code oci.tar}), what was left out ({@code report.json}), and a description for the modules after this one ({@code json}).
 */
@Mojo(name = "kernel", defaultPhase = LifecyclePhase.PACKAGE, threadSafe = true)
public final class KernelMojo extends AbstractKernelMojo {
    private static final String DEFAULT_REPOSITORY = "ghcr.io/tinkerbell/hook/kernel/hook-kernel";
    private static final String REPOSITORY = "HOOK_KERNEL_OCI_BASE";
    private static final int NAMED_DIGITS = 12;

    @Inject
    private MavenProjectHelper projectHelper;

    /** Name of the kernel's image without its tag, to which the method is added. Also of that name in the environment. */
    @Parameter(property = REPOSITORY)
    private String repository;

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
        requireKernelMethod(chosen);
        KernelFiles files = method(kernel.method()).kernel(flavor);
        ImageStore store = ImageStore.of(cache());
        KernelImage.Result result = new KernelImage(cache(), store, toolbox().tool(ToolSet.KMOD, "usr/sbin/depmod"), progress())
                .build(files, flavor.excludedModules(), flavor.keptModules(), repository(kernel.method()));
        attach(flavor, result, store);
        result.report().lines().forEach(progress()::info);
    }

    private KernelMethod method(Kernel.Method method) throws IOException {
        return switch (method) {
            case DEBIAN -> new DebianKernel(packageSource(project.getBasedir().toPath()));
            case ARMBIAN, DEFAULT -> throw new IllegalStateException("requireKernelMethod lets no " + method.id() + " pass");
        };
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
        new PublishedImages(flavor.arch(), List.of(new PublishedImages.Image(
                        id, result.reference().toString(), result.image().digest(), id, Optional.of(result.release()))))
                .write(description);
        attach(id, "json", description);
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
