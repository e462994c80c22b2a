package org.tinkerbell.hook.oci;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.FullDisk;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Parallel;
import org.tinkerbell.hook.io.Progress;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Registries of images, by the
 * <a href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md">OCI distribution specification</a>.
 *
 * <p>The ORAS SDK does HTTP, redirects and tokens ({@link RegistryHost}). Manifests and blobs go between its HTTP client and the store
 * here, and not through its {@code Registry}, because that writes indexes anew (their digest changes), asks twice for each manifest, begins
 * a cut download from the start, and follows the host's containers configuration, on which no build may depend.
 */
public final class Registry {
    private static final String ACCEPT = String.join(", ", MediaTypes.INDEX, MediaTypes.MANIFEST, MediaTypes.DOCKER_LIST,
            MediaTypes.DOCKER_MANIFEST);
    private static final String OCTETS = "application/octet-stream";
    private static final int PARALLEL = 4;
    private static final int BUFFER = 1 << 16;
    private static final int MAX_PAGES = 10_000;
    private static final Pattern NEXT = Pattern.compile("<([^>]*)>\\s*;.*rel=\"?next\"?.*");
    private static final JsonMapper JSON = new JsonMapper();

    private static final ScheduledExecutorService WATCH = Executors.newSingleThreadScheduledExecutor(runnable -> {
        Thread thread = new Thread(runnable, "hook-registry-watch");
        thread.setDaemon(true);
        return thread;
    });

    private final ImageStore store;
    private final RegistrySettings settings;
    private final Progress progress;
    private final DockerCredentials credentials;
    private final Map<String, RegistryHost> hosts = new ConcurrentHashMap<>();

    /** Registries from which and to which a store's images go. May be used by several threads at once. */
    public Registry(ImageStore store, RegistrySettings settings, Progress progress) {
        this.store = store;
        this.settings = settings;
        this.progress = progress;
        this.credentials = new DockerCredentials(settings.dockerConfig());
    }

    private RegistryHost host(String registry) {
        return hosts.computeIfAbsent(registry, r -> new RegistryHost(r, settings, credentials));
    }

    /**
     * Pulls an image into the store, under its name. What the store has of it is not fetched again.
     *
     * @param reference if it has a digest, what comes is checked against that
     * @throws HookException if there is none for the architecture, or the registry does not give it
     */
    public Image pull(ImageReference reference, Arch arch) throws IOException {
        try {
            return fromMirrors(reference, arch);
        } catch (IOException e) {
            throw FullDisk.check(e, store.layout());
        }
    }

    private Image fromMirrors(ImageReference reference, Arch arch) throws IOException {
        for (String mirror : settings.mirrors().getOrDefault(reference.registry(), List.of())) {
            try {
                return pull(host(mirror), reference, arch);
            } catch (HookException e) {
                progress.info("The mirror " + mirror + " did not give " + reference + ": " + e.getMessage());
            }
        }
        return pull(host(reference.registry()), reference, arch);
    }

    /**
     * What a name stands for that need not be an image. Only its manifest is fetched; the store has nothing to do with it.
     *
     * @param reference if it has a digest, what comes is checked against that
     * @return nothing if neither a mirror nor the registry has the name
     */
    public Optional<Artifact> artifact(ImageReference reference) throws IOException {
        String name = reference.digest().map(Digest::toString).or(reference::tag).orElseThrow();
        for (String mirror : settings.mirrors().getOrDefault(reference.registry(), List.of())) {
            try {
                Optional<Fetched> found = manifest(host(mirror), reference.repository(), name, reference.digest(), List.of(404));
                if (found.isPresent()) {
                    return found.map(manifest -> artifact(manifest, reference));
                }
            } catch (HookException e) {
                progress.info("The mirror " + mirror + " did not give " + reference + ": " + e.getMessage());
            }
        }
        return manifest(host(reference.registry()), reference.repository(), name, reference.digest(), List.of(404))
                .map(manifest -> artifact(manifest, reference));
    }

