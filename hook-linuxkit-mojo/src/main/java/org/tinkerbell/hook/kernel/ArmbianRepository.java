package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Parallel;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.Artifact;
import org.tinkerbell.hook.oci.Descriptor;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.Registry;

/**
 * One of Armbian's artifacts in its registry, and what the cache has of it: manifests by their digests, unpacked packages by the digest of
 * the artifact's file, and what the tags stood for when they were last used. What is in the cache needs no registry.
 */
final class ArmbianRepository {
    private static final String DIRECTORY = "armbian";
    private static final Pattern VERSION = Pattern.compile("\\d+(?:\\.\\d+)+(?:-rc\\d+)?");
    // https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys
    private static final String CREATED = "org.opencontainers.image.created";
    // Of one version Armbian has a few builds, at most some dozen; so many manifests of a kilobyte are looked at.
    private static final int MOST_DATED = 64;
    private static final int PARALLEL = 4;
    private static final int SHOWN = 3;
    // What an artifact has where it has no configuration.
    private static final Digest NOTHING = Digest.of("{}");

    private final Registry registry;
    private final Cache cache;
    private final ImageReference name;
    private final Progress progress;

    /**
     * @param name registry and repository; the tag does not count
     */
    ArmbianRepository(Registry registry, Cache cache, ImageReference name, Progress progress) {
        this.registry = registry;
        this.cache = cache;
        this.name = name;
        this.progress = progress;
    }

    /**
     * A kernel that was chosen.
     *
     * @param tag by which
     * @param artifact what the tag stands for, or stood for when it was locked
     */
    record Chosen(String tag, Artifact artifact) {}

    /** What knows the manifest of a tag. */
    @FunctionalInterface
    private interface Manifests {
        Optional<Artifact> of(String tag) throws IOException;
    }

    /**
     * The kernel that the registry has for a tag or, without one, the newest: that of the highest version and, of several builds of that,
     * the one whose manifest says that it was created last. Those without a date come before all others, and the text of the tag decides
     * between equals, so that the choice is always the same.
     *
     * @param fixed a tag, or a version of which the newest is wanted
     * @return nothing if there is no such kernel; {@link #missing} says what to do
     * @throws HookException if the registry does not answer
     */
    Optional<Chosen> choose(Optional<String> fixed) throws IOException {
        Manifests manifests = tag -> registry.artifact(name.withTag(tag));
        return isTag(fixed) ? one(fixed.get(), manifests) : newest(registry.tags(name), fixed, manifests);
    }

    /** The same as far as the cache knows, for when the registry does not answer. */
    Optional<Chosen> chooseInCache(Optional<String> fixed) throws IOException {
        return isTag(fixed) ? one(fixed.get(), this::inCache) : newest(knownTags(), fixed, this::inCache);
    }

    /** Fails because there is no such kernel, naming what there is. */
    Chosen missing(Optional<String> fixed) throws IOException {
        List<String> tags = registry.tags(name);
        if (tags.isEmpty()) {
            throw new HookException(name.name() + " is not in its registry, or has no tags. Check the artifact's name in the inventory");
        }
        String wanted = fixed.map(text -> isTag(fixed) ? text : "of version " + text).orElse("of the form <version>-S…");
        String newest = ArmbianTag.newest(tags, Optional.empty()).stream().map(ArmbianTag::text).limit(SHOWN)
                .collect(Collectors.joining(", "));
        throw new HookException(name.name() + " has " + tags.size() + " tags, but none " + wanted
                + (newest.isEmpty() ? "" : "; the newest: " + newest));
    }

    /** Whether what fixes a kernel is a whole tag, and not only a version, which several tags may have. */
    private static boolean isTag(Optional<String> fixed) {
        return fixed.isPresent() && !VERSION.matcher(fixed.get()).matches();
    }

    private static Optional<Chosen> one(String tag, Manifests manifests) throws IOException {
        return manifests.of(tag).map(artifact -> new Chosen(tag, artifact));
    }

    private Optional<Chosen> newest(Collection<String> tags, Optional<String> version, Manifests manifests) throws IOException {
        List<ArmbianTag> candidates = ArmbianTag.newest(tags, version);
        if (candidates.size() > MOST_DATED) {
            progress.warn(name.name() + " has " + candidates.size() + " builds of " + candidates.get(0).version()
                    + "; of these only the last " + MOST_DATED + " in the order of their names are looked at");
            candidates = candidates.subList(candidates.size() - MOST_DATED, candidates.size());
        }
        // A tag may go between the list and the question.
        return Parallel.map(PARALLEL, candidates, tag -> one(tag.text(), manifests)).stream()
                .flatMap(Optional::stream)
                .max(Comparator.comparing((Chosen chosen) -> created(chosen.artifact())).thenComparing(Chosen::tag));
    }

    private static Instant created(Artifact artifact) {
        try {
            return Optional.ofNullable(artifact.annotations().get(CREATED)).map(Instant::parse).orElse(Instant.MIN);
        } catch (DateTimeException e) {
            return Instant.MIN;
        }
    }

