package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.flavor.Kernel;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Directories;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Kernels that are compiled from source. What was compiled stays in the cache under the digest of all that it was made from, so that another
 * choice of modules, say, compiles nothing.
 */
public final class SourceKernel implements KernelMethod {
    /** Change it when the same inputs give something else. */
    private static final String OUTPUT = AtomicFile.SUFFIX;
    private static final String WORK = ".work" + AtomicFile.SUFFIX;
    private static final String FORMAT = "1";

    private static final String DIRECTORY = "kernel-build";
    private static final String RESULT = "result.json";
    private static final JsonMapper JSON = new JsonMapper();

    private final Cache cache;
    private final Sources sources;
    private final Defconfigs configs;
    private final KernelBuilder builder;
    private final int jobs;
    private final Progress progress;

    /** Where the source of a flavor's kernel comes from. */
    @FunctionalInterface
    public interface Sources {
        /**
         * The source.
         *
         * @throws HookException if it cannot be had, or is not genuine
         */
        KernelSource of(Flavor flavor) throws IOException;

        /**
         * Sources by what the inventory says, see {@link Kernel#source}.
         *
         * @param tarballDigest digest of the tarball, where the source is the address of one
         */
        static Sources of(KernelOrg kernelOrg, DebianSource debian, Optional<Digest> tarballDigest) {
            return flavor -> {
                Kernel kernel = flavor.kernel();
                String series = kernel.series().orElseThrow();
                return switch (kernel.source().orElse(Kernel.KERNEL_ORG)) {
                    case Kernel.KERNEL_ORG -> kernelOrg.release(series, kernel.pointRelease());
                    case Kernel.DEBIAN_SOURCE -> debian.source(series, kernel.pointRelease(), flavor.arch());
                    default -> kernelOrg.tarball(kernel.source().get(), tarballDigest);
                };
            };
        }
    }

    /**
     * A kernel that could be compiled.
     *
     * @param source its source
     * @param arch its architecture
     * @param config its configuration
     * @param inputs digest of all that it is made from: version, source, changes to that, configuration, and what the builder depends on
     */
    public record Plan(KernelSource source, Arch arch, Path config, Digest inputs) {}

    /**
     * @param jobs how many processes compile at once
     */
    public SourceKernel(Cache cache, Sources sources, Defconfigs configs, KernelBuilder builder, int jobs, Progress progress) {
        this.cache = cache;
        this.sources = sources;
        this.configs = configs;
        this.builder = builder;
        this.jobs = jobs;
        this.progress = progress;
    }

    /**
     * Which kernel a flavor's is, without compiling anything.
     *
     * @throws HookException if there is no such source or configuration, or the builder cannot be used here
     */
    public Plan plan(Flavor flavor) throws IOException {
        KernelSource source = sources.of(flavor);
        Path config = configs.file(flavor.kernel().config().orElseThrow(), source.series(), flavor.arch());
        Digest inputs = Digest.of(String.join("\n", FORMAT, flavor.arch().kernelName(), source.version(), source.fingerprint(),
                Digest.of(config).toString(), builder.fingerprint(flavor.arch())));
        return new Plan(source, flavor.arch(), config, inputs);
    }

    @Override
    public KernelFiles kernel(Flavor flavor) throws IOException, InterruptedException {
        return kernel(plan(flavor), false);
    }

    /**
     * Compiles a kernel, unless that was done.
     *
     * @param anew whether to compile it even then
     * @throws HookException if it cannot be compiled
     */
    public KernelFiles kernel(Plan plan, boolean anew) throws IOException, InterruptedException {
        Path directory = cache.directory(DIRECTORY).resolve(plan.source().version() + "-" + plan.inputs().abbreviated(32));
        try (Cache.Held held = cache.lock(directory.toString())) {
            if (anew) {
                Directories.delete(directory);
            }
            if (!Files.isDirectory(directory)) {
                compile(plan, directory);
            }
            return files(plan, read(directory));
        }
    }

