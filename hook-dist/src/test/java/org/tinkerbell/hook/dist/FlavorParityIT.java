package org.tinkerbell.hook.dist;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.linuxkit.CommandEngine;
import org.tinkerbell.hook.linuxkit.EmbeddedEngine;
import org.tinkerbell.hook.linuxkit.Engine;
import org.tinkerbell.hook.linuxkit.LinuxKitCommand;
import org.tinkerbell.hook.linuxkit.LinuxKitConfig;
import org.tinkerbell.hook.linuxkit.StoreImages;
import org.tinkerbell.hook.linuxkit.Template;
import org.tinkerbell.hook.linuxkit.TemplateVariables;
import org.tinkerbell.hook.oci.ImageStore;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Builds the real YAML of the flavor that was just made, and that of peg, with the real linuxkit command and with both engines, out of the
 * same image store, and compares them entry by entry. The command is that of HOOK_LINUXKIT, or of the PATH.
 *
 * <p>Allowed to differ from LinuxKit: times, PAX records, the order of entries; what is the same is one file with several names.
 */
class FlavorParityIT {
    @TempDir
    Path work;

    private Path command;
    private Arch arch;
    private Path flavor;
    private Cache cache;
    private StoreImages images;

    @BeforeEach
    void setUp() {
        String named = System.getenv("HOOK_LINUXKIT");
        command = named != null ? Path.of(named) : Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .map(directory -> Path.of(directory, "linuxkit"))
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
        assumeTrue(command != null, "no linuxkit command: HOOK_LINUXKIT does not name one, and the PATH has none");
        arch = Arch.of(System.getProperty("hook.arch"));
        flavor = Path.of(System.getProperty("hook.buildDirectory"), "linuxkit");
        cache = new Cache(FlavorUnderTest.cacheDirectory());
        images = new StoreImages(ImageStore.of(cache), (reference, wanted) -> {
            throw new HookException("there is no " + reference + " for " + wanted);
        });
    }

    private Engine.Request request(Path yaml, Path sources, String directory) throws IOException {
        return new Engine.Request(LinuxKitConfig.read(yaml), arch, "hook", work.resolve(directory), sources, Compression.parse("none"), 0);
    }

    private Path linuxkit(Path yaml, Path sources) throws Exception {
        Path tar = work.resolve("linuxkit.tar");
        Path log = work.resolve("linuxkit.log");
        int status = new ProcessBuilder(command.toString(), "build", "--format", "tar", "--arch", arch.ociName(), "--cache",
                        cache.root().resolve("linuxkit").toString(), "--no-sbom", "--o", tar.toString(), yaml.toString())
                .directory(sources.toFile()).redirectErrorStream(true).redirectOutput(log.toFile()).start().waitFor();
        assertEquals(0, status, () -> {
            try {
                return Files.readString(log);
            } catch (IOException e) {
                return e.toString();
            }
        });
        return tar;
    }

    private void compare(Path yaml, Path sources) throws Exception {
        Path tar = linuxkit(yaml, sources);
        UnpackedFiles theirs = UnpackedFiles.ofTar(tar).without("boot");
        Files.delete(tar);
        Engine.Result embedded = new EmbeddedEngine(images, cache, Progress.SILENT).build(request(yaml, sources, "embedded"));
        UnpackedFiles ours = UnpackedFiles.ofCpio(embedded.initrd());

        assertTrue(theirs.lines().size() > 500, "LinuxKit made " + theirs.lines().keySet());
        assertTrue(theirs.documents().size() > 8, "LinuxKit made " + theirs.documents().keySet());
        JsonMapper json = new JsonMapper();
        assertEquals(theirs.documents().keySet(), ours.documents().keySet());
        for (Map.Entry<String, String> document : theirs.documents().entrySet()) {
            assertEquals(json.readTree(document.getValue()), json.readTree(ours.documents().get(document.getKey())), document.getKey());
        }
        assertEquals(List.of(), theirs.differences(ours));

        Engine.Result commanded = new CommandEngine(new LinuxKitCommand(command), images, cache, Progress.SILENT, false)
                .build(request(yaml, sources, "commanded"));
        assertEquals(-1, Files.mismatch(embedded.initrd(), commanded.initrd()), "the engines' initramfs");
        assertArrayEquals(Files.readAllBytes(embedded.kernel().orElseThrow()), Files.readAllBytes(commanded.kernel().orElseThrow()), "the engines' kernel");
        assertEquals(Files.readString(embedded.cmdline().orElseThrow()), Files.readString(commanded.cmdline().orElseThrow()));
        assertEquals(embedded.report(), commanded.report());
    }

    @Test
    void hook() throws Exception {
        compare(flavor.resolve("hook.yaml"), flavor);
    }

    @Test
    void peg() throws Exception {
        Path list = Path.of(System.getProperty("hook.imageLists"), "images-" + arch.ociName() + ".json");
        assumeTrue(Files.exists(list), "the images were not made by this build: there is no " + list);
        Map<String, String> names = new TreeMap<>();
        for (JsonNode image : new JsonMapper().readTree(Files.readAllBytes(list)).get("images")) {
            names.put(image.get("name").asString(), image.get("reference").asString());
        }
        String kernel = LinuxKitConfig.read(flavor.resolve("hook.yaml")).kernel().orElseThrow().image().orElseThrow().name();
        Path templates = Path.of(System.getProperty("hook.templates"));
        TemplateVariables variables = TemplateVariables.of("0", "peg-default-" + arch.ociName(), kernel, "1", names);
        Path yaml = work.resolve("peg.yaml");
        Files.writeString(yaml, Template.read(templates.resolve("peg.template.yaml")).render(variables.names(), variables.values(), true));
        compare(yaml, templates);
    }
}
