package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Parallel;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.Artifact;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.Registry;

/**
 * Armbian's kernels, out of the artifacts in its registry. What a lock names is taken by its digest; without a lock the newest is
 * taken, or the one that somebody has fixed.
 */
public final class ArmbianKernel implements KernelMethod {
    /** Where Armbian publishes. */
    public static final String REGISTRY = "ghcr.io/armbian/os";

    private static final int PARALLEL = 4;
    private static final String RENEW = "Renew the lock with mvn hook:lock and commit it.";

    private final Registry registry;
    private final Cache cache;
    private final Settings settings;
    private final Progress progress;

    /**
     * How kernels are chosen.
     *
     * @param base registry and path to which an artifact's name is added, such as {@link #REGISTRY}
     * @param lock the lock's file, which need not exist
     * @param record where a lock with what was taken is written to
     * @param mode what happens where the lock does not lead to a kernel
     * @param version a tag, or a version alone, that somebody asks for in the place of the inventory's
     */
    public record Settings(String base, Path lock, Path record, LockMode mode, Optional<String> version) {}

    /** Kernels from a registry. */
    public ArmbianKernel(Registry registry, Cache cache, Settings settings, Progress progress) {
        this.registry = registry;
        this.cache = cache;
        this.settings = settings;
        this.progress = progress;
    }

    /**
     * A lock that was renewed.
     *
     * @param lock to be written to {@code file}
     * @param changes a line for each flavor whose kernel is another now
     */
    public record Renewal(Path file, ArmbianLock lock, List<String> changes) {}

    @Override
    public KernelFiles kernel(Flavor flavor) throws IOException {
        ArmbianRepository repository = repository(flavor);
        Optional<ArmbianRepository.Chosen> locked = locked(flavor, repository);
        ArmbianRepository.Chosen chosen = locked.isPresent() ? locked.get() : unlocked(flavor, repository);
        ArmbianPackages packages = repository.packages(chosen, flavor.arch());
        // Without the registry's name: a mirror gives the same image.
        String source = "Armbian's " + artifact(flavor) + " " + chosen.tag();
        KernelFiles files = packages.kernel(flavor.arch(), source, Digest.of(source + "\n" + chosen.artifact().layers().get(0).digest()));
        ArmbianLock.of(List.of(block(flavor, chosen))).write(settings.record());
        if (locked.isEmpty()) {
            progress.info("Taken: " + block(flavor, chosen) + ". " + settings.record()
                    + " names it; so that every build takes it, lock it with mvn hook:lock");
        }
        return files;
    }

    /** What the lock names, if it names something that is to be had. */
    private Optional<ArmbianRepository.Chosen> locked(Flavor flavor, ArmbianRepository repository) throws IOException {
        Optional<ArmbianLock.Block> found = ArmbianLock.read(settings.lock()).find(flavor.id());
        boolean strict = settings.mode() == LockMode.STRICT;
        if (found.isEmpty()) {
            if (strict) {
                throw new HookException("With hook.lock=strict only what is locked is taken, and " + settings.lock()
                        + " names no kernel for " + flavor.id() + ". " + RENEW);
            }
            return Optional.empty();
        }
        ArmbianLock.Block block = found.get();
        Optional<String> misfit = misfit(block, flavor);
        if (misfit.isPresent()) {
            if (strict) {
                throw new HookException(misfit.get() + ", and with hook.lock=strict nothing else is taken. " + RENEW);
            }
            progress.info(misfit.get() + ": the lock does not count");
            return Optional.empty();
        }
        Optional<Artifact> artifact = repository.digest(block.digest());
        if (artifact.isPresent()) {
            return artifact.map(there -> new ArmbianRepository.Chosen(block.tag(), there));
        }
        Optional<Digest> now = repository.digestOf(block.tag());
        String gone = settings.base() + "/" + artifact(flavor) + " no longer has the kernel " + block.digest() + " of "
                + settings.lock() + "; its tag " + block.tag() + (now.isPresent() ? " stands for " + now.get() + " now" : " is gone, too");
        if (strict) {
            throw new HookException(gone + ". With hook.lock=strict nothing else is taken. " + RENEW);
        }
        progress.warn(gone + ". Another is taken. " + RENEW);
        return Optional.empty();
    }

