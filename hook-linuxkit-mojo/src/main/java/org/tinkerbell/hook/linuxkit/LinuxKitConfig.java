package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.YamlFile;
import tools.jackson.databind.JsonNode;

/**
 * A LinuxKit YAML, checked: LinuxKit 1.8, docs/yaml.md and src/cmd/linuxkit/moby/config.go. What a value stands for is
 * decided where it is used; here every key is known and has the right type, names are unique and images have names.
 */
public final class LinuxKitConfig {
    private static final int FIRST_ID = 100;

    private final YamlFile source;
    private final Optional<Kernel> kernel;
    private final List<ImageUse> init;
    private final List<Container> containers;
    private final List<FileSpec> files;
    private final List<Volume> volumes;

    /** Where a container is declared, in the order in which they are laid out. */
    public enum Section {
        ONBOOT,
        ONSHUTDOWN,
        SERVICES;

        /** The key in the YAML, and the directory below {@code containers/}. */
        public String key() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * A place that names an image.
     *
     * @param written as the YAML has it
     * @param name the full name
     * @param pointer where it is, for messages
     */
    public record ImageUse(String written, String name, String pointer) {}

    /**
     * The kernel.
     *
     * @param image where it is; without one there is neither kernel nor command line in the result
     * @param cmdline its command line
     * @param binary path of the kernel in the image
     * @param tar path of the tar for the root, or empty for none
     * @param ucode path of the microcode, or empty for none
     */
    public record Kernel(Optional<ImageUse> image, String cmdline, String binary, String tar, String ucode) {}

    /**
     * A container.
     *
     * @param index its number in the section, from 0
     * @param settings the whole entry of the YAML
     * @param pointer where it is
     */
    public record Container(Section section, int index, String name, ImageUse image, JsonNode settings, String pointer) {
        /** Its directory in the result, such as {@code containers/onboot/000-sysctl}. */
        public String path() {
            String prefix = section == Section.SERVICES ? "" : String.format(Locale.ROOT, "%03d-", index);
            return "containers/" + section.key() + "/" + prefix + name;
        }
    }

    /**
     * A named directory that containers share.
     *
     * @param platforms what an image layout is limited to; empty: no limit
     */
    public record Volume(String name, Optional<ImageUse> image, boolean readonly, boolean layout, List<String> platforms, String pointer) {
        /** Its directory in the result. */
        public String path() {
            return "containers/volumes/" + name;
        }
    }

    /**
     * An entry of the {@code files} section; see the schema for its keys.
     *
     * @param value the entry of the YAML
     * @param pointer where it is
     */
    public record FileSpec(JsonNode value, String pointer) {}

    private LinuxKitConfig(YamlFile source) {
        this.source = source;
        JsonNode root = source.root();
        this.kernel = root.has("kernel") ? Optional.of(kernel(root.get("kernel"))) : Optional.empty();
        List<ImageUse> inits = new ArrayList<>();
        for (int i = 0; i < root.path("init").size(); i++) {
            inits.add(image("/init/" + i));
        }
        this.init = List.copyOf(inits);
        this.containers = containers(root);
        this.volumes = volumes(root);
        List<FileSpec> specs = new ArrayList<>();
        for (int i = 0; i < root.path("files").size(); i++) {
            specs.add(new FileSpec(root.get("files").get(i), "/files/" + i));
        }
        this.files = List.copyOf(specs);
    }

    /** Reads a file; see {@link #parse}. */
    public static LinuxKitConfig read(Path file) throws IOException {
        return of(YamlFile.read(file));
    }

    /**
     * Reads a text.
     *
     * @param name what messages call it
     * @throws HookException if it is not YAML, or not LinuxKit's: with file, line, key and what is allowed
     */
    public static LinuxKitConfig parse(String name, String text) {
        return of(YamlFile.parse(name, text));
    }

    private static LinuxKitConfig of(YamlFile file) {
        return new LinuxKitConfig(file.validate(LinuxKitConfig.class, "linuxkit.schema.json"));
    }

