package org.tinkerbell.hook.container;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.oci.Layering;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.FileTree;
import org.tinkerbell.hook.tree.TarFile;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a Docker engine keeps of images in its {@code /var/lib/docker} when its storage driver is overlay2, made without an engine.
 *
 * <p>The form is that of moby 20.10 to 28: {@code layer/filestore.go} and {@code image/fs.go} for what is known of layers and images,
 * {@code reference/store.go} for names, {@code daemon/graphdriver/overlay2/overlay.go} for the layers' files. What an engine finds there
 * is as if it had pulled the images: it runs them, and saves and pushes them byte by byte as they were.
 *
 * <p>An initramfs has no extended attributes. So a directory that hides all that is below it is no directory marked opaque but
 * one with a whiteout, a character device 0/0, for each name that it hides; the two look the same from above. Attributes of an image's own files,
 * capabilities of programs above all, are lost; {@link #losses()} names those files.
 */
public final class EngineStore {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String STORE = "image/overlay2";
    private static final String DRIVER = "overlay2";
    private static final int DIRECTORY_MODE = 0755;
    // RFC 4648, section 6; moby cuts such a text to 26 characters so that many fit into one mount option.
    private static final String BASE_32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    private static final int LINK_LENGTH = 26;

    private final ImageStore images;
    private final FileTree tree = new FileTree();
    private final SortedMap<String, SortedMap<String, String>> repositories = new TreeMap<>();
    private final TreeSet<String> losses = new TreeSet<>();

    /**
     * A store without images.
     *
     * @param images where the images are that will be added
     */
    public EngineStore(ImageStore images) {
        this.images = images;
    }

    /**
     * Adds an image.
     *
     * @param names by which the engine shall know it; for one with a digest that too, as after a pull
     * @throws HookException if it is not an image that a container engine can run
     */
    public void add(Image image, List<ImageReference> names) throws IOException {
        if (image.config().diffIds().isEmpty()) {
            throw new HookException("The image " + names.get(0) + " has no layers; it cannot be embedded");
        }
        String id = Digest.of(images.configuration(image)).hex();
        file(STORE + "/imagedb/content/sha256/" + id, 0600, Content.of(images.configuration(image)));
        directory(STORE + "/imagedb/metadata/sha256", 0700);
        FileTree below = new FileTree();
        Optional<Digest> parent = Optional.empty();
        String lower = "";
        for (TarFile layer : images.layers(image)) {
            Digest chain = chain(parent, layer.digest());
            boolean known = tree.get(STORE + "/layerdb/sha256/" + chain.hex()).isPresent();
            if (!known) {
                addLayer(layer, chain, parent, lower, below);
            }
            Layering.apply(layer.entries(), below);
            lower = "l/" + link(chain) + (lower.isEmpty() ? "" : ":" + lower);
            parent = Optional.of(chain);
        }
        for (ImageReference name : names) {
            SortedMap<String, String> repository = repositories.computeIfAbsent(familiar(name.name()), n -> new TreeMap<>());
            name.tag().ifPresent(tag -> repository.put(familiar(name.name()) + ":" + tag, "sha256:" + id));
            name.digest().ifPresent(digest -> repository.put(familiar(name.name()) + "@" + digest, "sha256:" + id));
        }
    }

    /** Digest of a layer with all that is below it (OCI image specification, config.md, "Layer ChainID"). */
    private static Digest chain(Optional<Digest> parent, Digest diffId) {
        return parent.map(below -> Digest.of(below + " " + diffId)).orElse(diffId);
    }

    private static String link(Digest chain) {
        byte[] bytes = Digest.of("link " + chain).hex().getBytes(StandardCharsets.US_ASCII);
        StringBuilder link = new StringBuilder();
        for (int i = 0; i < LINK_LENGTH; i++) {
            // Two hexadecimal digits give a byte, of which five bits are taken.
            int value = Integer.parseInt(new String(bytes, 2 * i, 2, StandardCharsets.US_ASCII), 16);
            link.append(BASE_32.charAt(value & 31));
        }
        return link.toString();
    }

    /** A name as people write it: Docker Hub's own images by their last part alone (distribution/reference, FamiliarName). */
    private static String familiar(String name) {
        for (String prefix : List.of("docker.io/library/", "docker.io/")) {
            if (name.startsWith(prefix)) {
                return name.substring(prefix.length());
            }
        }
        return name;
    }

    private void addLayer(TarFile layer, Digest chain, Optional<Digest> parent, String lower, FileTree below) throws IOException {
        FileTree files = files(layer.entries(), below);
        String meta = STORE + "/layerdb/sha256/" + chain.hex();
        directory(meta, 0700);
        file(meta + "/cache-id", 0644, Content.of(chain.hex()));
        file(meta + "/diff", 0644, Content.of(layer.digest().toString()));
        if (parent.isPresent()) {
            file(meta + "/parent", 0644, Content.of(parent.get().toString()));
        }
        long size = 0;
        for (Entry entry : files) {
            size += entry.type() == Entry.Type.FILE ? entry.content().size() : 0;
        }
        file(meta + "/size", 0644, Content.of(Long.toString(size)));
        file(meta + "/tar-split.json.gz", 0644, TarSplit.of(layer.path()));

        String home = DRIVER + "/" + chain.hex();
        directory(DRIVER, 0710);
        directory(DRIVER + "/l", 0700);
        directory(home, 0710);
        file(home + "/link", 0644, Content.of(link(chain)));
        file(home + "/committed", 0600, Content.of(""));
        if (!lower.isEmpty()) {
            file(home + "/lower", 0644, Content.of(lower));
            directory(home + "/work", 0700);
        }
        tree.put(Entry.symlink(DRIVER + "/l/" + link(chain), "../" + chain.hex() + "/diff"));
        String diff = home + "/diff";
        directory(diff, DIRECTORY_MODE);
        for (Entry entry : files) {
            if (!entry.xattrs().isEmpty()) {
                losses.add("/" + entry.path());
            }
            tree.put(entry.withXattrs(Map.of()).withPath(entry.path().isEmpty() ? diff : diff + "/" + entry.path()));
        }
    }

    /**
     * A layer's files as overlay2 has them.
     *
     * @param below what is below the layer, its whiteouts applied
     */
    private static FileTree files(List<Entry> layer, FileTree below) {
        FileTree files = new FileTree();
        for (Entry entry : layer) {
            if (!entry.name().startsWith(Layering.WHITEOUT)) {
                put(files, entry, below);
            }
        }
        for (Entry entry : layer) {
            String name = entry.name();
            if (name.equals(Layering.OPAQUE)) {
                hideAll(files, entry.parent(), below);
            } else if (name.startsWith(Layering.WHITEOUT) && !name.startsWith(Layering.AUFS)) {
                String hidden = name.substring(Layering.WHITEOUT.length());
                if (!hidden.isEmpty() && !hidden.equals(".") && !hidden.equals("..")) {
                    hide(files, entry.parent().isEmpty() ? hidden : entry.parent() + "/" + hidden, below);
                }
            }
        }
        return files;
    }

    /** Hides one name of what is below; where the layer has something of that name itself, only what lies in it below. */
    private static void hide(FileTree files, String path, FileTree below) {
        Optional<Entry> own = files.get(path);
        if (own.isEmpty()) {
            if (below.get(path).isPresent()) {
                put(files, new Entry(path, Entry.Type.CHARACTER_DEVICE, 0, 0, 0, 0, "", 0, 0, new TreeMap<>(), null), below);
            }
        } else if (own.get().type() == Entry.Type.DIRECTORY) {
            hideAll(files, path, below);
        }
    }

    private static void hideAll(FileTree files, String directory, FileTree below) {
        if (below.get(directory).filter(e -> e.type() == Entry.Type.DIRECTORY).isPresent()) {
            for (Entry child : below.children(directory)) {
                hide(files, child.path(), below);
            }
        }
    }

    /** Puts an entry; directories on its way that only lower layers have are as there, since they would hide theirs. */
    private static void put(FileTree files, Entry entry, FileTree below) {
        List<String> missing = new ArrayList<>();
        for (String at = entry.parent(); !at.isEmpty() && files.get(at).isEmpty(); at = at.substring(0, Math.max(0, at.lastIndexOf('/')))) {
            missing.add(0, at);
        }
        for (String directory : missing) {
            below.get(directory).filter(e -> e.type() == Entry.Type.DIRECTORY).ifPresent(files::put);
        }
        files.put(entry);
    }

    /** Files with extended attributes, which the system will not have, by their path in the image; sorted. */
    public List<String> losses() {
        return List.copyOf(losses);
    }

    /** Everything, with paths relative to what will be {@code /var/lib/docker}; nothing if no image was added. */
    public List<Entry> entries() {
        if (repositories.isEmpty()) {
            return List.of();
        }
        ObjectNode names = JSON.createObjectNode();
        ObjectNode all = names.putObject("Repositories");
        repositories.forEach((repository, references) -> references.forEach(all.withObjectProperty(repository)::put));
        file(STORE + "/repositories.json", 0600, Content.of(JSON.writeValueAsBytes(names)));
        return tree.entries().stream().filter(entry -> !entry.path().isEmpty()).toList();
    }

    private void file(String path, int mode, Content content) {
        directories(path.substring(0, path.lastIndexOf('/')));
        tree.put(Entry.file(path, mode, content));
    }

    private void directory(String path, int mode) {
        if (path.contains("/")) {
            directories(path.substring(0, path.lastIndexOf('/')));
        }
        if (tree.get(path).isEmpty()) {
            tree.put(Entry.directory(path, mode));
        }
    }

    /** The engine's own directories are root's alone. */
    private void directories(String path) {
        for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
            directory(path.substring(0, slash), 0700);
        }
        directory(path, 0700);
    }
}