    private static Artifact artifact(Fetched manifest, ImageReference reference) {
        return Artifact.parse(new String(manifest.bytes(), StandardCharsets.UTF_8), reference.toString());
    }

    /**
     * Fetches a blob of an artifact to a file; a cut line is taken up where it was cut.
     *
     * @param reference the artifact
     * @param blob what its manifest says of the blob; nothing else is taken
     * @param target the file, which is there only when it is whole
     */
    public void download(ImageReference reference, Descriptor blob, Path target) throws IOException {
        try (Progress.Task task = progress.start("Fetching " + reference, blob.size(), Progress.Unit.BYTES)) {
            AtomicFile.make(target, temporary -> {
                for (String mirror : settings.mirrors().getOrDefault(reference.registry(), List.of())) {
                    try {
                        download(host(mirror), reference.repository(), blob, reference.toString(), temporary, task);
                        return;
                    } catch (HookException e) {
                        progress.info("The mirror " + mirror + " did not give " + reference + ": " + e.getMessage());
                    }
                }
                download(host(reference.registry()), reference.repository(), blob, reference.toString(), temporary, task);
            });
        }
    }

    private Image pull(RegistryHost host, ImageReference reference, Arch arch) throws IOException {
        String repository = reference.repository();
        Fetched top = manifest(host, repository, reference.digest().map(Digest::toString).or(reference::tag).orElseThrow(), reference.digest());
        Fetched manifest = top;
        if (MediaTypes.isIndex(top.descriptor().mediaType())) {
            ImageIndex index = ImageIndex.parse(top.bytes(), reference.toString());
            Descriptor platform = index.items().stream().filter(item -> item.isFor(arch)).findFirst().map(ImageIndex.Item::descriptor)
                    .orElseThrow(() -> noPlatform(reference, arch, index.items().stream().map(i -> i.os() + "/" + i.architecture()).toList()));
            manifest = manifest(host, repository, platform.digest().toString(), Optional.of(platform.digest()));
        }
        if (!MediaTypes.isManifest(manifest.descriptor().mediaType())) {
            throw new HookException(reference + " is no image: " + host.registry() + " calls it " + manifest.descriptor().mediaType());
        }
        Image.Manifest parsed = Image.Manifest.parse(manifest.bytes(), manifest.descriptor(), reference.toString());
        requireArch(host, repository, reference, arch, parsed.config());
        List<Descriptor> missing = new ArrayList<>();
        for (Descriptor blob : new LinkedHashSet<>(parsed.blobs())) {
            if (!store.has(blob)) {
                missing.add(blob);
            }
        }
        long total = missing.stream().mapToLong(Descriptor::size).sum();
        try (Progress.Task task = progress.start("Pulling " + reference, total, Progress.Unit.BYTES)) {
            Parallel.forEach(PARALLEL, missing, blob -> fetch(host, repository, blob, reference.toString(), task));
        }
        store.put(manifest.descriptor().mediaType(), manifest.bytes());
        Image image = store.image(manifest.descriptor(), reference.toString())
                .orElseThrow(() -> new IOException("Blobs of " + reference + " vanished from " + store.layout() + " while it was pulled"));
        store.tag(reference, image);
        return image;
    }

    /** Brings the configuration, which is small, before all the rest, since it says for which architecture that is. */
    private void requireArch(RegistryHost host, String repository, ImageReference reference, Arch arch, Descriptor blob) throws IOException {
        Optional<byte[]> there = store.small(blob);
        if (there.isEmpty()) {
            // Missing, or damaged, which would hide the image from whoever looks for it.
            fetch(host, repository, blob, reference.toString(), amount -> {});
            there = store.small(blob);
        }
        ImageConfig config = ImageConfig.parse(
                there.orElseThrow(() -> new IOException("A blob of " + reference + " vanished from " + store.layout() + " while it was pulled")),
                reference.toString());
        if (config.arch().filter(arch::equals).isEmpty()) {
            throw noPlatform(reference, arch, List.of(config.os() + "/" + config.architecture()));
        }
    }

