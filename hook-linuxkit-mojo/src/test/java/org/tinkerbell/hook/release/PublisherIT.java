package org.tinkerbell.hook.release;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.DockerRegistry;
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

/** What Docker, skopeo and a real registry (Debian's {@code docker-registry}) make of what is published. What is not there is left out. */
class PublisherIT {
    @TempDir
    Path directory;

    private ImageStore store;
    private Publisher publisher;
    private String name;

    @BeforeEach
    void build() throws IOException {
        Cache cache = new Cache(directory.resolve("cache"));
        store = ImageStore.of(cache);
        publisher = publisher(cache);
        name = "hook-publisher-" + UUID.randomUUID();
    }

    private Publisher publisher(Cache cache) {
        ImageStore of = ImageStore.of(cache);
        return new Publisher(of, new Registry(of, RegistrySettings.of(NetworkSettings.defaults(),
                Map.of("DOCKER_CONFIG", directory.resolve("docker").toString())), Progress.SILENT), new ImageArchive(of, cache), Progress.SILENT);
    }

    private Item image(String registry, String tag, Arch arch) throws IOException {
        ImageReference reference = ImageReference.parse(registry + "/" + name + ":" + tag);
        new ImageBuilder(store).build(reference, ImageConfig.of(arch).withCmd(List.of("/x")), List.of(
                Entry.directory("etc", 0755), Entry.file("etc/motd", 0644, Content.of("for " + arch.ociName()))), 0);
        return new Item(reference, arch);
    }

    private static String required(String command) {
        Optional<Path> found = Stream.of(System.getenv("PATH").split(File.pathSeparator)).map(d -> Path.of(d, command))
                .filter(Files::isExecutable).findFirst();
        assumeTrue(found.isPresent(), command + " is not installed");
        return found.get().toString();
    }

    private static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), () -> String.join(" ", command) + "\n" + said);
        return said;
    }

    @Test
    void dockerLoadsWhatIsExported() throws Exception {
        String docker = required("docker");
        assumeTrue(new ProcessBuilder(docker, "info").redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start()
                .waitFor() == 0, "no Docker engine runs");
        Item item = image("hook.test", "1-" + Arch.host().ociName(), Arch.host());
        Path archive = publisher.export(List.of(item), ImageArchive.Layers.UNCOMPRESSED, directory.resolve("out")).get(0);
        try {
            assertTrue(run(docker, "load", "-i", archive.toString()).contains(item.reference().toString()));
            run(docker, "create", "--name", name, item.reference().toString());
            Path motd = directory.resolve("motd");
            run(docker, "cp", name + ":/etc/motd", motd.toString());
            assertEquals("for " + Arch.host().ociName(), Files.readString(motd));

            // And the other way: what Docker saves comes back.
            Path saved = Files.createDirectories(directory.resolve("saved")).resolve("saved.tar");
            run(docker, "save", "-o", saved.toString(), item.reference().toString());
            Cache elsewhere = new Cache(directory.resolve("elsewhere"));
            publisher(elsewhere).read(List.of(saved));
            assertEquals(store.find(item.reference(), item.arch()).orElseThrow().config().diffIds(),
                    ImageStore.of(elsewhere).find(item.reference(), item.arch()).orElseThrow().config().diffIds());
        } finally {
            new ProcessBuilder(docker, "rm", "-f", name).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor();
            new ProcessBuilder(docker, "rmi", "-f", item.reference().toString()).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor();
        }
    }

    @Test
    void skopeoReadsWhatIsExported() throws Exception {
        String skopeo = required("skopeo");
        Item item = image("hook.test", "1-arm64", Arch.AARCH64);
        for (ImageArchive.Layers layers : ImageArchive.Layers.values()) {
            Path archive = publisher.export(List.of(item), layers, directory.resolve(layers.name())).get(0);
            // A copy reads every layer, unpacks it and compares its diffID.
            if (layers == ImageArchive.Layers.AS_STORED) {
                // Its reader of Docker's archives takes no compressed ones, not Docker's own either (1.9).
                run(skopeo, "--insecure-policy", "copy", "docker-archive:" + archive, "dir:" + directory.resolve(layers + "-docker"));
            }
            run(skopeo, "--insecure-policy", "copy", "oci-archive:" + archive, "dir:" + directory.resolve(layers + "-oci"));
        }
    }

    @Test
    void aRealRegistryHasImagesAndTheirIndex() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start(directory)) {
            Item amd64 = image(registry.host(), "0-amd64", Arch.X86_64);
            Item arm64 = image(registry.host(), "1-arm64", Arch.AARCH64);
            Family family = new Family(amd64.reference().withTag("9.9"), List.of(amd64, arm64));
            assertEquals(List.of(amd64, arm64), publisher.push(List.of(amd64, arm64)));
            assertEquals(List.of(family), publisher.pushFamilies(List.of(family)));
            assertEquals(List.of(), publisher.push(List.of(amd64, arm64)), "they are there");

            Cache elsewhere = new Cache(directory.resolve("elsewhere"));
            publisher(elsewhere).pull(List.of(amd64, new Item(family.reference(), Arch.AARCH64)));
            assertEquals(store.find(amd64.reference(), Arch.X86_64), ImageStore.of(elsewhere).find(amd64.reference(), Arch.X86_64));
            assertEquals(store.find(arm64.reference(), Arch.AARCH64), ImageStore.of(elsewhere).find(family.reference(), Arch.AARCH64));
            String skopeo = required("skopeo");
            String said = run(skopeo, "inspect", "--tls-verify=false", "--override-arch", "arm64", "docker://" + family.reference());
            assertTrue(said.contains("\"Architecture\": \"arm64\""), said);
        }
    }
}
