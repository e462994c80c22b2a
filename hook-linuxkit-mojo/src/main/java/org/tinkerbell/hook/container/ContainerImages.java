package org.tinkerbell.hook.container;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.StringJoiner;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tinkerbell.hook.container.ImageDefinition.FileItem;
import org.tinkerbell.hook.debian.LockedPackage;
import org.tinkerbell.hook.debian.PackageLock;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Parallel;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageBuilder;
import org.tinkerbell.hook.oci.ImageConfig;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;
import org.tinkerbell.hook.tree.Glob;

/**
 * Makes container images of definitions and Debian packages, for one architecture, and puts them into the image store.
 *
 * <p>An image's tag is a digest of everything that it is made from. So one whose inputs are as they were is found in the store,
 * and then nothing is fetched, unpacked or written.
 */
public final class ContainerImages {
    /** Where the agents' jar is in an image. */
    static final String AGENTS = "usr/lib/hook/hook-agents.jar";

    /** Raised when the same inputs give another image. */
    private static final String FORMAT = "image 1";

    private static final int TAG_DIGITS = 12;

    private final Cache cache;
    private final ImageStore store;
    private final PackageSource packages;
    private final Arch arch;
    private final String base;
    private final Map<String, List<Glob>> lists;
    private final Optional<Path> agents;
    private final Progress progress;
    private final Map<String, Addition> additions;
    private final Finder finder;

    /**
     * A maker of images.
     *
     * @param store where they go
     * @param packages whose locks have the groups of {@link PackageGroups}
     * @param base what stands before an image's name in its reference, such as {@code ghcr.io/tinkerbell/hook/linuxkit/}
     * @param lists the lists of patterns of the inventory, by name; see {@link ImageDefinition.Selection#includeList()}
     * @param agents the agents' jar, if it is there
     */
    public ContainerImages(
            Cache cache,
            ImageStore store,
            PackageSource packages,
            Arch arch,
            String base,
            Map<String, List<Glob>> lists,
            Optional<Path> agents,
            Progress progress) {
        this(cache, store, packages, arch, base, lists, agents, progress, Map.of(), (reference, target) -> Optional.empty());
    }

    private ContainerImages(
            Cache cache,
            ImageStore store,
            PackageSource packages,
            Arch arch,
            String base,
            Map<String, List<Glob>> lists,
            Optional<Path> agents,
            Progress progress,
            Map<String, Addition> additions,
            Finder finder) {
        this.cache = cache;
        this.store = store;
        this.packages = packages;
        this.arch = arch;
        this.base = base;
        this.lists = Map.copyOf(lists);
        this.agents = agents;
        this.progress = progress;
        this.additions = Map.copyOf(additions);
        this.finder = finder;
    }

    /** The same maker that puts more into some images, which are named by their directories. */
    public ContainerImages with(Map<String, Addition> more) {
        return new ContainerImages(cache, store, packages, arch, base, lists, agents, progress, more, finder);
    }

    /** The same maker that looks elsewhere before it makes an image. */
    public ContainerImages asking(Finder elsewhere) {
        return new ContainerImages(cache, store, packages, arch, base, lists, agents, progress, additions, elsewhere);
    }

    /** Where an image may be that is not in the store. */
    @FunctionalInterface
    public interface Finder {
        /** The image of a name, brought into the store; its tag is a digest of everything that the image is made from. */
        Optional<Image> find(ImageReference reference, Arch arch) throws IOException;
    }

    /**
     * An image that is in the store.
     *
     * @param name of its directory
     * @param made whether it was made now; else it had been there
     */
    public record Built(String name, ImageReference reference, Image image, boolean made) {}

    /** What goes into an image beside that which its definition names. */
    public interface Addition {
        /** Identity of the entries: the same for the same ones. */
        String key();

        /** The entries, by their paths in the image; asked for only if the image has to be made. */
        List<Entry> entries() throws IOException;
    }

    /** What an image is made from, as far as packages go. */
    private record Inputs(List<LockedPackage> own, List<LockedPackage> java, List<LockedPackage> ca) {}

    /**
     * The definitions below a directory: of each directory in it that has an {@value ImageDefinition#FILE}, sorted by name.
     *
     * @throws HookException if one is not right
     */
    public static List<ImageDefinition> definitions(Path directory) throws IOException {
        List<ImageDefinition> definitions = new ArrayList<>();
        try (Stream<Path> children = Files.list(directory)) {
            for (Path child : children.sorted().toList()) {
                if (Files.isRegularFile(child.resolve(ImageDefinition.FILE))) {
                    definitions.add(ImageDefinition.read(child));
                }
            }
        }
        return List.copyOf(definitions);
    }

    /**
     * Sees to it that the images are in the store; those that are not for the architecture are left out.
     *
     * @return in the order of the definitions
     * @throws HookException if one cannot be made
     */
    public List<Built> build(List<ImageDefinition> definitions) throws IOException {
        List<ImageDefinition> ours = definitions.stream().filter(d -> d.architectures().contains(arch)).toList();
        ours.forEach(this::check);
        Map<String, Optional<Built>> there = new LinkedHashMap<>();
        for (ImageDefinition definition : ours) {
            there.put(definition.name(), find(definition, locked(definition)));
        }
        List<ImageDefinition> missing = ours.stream().filter(d -> there.get(d.name()).isEmpty()).toList();
        int threads = Math.max(1, Runtime.getRuntime().availableProcessors());
        List<Built> built = Parallel.map(threads, missing, this::build);
        built.forEach(image -> there.put(image.name(), Optional.of(image)));
        return there.values().stream().map(Optional::orElseThrow).toList();
    }

