package org.tinkerbell.hook.release;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.FakeRegistry;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageArchive;
import org.tinkerbell.hook.oci.ImageBuilder;
import org.tinkerbell.hook.oci.ImageConfig;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.oci.Registry;
import org.tinkerbell.hook.oci.RegistrySettings;
import org.tinkerbell.hook.release.Publisher.Family;
import org.tinkerbell.hook.release.Publisher.Item;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

class PublisherTest {
    private static final NetworkSettings QUICK = NetworkSettings.defaults()
            .withRetries(3, Duration.ofMillis(5), Duration.ofMillis(50), Duration.ofSeconds(30));

    @TempDir
    Path directory;

    private FakeRegistry fake;
    private ImageStore store;
    private Publisher publisher;
    private Item amd64;
    private Item arm64;
    private Family family;

    @BeforeEach
    void build() throws IOException {
        fake = new FakeRegistry();
        Cache cache = new Cache(directory.resolve("cache"));
        store = ImageStore.of(cache);
        publisher = publisher(cache);
        amd64 = image("0123-amd64", Arch.X86_64);
        arm64 = image("4567-arm64", Arch.AARCH64);
        family = new Family(amd64.reference().withTag("1.0"), List.of(amd64, arm64));
    }

    @AfterEach
    void stop() {
        fake.close();
    }

    private Item image(String tag, Arch arch) throws IOException {
        ImageReference reference = ImageReference.parse(fake.host() + "/a/b:" + tag);
        new ImageBuilder(store).build(reference, ImageConfig.of(arch).withCmd(List.of("/x")), List.of(
                Entry.file("shared", 0644, Content.of("for all")), Entry.file("x", 0755, Content.of("for " + arch))), 0);
        return new Item(reference, arch);
    }

    private Publisher publisher(Cache cache) {
        ImageStore of = ImageStore.of(cache);
        Registry registry = new Registry(of, RegistrySettings.of(QUICK, Map.of("DOCKER_CONFIG", directory.resolve("docker").toString())),
                Progress.SILENT);
        return new Publisher(of, registry, new ImageArchive(of, cache), Progress.SILENT);
    }

    private Image stored(Item item) throws IOException {
        return store.find(item.reference(), item.arch()).orElseThrow();
    }

    private Set<String> tags() {
        return fake.types.keySet().stream().filter(name -> !name.startsWith("sha256:")).collect(Collectors.toCollection(TreeSet::new));
    }

    private long uploads() {
        return fake.requests.stream().filter(request -> request.startsWith("PUT") && request.contains("/blobs/uploads/")).count();
    }

    @Test
    void pushesEachUnderItsNameAndNothingTwice() throws IOException {
        assertEquals(List.of(amd64, arm64), publisher.push(List.of(amd64, arm64)));
        assertEquals(Set.of("0123-amd64", "4567-arm64"), tags());
        assertEquals(stored(arm64).digest(), Digest.of(fake.manifests.get("4567-arm64")));
        fake.requests.clear();
        assertEquals(List.of(), publisher.push(List.of(amd64, arm64)));
        assertTrue(fake.requests.stream().noneMatch(request -> request.startsWith("PUT") || request.startsWith("POST")), fake.requests.toString());
    }

    @Test
    void anIndexIsPushedWhereBothArchitecturesAreThere() throws IOException {
        Item missing = new Item(arm64.reference().withTag("89ab-arm64"), Arch.AARCH64);
        Family half = new Family(family.reference(), List.of(amd64, missing));
        assertEquals(List.of(), publisher.pushFamilies(List.of(half, new Family(family.reference(), List.of(amd64)))));
        assertEquals(Set.of(), tags());

        assertEquals(List.of(family), publisher.pushFamilies(List.of(family)));
        assertEquals(Set.of("1.0"), tags());
        Publisher elsewhere = publisher(new Cache(directory.resolve("elsewhere")));
        elsewhere.pull(List.of(new Item(family.reference(), Arch.X86_64), new Item(family.reference(), Arch.AARCH64)));
        ImageStore other = ImageStore.of(new Cache(directory.resolve("elsewhere")));
        for (Item item : family.members()) {
            assertEquals(stored(item), other.find(family.reference(), item.arch()).orElseThrow());
        }
    }

    /** The line is cut for good at each place in turn; then there is no tag, and what was brought over is not sent again. */
    @ParameterizedTest
    @ValueSource(strings = {"blobs/uploads/", "blobs/uploads/1", "manifests/"})
    void aPushThatIsCutOffLeavesNoTagAndIsTakenUp(String place) throws IOException {
        AtomicInteger passed = new AtomicInteger();
        fake.trouble = exchange -> {
            boolean writes = !exchange.getRequestMethod().equals("HEAD") && !exchange.getRequestMethod().equals("GET");
            if (writes && exchange.getRequestURI().getPath().endsWith(place) | place.equals("manifests/")
                    && exchange.getRequestURI().getPath().contains(place) && passed.incrementAndGet() > 1) {
                exchange.getRequestBody().readNBytes(10);
                exchange.close();
                return true;
            }
            return false;
        };
        HookException e = assertThrows(HookException.class, () -> publisher.pushFamilies(List.of(family)));
        assertTrue(e.getMessage().contains("cannot be reached"), e.getMessage());
        assertEquals(Set.of(), tags(), "nothing stands for what is not complete");

        int there = fake.blobs.size();
        fake.trouble = exchange -> false;
        fake.requests.clear();
        publisher.pushFamilies(List.of(family));
        assertEquals(Set.of("1.0"), tags());
        // Two layers and two configurations, less what was there.
        assertEquals(4 - there, uploads(), "after " + there + " blobs");
    }

