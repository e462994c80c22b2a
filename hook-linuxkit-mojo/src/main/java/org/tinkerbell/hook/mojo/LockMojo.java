package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.tinkerbell.hook.container.ContainerImages;
import org.tinkerbell.hook.container.ImageDefinition;
import org.tinkerbell.hook.container.PackageGroups;
import org.tinkerbell.hook.debian.PackageLock;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.flavor.Kernel;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.kernel.ArmbianKernel;
import org.tinkerbell.hook.kernel.ArmbianLock;
import org.tinkerbell.hook.kernel.DebianKernel;
import org.tinkerbell.hook.kernel.DebianSource;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.toolbox.Toolbox;

/**
 * Renews every package lock of the tree, for all architectures, to what Debian has now, and prints what has changed. Nothing is written
 * unless all of them can be renewed. The lock of Armbian's kernels is renewed as well; what of these cannot be had stays as it is, with a warning.
 */
@Mojo(name = "lock", aggregator = true, threadSafe = true)
public final class LockMojo extends AbstractFlavorMojo {
    private static final String ARMBIAN = "hook-kernel-armbian";
    private static final String TOOLBOX = "hook-linuxkit-mojo/src/main/resources/org/tinkerbell/hook/toolbox";

    /** Registry and path below which Armbian's artifacts are; also {@code ARMBIAN_BASE_ORAS_REF} in the environment. Default: ghcr.io/armbian/os. */
    @Parameter(property = "hook.armbian.ociBase")
    private String armbianBase;

    /** Which groups the lock in a directory has. */
    @FunctionalInterface
    private interface Groups {
        List<PackageLock.Group> of(Arch arch) throws IOException;
    }

    private record Lock(String directory, Groups groups) {}

    @Override
    protected void run() throws IOException {
        Path root = session.getRequest().getMultiModuleProjectDirectory().toPath();
        List<Lock> locks = List.of(
                new Lock("hook-containers/images", arch -> PackageGroups.of(ContainerImages.definitions(root.resolve("hook-containers/images")), arch)),
                new Lock("hook-kernel-debian", this::kernels),
                new Lock("hook-kernel-default", this::sources),
                new Lock("hook-kernel-default/toolchain",
                        arch -> PackageGroups.of(List.of(ImageDefinition.read(root.resolve("hook-kernel-default/toolchain"))), arch)),
                // The boot test's worker.
                new Lock("hook-dist/src/test/packages", arch -> List.of(PackageLock.Group.of("worker", List.of("busybox-static"), List.of()))),
                new Lock(TOOLBOX, Toolbox::groups));
        List<PackageSource.Renewal> renewals = new ArrayList<>();
        for (Lock lock : locks) {
            Path directory = root.resolve(lock.directory());
            if (!Files.isDirectory(directory)) {
                throw new HookException("There is no " + directory + ": hook:lock renews the locks of Hook's own source tree; run it at its root.");
            }
            PackageSource packages = packageSource(directory);
            for (Arch arch : Arch.values()) {
                renewals.add(packages.renew(arch, lock.groups().of(arch)));
            }
        }
        int changes = 0;
        for (PackageSource.Renewal renewal : renewals) {
            renewal.lock().write(renewal.file());
            String name = root.relativize(renewal.file().toAbsolutePath()).toString();
            progress().info(name + ": " + (renewal.changes().isEmpty() ? "nothing has changed" : count(renewal.changes().size(), "package")));
            renewal.changes().forEach(change -> progress().info("  " + change));
            changes += renewal.changes().size();
        }
        changes += armbian(root);
        if (changes > 0) {
            progress().info("Build and test with the new locks, then commit them.");
        }
    }

    private int armbian(Path root) throws IOException {
        String environment = System.getenv("ARMBIAN_BASE_ORAS_REF");
        String base = armbianBase != null && !armbianBase.isBlank() ? armbianBase
                : environment != null && !environment.isBlank() ? environment : ArmbianKernel.REGISTRY;
        Path file = root.resolve(ARMBIAN).resolve(ArmbianLock.FILE);
        List<Flavor> flavors = inventory().flavors().stream()
                .filter(flavor -> flavor.kernel().method() == Kernel.Method.ARMBIAN && flavor.kernel().of().isEmpty())
                .toList();
        ArmbianKernel.Renewal renewal = new ArmbianKernel(registry(ImageStore.of(cache())), cache(),
                new ArmbianKernel.Settings(base, file, file, lockMode(), Optional.empty()), progress()).renew(flavors);
        if (!renewal.changes().isEmpty()) {
            renewal.lock().write(file);
        }
        progress().info(root.relativize(file) + ": " + (renewal.changes().isEmpty() ? "nothing has changed"
                : count(renewal.changes().size(), "kernel")));
        renewal.changes().forEach(change -> progress().info("  " + change));
        return renewal.changes().size();
    }

    private List<PackageLock.Group> kernels(Arch arch) throws IOException {
        return inventory().flavors().stream()
                .filter(flavor -> flavor.arch() == arch && flavor.kernel().method() == Kernel.Method.DEBIAN)
                .map(flavor -> flavor.kernel().packageName())
                .flatMap(Optional::stream)
                .distinct()
                .map(DebianKernel::group)
                .toList();
    }

    /** Debian's sources of the series that are compiled, for builds that take them and not kernel.org's. */
    private List<PackageLock.Group> sources(Arch arch) throws IOException {
        return inventory().flavors().stream()
                .filter(flavor -> flavor.arch() == arch && flavor.kernel().method() == Kernel.Method.DEFAULT)
                .map(flavor -> flavor.kernel().series())
                .flatMap(Optional::stream)
                .distinct()
                .map(DebianSource::group)
                .toList();
    }

    private static String count(int changes, String what) {
        return changes == 1 ? "1 " + what + " has changed" : changes + " " + what + "s have changed";
    }
}
