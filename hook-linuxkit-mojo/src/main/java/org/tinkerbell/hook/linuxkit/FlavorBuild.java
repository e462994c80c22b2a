package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarFile;
import org.tinkerbell.hook.tree.TarWriter;

/**
 * Builds a flavor: its template becomes LinuxKit YAML, an engine makes the system of it, and the results get the names by which boot
 * servers look for them. Nothing is made again whose inputs are the same.
 */
public final class FlavorBuild {
    private static final String NAME = "hook";
    private static final String INPUTS = ".inputs";
    private static final String OTHER = "other";

    private final Engine engine;
    private final ImageStore store;
    private final Cache cache;

    /**
     * A build.
     *
     * @param engine makes the system
     * @param store holds the images, among them the kernel's with the device trees
     * @param cache keeps the unpacked device trees
     */
    public FlavorBuild(Engine engine, ImageStore store, Cache cache) {
        this.engine = engine;
        this.store = store;
        this.cache = cache;
    }

    /**
     * What to build.
     *
     * @param flavor the flavor
     * @param template its LinuxKit template; what its {@code files} section takes by a relative {@code source} lies beside it
     * @param variables the template's
     * @param debug whether the template's lines of debug builds count
     * @param compression of the initramfs
     * @param mtime time of every file in the initramfs, in seconds since 1970; a machine without a clock starts from it
     * @param workDirectory where the YAML with its files, the report and what LinuxKit calls its results go
     * @param output where the flavor's files go, and nothing else stays
     * @param tarball what is packed of the output afterwards; it goes when the output changes
     * @param formats in which the system is wanted
     * @param others where the files of further formats go
     * @param builder identity of the program that builds: another one builds again
     */
    public record Request(
            Flavor flavor,
            Path template,
            TemplateVariables variables,
            boolean debug,
            Compression compression,
            long mtime,
            Path workDirectory,
            Path output,
            Path tarball,
            Formats formats,
            Path others,
            String builder) {}

    /**
     * What there is now.
     *
     * @param files the flavor's files, by name
     * @param others the files of further formats, by format; those that Hook makes of kernel and initramfs are not among them
     * @param report what went in; empty if nothing had to be built
     */
    public record Result(List<Path> files, Map<String, List<Path>> others, Optional<Report> report) {}

    /**
     * Builds, unless the same inputs have given these files before.
     *
     * @throws org.tinkerbell.hook.io.HookException if the template, an image or a file is at fault
     */
    public Result build(Request request) throws IOException {
        Flavor flavor = request.flavor();
        String text = Template.read(request.template())
                .render(request.variables().names(), request.variables().values(), request.debug());
        Path yaml = request.workDirectory().resolve(NAME + ".yaml");
        LinuxKitConfig config = LinuxKitConfig.parse(yaml.toString(), text);
        Map<String, Path> sources = sources(config, request.template());

        Path inputsFile = request.workDirectory().resolve(INPUTS);
        Optional<String> inputs = inputs(request, config, text, sources);
        if (inputs.isPresent() && Files.exists(inputsFile)) {
            String before = Files.readString(inputsFile);
            Map<String, List<Path>> others = others(before, request.others());
            if (before.startsWith(inputs.get()) && before.equals(inputs.get() + outputs(request.output(), others))) {
                return new Result(list(request.output()), others, Optional.empty());
            }
        }
        Files.deleteIfExists(inputsFile);

        AtomicFile.write(yaml, text);
        for (Map.Entry<String, Path> source : sources.entrySet()) {
            Path copy = request.workDirectory().resolve(source.getKey());
            Files.createDirectories(copy.getParent());
            Files.copy(source.getValue(), copy, StandardCopyOption.REPLACE_EXISTING);
        }
        Engine.Result system = engine.build(new Engine.Request(config, flavor.arch(), NAME, request.workDirectory(), request.workDirectory(),
                request.compression(), request.mtime(), request.formats()));
        Path kernel = system.kernel().orElseThrow(() -> config.source().error("", "a flavor needs a kernel; this YAML has none"));

        SortedSet<String> unmade = new TreeSet<>(request.formats().ofLinuxKitOnly());
        unmade.removeAll(system.others().keySet());
        if (!unmade.isEmpty()) {
            throw new HookException("The format " + String.join(", ", unmade) + " was not made: this engine does not know it.");
        }

        Map<String, Path> results = new TreeMap<>();
        results.put("vmlinuz-" + flavor.outputId(), kernel);
        results.put("initramfs-" + flavor.outputId(), system.initrd());
        Optional<Path> deviceTrees = deviceTrees(config, request);
        deviceTrees.ifPresent(file -> results.put("dtbs-" + flavor.outputId() + ".tar.gz", file));
        put(results, request);
        Map<String, List<Path>> others = others(system, request);
        Optional<String> after = inputs(request, config, text, sources);
        if (after.isPresent()) {
            AtomicFile.write(inputsFile, after.get() + outputs(request.output(), others));
        }
        return new Result(list(request.output()), others, Optional.of(system.report()));
    }

