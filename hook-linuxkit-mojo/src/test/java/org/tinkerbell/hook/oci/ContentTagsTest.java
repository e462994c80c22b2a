package org.tinkerbell.hook.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;

class ContentTagsTest {
    @TempDir
    Path directory;

    private final List<String> said = new ArrayList<>();
    private FakeRegistry fake;
    private ImageStore target;
    private ContentTags tags;

    @BeforeEach
    void start() throws IOException {
        fake = new FakeRegistry();
        target = ImageStore.of(new Cache(directory.resolve("target")));
        tags = new ContentTags(registry(target), registry(target), new Progress() {
            @Override
            public Task start(String what, long total, Unit unit) {
                return amount -> {};
            }

            @Override
            public void info(String message) {
                said.add(message);
            }

            @Override
            public void warn(String message) {
                said.add(message);
            }
        });
    }

    @AfterEach
    void stop() {
        fake.close();
    }

    private Registry registry(ImageStore store) {
        NetworkSettings once = NetworkSettings.defaults().withRetries(1, Duration.ofMillis(5), Duration.ofMillis(5), Duration.ofSeconds(30));
        return new Registry(store, RegistrySettings.of(once, Map.of("DOCKER_CONFIG", directory.resolve("docker").toString())), Progress.SILENT);
    }

    private ImageReference name(String tag) {
        return ImageReference.parse(fake.host() + "/a/b:" + tag);
    }

    @Test
    void whatSomebodyHasPushedNeedNotBeMade() throws IOException {
        ImageStore source = ImageStore.of(new Cache(directory.resolve("source")));
        Image image = new ImageBuilder(source).build(name("1-amd64"), ImageStoreTest.config(Arch.X86_64), ImageStoreTest.tree("x"), 0);
        registry(source).push(name("1-amd64"), List.of(image));
        assertEquals(Optional.of(image), tags.find(name("1-amd64"), Arch.X86_64));
        assertEquals(Optional.of(image), target.find(name("1-amd64"), Arch.X86_64));
        fake.requests.clear();
        assertEquals(Optional.empty(), tags.find(name("2-amd64"), Arch.X86_64));
        assertEquals(List.of("GET /v2/a/b/manifests/2-amd64"), fake.requests, "one question");
        assertEquals(List.of(), said);
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403, 429, 500, 0})
    void aRegistryThatDoesNotAnswerWellIsAskedOnce(int status) throws IOException {
        fake.trouble = exchange -> {
            if (status == 0) {
                exchange.close();
            } else {
                FakeRegistry.answer(exchange, status, FakeRegistry.error("no"));
            }
            return true;
        };
        assertEquals(Optional.empty(), tags.find(name("1-amd64"), Arch.X86_64));
        int asked = fake.requests.size();
        for (int i = 2; i < 9; i++) {
            assertEquals(Optional.empty(), tags.find(name(i + "-amd64"), Arch.X86_64));
        }
        assertEquals(asked, fake.requests.size());
        assertEquals(1, said.size(), said.toString());
        assertTrue(said.get(0).contains(fake.host()), said.toString());
    }
}