    private static HookException noPlatform(ImageReference reference, Arch arch, List<String> there) {
        return new HookException(reference + " is not there for linux/" + arch.ociName() + ", only for "
                + String.join(", ", there.stream().filter(p -> !p.contains("unknown")).sorted().distinct().toList()));
    }

    private record Fetched(Descriptor descriptor, byte[] bytes) {}

    private Fetched manifest(RegistryHost host, String repository, String name, Optional<Digest> expected) throws IOException {
        return manifest(host, repository, name, expected, List.of()).orElseThrow();
    }

    /** A manifest; nothing if the registry answers with a failure that is accepted. */
    private Optional<Fetched> manifest(
            RegistryHost host, String repository, String name, Optional<Digest> expected, List<Integer> accepted) throws IOException {
        URI uri = host.uri(repository, "manifests/" + name);
        RegistryHost.Answer<String> answer = host.send(repository, false, accepted, (client, scopes, auth, headers) -> {
            headers.put("Accept", ACCEPT);
            return client.get(uri, headers, scopes, auth);
        });
        if (accepted.contains(answer.status())) {
            return Optional.empty();
        }
        byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
        Digest digest = Digest.of(bytes);
        Optional<Digest> promised = expected.or(() -> answer.header("Docker-Content-Digest").filter(d -> d.startsWith("sha256:"))
                .map(Digest::parse));
        if (promised.isPresent() && !promised.get().equals(digest)) {
            throw new HookException(host.registry() + ": the manifest of " + repository + " should be " + promised.get() + " and is " + digest
                    + ": it was damaged or replaced on its way");
        }
        String type = answer.header("Content-Type").map(t -> t.split(";")[0].trim()).orElse("");
        try {
            // Registries on plain file servers have no right type; the document says what it is (image-spec, manifest.md, mediaType).
            JsonNode root = JSON.readTree(bytes);
            String own = root.path("mediaType").asString(root.has("manifests") ? MediaTypes.INDEX : root.has("layers") ? MediaTypes.MANIFEST : type);
            return Optional.of(new Fetched(new Descriptor(own, digest, bytes.length), bytes));
        } catch (JacksonException e) {
            throw new HookException(host.registry() + ": what it gives as the manifest of " + repository + " is no JSON", e);
        }
    }