    /** The document, for messages about places in it. */
    public YamlFile source() {
        return source;
    }

    /** The kernel section. */
    public Optional<Kernel> kernel() {
        return kernel;
    }

    /** The images that are unpacked at the root. */
    public List<ImageUse> init() {
        return init;
    }

    /** The containers of all sections, in the order of {@link Section}. */
    public List<Container> containers() {
        return containers;
    }

    /** The volumes. */
    public List<Volume> volumes() {
        return volumes;
    }

    /** The files. */
    public List<FileSpec> files() {
        return files;
    }

    /** Whether there is a section of no effect that old files have. */
    public boolean hasTrust() {
        return source.root().has("trust");
    }

    /** Every image that the result is made from, by full name, with the first place that names it. */
    public Map<String, ImageUse> images() {
        Map<String, ImageUse> images = new LinkedHashMap<>();
        kernel.flatMap(Kernel::image).ifPresent(use -> images.put(use.name(), use));
        init.forEach(use -> images.putIfAbsent(use.name(), use));
        volumes.forEach(volume -> volume.image().ifPresent(use -> images.putIfAbsent(use.name(), use)));
        containers.forEach(container -> images.putIfAbsent(container.image().name(), container.image()));
        return images;
    }

    /** The ids that users and groups may be named by: from 100 on in the order of the containers, the last of a name counts. */
    public Map<String, Integer> ids() {
        Map<String, Integer> ids = new LinkedHashMap<>();
        int next = FIRST_ID;
        for (Container container : containers) {
            ids.put(container.name(), next++);
        }
        return ids;
    }

    private Kernel kernel(JsonNode value) {
        return new Kernel(
                value.path("image").asString("").isEmpty() ? Optional.empty() : Optional.of(image("/kernel/image")),
                value.path("cmdline").asString(""),
                value.path("binary").asString("").isEmpty() ? "kernel" : value.get("binary").asString(),
                !value.has("tar") ? "kernel.tar" : value.get("tar").asString().equals("none") ? "" : value.get("tar").asString(),
                value.path("ucode").asString(""));
    }

    private List<Container> containers(JsonNode root) {
        List<Container> all = new ArrayList<>();
        for (Section section : Section.values()) {
            Set<String> names = new HashSet<>();
            JsonNode list = root.path(section.key());
            for (int i = 0; i < list.size(); i++) {
                String pointer = "/" + section.key() + "/" + i;
                String name = list.get(i).get("name").asString();
                if (!names.add(name) && section == Section.SERVICES) {
                    throw source.error(pointer + "/name", "there is another service of the name '" + name + "'; each runs under its name");
                }
                all.add(new Container(section, i, name, image(pointer + "/image"), list.get(i), pointer));
            }
        }
        return List.copyOf(all);
    }

    private List<Volume> volumes(JsonNode root) {
        List<Volume> all = new ArrayList<>();
        Set<String> names = new HashSet<>();
        JsonNode list = root.path("volumes");
        for (int i = 0; i < list.size(); i++) {
            String pointer = "/volumes/" + i;
            JsonNode value = list.get(i);
            String name = value.path("name").asString("");
            if (name.isEmpty()) {
                throw source.error(pointer, "the key 'name' is missing");
            }
            if (!names.add(name)) {
                throw source.error(pointer + "/name", "there is another volume of the name '" + name + "'");
            }
            List<String> platforms = new ArrayList<>();
            value.path("platforms").forEach(platform -> platforms.add(platform.asString()));
            all.add(new Volume(
                    name,
                    value.path("image").asString("").isEmpty() ? Optional.empty() : Optional.of(image(pointer + "/image")),
                    value.path("readonly").asBoolean(false),
                    value.path("format").asString("").equals("oci"),
                    List.copyOf(platforms),
                    pointer));
        }
        return List.copyOf(all);
    }

    private ImageUse image(String pointer) {
        String written = source.root().at(pointer).asString();
        try {
            return new ImageUse(written, ImageName.of(written).text(), pointer);
        } catch (HookException e) {
            throw source.error(pointer, e.getMessage());
        }
    }
}
