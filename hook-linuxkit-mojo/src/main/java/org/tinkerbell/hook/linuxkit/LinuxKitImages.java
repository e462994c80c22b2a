package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.io.YamlFile;
import org.tinkerbell.hook.oci.ImageReference;
import tools.jackson.databind.JsonNode;

/**
 * The file with the LinuxKit project's own images, {@code linuxkit-images.yaml}: which they are, and the digests that pin them. {@code
 * linuxkit-images.schema.json} beside this class describes its form.
 */
public final class LinuxKitImages {
    private static final String IMAGES = "/images/";

    private final YamlFile file;
    private final String text;
    private final Map<String, ImageReference> images = new TreeMap<>();

    /** Says what a tag stands for. */
    @FunctionalInterface
    public interface Digests {
        /** Digest of the image or the index of a name; nothing if its registry has no such name. */
        Optional<Digest> digest(ImageReference reference) throws IOException;
    }

    /**
     * The file with the digests of today.
     *
     * @param text all of it, comments included
     * @param changes what is different, a line for each
     */
    public record Renewal(String text, List<String> changes) {}

    private LinuxKitImages(YamlFile file, String text) {
        this.file = file;
        this.text = text;
        for (Map.Entry<String, JsonNode> image : file.root().get("images").properties()) {
            try {
                ImageReference reference = ImageReference.parse(ImageName.of(image.getValue().asString()).text());
                if (reference.tag().isEmpty()) {
                    throw new HookException("'" + image.getValue().asString() + "' has no tag, so nobody could say what would be newer");
                }
                images.put(image.getKey(), reference);
            } catch (HookException e) {
                throw file.error(IMAGES + image.getKey(), e.getMessage());
            }
        }
    }

    /**
     * Reads the file.
     *
     * @throws HookException if it is not one: file, line, key
     */
    public static LinuxKitImages read(Path path) throws IOException {
        YamlFile file = YamlFile.read(path).validate(LinuxKitImages.class, "linuxkit-images.schema.json");
        return new LinuxKitImages(file, Files.readString(path, StandardCharsets.UTF_8));
    }

    /**
     * The full names, by what the images are for, such as {@code ca-certificates}.
     *
     * @param mode whether one without a digest is refused
     */
    public Map<String, String> names(LockMode mode, Progress progress) {
        List<String> open = images.entrySet().stream().filter(image -> image.getValue().digest().isEmpty()).map(Map.Entry::getKey).toList();
        if (!open.isEmpty()) {
            String problem = "no digest says what these images have to be: " + String.join(", ", open)
                    + ". mvn hook:images-lock asks their registry and writes the digests down";
            if (mode == LockMode.STRICT) {
                throw file.error(IMAGES + open.get(0), problem + "; hook.lock=strict takes nothing else.");
            }
            progress.warn(file.name() + ": " + problem + ".");
        }
        return images.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, image -> image.getValue().toString()));
    }

    /**
     * The file with the digests that the tags stand for now.
     *
     * @throws HookException if a registry does not know a tag
     */
    public Renewal renewed(Digests registry) throws IOException {
        String renewed = text;
        List<String> changes = new ArrayList<>();
        for (Map.Entry<String, ImageReference> image : images.entrySet()) {
            ImageReference old = image.getValue();
            ImageReference tag = new ImageReference(old.registry(), old.repository(), old.tag(), Optional.empty());
            Digest digest = registry.digest(tag).orElseThrow(() -> file.error(IMAGES + image.getKey(), old.registry() + " does not know " + tag));
            if (old.digest().filter(digest::equals).isEmpty()) {
                String written = file.root().at(IMAGES + image.getKey()).asString();
                String pinned = written.replaceFirst("@.*", "") + "@" + digest;
                // The value of this key alone; whatever a person has written around it stays.
                Matcher line = Pattern.compile("(?m)^(\\s*[\"']?" + Pattern.quote(image.getKey()) + "[\"']?\\s*:.*?)" + Pattern.quote(written)).matcher(renewed);
                if (!line.find()) {
                    throw file.error(IMAGES + image.getKey(), "the key and its image are not on one line, so the digest cannot be put there; write "
                            + image.getKey() + ": " + pinned);
                }
                renewed = renewed.substring(0, line.end(1)) + pinned + renewed.substring(line.end());
                changes.add(image.getKey() + ": " + old.digest().map(before -> before + " is now ").orElse("") + digest);
            }
        }
        return new Renewal(renewed, changes);
    }
}
