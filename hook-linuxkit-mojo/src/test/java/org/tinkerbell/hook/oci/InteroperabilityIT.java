package org.tinkerbell.hook.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;
import org.tinkerbell.hook.tree.TarFile;
import org.tinkerbell.hook.tree.TarWriter;

/**
 * What others make of our images: a real registry (Debian's {@code docker-registry}), {@code skopeo}, Docker, and the
 * {@code linuxkit} command, from the PATH or the environment's {@code LINUXKIT}. What is not installed is left out.
 */
class InteroperabilityIT {
    private static final ImageReference SERVICE = ImageReference.parse("hook.test/service:1");

    @TempDir
    Path directory;

    private final List<DockerRegistry> started = new ArrayList<>();
    private Cache cache;
    private ImageStore store;

    @BeforeEach
    void build() throws IOException {
        cache = new Cache(directory.resolve("cache"));
        store = ImageStore.of(cache);
        for (Arch arch : Arch.values()) {
            FileTree tree = new FileTree();
            tree.put(Entry.file("bin/service", 0755, Content.of("for " + arch.ociName())));
            tree.put(Entry.file("var/big", 0644, Content.of("0123456789".repeat(300_000))));
            tree.put(Entry.directory("etc", 0755));
            new ImageBuilder(store).build(SERVICE, ImageConfig.of(arch).withCmd(List.of("/bin/service"))
                    .withLabels(Map.of("org.mobyproject.config", "{\"capabilities\":[\"CAP_NET_RAW\"]}")), tree, 0);
            ByteArrayOutputStream modules = new ByteArrayOutputStream();
            TarWriter.write(List.of(Entry.file("lib/modules/1/x.ko", 0644, Content.of("module"))), modules, 0);
            FileTree kernel = new FileTree();
            kernel.put(Entry.file("kernel", 0644, Content.of("a kernel for " + arch.ociName())));
            kernel.put(Entry.file("kernel.tar", 0644, Content.of(modules.toByteArray())));
            new ImageBuilder(store).build(ImageReference.parse("kernel"), ImageConfig.of(arch), kernel, 0);
        }
    }

    @AfterEach
    void end() {
        started.forEach(DockerRegistry::close);
    }

