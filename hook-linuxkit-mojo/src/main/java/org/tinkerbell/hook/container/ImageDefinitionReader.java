package org.tinkerbell.hook.container;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.tinkerbell.hook.container.ImageDefinition.Accounts;
import org.tinkerbell.hook.container.ImageDefinition.DirectoryItem;
import org.tinkerbell.hook.container.ImageDefinition.FileItem;
import org.tinkerbell.hook.container.ImageDefinition.Group;
import org.tinkerbell.hook.container.ImageDefinition.Layout;
import org.tinkerbell.hook.container.ImageDefinition.LinkItem;
import org.tinkerbell.hook.container.ImageDefinition.PackageRequest;
import org.tinkerbell.hook.container.ImageDefinition.Selection;
import org.tinkerbell.hook.container.ImageDefinition.User;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.YamlFile;
import org.tinkerbell.hook.tree.Glob;
import tools.jackson.databind.JsonNode;

/** Turns {@code image.yaml} into records, and says by file, line and key what in it is wrong. */
final class ImageDefinitionReader {
    private static final String SCHEMA = "image.schema.json";
    private static final int DEFAULT_DIRECTORY_MODE = 0755;

    private final Path directory;
    private final YamlFile yaml;
    private final JsonNode root;

    ImageDefinitionReader(Path directory) throws IOException {
        this.directory = directory.toAbsolutePath().normalize();
        this.yaml = YamlFile.read(directory.resolve(ImageDefinition.FILE)).validate(ImageDefinition.class, SCHEMA);
        this.root = yaml.root();
    }

    ImageDefinition read() throws IOException {
        List<PackageRequest> packages = packages();
        Set<String> without = new TreeSet<>(strings(root.path("without")));
        for (int i = 0; i < packages.size(); i++) {
            if (without.contains(packages.get(i).name())) {
                throw yaml.error("/packages/" + i, "the package " + packages.get(i).name() + " is wanted here and left out by 'without'");
            }
        }
        List<DirectoryItem> directories = directories();
        List<FileItem> files = files();
        List<LinkItem> links = links();
        refuseTwice(directories, files, links);
        return new ImageDefinition(
                directory.getFileName().toString(),
                directory,
                Digest.of(root.toString()),
                root.path("description").asString(),
                layout(),
                architectures(root),
                packages,
                without,
                new Selection(
                        root.has("include") ? Optional.of(globs("include")) : Optional.empty(),
                        text(root, "includeList"),
                        globs("remove"),
                        globs("keep")),
                directories,
                files,
                links,
                root.has("accounts") ? Optional.of(accounts()) : Optional.empty(),
                root.path("caBundle").asBoolean(false),
                root.path("java").asBoolean(false),
                text(root, "embed").map(path -> path.startsWith("/") ? path.substring(1) : path),
                texts(root.path("environment")),
                strings(root.path("entrypoint")),
                strings(root.path("command")),
                text(root, "workdir").orElse(""),
                text(root, "user").orElse(""),
                labels());
    }

    private Layout layout() {
        return switch (root.path("layout").asString("merged-usr")) {
            case "split" -> Layout.SPLIT;
            case "empty" -> Layout.EMPTY;
            default -> Layout.MERGED_USR;
        };
    }

    private List<PackageRequest> packages() {
        List<PackageRequest> packages = new ArrayList<>();
        for (JsonNode item : root.path("packages")) {
            packages.add(item.isString()
                    ? new PackageRequest(item.asString(), EnumSet.allOf(Arch.class), Optional.empty())
                    : new PackageRequest(item.path("name").asString(), architectures(item), text(item, "suite")));
        }
        return packages;
    }

    private List<DirectoryItem> directories() {
        List<DirectoryItem> items = new ArrayList<>();
        for (JsonNode item : root.path("directories")) {
            items.add(new DirectoryItem(path(item), mode(item).orElse(DEFAULT_DIRECTORY_MODE), id(item, "uid"), id(item, "gid"),
                    architectures(item)));
        }
        return items;
    }

    private List<FileItem> files() throws IOException {
        List<FileItem> items = new ArrayList<>();
        for (JsonNode item : root.path("files")) {
            Optional<Path> source = item.has("source")
                    ? Optional.of(source("/files/" + items.size() + "/source", item.path("source").asString()))
                    : Optional.empty();
            items.add(new FileItem(path(item), text(item, "contents"), source, mode(item), id(item, "uid"), id(item, "gid"),
                    architectures(item)));
        }
        return items;
    }

    private Path source(String pointer, String text) throws IOException {
        Path file = directory.resolve(text).normalize();
        if (!file.startsWith(directory) || file.equals(directory)) {
            throw yaml.error(pointer, "'" + text + "' is not below the image's directory " + directory);
        }
        if (!Files.exists(file)) {
            throw yaml.error(pointer, "there is no file " + file);
        }
        if (!file.toRealPath().startsWith(directory.toRealPath())) {
            throw yaml.error(pointer, "'" + text + "' leads out of the image's directory through a symbolic link, to " + file.toRealPath());
        }
        return file;
    }

    private List<LinkItem> links() {
        List<LinkItem> items = new ArrayList<>();
        for (JsonNode item : root.path("links")) {
            items.add(new LinkItem(path(item), item.path("target").asString(), architectures(item)));
        }
        return items;
    }