    @Test
    void aRegistryThatStumblesIsTriedAgain() throws IOException {
        // Each request once, not every third of all: pushes run in parallel, and every third may be the same one three times.
        Set<String> stumbled = ConcurrentHashMap.newKeySet();
        fake.trouble = exchange -> {
            if (stumbled.add(exchange.getRequestMethod() + " " + exchange.getRequestURI())) {
                exchange.getRequestBody().readAllBytes();
                FakeRegistry.answer(exchange, stumbled.size() % 2 == 0 ? 500 : 429, FakeRegistry.error("busy"));
                return true;
            }
            return false;
        };
        publisher.push(List.of(amd64));
        assertEquals(Set.of("0123-amd64"), tags());
        for (String method : List.of("HEAD", "POST", "PUT")) {
            assertTrue(stumbled.stream().anyMatch(request -> request.startsWith(method)), method + ": " + stumbled);
        }
    }

    @ParameterizedTest
    @CsvSource({"401, wants a login", "403, does not let anybody write", "404, has no", "429, asked too often", "500, failed (500) 3 times"})
    void aRefusalIsNamedAndLeavesNoTag(int status, String message) {
        fake.trouble = exchange -> {
            if (exchange.getRequestMethod().equals("POST")) {
                exchange.getRequestBody().readAllBytes();
                FakeRegistry.answer(exchange, status, FakeRegistry.error("no"));
                return true;
            }
            return false;
        };
        HookException e = assertThrows(HookException.class, () -> publisher.push(List.of(amd64)));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertEquals(Set.of(), tags());
    }

    @Test
    void whatIsNotInTheStoreIsNotPushedAndNothingElseIs() {
        Item missing = new Item(amd64.reference().withTag("none"), Arch.X86_64);
        HookException e = assertThrows(HookException.class, () -> publisher.push(List.of(amd64, missing)));
        assertTrue(e.getMessage().contains(":none") && e.getMessage().contains("hook:pull"), e.getMessage());
        assertEquals(Set.of(), tags());
    }

    @ParameterizedTest
    @CsvSource({"AS_STORED, .tar, true", "UNCOMPRESSED, .tar.gz, false"})
    void whatIsExportedIsImportedElsewhere(ImageArchive.Layers layers, String ending, boolean sameDigest) throws IOException {
        List<Path> files = publisher.export(List.of(amd64, arm64), layers, directory.resolve("out"));
        assertEquals(List.of("b-0123-amd64" + ending, "b-4567-arm64" + ending), files.stream().map(f -> f.getFileName().toString()).toList());
        publisher.export(List.of(amd64), layers, directory.resolve("again"));
        assertArrayEquals(Files.readAllBytes(files.get(0)), Files.readAllBytes(directory.resolve("again/b-0123-amd64" + ending)));

        Cache cache = new Cache(directory.resolve("elsewhere"));
        assertEquals(2, publisher(cache).read(List.of(directory.resolve("out"))).size());
        for (Item item : family.members()) {
            Image there = ImageStore.of(cache).find(item.reference(), item.arch()).orElseThrow();
            assertEquals(stored(item).config().diffIds(), there.config().diffIds());
            assertEquals(sameDigest, stored(item).digest().equals(there.digest()));
        }
    }

    @Test
    void plainLayersAreNotKeptInTheStore() throws IOException {
        long before = size(store.layout());
        publisher.export(List.of(amd64), ImageArchive.Layers.UNCOMPRESSED, directory.resolve("out"));
        assertTrue(size(store.layout()) - before < 1000, "nothing but a manifest came in");
    }

    private static long size(Path tree) throws IOException {
        try (var files = Files.walk(tree)) {
            return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
        }
    }

    @Test
    void whatIsNoArchiveIsNamed() throws IOException {
        Path none = directory.resolve("none");
        assertTrue(assertThrows(HookException.class, () -> publisher.read(List.of(none))).getMessage().contains("There is no " + none));
        Files.createDirectories(none);
        assertTrue(assertThrows(HookException.class, () -> publisher.read(List.of(none))).getMessage().contains("No archive"));
        Path cut = publisher.export(List.of(amd64), ImageArchive.Layers.AS_STORED, directory.resolve("out")).get(0);
        Path half = Files.write(none.resolve("half.tar"), Arrays.copyOf(Files.readAllBytes(cut), (int) (Files.size(cut) / 2)));
        assertThrows(IOException.class, () -> {
            try {
                publisher(new Cache(directory.resolve("elsewhere"))).read(List.of(half));
            } catch (HookException e) {
                throw new IOException(e);
            }
        });
        assertEquals(Optional.empty(), ImageStore.of(new Cache(directory.resolve("elsewhere"))).find(amd64.reference(), Arch.X86_64));
    }
}
