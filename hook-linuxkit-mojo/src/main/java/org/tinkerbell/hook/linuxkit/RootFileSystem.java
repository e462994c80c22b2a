package org.tinkerbell.hook.linuxkit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarFile;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Puts the root file system of a LinuxKit system together: kernel, init, volumes, containers, files, one over the other, as
 * src/cmd/linuxkit/moby/build/build.go of LinuxKit 1.8.2 does.
 */
final class RootFileSystem {
    private static final String BOOT = "boot";
    private static final String KERNEL = "boot/kernel";
    private static final String CMDLINE = "boot/cmdline";
    private static final String MICROCODE = "boot/ucode.cpio";
    private static final String APK_DATABASE = "lib/apk/db/installed";

    private final LinuxKitConfig config;
    private final Map<String, Images.Layered> images;
    private final Map<String, List<Entry>> layouts;
    private final Cache cache;
    private final FilesSection files;
    private final SystemTree tree = new SystemTree();
    private final Map<String, String> unpacked = new HashMap<>();

    /**
     * @param images by full name, all that the YAML names outside of layouts
     * @param layouts entries of the image layouts, by the names of their volumes
     * @param cache where the kernel's tar is kept uncompressed and indexed
     */
    RootFileSystem(LinuxKitConfig config, Map<String, Images.Layered> images, Map<String, List<Entry>> layouts, Cache cache, FilesSection files) {
        this.config = config;
        this.images = images;
        this.layouts = layouts;
        this.cache = cache;
        this.files = files;
    }

    /**
     * What the parts come to.
     *
     * @param kernel to be booted
     * @param cmdline its command line; empty: none
     * @param microcode an archive that goes before the initramfs
     * @param entries the root file system without what is in {@code boot/}, which is not for the initramfs
     * @param everything all of it
     */
    record Assembled(
            Optional<Content> kernel, String cmdline, Optional<Content> microcode, Collection<Entry> entries, Collection<Entry> everything) {}

    /** Puts all of it together. */
    Assembled assemble() throws IOException {
        if (config.kernel().isPresent() && config.kernel().get().image().isPresent()) {
            addKernel(config.kernel().get(), config.kernel().get().image().get());
        }
        addInit();
        for (LinuxKitConfig.Volume volume : config.volumes()) {
            addVolume(volume);
        }
        Map<String, LinuxKitConfig.Volume> volumes =
                config.volumes().stream().collect(Collectors.toMap(LinuxKitConfig.Volume::name, volume -> volume));
        for (LinuxKitConfig.Container container : config.containers()) {
            addContainer(container, volumes);
        }
        files.addTo(tree);
        Optional<Content> kernel = file(KERNEL);
        Optional<Content> cmdline = file(CMDLINE);
        Optional<Content> microcode = file(MICROCODE);
        List<Entry> everything = tree.entries();
        // The kernel and what belongs to it do not go into the initramfs, and neither does anything else in boot/.
        tree.clear(BOOT);
        return new Assembled(
                kernel,
                cmdline.isEmpty() ? "" : new String(cmdline.get().bytes(), StandardCharsets.UTF_8),
                microcode,
                tree.entries(),
                everything);
    }

    private Optional<Content> file(String path) {
        return tree.get(path).map(Entry::content).filter(content -> content.size() > 0);
    }

    private void addKernel(LinuxKitConfig.Kernel kernel, LinuxKitConfig.ImageUse use) throws IOException {
        ImageRoot image = ImageRoot.raw(images.get(use.name()).layers());
        Entry binary = member(image, use, kernel.binary(), "/kernel/" + (config.source().root().at("/kernel/binary").isMissingNode()
                ? "image" : "binary"));
        tree.put(Entry.directory(BOOT, 0755));
        tree.put(Entry.file(CMDLINE, 0644, Content.of(kernel.cmdline())));
        tree.put(Entry.file(KERNEL, binary.mode(), binary.content()));
        if (!kernel.ucode().isEmpty() && image.get(kernel.ucode()).isPresent()) {
            Entry microcode = member(image, use, kernel.ucode(), "/kernel/ucode");
            tree.put(Entry.file(MICROCODE, microcode.mode(), microcode.content()));
        }
        if (!kernel.tar().isEmpty()) {
            Entry tar = member(image, use, kernel.tar(), "/kernel/" + (config.source().root().at("/kernel/tar").isMissingNode()
                    ? "image" : "tar"));
            String name = "tars/" + tar.content().digest().hex() + ".tar";
            tree.putAll(TarFile.cached(cache, name, kernel.tar() + " of " + use.written(), tar.content()::open).entries());
        }
    }