    private void compile(Plan plan, Path directory) throws IOException, InterruptedException {
        Path output = directory.resolveSibling("." + directory.getFileName() + OUTPUT);
        Path work = directory.resolveSibling("." + directory.getFileName() + WORK);
        // Whoever left them behind does not hold the lock any more.
        Directories.delete(output);
        Directories.delete(work);
        clear(directory.getParent());
        try {
            Files.createDirectories(output);
            Files.createDirectories(work);
            progress.info("Compiling Linux " + plan.source().version() + " for " + plan.arch().kernelName() + " from " + plan.source().origin()
                    + ", configuration " + plan.config().getFileName());
            KernelBuild.Result result =
                    builder.build(new KernelBuild(plan.source(), plan.arch(), plan.config(), work, output, jobs, progress));
            check(plan, result);
            Files.writeString(output.resolve(RESULT), json(output, result));
            Files.move(output, directory);
        } finally {
            Directories.delete(output);
            Directories.delete(work);
        }
    }

    /** Deletes what killed builds of other kernels have left, each some gigabytes: that kernel may never be built again. */
    private void clear(Path directory) throws IOException {
        List<Path> leftovers = new ArrayList<>();
        try (DirectoryStream<Path> hidden = Files.newDirectoryStream(directory, ".*" + AtomicFile.SUFFIX)) {
            hidden.forEach(leftovers::add);
        }
        for (Path leftover : leftovers) {
            String name = leftover.getFileName().toString();
            String kernel = name.substring(1, name.length() - (name.endsWith(WORK) ? WORK : OUTPUT).length());
            Optional<Cache.Held> lock = cache.tryLock(directory.resolve(kernel).toString());
            if (lock.isPresent()) {
                try (Cache.Held held = lock.get()) {
                    Directories.delete(leftover);
                } catch (IOException e) {
                    // Its container ends two minutes after its Maven; till then it may write there. The next build will do it.
                    progress.info("Not deleted yet: " + leftover);
                }
            }
        }
    }

    private static void check(Plan plan, KernelBuild.Result result) {
        String version = plan.source().version();
        if (!result.release().equals(version) && !result.release().matches("\\Q" + version + "\\E[^0-9].*")) {
            throw new HookException(plan.source().origin() + " is Linux " + result.release() + " by its Makefile, not " + version + ".");
        }
        if (!Files.isRegularFile(result.kernel())) {
            throw new HookException("The compilation of " + plan.source().origin() + " has made no kernel " + result.kernel() + ".");
        }
    }

    private static String json(Path directory, KernelBuild.Result result) {
        ObjectNode node = JSON.createObjectNode()
                .put("release", result.release())
                .put("kernel", directory.relativize(result.kernel()).toString())
                .put("modules", directory.relativize(result.modules()).toString())
                .put("config", directory.relativize(result.config()).toString());
        result.deviceTrees().ifPresent(trees -> node.put("deviceTrees", directory.relativize(trees).toString()));
        return JSON.writeValueAsString(node) + "\n";
    }

    private static KernelBuild.Result read(Path directory) throws IOException {
        Path file = directory.resolve(RESULT);
        try {
            JsonNode node = JSON.readTree(Files.readString(file));
            return new KernelBuild.Result(
                    node.required("release").asString(),
                    directory.resolve(node.required("kernel").asString()),
                    directory.resolve(node.required("modules").asString()),
                    Optional.ofNullable(node.get("deviceTrees")).map(trees -> directory.resolve(trees.asString())),
                    directory.resolve(node.required("config").asString()));
        } catch (JacksonException e) {
            throw new HookException(file + " is damaged (" + e.getMessage() + "). Remove " + directory + ", and the kernel is compiled anew.", e);
        }
    }

    private static KernelFiles files(Plan plan, KernelBuild.Result result) throws IOException {
        return new KernelFiles(plan.arch(), plan.source().origin(), result.release(), plan.source().version(), plan.inputs(),
                Content.of(result.kernel()), entries(result.modules()),
                result.deviceTrees().isPresent() ? entries(result.deviceTrees().get()) : List.of());
    }

    private static List<Entry> entries(Path directory) throws IOException {
        List<Entry> entries = new ArrayList<>();
        if (!Files.isDirectory(directory)) {
            return entries;
        }
        try (Stream<Path> walk = Files.walk(directory)) {
            for (Path path : walk.sorted().toList()) {
                String name = directory.relativize(path).toString();
                if (Files.isRegularFile(path)) {
                    entries.add(Entry.file(name, 0644, Content.of(path)));
                }
            }
        }
        return entries;
    }
}
