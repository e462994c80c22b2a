package org.tinkerbell.hook.linuxkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.initramfs.Listing;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.DockerRegistry;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageBuilder;
import org.tinkerbell.hook.oci.ImageConfig;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.oci.Registry;
import org.tinkerbell.hook.oci.RegistrySettings;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarWriter;
import tools.jackson.databind.json.JsonMapper;

/**
 * Hook's own template with either set of images, where the LinuxKit project's, by their names, are in a registry (Debian's {@code docker-registry})
 * on the loopback device.
 */
class LinuxKitImagesIT {
    private static final List<String> OF_LINUXKIT = List.of("ca-certificates", "dhcpcd", "firmware", "getty", "init", "modprobe", "openntpd", "rngd",
            "sshd", "sysctl", "sysfs");
    private static final List<String> OF_HOOK = List.of("acpid", "bootkit", "ca-certificates", "containerd", "dhcpcd", "docker", "embedded", "firmware",
            "getty", "init", "modprobe", "ntpd", "rngd", "runc", "sshd", "sysctl", "sysfs", "udev");

    @TempDir
    Path work;

    private DockerRegistry registry;
    private String host;
    private Path file;

    @BeforeEach
    void registryWithTheImages() throws Exception {
        registry = DockerRegistry.start(work);
        host = registry.host();
        ImageStore elsewhere = ImageStore.of(new Cache(work.resolve("elsewhere")));
        StringBuilder text = new StringBuilder("images:\n");
        for (String name : OF_LINUXKIT) {
            ImageReference reference = ImageReference.parse(host + "/linuxkit/" + name + ":0123abcd");
            List<Image> images = new ArrayList<>();
            for (Arch arch : Arch.values()) {
                images.add(new ImageBuilder(elsewhere).build(reference, ImageConfig.of(arch).withCmd(List.of("/" + name)),
                        List.of(Entry.file(name, 0755, Content.of("LinuxKit's " + name + " for " + arch.ociName()))), 0));
            }
            registry(elsewhere).push(reference, images);
            text.append("  ").append(name).append(": ").append(reference).append('\n');
        }
        file = Files.writeString(work.resolve("linuxkit-images.yaml"), text);
    }

    @AfterEach
    void endRegistry() {
        if (registry != null) {
            registry.close();
        }
    }

    private Registry registry(ImageStore store) {
        return new Registry(store, RegistrySettings.of(NetworkSettings.defaults(), Map.of()).withInsecure(Set.of(host)), Progress.SILENT);
    }

    /** The system of Hook's template: a listing of it, with the set of LinuxKit or, without names, Hook's own. */
    private Listing system(String directory, Arch arch, Optional<Map<String, String>> linuxkit) throws IOException {
        Cache cache = new Cache(work.resolve("cache-" + directory));
        ImageStore store = ImageStore.of(cache);
        Map<String, String> names = new TreeMap<>();
        for (String name : OF_HOOK) {
            String reference = "hook.test/hook-" + name + ":1";
            new ImageBuilder(store).build(ImageReference.parse(reference), ImageConfig.of(arch).withCmd(List.of("/hook-" + name)),
                    List.of(Entry.file("hook-" + name, 0755, Content.of("Hook's " + name))), 0);
            names.put("hook-" + name, reference);
        }
        ByteArrayOutputStream modules = new ByteArrayOutputStream();
        TarWriter.write(List.of(Entry.directory("lib", 0755)), modules, 0);
        new ImageBuilder(store).build(ImageReference.parse("hook.test/kernel:1"), ImageConfig.of(arch), List.of(
                Entry.file("kernel", 0644, Content.of("kernel")), Entry.file("kernel.tar", 0644, Content.of(modules.toByteArray()))), 0);
        TemplateVariables variables = TemplateVariables.of("1", "test", "hook.test/kernel:1", "6.12", names)
                .with(new DebugKeys(List.of("ssh-rsa AAAA nobody")));
        variables = linuxkit.isPresent() ? variables.withLinuxKit(linuxkit.get()) : variables;
        Path templates = Path.of("..", "hook-flavors", "src", "main", "resources");
        String yaml = Template.read(templates.resolve("hook.template.yaml")).render(variables.names(), variables.values(), true)
                // The sshd that debug builds have.
                .replace("#SSH_SERVER", "");
        Engine.Result result = new EmbeddedEngine(new StoreImages(store, registry(store)::pull), cache, Progress.SILENT).build(new Engine.Request(
                LinuxKitConfig.parse("hook.yaml", yaml), arch, "hook", work.resolve(directory), templates, Compression.parse("none"), 0));
        try (InputStream in = Files.newInputStream(result.initrd())) {
            return Listing.ofCpio(in);
        }
    }

    @Test
    void eitherSetMakesASystemWithTheSameAgents() throws Exception {
        LinuxKitImages.Renewal renewal = LinuxKitImages.read(file).renewed(registry(ImageStore.of(new Cache(work.resolve("none"))))::digest);
        assertEquals(OF_LINUXKIT.size(), renewal.changes().size());
        Files.writeString(file, renewal.text());
        Map<String, String> names = LinuxKitImages.read(file).names(LockMode.STRICT, Progress.SILENT);
        names.forEach((name, reference) -> assertTrue(reference.matches("\\Q" + host + "/linuxkit/" + name + "\\E:0123abcd@sha256:[0-9a-f]{64}"), reference));

        for (Arch arch : Arch.values()) {
            Listing ours = system("debian-" + arch.ociName(), arch, Optional.empty());
            Listing theirs = system("linuxkit-" + arch.ociName(), arch, Optional.of(names));
            for (String name : List.of("init", "ca-certificates", "firmware")) {
                assertEquals("LinuxKit's " + name + " for " + arch.ociName(), theirs.text(name));
            }
            Map<String, String> containers = Map.of("onboot/000-rngd1/lower", "rngd", "onboot/001-sysctl/lower", "sysctl", "onboot/002-sysfs/lower", "sysfs",
                    "onboot/003-modprobe/lower", "modprobe", "onboot/005-dhcpcd-once/lower", "dhcpcd", "services/ntpd/lower", "openntpd",
                    "services/getty/lower", "getty", "services/sshd/lower", "sshd");
            containers.forEach((path, name) ->
                    assertEquals("LinuxKit's " + name + " for " + arch.ociName(), theirs.text("containers/" + path + "/" + name), path));
            assertEquals("[\"/sbin/rngd\",\"-1\"]", new JsonMapper().readTree(theirs.text("containers/onboot/000-rngd1/config.json"))
                    .at("/process/args").toString());

            // Nothing of Hook's that has a namesake is left, and what has none is the same.
            List<String> left = theirs.lines().keySet().stream().map(path -> path.replaceFirst(".*/", ""))
                    .filter(name -> name.startsWith("hook-")).map(name -> name.substring(5)).sorted().distinct().toList();
            assertEquals(List.of("acpid", "bootkit", "containerd", "docker", "embedded", "runc", "udev"),
                    left.stream().filter(OF_HOOK::contains).toList());
            for (String agent : List.of("hook-docker", "hook-bootkit")) {
                assertEquals(below(ours, "containers/services/" + agent), below(theirs, "containers/services/" + agent));
                assertTrue(below(ours, "containers/services/" + agent).size() > 5, agent);
            }
        }
    }

    private static Map<String, String> below(Listing listing, String directory) {
        return listing.lines().subMap(directory + "/", directory + "0");
    }
}