    /**
     * Gives the results their names and removes whatever else is there. A file that is there already with the same bytes stays as it is, with
     * its time, which tells whoever packs it that there is nothing to do. Where something changes the tarball goes first: the assembly writes
     * nothing where it would write the same bytes, so a tarball that stayed could be older than these files for ever, and be packed in every build.
     */
    private static void put(Map<String, Path> results, Request request) throws IOException {
        Files.createDirectories(request.output());
        List<Path> gone = new ArrayList<>();
        for (Path there : list(request.output())) {
            Path made = results.get(there.getFileName().toString());
            if (made == null) {
                gone.add(there);
            } else if (Files.mismatch(made, there) < 0) {
                Files.delete(made);
                results.remove(there.getFileName().toString());
            }
        }
        if (!gone.isEmpty() || !results.isEmpty()) {
            Files.deleteIfExists(request.tarball());
        }
        for (Path old : gone) {
            Files.delete(old);
        }
        for (Map.Entry<String, Path> result : results.entrySet()) {
            Files.move(result.getValue(), request.output().resolve(result.getKey()), StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /**
     * The files of further formats under the names that upstream's scripts give them: {@code hook_rootfs_<output-id>.tar} and
     * {@code .filelist}, and for LinuxKit's own {@code hook-<output-id>} with LinuxKit's ending.
     */
    private Map<String, List<Path>> others(Engine.Result system, Request request) throws IOException {
        Map<String, List<Path>> others = new TreeMap<>();
        String id = request.flavor().outputId();
        Files.createDirectories(request.others());
        Path tar = request.others().resolve("hook_rootfs_" + id + ".tar");
        Path list = request.others().resolve("hook_rootfs_" + id + ".filelist");
        Files.deleteIfExists(tar);
        Files.deleteIfExists(list);
        for (Map.Entry<String, List<Path>> made : system.others().entrySet()) {
            if (made.getKey().equals(Formats.TAR)) {
                Path file = made.getValue().get(0);
                if (request.formats().has(Formats.FILE_LIST)) {
                    FileList.write(file, list);
                    others.put(Formats.FILE_LIST, List.of(list));
                }
                if (request.formats().has(Formats.TAR)) {
                    Files.move(file, tar, StandardCopyOption.REPLACE_EXISTING);
                    others.put(Formats.TAR, List.of(tar));
                } else {
                    Files.delete(file);
                }
                continue;
            }
            List<Path> moved = new ArrayList<>();
            for (Path file : made.getValue()) {
                Path target = request.others().resolve(NAME + "-" + id + file.getFileName().toString().substring(NAME.length()));
                moved.add(Files.move(file, target, StandardCopyOption.REPLACE_EXISTING));
            }
            others.put(made.getKey(), moved);
        }
        return others;
    }

    /** The files of further formats that the record of an earlier build names. */
    private static Map<String, List<Path>> others(String record, Path directory) {
        Map<String, List<Path>> others = new TreeMap<>();
        record.lines().map(line -> line.split(" ")).filter(words -> words[0].equals(OTHER)).forEach(words ->
                others.computeIfAbsent(words[1], format -> new ArrayList<>()).add(directory.resolve(words[2])));
        return others;
    }

    /** Files beside the template that the {@code files} section takes, by the relative path that the YAML has for them. */
    private static Map<String, Path> sources(LinuxKitConfig config, Path template) {
        Path directory = template.toAbsolutePath().getParent();
        Map<String, Path> sources = new LinkedHashMap<>();
        for (LinuxKitConfig.FileSpec file : config.files()) {
            String source = file.value().path("source").asString("");
            if (source.isEmpty() || source.startsWith("~") || Path.of(source).isAbsolute()) {
                continue;
            }
            Path found = directory.resolve(source).normalize();
            if (!found.startsWith(directory)) {
                throw config.source().error(file.pointer() + "/source", "'" + source + "' is outside of the template's directory " + directory);
            }
            if (Files.isRegularFile(found)) {
                sources.put(source, found);
            } else if (!file.value().path("optional").asBoolean(false)) {
                throw config.source().error(file.pointer() + "/source", "there is no file " + found);
            }
        }
        return sources;
    }

    /** Everything that the results depend on; empty if that cannot be told before an image is pulled. */
    private Optional<String> inputs(Request request, LinuxKitConfig config, String text, Map<String, Path> sources) throws IOException {
        StringBuilder inputs = new StringBuilder();
        inputs.append("builder ").append(request.builder()).append('\n');
        inputs.append("flavor ").append(request.flavor().outputId()).append(' ').append(request.flavor().arch().kernelName()).append('\n');
        inputs.append("compression ").append(request.compression()).append(" mtime ").append(request.mtime()).append('\n');
        inputs.append("formats ").append(request.formats().names()).append('\n');
        inputs.append("yaml ").append(Digest.of(text)).append('\n');
        for (Map.Entry<String, Path> source : sources.entrySet()) {
            inputs.append("file ").append(source.getKey()).append(' ').append(Digest.of(source.getValue())).append('\n');
        }
        for (LinuxKitConfig.FileSpec file : config.files()) {
            String source = file.value().path("source").asString("");
            if (!source.isEmpty() && !sources.containsKey(source)) {
                Path outside = source.startsWith("~/") ? Path.of(System.getProperty("user.home")).resolve(source.substring(2)) : Path.of(source);
                inputs.append("file ").append(source).append(' ').append(Files.isRegularFile(outside) ? Digest.of(outside) : "none").append('\n');
            }
        }
        for (String name : config.images().keySet()) {
            Optional<Image> image = store.find(ImageReference.parse(name), request.flavor().arch());
            if (image.isEmpty()) {
                return Optional.empty();
            }
            inputs.append("image ").append(name).append(' ').append(image.get().digest()).append('\n');
        }
        return Optional.of(inputs.toString());
    }

    private static String outputs(Path directory, Map<String, List<Path>> others) throws IOException {
        StringBuilder outputs = new StringBuilder();
        for (Path file : list(directory)) {
            outputs.append("output ").append(file.getFileName()).append(' ').append(Digest.of(file)).append('\n');
        }
        for (Map.Entry<String, List<Path>> other : others.entrySet()) {
            for (Path file : other.getValue()) {
                outputs.append(OTHER).append(' ').append(other.getKey()).append(' ').append(file.getFileName()).append(' ')
                        .append(Files.isRegularFile(file) ? Digest.of(file) : "gone").append('\n');
            }
        }
        return outputs.toString();
    }

    private static List<Path> list(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(Files::isRegularFile).sorted().collect(Collectors.toList());
        }
    }

    /** The kernel image's {@code /dtbs.tar.gz} with its entries under {@code dtbs-<output-id>/}; empty if it has none. */
    private Optional<Path> deviceTrees(LinuxKitConfig config, Request request) throws IOException {
        LinuxKitConfig.ImageUse use = config.kernel().flatMap(LinuxKitConfig.Kernel::image).orElseThrow();
        Image image = store.find(ImageReference.parse(use.name()), request.flavor().arch())
                .orElseThrow(() -> config.source().error(use.pointer(), "the image is not in the store " + store.layout()));
        Optional<Entry> packed = store.tree(image).get("dtbs.tar.gz");
        if (packed.isEmpty()) {
            return Optional.empty();
        }
        Content content = packed.get().content();
        List<Entry> entries = TarFile.cached(cache, "device-trees/" + content.digest().hex() + ".tar", "the device trees of " + use.name(),
                        () -> new GZIPInputStream(content.open()))
                .entries();
        String root = "dtbs-" + request.flavor().outputId();
        List<Entry> moved = Stream.concat(
                        Stream.of(Entry.directory(root, 0755)),
                        entries.stream().filter(e -> !e.path().isEmpty()).map(e -> e.withPath(root + "/" + e.path())))
                .toList();
        Path result = request.workDirectory().resolve("dtbs.tar.gz");
        AtomicFile.write(result, out -> {
            try (GZIPOutputStream gzip = new GZIPOutputStream(out, 1 << 16)) {
                TarWriter.write(moved, gzip, request.mtime());
            }
        });
        return Optional.of(result);
    }
}
