package org.tinkerbell.hook.linuxkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Directories;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarFile;

/**
 * The engine that has the real {@code linuxkit} command put the system together. The command reads the image store in place as its cache, and
 * whatever the YAML names is in there before it starts, so it needs neither Docker nor a network. Of its formats the tar is taken, the only one
 * that keeps hard links; from there on all is as with {@link EmbeddedEngine}. Formats that the command alone knows it makes as they are.
 */
public final class CommandEngine implements Engine {
    private static final int LINES_SHOWN = 20;

    private final LinuxKitCommand command;
    private final StoreImages images;
    private final Cache cache;
    private final Progress progress;
    private final boolean debug;

    /**
     * An engine.
     *
     * @param images the store that the command reads
     * @param cache keeps compressed segments
     * @param debug whether all that the command says is shown, instead of how far it is
     */
    public CommandEngine(LinuxKitCommand command, StoreImages images, Cache cache, Progress progress, boolean debug) {
        this.command = command;
        this.images = images;
        this.cache = cache;
        this.progress = progress;
        this.debug = debug;
    }

    /** {@inheritDoc} The YAML is read from the file that the configuration is named after. */
    @Override
    public Result build(Request request) throws IOException {
        LinuxKitConfig config = request.config();
        SystemFiles.removeLeftovers(request);
        EmbeddedEngine.warnOfTrust(config, progress);
        Map<String, Digest> digests = new LinkedHashMap<>();
        for (LinuxKitConfig.ImageUse use : config.images().values()) {
            located(config, use.pointer(), () -> digests.put(use.name(), images.digest(use.name(), request.arch())));
        }
        for (LinuxKitConfig.Volume volume : config.volumes()) {
            if (volume.layout() && volume.image().isPresent()) {
                located(config, volume.pointer(), () -> images.complete(volume.image().get().name(), volume.platforms()));
            }
        }
        Files.createDirectories(request.directory());
        Path tar = request.directory().toAbsolutePath().resolve("." + request.name() + "-linuxkit.tar" + AtomicFile.SUFFIX);
        try {
            run(request, arguments(request, "tar", List.of("--o", tar.toString())));
            Result result = new SystemFiles(cache, progress).write(request, digests, assembled(config, tar));
            Map<String, List<Path>> others = new TreeMap<>(result.others());
            for (String format : request.formats().ofLinuxKitOnly()) {
                others.put(format, other(request, format));
            }
            return new Result(result.kernel(), result.initrd(), result.cmdline(), result.report(), result.reportFile(), others);
        } finally {
            Files.deleteIfExists(tar);
        }
    }

    private List<String> arguments(Request request, String format, List<String> target) {
        List<String> arguments = new ArrayList<>(debug ? List.of("--verbose", "2") : List.of());
        arguments.addAll(List.of("build", "--format", format, "--arch", request.arch().ociName(), "--cache", images.storeLayout().toString(),
                "--no-sbom"));
        arguments.addAll(target);
        arguments.add(Path.of(request.config().source().name()).toAbsolutePath().toString());
        return arguments;
    }

    /** Has the command make a format of its own, as it is; many of them it makes in containers of its own, with Docker. */
    private List<Path> other(Request request, String format) throws IOException {
        Path directory = request.directory().toAbsolutePath().resolve("." + request.name() + "-" + format + AtomicFile.SUFFIX);
        Directories.delete(directory);
        Files.createDirectories(directory);
        try {
            run(request, arguments(request, format, List.of("--name", request.name(), "--dir", directory.toString())));
            List<Path> files = new ArrayList<>();
            try (Stream<Path> made = Files.list(directory)) {
                for (Path file : (Iterable<Path>) made.sorted()::iterator) {
                    files.add(Files.move(file, request.directory().resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING));
                }
            }
            if (files.isEmpty()) {
                throw new HookException("linuxkit made no file of the format " + format + " of " + request.config().source().name());
            }
            return files;
        } finally {
            Directories.delete(directory);
        }
    }

    /** Work on one place of the YAML. */
    @FunctionalInterface
    private interface Work {
        void run() throws IOException;
    }

    private static void located(LinuxKitConfig config, String pointer, Work work) throws IOException {
        try {
            work.run();
        } catch (HookException e) {
            throw new HookException(config.source().error(pointer, e.getMessage()).getMessage(), e);
        }
    }

    private void run(Request request, List<String> arguments) throws IOException {
        CommandLog log = new CommandLog(request.config());
        int steps = CommandLog.steps(request.config());
        int status;
        if (debug) {
            progress.info(command.commandLine(request.sources(), arguments));
            status = command.run(request.sources(), arguments, line -> {
                log.add(line);
                progress.info(line);
            });
        } else {
            try (Progress.Task task = progress.start("linuxkit puts " + request.name() + " together", steps, Progress.Unit.ITEMS)) {
                status = command.run(request.sources(), arguments, line -> {
                    if (log.add(line)) {
                        task.advance(1);
                    }
                });
            }
        }
        if (status != 0) {
            List<String> said = log.last(LINES_SHOWN);
            throw request.config().source().error(log.place(), log.problem().orElse("linuxkit ended with status " + status)
                    + "\nThe last that linuxkit said:\n  " + String.join("\n  ", said)
                    + "\nTo repeat it:\n  " + command.commandLine(request.sources(), arguments));
        }
    }

    /** The parts of LinuxKit's tar: what is in boot/ is not of the root file system (src/cmd/linuxkit/initrd/initrd.go, CopySplitTar). */
    private static RootFileSystem.Assembled assembled(LinuxKitConfig config, Path tar) throws IOException {
        SystemTree tree = new SystemTree();
        try {
            tree.putAll(TarFile.members(tar, "what linuxkit made"));
        } catch (HookException e) {
            throw new HookException(config.source().error("", e.getMessage()).getMessage(), e);
        }
        Optional<Content> kernel = boot(tree, "kernel");
        Optional<Content> cmdline = boot(tree, "cmdline");
        Optional<Content> microcode = boot(tree, "ucode.cpio");
        List<Entry> everything = tree.entries();
        tree.clear("boot");
        return new RootFileSystem.Assembled(
                kernel,
                cmdline.isEmpty() ? "" : new String(cmdline.get().bytes(), StandardCharsets.UTF_8),
                microcode,
                tree.entries(),
                everything);
    }

    private static Optional<Content> boot(SystemTree tree, String name) {
        return tree.get("boot/" + name).map(Entry::content).filter(content -> content.size() > 0);
    }
}
