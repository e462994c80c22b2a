package org.tinkerbell.hook.container;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarFile;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class EngineStoreTest {
    private static final ImageReference NAME = ImageReference.parse("example.org/a/app:1");
    private static final List<Entry> LOWER = List.of(Entry.directory("a", 0750).withOwner(7, 8), file("a/1"), file("a/2"), Entry.directory("b", 0755),
            file("b/1"), Entry.directory("b/sub", 0755), file("b/sub/x"), file("c"));

    @TempDir
    Path directory;

    private Cache cache;
    private ImageStore store;

    @BeforeEach
    void makeStore() {
        cache = new Cache(directory.resolve("cache"));
        store = ImageStore.of(cache);
    }

    private static Entry file(String path) {
        return Entry.file(path, 0644, Content.of("content of " + path));
    }

    @SafeVarargs
    private Image image(ImageReference name, List<Entry>... layers) throws IOException {
        return LayeredImage.of(store, cache, directory, name, layers);
    }

    /** What overlay2 has of each layer, by the number of layers below; a whiteout with an exclamation mark. */
    private static Map<Integer, String> layers(EngineStore engine) throws IOException {
        Map<String, Integer> depths = new TreeMap<>();
        Map<Integer, String> layers = new TreeMap<>();
        for (Entry entry : engine.entries()) {
            String[] parts = entry.path().split("/", 4);
            if (parts[0].equals("overlay2") && parts.length == 3 && parts[2].equals("link")) {
                depths.put(parts[1], 0);
            }
        }
        for (Entry entry : engine.entries()) {
            String[] parts = entry.path().split("/", 4);
            if (parts[0].equals("overlay2") && parts.length == 3 && parts[2].equals("lower")) {
                depths.put(parts[1], new String(entry.content().bytes(), StandardCharsets.UTF_8).split(":").length);
            }
        }
        for (Entry entry : engine.entries()) {
            String[] parts = entry.path().split("/", 4);
            if (parts[0].equals("overlay2") && parts.length == 4 && parts[2].equals("diff")) {
                boolean whiteout = entry.type() == Entry.Type.CHARACTER_DEVICE && entry.major() == 0 && entry.minor() == 0;
                layers.merge(depths.get(parts[1]), (whiteout ? "!" : "") + parts[3], (a, b) -> a + " " + b);
            }
        }
        return layers;
    }

    @Test
    void hidesWithDevicesWhatWhiteoutsHide() throws Exception {
        EngineStore engine = new EngineStore(store);
        engine.add(image(NAME, LOWER, List.of(file("a/.wh.1"), file(".wh.c"), file(".wh.never-there"), file("a/3"))), List.of(NAME));
        assertEquals("a !a/1 a/3 !c", layers(engine).get(1));
        // The layer says nothing of the directory itself, which therefore stays as it is below.
        Entry parent = engine.entries().stream().filter(e -> e.path().endsWith("/diff/a")).reduce((first, last) -> last).orElseThrow();
        assertEquals(List.of(0750, 7, 8), List.of(parent.mode(), parent.uid(), parent.gid()));
    }

    @Test
    void hidesAllThatIsBelowAnOpaqueDirectory() throws Exception {
        EngineStore engine = new EngineStore(store);
        engine.add(image(NAME, LOWER, List.of(Entry.directory("b", 0700), file("b/.wh..wh..opq"), Entry.directory("b/sub", 0755), file("b/sub/y"),
                file("a/.wh..wh.plnk"))), List.of(NAME));
        assertEquals("b !b/1 b/sub !b/sub/x b/sub/y", layers(engine).get(1));
    }

    @Test
    void aDirectoryThatWasMadeAnewShowsNothingOfTheOldOne() throws Exception {
        EngineStore engine = new EngineStore(store);
        engine.add(image(NAME, LOWER, List.of(file(".wh.b"), Entry.directory("b", 0755), file("b/2"), file(".wh.c"), file("c"))), List.of(NAME));
        assertEquals("b !b/1 b/2 !b/sub c", layers(engine).get(1));
    }

    @Test
    void sharesLayersAndKnowsImagesByTheirNames() throws Exception {
        ImageReference hub = ImageReference.parse("busybox:1");
        ImageReference pinned = ImageReference.parse("example.org/a/app:1@sha256:" + "0".repeat(64));
        EngineStore engine = new EngineStore(store);
        engine.add(image(NAME, LOWER, List.of(file("one"))), List.of(pinned, hub));
        engine.add(image(ImageReference.parse("other:1"), LOWER, List.of(file("two"))), List.of(ImageReference.parse("docker.io/me/other:1")));
        assertEquals(3, engine.entries().stream().filter(e -> e.path().matches("overlay2/[0-9a-f]+/link")).count());
        JsonNode names = names(engine);
        assertEquals("[busybox, example.org/a/app, me/other]", keys(names));
        assertEquals("[example.org/a/app:1, example.org/a/app@sha256:" + "0".repeat(64) + "]", keys(names.path("example.org/a/app")));
        assertEquals("[busybox:1]", keys(names.path("busybox")));
        assertEquals(names.path("busybox").path("busybox:1"), names.path("example.org/a/app").path("example.org/a/app:1"));
    }

    @Test
    void twoStoresOfTheSameImagesAreTheSame() throws Exception {
        List<String> listings = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            EngineStore engine = new EngineStore(store);
            engine.add(image(NAME, LOWER, List.of(file("one"))), List.of(NAME));
            StringBuilder listing = new StringBuilder();
            for (Entry entry : engine.entries()) {
                listing.append(entry.path()).append(' ').append(entry.mode()).append(entry.link())
                        .append(entry.content() == null ? "" : entry.content().digest()).append('\n');
            }
            listings.add(listing.toString());
        }
        assertEquals(listings.get(0), listings.get(1));
    }

    @Test
    void tellsWhoseAttributesAreLost() throws Exception {
        Entry ping = file("bin/ping").withXattrs(Map.of("security.capability", "x"));
        EngineStore engine = new EngineStore(store);
        engine.add(image(NAME, List.of(ping, file("bin/other"))), List.of(NAME));
        assertEquals(List.of("/bin/ping"), engine.losses());
        assertTrue(engine.entries().stream().allMatch(entry -> entry.xattrs().isEmpty()));
    }

    @Test
    void noImagesAreNothing() throws Exception {
        assertEquals(List.of(), new EngineStore(store).entries());
    }

    /** Puts the tar together again as tar-split's assembler does, and compares. */
    @Test
    void aLayersTarCanBePutTogetherAgain() throws Exception {
        String longName = "d".repeat(90) + "/" + "e".repeat(90) + "/" + "f".repeat(120);
        List<Entry> layer = new ArrayList<>(LOWER);
        layer.add(file(longName));
        layer.add(Entry.file("big", 0644, Content.of("0123456789".repeat(20_000))));
        layer.add(Entry.file("empty", 0644, Content.of("")));
        layer.add(Entry.symlink("link", "a/1"));
        Content shared = Content.of("shared");
        layer.add(Entry.file("hard1", 0644, shared));
        layer.add(Entry.file("hard2", 0644, shared));
        layer.add(file("gr\u00fc\u00dfe").withXattrs(Map.of("security.capability", "\u0001\u0000\u0000\u0002")));
        Image image = image(NAME, layer);
        TarFile tar = store.layers(image).get(0);
        Map<String, byte[]> files = new TreeMap<>();
        for (Entry entry : tar.entries()) {
            if (entry.type() == Entry.Type.FILE) {
                files.put(entry.path(), entry.content().bytes());
            }
        }
        ByteArrayOutputStream again = new ByteArrayOutputStream();
        int position = 0;
        List<String> crcs = new ArrayList<>();
        String text = new String(new GZIPInputStream(new ByteArrayInputStream(TarSplit.of(tar.path()).bytes())).readAllBytes(), StandardCharsets.UTF_8);
        for (String line : text.lines().toList()) {
            JsonNode item = new JsonMapper().readTree(line);
            assertEquals(position++, item.path("position").asInt());
            byte[] payload = Base64.getDecoder().decode(item.path("payload").asString());
            if (item.path("type").asInt() == 2) {
                again.writeBytes(payload);
            } else {
                byte[] content = files.get(item.path("name").asString());
                assertEquals(content.length, item.path("size").asInt(), line);
                again.writeBytes(content);
                crcs.add(item.path("name").asString().charAt(0) + " " + java.util.HexFormat.of().formatHex(payload));
            }
        }
        assertArrayEquals(Files.readAllBytes(tar.path()), again.toByteArray());
        assertEquals(files.values().stream().filter(content -> content.length > 0).count() - 1, crcs.size(), "each file once, hard links once");
    }

    /** The check value of CRC-64/GO-ISO in the catalogue of parametrised CRC algorithms. */
    @Test
    void theChecksumIsGos() throws Exception {
        Image image = image(NAME, List.of(Entry.file("f", 0644, Content.of("123456789"))));
        String text = new String(new GZIPInputStream(new ByteArrayInputStream(TarSplit.of(store.layers(image).get(0).path()).bytes())).readAllBytes(),
                StandardCharsets.UTF_8);
        String payload = Base64.getEncoder().encodeToString(java.util.HexFormat.of().parseHex("b90956c775a41001"));
        assertTrue(text.lines().anyMatch(line -> line.contains("\"type\":1") && line.contains(payload)), text);
        assertFalse(text.contains("123456789"));
    }

    private static JsonNode names(EngineStore engine) throws IOException {
        Entry file = engine.entries().stream().filter(e -> e.path().equals("image/overlay2/repositories.json")).findFirst().orElseThrow();
        return new JsonMapper().readTree(file.content().bytes()).path("Repositories");
    }

    private static String keys(JsonNode node) {
        return node.properties().stream().map(Map.Entry::getKey).collect(Collectors.toList()).toString();
    }
}