    private void check(ImageDefinition definition) {
        Path file = definition.directory().resolve(ImageDefinition.FILE);
        if (definition.java() && agents.isEmpty()) {
            throw new HookException(file + ": java: the agents' jar is not there. Build the module hook-agents with it (-am).");
        }
        definition.selection().includeList().filter(list -> !lists.containsKey(list)).ifPresent(list -> {
            throw new HookException(file + ": includeList: the inventory has no list '" + list + "'; there are: " + lists.keySet().stream().sorted().toList());
        });
    }

    private Built build(ImageDefinition definition) throws IOException, InterruptedException {
        // By what is locked, since to resolve would fetch the packages.
        ImageReference named = reference(definition, locked(definition));
        Optional<Image> elsewhere = finder.find(named, arch);
        if (elsewhere.isPresent()) {
            return new Built(definition.name(), named, elsewhere.get(), false);
        }
        Inputs inputs = resolved(definition);
        // Where the lock does not fit the definition the packages, and with them the tag, are only known now.
        Optional<Built> there = find(definition, inputs);
        if (there.isPresent()) {
            return there.get();
        }
        ImageReference reference = reference(definition, inputs);
        try (Cache.Held held = cache.lock("image " + reference)) {
            there = find(definition, inputs);
            if (there.isPresent()) {
                return there.get();
            }
            Image image = new ImageBuilder(store).build(reference, config(definition), tree(definition, inputs), 0);
            return new Built(definition.name(), reference, image, true);
        }
    }

    private FileTree tree(ImageDefinition definition, Inputs inputs) throws IOException, InterruptedException {
        List<Entry> extra = new ArrayList<>();
        if (definition.java()) {
            extra.addAll(new JavaRuntime(cache, packages, arch, progress).entries(inputs.java()));
            extra.add(Entry.file(AGENTS, 0644, Content.of(agents.orElseThrow())));
        }
        if (definition.caBundle()) {
            List<Entry> all = packages.entries(inputs.ca()).values().stream().flatMap(Collection::stream).toList();
            extra.add(CaBundle.of(all));
        }
        if (additions.containsKey(definition.name())) {
            extra.addAll(additions.get(definition.name()).entries());
        }
        FileSelection selection = FileSelection.of(definition.selection(), definition.selection().includeList().map(lists::get));
        return ImageTree.of(definition, arch, packages.entries(inputs.own()).values(), selection, extra);
    }

    private ImageConfig config(ImageDefinition definition) {
        return ImageConfig.of(arch)
                .withUser(definition.user())
                .withEnv(definition.environmentLines())
                .withEntrypoint(definition.entrypoint())
                .withCmd(definition.command())
                .withWorkingDir(definition.workdir())
                .withLabels(definition.labels());
    }

    private Inputs locked(ImageDefinition definition) throws IOException {
        return new Inputs(
                PackageGroups.image(definition, arch).isPresent() ? packages.locked(definition.name(), arch) : List.of(),
                definition.java() ? packages.locked(PackageGroups.JAVA, arch) : List.of(),
                definition.caBundle() ? packages.locked(PackageGroups.CA, arch) : List.of());
    }

    private Inputs resolved(ImageDefinition definition) throws IOException {
        Optional<PackageLock.Group> own = PackageGroups.image(definition, arch);
        return new Inputs(
                own.isPresent() ? resolved(own.get()) : List.of(),
                definition.java() ? resolved(PackageGroups.java()) : List.of(),
                definition.caBundle() ? resolved(PackageGroups.caBundle()) : List.of());
    }

    private List<LockedPackage> resolved(PackageLock.Group group) throws IOException {
        return packages.packages(group.name(), arch, group.requested(), group.without());
    }

    private Optional<Built> find(ImageDefinition definition, Inputs inputs) throws IOException {
        ImageReference reference = reference(definition, inputs);
        return store.find(reference, arch).map(image -> new Built(definition.name(), reference, image, false));
    }

    /** {@code <base><name>:<tag>-<architecture>}. */
    private ImageReference reference(ImageDefinition definition, Inputs inputs) throws IOException {
        return ImageReference.parse(base + definition.name() + ":" + tag(definition, inputs) + "-" + arch.ociName());
    }

    private String tag(ImageDefinition definition, Inputs inputs) throws IOException {
        StringJoiner all = new StringJoiner("\n");
        all.add(FORMAT).add(arch.ociName()).add(definition.digest().hex()).add(FileSelection.NEVER_NEEDED.toString());
        definition.selection().includeList().ifPresent(list -> all.add(lists.get(list).toString()));
        for (FileItem item : definition.files()) {
            if (item.source().isPresent()) {
                Path source = item.source().get();
                for (Path file : ImageTree.sourceFiles(source)) {
                    all.add(source.relativize(file).toString().replace('\\', '/') + " " + Digest.of(file).hex());
                }
            }
        }
        if (additions.containsKey(definition.name())) {
            all.add(additions.get(definition.name()).key());
        }
        all.add(digests(inputs.own())).add(digests(inputs.ca()));
        if (definition.java()) {
            all.add(JavaRuntime.key(inputs.java()).hex()).add(Digest.of(agents.orElseThrow()).hex());
        }
        return Digest.of(all.toString()).abbreviated(TAG_DIGITS);
    }

    private static String digests(List<LockedPackage> packages) {
        Set<String> all = packages.stream().map(p -> p.sha256().hex()).collect(Collectors.toCollection(HashSet::new));
        return all.stream().sorted().collect(Collectors.joining(","));
    }
}