    /** Fetches a blob into the store. */
    private void fetch(RegistryHost host, String repository, Descriptor blob, String label, Progress.Task task) throws IOException {
        Path temporary = store.temporary();
        try {
            download(host, repository, blob, label, temporary, task);
            store.adopt(temporary, blob.digest());
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /** Fetches a blob to a file and verifies it; a cut line is taken up where it was cut. */
    private void download(RegistryHost host, String repository, Descriptor blob, String label, Path file, Progress.Task task)
            throws IOException {
        MessageDigest digest = Digest.algorithm();
        long done = 0;
        int attempt = 1;
        while (true) {
            long from = done;
            RegistryHost.Answer<InputStream> answer = host.send(repository, false, List.of(), (client, scopes, auth, headers) -> {
                headers.put("Accept", OCTETS);
                if (from > 0) {
                    headers.put("Range", "bytes=" + from + "-");
                }
                return client.download(host.uri(repository, "blobs/" + blob.digest()), headers, scopes, auth);
            });
            if (answer.status() != 206) {
                digest.reset();
                done = 0;
            }
            Progressed progressed = copy(answer.body(), file, done, digest, blob.size(), task);
            done = progressed.done();
            if (progressed.failure() == null) {
                break;
            }
            if (done > from) {
                attempt = 1;
            } else if (attempt++ >= settings.network().attempts()) {
                throw new HookException(host.registry() + " cuts the line again and again over the blob " + blob.digest() + " of " + label + ": "
                        + progressed.failure().getMessage(), progressed.failure());
            }
            host.pause(attempt, "");
        }
        ImageStore.verify(blob, Digest.of(digest), done, label + " from " + host.registry());
    }

    private record Progressed(long done, IOException failure) {}

    private Progressed copy(InputStream in, Path target, long done, MessageDigest digest, long size, Progress.Task task)
            throws IOException {
        long now = done;
        AtomicLong heard = new AtomicLong(System.nanoTime());
        long patience = settings.network().timeout().toNanos();
        // A read has no timeout of its own; closing the stream ends it.
        ScheduledFuture<?> watch = WATCH.scheduleWithFixedDelay(() -> {
            if (System.nanoTime() - heard.get() > patience) {
                close(in);
            }
        }, patience / 4, patience / 4, TimeUnit.NANOSECONDS);
        byte[] buffer = new byte[BUFFER];
        StandardOpenOption mode = done == 0 ? StandardOpenOption.TRUNCATE_EXISTING : StandardOpenOption.APPEND;
        try (in; OutputStream out = Files.newOutputStream(target, StandardOpenOption.CREATE, StandardOpenOption.WRITE, mode)) {
            while (true) {
                int n;
                try {
                    n = in.read(buffer);
                    heard.set(System.nanoTime());
                } catch (IOException e) {
                    return new Progressed(now, e);
                }
                if (n < 0) {
                    return new Progressed(now, now < size ? new IOException("it ends after " + now + " of " + size + " bytes") : null);
                }
                out.write(buffer, 0, n);
                digest.update(buffer, 0, n);
                now += n;
                task.advance(n);
                // More than promised: the digest cannot fit any more, so nobody need wait for the rest.
                if (now > size) {
                    return new Progressed(now, null);
                }
            }
        } finally {
            watch.cancel(false);
        }
    }

    private static void close(InputStream in) {
        try {
            in.close();
        } catch (IOException e) {
            // The reader has one, too.
        }
    }

    /** Digest of what a name stands for in its registry, an image or an index; nothing if the registry has no such name. */
    public Optional<Digest> digest(ImageReference reference) throws IOException {
        RegistryHost host = host(reference.registry());
        URI uri = host.uri(reference.repository(), "manifests/" + reference.digest().map(Digest::toString).or(reference::tag).orElseThrow());
        RegistryHost.Answer<String> answer = host.send(reference.repository(), false, List.of(404), (client, scopes, auth, headers) -> {
            headers.put("Accept", ACCEPT);
            return client.get(uri, headers, scopes, auth);
        });
        return answer.status() == 404 ? Optional.empty() : Optional.of(Digest.of(answer.body().getBytes(StandardCharsets.UTF_8)));
    }

    /** The tags of a repository, sorted; none if the registry does not know the repository. */
    public List<String> tags(ImageReference reference) throws IOException {
        RegistryHost host = host(reference.registry());
        Set<String> tags = new HashSet<>();
        Set<URI> seen = new HashSet<>();
        URI next = host.uri(reference.repository(), "tags/list?n=1000");
        while (next != null && seen.add(next) && seen.size() <= MAX_PAGES) {
            URI page = next;
            RegistryHost.Answer<String> answer = host.send(reference.repository(), false, List.of(404), (client, scopes, auth, headers) -> {
                headers.put("Accept", "application/json");
                return client.get(page, headers, scopes, auth);
            });
            if (answer.status() == 404) {
                return List.of();
            }
            try {
                JSON.readTree(answer.body()).path("tags").forEach(tag -> tags.add(tag.asString("")));
            } catch (JacksonException e) {
                throw new HookException(host.registry() + ": its list of tags of " + reference.repository() + " is no JSON", e);
            }
            next = answer.header("Link").map(NEXT::matcher).filter(Matcher::matches).map(m -> host.resolve(page, m.group(1)))
                    // The account goes to this host, so no other one is followed to.
                    .filter(uri -> uri.getRawAuthority().equals(page.getRawAuthority())).orElse(null);
        }
        return tags.stream().sorted().toList();
    }

    /**
     * Pushes images under one name. The blobs go first, then the manifests, and the tag at the very end, so that a push that is cut
     * off leaves none. With several images the tag stands for an index of their platforms.
     *
     * @param reference with a tag
     * @param images one, or one for each architecture
     * @return the digest that the tag stands for
     */
    public Digest push(ImageReference reference, List<Image> images) throws IOException {
        String tag = reference.tag().orElseThrow(() -> new HookException("To push " + reference + " it needs a tag"));
        RegistryHost host = host(reference.registry());
        Set<Descriptor> blobs = new LinkedHashSet<>();
        for (Image image : images) {
            blobs.addAll(image.layers());
            blobs.add(image.configBlob());
        }
        long total = blobs.stream().mapToLong(Descriptor::size).sum();
        try (Progress.Task task = progress.start("Pushing " + reference, total, Progress.Unit.BYTES)) {
            Parallel.forEach(PARALLEL, List.copyOf(blobs), blob -> {
                push(host, reference, blob);
                task.advance(blob.size());
            });
        }
        if (images.size() == 1) {
            Image image = images.get(0);
            pushManifest(host, reference, tag, image.manifest().mediaType(), manifest(image, reference));
            return image.digest();
        }
        List<ImageIndex.Item> items = new ArrayList<>();
        for (Image image : images) {
            pushManifest(host, reference, image.digest().toString(), image.manifest().mediaType(), manifest(image, reference));
            items.add(ImageIndex.Item.of(image.manifest(), image.config()));
        }
        items.sort(Comparator.comparing(ImageIndex.Item::architecture));
        byte[] index = new ImageIndex(items).toJson();
        pushManifest(host, reference, tag, MediaTypes.INDEX, index);
        return Digest.of(index);
    }

    private byte[] manifest(Image image, ImageReference reference) throws IOException {
        return store.small(image.manifest()).orElseThrow(() -> new HookException("The manifest of " + reference + " is missing or damaged in "
                + store.layout() + ": build again"));
    }

    private void push(RegistryHost host, ImageReference reference, Descriptor blob) throws IOException {
        String repository = reference.repository();
        RegistryHost.Answer<String> there = host.send(repository, true, List.of(404), (client, scopes, auth, headers) ->
                client.head(host.uri(repository, "blobs/" + blob.digest()), headers, scopes, auth));
        if (there.status() == 200) {
            return;
        }
        Path file = store.file(blob.digest());
        if (!Files.exists(file) || !Digest.of(file).equals(blob.digest())) {
            Files.deleteIfExists(file);
            throw new HookException("The blob " + blob.digest() + " of " + reference + " was missing or damaged in " + store.layout()
                    + ": build again, so that it is made or pulled anew");
        }
        // Each attempt is a new upload: what a cut one left on the registry's side is the registry's to clean up.
        host.send(repository, true, List.of(), (client, scopes, auth, headers) -> {
            Map<String, String> plain = new HashMap<>(headers);
            var begun = client.post(host.uri(repository, "blobs/uploads/"), new byte[0], plain, scopes, auth);
            if (begun.statusCode() != 202) {
                return begun;
            }
            String location = begun.headers().entrySet().stream().filter(e -> e.getKey().equalsIgnoreCase("Location")).map(Map.Entry::getValue)
                    .findFirst().orElseThrow(() -> new HookException(host.registry() + " does not say where blobs are uploaded to"));
            URI target = host.resolve(host.uri(repository, "blobs/uploads/"), location);
            URI complete = URI.create(target + (target.getRawQuery() == null ? "?" : "&") + "digest=" + blob.digest());
            headers.put("Content-Type", OCTETS);
            return client.upload("PUT", complete, headers, file, scopes, auth);
        });
    }

    private static void pushManifest(RegistryHost host, ImageReference reference, String name, String type, byte[] bytes) throws IOException {
        String repository = reference.repository();
        host.send(repository, true, List.of(), (client, scopes, auth, headers) -> {
            headers.put("Content-Type", type);
            return client.put(host.uri(repository, "manifests/" + name), bytes, headers, scopes, auth);
        });
    }
}
