package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import tools.jackson.databind.JsonNode;

/**
 * The {@code files} of a YAML: {@code filesystem} in src/cmd/linuxkit/moby/build/build.go of LinuxKit 1.8.2.
 *
 * @param config the YAML
 * @param sources directory that a relative source starts from
 * @param home the home directory, which {@code ~/} of a source stands for
 */
record FilesSection(LinuxKitConfig config, Path sources, Path home) {
    private static final int FILE_MODE = 0600;
    private static final int DIRECTORY_MODE = 0700;
    private static final int PERMISSIONS = 07777;

    /** Lays the files over a tree. */
    void addTo(SystemTree tree) throws IOException {
        Set<String> made = new HashSet<>();
        for (LinuxKitConfig.FileSpec file : config.files()) {
            add(file, tree, made);
        }
    }

    private void add(LinuxKitConfig.FileSpec file, SystemTree tree, Set<String> made) throws IOException {
        JsonNode value = file.value();
        List<String> names = names(file);
        boolean directory = value.path("directory").asBoolean(false);
        int mode = directory ? DIRECTORY_MODE : FILE_MODE;
        if (!value.path("mode").asString("").isEmpty()) {
            mode = Integer.parseInt(value.get("mode").asString(), 8) & PERMISSIONS;
        }
        int uid = id(file, "uid");
        int gid = id(file, "gid");
        Entry entry = entry(file, String.join("/", names), directory, mode);
        if (entry == null) {
            return;
        }
        // The directories on the way are the file's owner's, and may be entered by whom the file lets do anything at all.
        int parents = mode | ((mode & 0700) != 0 ? 0100 : 0) | ((mode & 0070) != 0 ? 0010 : 0) | ((mode & 0007) != 0 ? 0001 : 0);
        for (int i = 1; i < names.size(); i++) {
            String parent = String.join("/", names.subList(0, i));
            if (made.add(parent)) {
                put(file, tree, Entry.directory(parent, parents).withOwner(uid, gid));
            }
        }
        made.add(entry.path());
        put(file, tree, entry.withOwner(uid, gid));
    }

    private void put(LinuxKitConfig.FileSpec file, SystemTree tree, Entry entry) {
        try {
            tree.put(entry);
        } catch (HookException e) {
            throw problem(file, "path", e.getMessage());
        }
    }

    private List<String> names(LinuxKitConfig.FileSpec file) {
        String path = file.value().path("path").asString("");
        List<String> names = new ArrayList<>();
        for (String name : path.split("/")) {
            if (name.equals("..")) {
                throw problem(file, "path", "'" + path + "' has '..' in it; write where the file goes");
            }
            if (!name.isEmpty() && !name.equals(".")) {
                names.add(name);
            }
        }
        if (names.isEmpty()) {
            throw problem(file, "path", path.isEmpty() ? "the path is missing" : "'" + path + "' is no path of a file");
        }
        return names;
    }

    /** The entry without its owner; null if there is to be none. */
    private Entry entry(LinuxKitConfig.FileSpec file, String path, boolean directory, int mode) throws IOException {
        JsonNode value = file.value();
        String symlink = value.path("symlink").asString("");
        String source = value.path("source").asString("");
        String metadata = value.path("metadata").asString("");
        boolean contents = value.has("contents");
        if (directory || !symlink.isEmpty() || contents) {
            for (String key : List.of("metadata", "source")) {
                if (!value.path(key).asString("").isEmpty()) {
                    throw problem(file, key, "the file has " + (directory ? "directory" : contents ? "contents" : "symlink")
                            + " already; only one of contents, directory, metadata, source, symlink makes a file");
                }
            }
        }
        if (directory) {
            if (contents) {
                throw problem(file, "contents", "a directory has no contents");
            }
            return Entry.directory(path, mode);
        }
        if (!symlink.isEmpty()) {
            return Entry.symlink(path, symlink).withMode(mode);
        }
        if (contents) {
            return Entry.file(path, mode, Content.of(value.get("contents").asString()));
        }
        if (source.isEmpty() == metadata.isEmpty()) {
            throw problem(file, source.isEmpty() ? "path" : "metadata", source.isEmpty()
                    ? "nothing says what is in the file; one of contents, directory, metadata, source, symlink does"
                    : "the file has a source already");
        }
        if (source.isEmpty()) {
            return Entry.file(path, mode, Content.of(new Metadata(config).in(metadata)));
        }
        Path host = source.length() > 2 && source.startsWith("~/") ? home.resolve(source.substring(2)) : sources.resolve(source);
        if (!Files.isReadable(host) && value.path("optional").asBoolean(false)) {
            return null;
        }
        if (!Files.isRegularFile(host) || !Files.isReadable(host)) {
            throw problem(file, "source", "there is no readable file " + host + "; with optional: true it would be left out");
        }
        return Entry.file(path, mode, Content.of(host));
    }

    private int id(LinuxKitConfig.FileSpec file, String key) {
        JsonNode written = file.value().path(key);
        Map<String, Integer> ids = config.ids();
        return Ids.number(written, ids).orElseThrow(() -> problem(file, key, Ids.problem(written, ids))).intValue();
    }

    private HookException problem(LinuxKitConfig.FileSpec file, String key, String problem) {
        return config.source().error(file.pointer() + "/" + key, problem);
    }
}