    private void refuseTwice(List<DirectoryItem> directories, List<FileItem> files, List<LinkItem> links) {
        Map<String, String> seen = new HashMap<>();
        for (int i = 0; i < directories.size(); i++) {
            refuseTwice(seen, "/directories/" + i, directories.get(i).path(), directories.get(i).architectures());
        }
        for (int i = 0; i < files.size(); i++) {
            refuseTwice(seen, "/files/" + i, files.get(i).path(), files.get(i).architectures());
        }
        for (int i = 0; i < links.size(); i++) {
            refuseTwice(seen, "/links/" + i, links.get(i).path(), links.get(i).architectures());
        }
    }

    private void refuseTwice(Map<String, String> seen, String pointer, String path, Set<Arch> architectures) {
        for (Arch arch : architectures) {
            String earlier = seen.putIfAbsent(arch + " " + path, pointer);
            if (earlier != null) {
                throw yaml.error(pointer, "/" + path + " is made a second time here; the first time at " + yaml.at(earlier));
            }
        }
    }

    private Accounts accounts() {
        List<User> users = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (JsonNode item : root.path("accounts").path("users")) {
            String pointer = "/accounts/users/" + users.size();
            String name = item.path("name").asString();
            long uid = item.path("uid").asLong();
            if (!names.add(name)) {
                throw yaml.error(pointer, "there is a user " + name + " already");
            }
            boolean isRoot = uid == 0;
            users.add(new User(
                    name,
                    uid,
                    item.path("gid").asLong(uid),
                    text(item, "comment").orElse(""),
                    text(item, "home").orElse(isRoot ? "/root" : "/nonexistent"),
                    text(item, "shell").orElse(isRoot ? "/bin/sh" : "/usr/sbin/nologin"),
                    text(item, "password").orElse("*")));
        }
        if (!names.contains("root")) {
            users.add(0, new User("root", 0, 0, "", "/root", "/bin/sh", "*"));
            names.add("root");
        }
        return new Accounts(List.copyOf(users), groups(users, names));
    }

    private List<Group> groups(List<User> users, Set<String> userNames) {
        List<Group> groups = new ArrayList<>();
        Set<String> names = new HashSet<>();
        Set<Long> numbers = new HashSet<>();
        int index = 0;
        for (JsonNode item : root.path("accounts").path("groups")) {
            String pointer = "/accounts/groups/" + index++;
            Group group = new Group(item.path("name").asString(), item.path("gid").asLong(), strings(item.path("members")));
            if (!names.add(group.name())) {
                throw yaml.error(pointer, "there is a group " + group.name() + " already");
            }
            if (!numbers.add(group.gid())) {
                throw yaml.error(pointer + "/gid", "another group has the number " + group.gid() + " already");
            }
            for (int i = 0; i < group.members().size(); i++) {
                if (!userNames.contains(group.members().get(i))) {
                    throw yaml.error(pointer + "/members/" + i, "there is no user " + group.members().get(i) + " among accounts.users");
                }
            }
            groups.add(group);
        }
        for (User user : users) {
            if (numbers.add(user.gid())) {
                if (!names.add(user.name())) {
                    throw yaml.error("/accounts/users", "the user " + user.name() + " has the group number " + user.gid()
                            + ", but the group " + user.name() + " has another");
                }
                groups.add(new Group(user.name(), user.gid(), List.of()));
            }
        }
        return List.copyOf(groups);
    }

    private SortedMap<String, String> labels() {
        SortedMap<String, String> labels = texts(root.path("labels"));
        if (root.has("linuxkit")) {
            if (labels.containsKey(ImageDefinition.LINUXKIT_LABEL)) {
                throw yaml.error("/labels/" + ImageDefinition.LINUXKIT_LABEL, "the label is written by the key 'linuxkit'");
            }
            labels.put(ImageDefinition.LINUXKIT_LABEL, root.path("linuxkit").toString());
        }
        return labels;
    }

    private List<Glob> globs(String key) {
        List<Glob> globs = new ArrayList<>();
        for (JsonNode item : root.path(key)) {
            try {
                globs.add(Glob.of(item.asString()));
            } catch (IllegalArgumentException e) {
                throw yaml.error("/" + key + "/" + globs.size(), e.getMessage());
            }
        }
        return List.copyOf(globs);
    }

    private static Set<Arch> architectures(JsonNode item) {
        if (!item.has("arch")) {
            return EnumSet.allOf(Arch.class);
        }
        Set<Arch> architectures = EnumSet.noneOf(Arch.class);
        item.path("arch").forEach(name -> architectures.add(Arch.of(name.asString())));
        return architectures;
    }

    private static String path(JsonNode item) {
        String path = item.path("path").asString();
        return path.startsWith("/") ? path.substring(1) : path;
    }

    private static Optional<Integer> mode(JsonNode item) {
        return text(item, "mode").map(octal -> Integer.parseInt(octal, 8));
    }

    private static int id(JsonNode item, String key) {
        return (int) item.path(key).asLong(0);
    }

    private static Optional<String> text(JsonNode item, String key) {
        return item.has(key) ? Optional.of(item.path(key).asString()) : Optional.empty();
    }

    private static List<String> strings(JsonNode list) {
        List<String> strings = new ArrayList<>();
        list.forEach(item -> strings.add(item.asString()));
        return List.copyOf(strings);
    }

    private static SortedMap<String, String> texts(JsonNode mapping) {
        SortedMap<String, String> texts = new TreeMap<>();
        mapping.properties().forEach(e -> texts.put(e.getKey(), e.getValue().asString()));
        return texts;
    }
}