    private List<String> knownTags() throws IOException {
        if (!Files.isDirectory(known())) {
            return List.of();
        }
        List<String> tags = new ArrayList<>();
        try (Stream<Path> files = Files.list(known())) {
            for (Path file : files.toList()) {
                String tag = file.getFileName().toString();
                if (!tag.startsWith(".") && inCache(tag).isPresent()) {
                    tags.add(tag);
                }
            }
        }
        return tags;
    }

    /** What a tag stood for when it was used last, if all of that is in the cache. */
    private Optional<Artifact> inCache(String tag) throws IOException {
        Path file = known().resolve(tag);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        Optional<Artifact> artifact = manifestInCache(Digest.parse(Files.readString(file).strip()));
        return artifact.isPresent() && packages(artifact.get()).isThere() ? artifact : Optional.empty();
    }

    /**
     * The artifact of a digest, from the cache or the registry.
     *
     * @return nothing if the registry does not have it any more
     */
    Optional<Artifact> digest(Digest digest) throws IOException {
        Optional<Artifact> artifact = manifestInCache(digest);
        return artifact.isPresent() ? artifact : registry.artifact(ImageReference.parse(name.name() + "@" + digest));
    }

    /** What a tag stands for now; nothing if it is gone. */
    Optional<Digest> digestOf(String tag) throws IOException {
        return registry.digest(name.withTag(tag));
    }

    private Optional<Artifact> manifestInCache(Digest digest) throws IOException {
        Path file = manifest(digest);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        Artifact artifact = Artifact.parse(Files.readString(file), name.name() + "@" + digest);
        return artifact.digest().equals(digest) ? Optional.of(artifact) : Optional.empty();
    }

    /**
     * The packages of a chosen artifact, which are fetched, verified and unpacked unless they are in the cache.
     *
     * @param arch what the kernel has to be for
     */
    @SuppressWarnings("try")
    ArmbianPackages packages(Chosen chosen, Arch arch) throws IOException {
        Artifact artifact = chosen.artifact();
        if (artifact.layers().size() != 1) {
            throw new HookException(label(artifact) + " has " + artifact.layers().size() + " files; one of Armbian's kernels has one, "
                    + "a tar of packages");
        }
        ArmbianPackages packages = packages(artifact);
        try (Cache.Held held = cache.lock(packages.directory().toString())) {
            if (!packages.isThere()) {
                fetch(artifact, packages, arch);
            }
        }
        remember(chosen);
        return packages;
    }

    private void fetch(Artifact artifact, ArmbianPackages packages, Arch arch) throws IOException {
        ImageReference reference = ImageReference.parse(name.name() + "@" + artifact.digest());
        Files.createDirectories(packages.directory());
        removeLeftovers(packages.directory());
        Path file = packages.directory().resolve(".artifact.tar");
        Path config = packages.directory().resolve(".config");
        try {
            Descriptor configuration = artifact.config();
            if (!configuration.digest().equals(NOTHING)) {
                registry.download(reference, configuration, config);
            }
            registry.download(reference, artifact.layers().get(0), file);
            packages.unpack(file, arch);
        } finally {
            Files.deleteIfExists(config);
            ArmbianPackages.deleteTar(file);
        }
    }

    /** Removes what a killed build left; whoever left it does not hold the lock any more. */
    private static void removeLeftovers(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.filter(f -> f.getFileName().toString().startsWith(".")).toList()) {
                Files.delete(file);
            }
        }
    }

    /** Keeps what the next build needs if it has no registry. */
    private void remember(Chosen chosen) throws IOException {
        Path file = known().resolve(chosen.tag());
        Artifact artifact = chosen.artifact();
        String before = Files.exists(file) ? Files.readString(file).strip() : "";
        if (!before.isEmpty() && !before.equals(artifact.digest().toString())) {
            progress.warn(name.name() + ": the tag " + chosen.tag() + " stood for " + before + " when it was used last, and stands for "
                    + artifact.digest() + " now");
        }
        AtomicFile.write(manifest(artifact.digest()), artifact.json());
        AtomicFile.write(file, artifact.digest() + "\n");
    }

    private ArmbianPackages packages(Artifact artifact) {
        Digest layer = artifact.layers().isEmpty() ? artifact.digest() : artifact.layers().get(0).digest();
        return new ArmbianPackages(directory("packages").resolve(layer.abbreviated(32)), label(artifact));
    }

    private String label(Artifact artifact) {
        return "The artifact " + name.name() + "@" + artifact.digest();
    }

    private Path manifest(Digest digest) {
        return directory("manifests").resolve(digest.hex() + ".json");
    }

    private Path known() {
        return directory("tags").resolve(Digest.of(name.name()).abbreviated(32));
    }

    private Path directory(String part) {
        return cache.root().resolve(DIRECTORY).resolve(part);
    }
}
