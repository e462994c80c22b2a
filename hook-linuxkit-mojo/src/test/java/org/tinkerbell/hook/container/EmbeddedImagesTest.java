package org.tinkerbell.hook.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.container.ContainerImages.Built;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

class EmbeddedImagesTest {
    private static final ImageReference APP = ImageReference.parse("example.org/app:1");

    @TempDir
    Path directory;

    private Cache cache;
    private ImageStore store;
    private final List<String> pulled = new ArrayList<>();

    @BeforeEach
    void makeStore() {
        cache = new Cache(directory.resolve("cache"));
        store = ImageStore.of(cache);
    }

    private EmbeddedImages list(String yaml) throws IOException {
        return EmbeddedImages.read(Files.writeString(directory.resolve("images.yaml"), yaml));
    }

    private ContainerImages.Addition resolve(EmbeddedImages list, LockMode mode, Built... own) throws IOException {
        return list.resolve(store, Arch.host(), mode, (reference, arch) -> {
            pulled.add(reference + " " + arch.ociName());
            if (reference.repository().equals("nowhere")) {
                throw new HookException("the registry has no " + reference);
            }
            image(reference);
        }, List.of(own), "etc/embedded-images", Progress.SILENT);
    }

    private Image image(ImageReference reference) throws IOException {
        return LayeredImage.of(store, cache, directory, reference, List.of(Entry.file("app", 0755, Content.of("app"))));
    }

    private static String names(ContainerImages.Addition addition) throws IOException {
        for (Entry entry : addition.entries()) {
            if (entry.path().equals("etc/embedded-images/image/overlay2/repositories.json")) {
                return new String(entry.content().bytes(), StandardCharsets.UTF_8).replaceAll("sha256:[0-9a-f]{64}", "ID");
            }
        }
        return "";
    }

    @Test
    void pullsWhatTheStoreLacksForTheArchitecture() throws Exception {
        ContainerImages.Addition addition = resolve(list("images: [{source: 'example.org/app:1'}]"), LockMode.LENIENT);
        assertEquals(List.of("example.org/app:1 " + Arch.host().ociName()), pulled);
        assertEquals("{\"Repositories\":{\"example.org/app\":{\"example.org/app:1\":\"ID\"}}}", names(addition));
        resolve(list("images: [{source: 'example.org/app:1'}]"), LockMode.LENIENT);
        assertEquals(1, pulled.size(), "it is there now");
    }

    @Test
    void namesItAsTheListSays() throws Exception {
        image(APP);
        assertEquals("{\"Repositories\":{\"127.0.0.1/embedded/app\":{\"127.0.0.1/embedded/app:2\":\"ID\"},\"example.org/app\":{\"example.org/app:1\":\"ID\"}}}",
                names(resolve(list("images: [{source: 'example.org/app:1', tag: '127.0.0.1/embedded/app:2'}]"), LockMode.LENIENT)));
        EmbeddedImages dropped = list("images: [{source: 'example.org/app:1', tag: '127.0.0.1/embedded/app:2', dropSource: true}]");
        assertEquals("{\"Repositories\":{\"127.0.0.1/embedded/app\":{\"127.0.0.1/embedded/app:2\":\"ID\"}}}", names(resolve(dropped, LockMode.LENIENT)));
    }

    @Test
    void takesAnImageOfTheTree() throws Exception {
        Built own = new Built("hook-tool", APP, image(APP), true);
        EmbeddedImages list = list("images: [{own: hook-tool, tag: 'tool:1'}]");
        assertEquals("{\"Repositories\":{\"tool\":{\"tool:1\":\"ID\"}}}", names(resolve(list, LockMode.STRICT, own)));
        HookException e = assertThrows(HookException.class, () -> resolve(list("images: [{own: hook-tol, tag: 'tool:1'}]"), LockMode.LENIENT, own));
        assertTrue(e.getMessage().contains("images.yaml:1") && e.getMessage().contains("there are: hook-tool"), e.getMessage());
    }

    @Test
    void isStrictAboutDigests() throws Exception {
        image(APP);
        EmbeddedImages list = list("images:\n- source: example.org/app:1\n");
        HookException e = assertThrows(HookException.class, () -> resolve(list, LockMode.STRICT));
        assertTrue(e.getMessage().contains("images.yaml:2") && e.getMessage().contains("has no digest"), e.getMessage());
        String pinned = "example.org/app:1@" + store.find(APP, Arch.host()).orElseThrow().digest();
        assertTrue(names(resolve(list("images: [{source: '" + pinned + "'}]"), LockMode.STRICT)).contains("example.org/app@ID"));
    }

    @Test
    void leavesOutWhatIsForOtherArchitectures() throws Exception {
        String other = Arch.host() == Arch.X86_64 ? "aarch64" : "x86_64";
        assertEquals(List.of(), resolve(list("images: [{source: 'example.org/nowhere:1', arch: [" + other + "]}]"), LockMode.LENIENT).entries());
        assertEquals(List.of(), pulled);
    }

    @Test
    void theKeyFollowsImagesAndNames() throws Exception {
        image(APP);
        String one = resolve(list("images: [{source: 'example.org/app:1'}]"), LockMode.LENIENT).key();
        assertEquals(one, resolve(list("# a comment\nimages: [{source: 'example.org/app:1'}]"), LockMode.LENIENT).key());
        assertNotEquals(one, resolve(list("images: [{source: 'example.org/app:1', tag: 'x:1'}]"), LockMode.LENIENT).key());
        assertNotEquals(one, resolve(list("images: []"), LockMode.LENIENT).key());
    }

    @Test
    void saysWhereTheListIsWrong() {
        for (String[] wrong : new String[][] {
            {"images: [{source: 'example.org/app:1', dropSource: true}]", "needs a 'tag'"},
            {"images: [{source: 'example.org/Not Good'}]", "is not the name of an image"},
            {"images: [{source: 'a:1', tag: 'b:1@sha256:" + "0".repeat(64) + "'}]", "cannot have a digest"},
            {"images: [{own: hook-tool}]", "tag"},
            {"images: [{source: 'a:1', tga: 'b:1'}]", "tga"},
            {"images: [{source: 'example.org/nowhere:1'}]", "the registry has no"},
        }) {
            HookException e = assertThrows(HookException.class, () -> resolve(list(wrong[0]), LockMode.LENIENT));
            assertTrue(e.getMessage().contains(wrong[1]) && e.getMessage().contains("images.yaml:1"), e.getMessage());
        }
    }
}