    private static Optional<String> command(String name) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator)).map(d -> Path.of(d, name)).filter(Files::isExecutable)
                .map(Path::toString).findFirst();
    }

    private static String required(String name) {
        Optional<String> command = command(name);
        assumeTrue(command.isPresent(), name + " is not installed");
        return command.get();
    }

    private String run(int expected, String... command) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).directory(directory.toFile());
        // Nothing is to be had from a network, should somebody ask for it.
        for (String proxy : List.of("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")) {
            builder.environment().put(proxy, "http://127.0.0.1:1");
        }
        builder.environment().put("HOME", directory.toString());
        builder.environment().remove("XDG_RUNTIME_DIR");
        Process process = builder.start();
        process.getOutputStream().close();
        String said;
        try (InputStream in = process.getInputStream()) {
            said = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        assertEquals(expected, process.waitFor(), () -> String.join(" ", command) + "\n" + said);
        return said;
    }

    private String registry(String auth) throws Exception {
        DockerRegistry registry = DockerRegistry.start(directory, auth);
        started.add(registry);
        return registry.host();
    }

    private Registry client(ImageStore of) {
        return new Registry(of, RegistrySettings.of(NetworkSettings.defaults(), Map.of("DOCKER_CONFIG", directory.resolve("docker").toString())),
                Progress.SILENT);
    }

    private List<Image> images() throws IOException {
        return List.of(store.find(SERVICE, Arch.X86_64).orElseThrow(), store.find(SERVICE, Arch.AARCH64).orElseThrow());
    }

    @Test
    void aRealRegistryTakesAndGivesImages() throws Exception {
        ImageReference name = ImageReference.parse(registry("") + "/some/where:1");
        assertEquals(Optional.empty(), client(store).digest(name));
        assertEquals(List.of(), client(store).tags(name));
        Digest index = client(store).push(name, images());
        assertEquals(Optional.of(index), client(store).digest(name));
        client(store).push(name.withTag("2"), images().subList(0, 1));
        assertEquals(List.of("1", "2"), client(store).tags(name));
        ImageStore other = ImageStore.of(new Cache(directory.resolve("other")));
        for (Arch arch : Arch.values()) {
            assertEquals(store.find(SERVICE, arch), Optional.of(client(other).pull(ImageReference.parse(name + "@" + index), arch)));
        }
        assertEquals("for arm64", new String(other.tree(images().get(1)).get("bin/service").orElseThrow().content().bytes(),
                StandardCharsets.UTF_8));
        HookException e = assertThrows(HookException.class, () -> client(other).pull(name.withTag("3"), Arch.X86_64));
        assertTrue(e.getMessage().contains("404"), e.getMessage());
        if (command("skopeo").isPresent()) {
            String said = run(0, command("skopeo").get(), "inspect", "--tls-verify=false", "--override-arch", "arm64", "docker://" + name);
            assertTrue(said.contains("\"Architecture\": \"arm64\""), said);
        }
    }

    @Test
    void aRealRegistryChecksTheAccount() throws Exception {
        String htpasswd = required("htpasswd");
        Path passwords = directory.resolve("htpasswd");
        Files.writeString(passwords, run(0, htpasswd, "-Bbn", "joe", "pass:word").strip() + "\n");
        ImageReference name = ImageReference.parse(registry("auth: {htpasswd: {realm: x, path: " + passwords + "}}") + "/a/b:1");
        HookException e = assertThrows(HookException.class, () -> client(store).push(name, images()));
        assertTrue(e.getMessage().contains("wants a login"), e.getMessage());
        Files.createDirectories(directory.resolve("docker"));
        for (String password : List.of("wrong", "pass:word")) {
            Files.writeString(directory.resolve("docker/config.json"), "{\"auths\":{\"" + name.registry() + "\":{\"auth\":\""
                    + Base64.getEncoder().encodeToString(("joe:" + password).getBytes(StandardCharsets.UTF_8)) + "\"}}}");
            if (password.equals("wrong")) {
                e = assertThrows(HookException.class, () -> client(store).push(name, images()));
                assertTrue(e.getMessage().contains("does not accept the account"), e.getMessage());
            } else {
                client(store).push(name, images());
                assertEquals(List.of("1"), client(store).tags(name));
            }
        }
    }

    @Test
    void aCredentialHelperIsAsked() throws Exception {
        assumeTrue(File.separatorChar == '/', "helpers are scripts here");
        Path helper = Files.writeString(directory.resolve("docker-credential-hooktest"), """
                #!/bin/sh
                read server
                [ "$1" = get ] && [ "$server" = registry.test ] || { echo credentials not found in native keychain; exit 1; }
                echo '{"ServerURL":"registry.test","Username":"<token>","Secret":"identity"}'
                """);
        assertTrue(helper.toFile().setExecutable(true));
        Path config = directory.resolve("config.json");
        // A helper's name is looked for on the PATH, which a test cannot change for itself; a path after the prefix does as well.
        Path prefix = Files.createDirectories(directory.resolve("docker-credential-x"));
        Files.move(helper, prefix.resolve("hooktest"));
        ProcessBuilder check = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("java.class.path"), Lookup.class.getName(), config.toString());
        Files.createSymbolicLink(directory.resolve("docker-credential-hooktest"), prefix.resolve("hooktest"));
        check.environment().merge("PATH", directory.toString(), (path, d) -> d + File.pathSeparator + path);
        for (String json : List.of("{\"credsStore\":\"hooktest\"}", "{\"credHelpers\":{\"registry.test\":\"hooktest\",\"other.test\":\"hooktest\"}}")) {
            Files.writeString(config, json);
            Process process = check.redirectErrorStream(true).start();
            assertEquals("registry.test identity true\nother.test none\n", new String(process.getInputStream().readAllBytes(),
                    StandardCharsets.UTF_8));
        }
    }

    /** Says which accounts a configuration has. */
    public static final class Lookup {
        public static void main(String... args) {
            DockerCredentials credentials = new DockerCredentials(Path.of(args[0]));
            for (String registry : List.of("registry.test", "other.test")) {
                System.out.println(registry + " " + credentials.find(registry).map(a -> a.secret() + " " + a.identityToken()).orElse("none"));
            }
        }
    }

    @Test
    void skopeoReadsStoreAndArchive() throws Exception {
        String skopeo = required("skopeo");
        for (Arch arch : Arch.values()) {
            String said = run(0, skopeo, "--override-arch", arch.ociName(), "inspect", "oci:" + store.layout() + ":" + SERVICE);
            assertTrue(said.contains("\"Architecture\": \"" + arch.ociName() + "\""), said);
        }
        Path archive = directory.resolve("image.tar");
        new ImageArchive(store, cache).write(SERVICE, images().get(0), archive);
        // A copy reads every layer, unpacks it and compares its diffID.
        run(0, skopeo, "--insecure-policy", "copy", "oci-archive:" + archive, "dir:" + directory.resolve("copied"));
        run(0, skopeo, "--insecure-policy", "copy", "docker-archive:" + archive, "dir:" + directory.resolve("copied2"));
        // And the other way: what skopeo writes for Docker comes back.
        run(0, skopeo, "--insecure-policy", "copy", "docker-archive:" + archive, "docker-archive:" + directory.resolve("docker.tar") + ":back/again:1");
        ImageStore other = ImageStore.of(new Cache(directory.resolve("other")));
        ImageArchive.Named back = new ImageArchive(other, cache).read(directory.resolve("docker.tar"), Optional.empty()).get(0);
        assertEquals("docker.io/back/again:1", back.reference().toString());
        assertEquals(images().get(0).config().diffIds(), back.image().config().diffIds());
        run(0, skopeo, "--insecure-policy", "copy", "oci-archive:" + archive, "oci-archive:" + directory.resolve("oci.tar") + ":latest");
        ImageReference given = ImageReference.parse("given:1");
        new ImageArchive(other, cache).read(directory.resolve("oci.tar"), Optional.of(given));
        assertTrue(other.find(given, Arch.X86_64).isPresent());
    }

    private static String linuxkit() {
        String set = System.getenv("LINUXKIT");
        return set != null && !set.isBlank() ? set : required("linuxkit");
    }

    @Test
    void linuxKitBuildsFromTheStoreWithoutANetwork() throws Exception {
        String linuxkit = linuxkit();
        Path yaml = Files.writeString(directory.resolve("system.yml"), """
                kernel:
                  image: kernel
                  cmdline: console=ttyS0
                services:
                  - name: service
                    image: hook.test/service:1
                """);
        String list = run(0, linuxkit, "cache", "ls", "--cache", store.layout().toString());
        assertTrue(list.contains("hook.test/service:1") && list.contains("docker.io/library/kernel:latest"), list);
        for (Arch arch : Arch.values()) {
            run(0, linuxkit, "build", "--no-sbom", "--format", "tar", "--arch", arch.ociName(), "--name", arch.ociName(), "--cache",
                    store.layout().toString(), "--dir", directory.toString(), yaml.toString());
            FileTree tree = new FileTree();
            tree.putAll(TarFile.open(directory.resolve(arch.ociName() + ".tar"), "linuxkit's").entries(), FileTree.Clash.REPLACE);
            assertEquals("for " + arch.ociName(), text(tree, "containers/services/service/lower/bin/service"));
            assertEquals("module", text(tree, "lib/modules/1/x.ko"));
            assertTrue(text(tree, "containers/services/service/config.json").contains("CAP_NET_RAW"));
        }
        // It has entered nothing of its own, and what it left is still ours to read.
        assertEquals(images().get(0), ImageStore.of(cache).find(SERVICE, Arch.X86_64).orElseThrow());
    }

    @Test
    void linuxKitImportsArchivesAndSharesTheLayout() throws Exception {
        String linuxkit = linuxkit();
        Path archive = directory.resolve("image.tar");
        new ImageArchive(store, cache).write(SERVICE, images().get(0), archive);
        ImageStore other = ImageStore.of(new Cache(directory.resolve("other")));
        run(0, linuxkit, "cache", "import", "--cache", other.layout().toString(), archive.toString());
        assertEquals(images().get(0), other.find(SERVICE, Arch.X86_64).orElseThrow());
        FileTree tree = new FileTree();
        tree.put(Entry.file("x", 0644, Content.of("x")));
        Image arm64 = new ImageBuilder(other).build(SERVICE, ImageConfig.of(Arch.AARCH64), tree, 0);
        assertEquals(arm64, other.find(SERVICE, Arch.AARCH64).orElseThrow());
        assertEquals(images().get(0), other.find(SERVICE, Arch.X86_64).orElseThrow());
        String list = run(0, linuxkit, "cache", "ls", "--cache", other.layout().toString());
        assertEquals(1, Arrays.stream(list.split("\n")).filter(l -> l.contains("hook.test/service:1")).count(), list);
        assertFalse(list.contains("latest"), list);
    }

    private static String text(FileTree tree, String path) throws IOException {
        return new String(tree.get(path).orElseThrow(() -> new AssertionError("no " + path)).content().bytes(), StandardCharsets.UTF_8);
    }
}