    /** Why a lock is not for this build. */
    private Optional<String> misfit(ArmbianLock.Block block, Flavor flavor) {
        if (!block.artifact().equals(artifact(flavor))) {
            return Optional.of(settings.lock() + " names the artifact " + block.artifact() + " for " + flavor.id() + ", and the inventory "
                    + artifact(flavor));
        }
        return fixed(flavor).filter(fixed -> !fixed.equals(block.tag()) && !fixed.equals(block.version()))
                .map(fixed -> settings.lock() + " names " + block.tag() + " for " + flavor.id() + ", and " + fixed + " is asked for");
    }

    /** What is fixed, or the newest. A registry that does not answer is made up for by the cache. */
    private ArmbianRepository.Chosen unlocked(Flavor flavor, ArmbianRepository repository) throws IOException {
        Optional<String> fixed = fixed(flavor);
        Optional<ArmbianRepository.Chosen> chosen;
        try {
            chosen = repository.choose(fixed);
        } catch (HookException e) {
            ArmbianRepository.Chosen known = repository.chooseInCache(fixed).orElseThrow(() -> new HookException(e.getMessage()
                    + ". The cache (" + cache.root() + ") has no kernel " + fixed.map(f -> f + " ").orElse("") + "of " + artifact(flavor)
                    + " either. Where Armbian's registry has a mirror, name it with -Dhook.armbian.ociBase", e));
            progress.warn(e.getMessage() + ". Taken is the newest in the cache that fits: " + known.tag());
            return known;
        }
        return chosen.isPresent() ? chosen.get() : repository.missing(fixed);
    }

    /**
     * A lock with the newest kernel of each flavor, or the one that the inventory fixes. What cannot be had keeps its block, with a
     * warning: a registry that is away is no reason not to renew other locks.
     *
     * @param flavors all flavors with Armbian's kernels
     */
    public Renewal renew(List<Flavor> flavors) throws IOException {
        ArmbianLock old;
        try {
            old = ArmbianLock.read(settings.lock());
        } catch (HookException e) {
            progress.warn(e.getMessage() + " It is made anew.");
            old = ArmbianLock.of(List.of());
        }
        ArmbianLock before = old;
        List<ArmbianLock.Block> blocks = Parallel.map(PARALLEL, flavors, flavor -> {
            try {
                ArmbianRepository repository = repository(flavor);
                Optional<ArmbianRepository.Chosen> chosen = repository.choose(fixed(flavor));
                return Optional.of(block(flavor, chosen.isPresent() ? chosen.get() : repository.missing(fixed(flavor))));
            } catch (HookException e) {
                Optional<ArmbianLock.Block> kept = before.find(flavor.id());
                progress.warn(flavor.id() + (kept.isPresent() ? " stays locked as it is: " : " is not locked: ") + e.getMessage());
                return kept;
            }
        }).stream().flatMap(Optional::stream).toList();
        ArmbianLock lock = ArmbianLock.of(blocks);
        return new Renewal(settings.lock(), lock, lock.changesSince(before));
    }

    private static ArmbianLock.Block block(Flavor flavor, ArmbianRepository.Chosen chosen) {
        String tag = chosen.tag();
        return new ArmbianLock.Block(flavor.id(), artifact(flavor), tag, ArmbianTag.parse(tag).map(ArmbianTag::version).orElse(tag),
                chosen.artifact().digest());
    }

    private Optional<String> fixed(Flavor flavor) {
        return settings.version().or(() -> flavor.kernel().version());
    }

    private ArmbianRepository repository(Flavor flavor) {
        String name = settings.base().replaceFirst("/+$", "") + "/" + artifact(flavor);
        return new ArmbianRepository(registry, cache, ImageReference.parse(name), progress);
    }

    private static String artifact(Flavor flavor) {
        return flavor.kernel().artifact().orElseThrow();
    }
}