    private Entry member(ImageRoot image, LinuxKitConfig.ImageUse use, String path, String pointer) {
        Optional<Entry> entry = image.get(path).filter(e -> e.type() == Entry.Type.FILE);
        if (entry.isEmpty()) {
            String there = image.entries().stream()
                    .filter(e -> e.type() == Entry.Type.FILE)
                    .map(Entry::path)
                    .filter(p -> !p.contains("/"))
                    .limit(20)
                    .collect(Collectors.joining(", "));
            throw config.source().error(pointer, "the kernel image " + use.written() + " has no file '" + path + "'; it has "
                    + (there.isEmpty() ? "none at its root" : there));
        }
        return entry.get();
    }

    private void addInit() throws IOException {
        List<Content> databases = new ArrayList<>();
        for (LinuxKitConfig.ImageUse use : config.init()) {
            ImageRoot image = ImageRoot.prepared(images.get(use.name()).layers(), true);
            image.get(APK_DATABASE).map(Entry::content).ifPresent(databases::add);
            within(use.pointer(), () -> tree.putAll(image.entries()));
        }
        // Alpine's list of installed packages is the sum of all images'.
        if (databases.size() > 1) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (Content database : databases) {
                all.writeBytes(database.bytes());
                all.writeBytes(new byte[] {'\n', '\n'});
            }
            tree.put(Entry.file(APK_DATABASE, 0644, Content.of(all.toByteArray())));
        }
    }

    private void addVolume(LinuxKitConfig.Volume volume) {
        String lower = volume.path() + "/lower";
        addDirectories(lower);
        if (volume.image().isPresent()) {
            if (volume.layout()) {
                layouts.get(volume.name()).forEach(entry -> tree.put(entry.withPath(lower + "/" + entry.path())));
            } else {
                tree.putAll(ImageRoot.prepared(images.get(volume.image().get().name()).layers(), true).below(lower));
            }
        }
        tree.put(Entry.directory(volume.path() + "/tmp", 0755));
        tree.put(Entry.directory(volume.path() + "/merged", 0755));
    }

    private void addContainer(LinuxKitConfig.Container container, Map<String, LinuxKitConfig.Volume> volumes) {
        String path = container.path();
        String image = container.image().name();
        RuntimeSpec spec = RuntimeSpec.of(container, images.get(image).config(), config.source(), config.ids(), volumes);
        boolean readonly = spec.config().get("root").path("readonly").asBoolean(false);
        String earlier = unpacked.get(image);
        String root = earlier == null ? path + (readonly ? "/rootfs" : "/lower") : earlier;
        if (earlier == null) {
            addDirectories(root);
            tree.putAll(ImageRoot.prepared(images.get(image).layers(), false).below(root));
            unpacked.put(image, root);
        } else {
            addDirectories(path);
        }
        tree.put(Entry.file(path + "/config.json", 0644, Content.of(GoJson.indent(spec.config()))));
        ArrayNode mounts = JsonNodeFactory.instance.arrayNode();
        if (readonly) {
            if (earlier != null) {
                tree.put(Entry.directory(path + "/rootfs", 0755));
            }
            mounts.add(mount("/" + path + "/rootfs", "", "/" + root, "bind"));
        } else {
            tree.put(Entry.directory(path + "/tmp", 0755));
            tree.put(Entry.directory(path + "/rootfs", 0755));
            mounts.add(mount("/" + path + "/tmp", "tmpfs", "tmpfs"));
            // Nothing else is to see the layers that are being written.
            mounts.add(mount("/" + path + "/tmp", "", "", "remount", "private"));
            mounts.add(mount("/" + path + "/rootfs", "overlay", "overlay",
                    "lowerdir=/" + root, "upperdir=/" + path + "/tmp/upper", "workdir=/" + path + "/tmp/work"));
        }
        JsonNode configured = spec.runtime().get("mounts");
        configured.forEach(mounts::add);
        spec.runtime().set("mounts", mounts);
        tree.put(Entry.file(path + "/runtime.json", 0644, Content.of(GoJson.indent(spec.runtime()))));
    }

    private static ObjectNode mount(String destination, String type, String source, String... options) {
        ObjectNode mount = JsonNodeFactory.instance.objectNode().put("destination", destination);
        if (!type.isEmpty()) {
            mount.put("type", type);
        }
        if (!source.isEmpty()) {
            mount.put("source", source);
        }
        if (options.length > 0) {
            ArrayNode list = mount.putArray("options");
            for (String option : options) {
                list.add(option);
            }
        }
        return mount;
    }

    /** A directory and all on the way to it. */
    private void addDirectories(String path) {
        for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
            tree.put(Entry.directory(path.substring(0, slash), 0755));
        }
        tree.put(Entry.directory(path, 0755));
    }

    /** Lets the complaints of a piece of work name a place in the YAML. */
    private void within(String pointer, Runnable work) {
        try {
            work.run();
        } catch (HookException e) {
            throw new HookException(config.source().error(pointer, e.getMessage()).getMessage(), e);
        }
    }
}
