package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;

/**
 * What is around the steps of {@link CompileScript}, wherever they are run: a working directory with all that they want, their output as
 * progress, and what they have made.
 */
final class Compilation {
    /** Names in the working directory. */
    static final String SOURCE = "source";
    static final String CONFIG = "defconfig";
    static final String RESULT = "result";
    static final String LOG = "compile.log";

    // Linux 6.12: 1,514 files for "tiny" on x86_64, 1,133 on arm64, whose defconfigs enable 117 and 113 options, and 6,048 for "generic" on
    // x86_64 with 1,258: about four for each option more. It is a guess that a person can plan by, no more.
    private static final long FEW_OPTIONS = 115;
    private static final long FEW_FILES = 1_300;
    private static final long FILES_AN_OPTION = 4;
    private static final Pattern ENABLED = Pattern.compile("CONFIG_\\w+=[ym]");
    private static final String RELEASE = "release";
    private static final long PAUSE_MILLIS = 500;

    private final KernelBuild build;

    private Compilation(KernelBuild build) {
        this.build = build;
    }

    /** Unpacks the source and lays the rest beside it, in {@link KernelBuild#work()}. */
    static Compilation prepare(KernelBuild build) throws IOException {
        Path work = build.work();
        try (Progress.Task task = build.progress().start("Unpacking " + build.source().origin(), -1, Progress.Unit.ITEMS)) {
            build.source().unpack(work.resolve(SOURCE), task);
        }
        Files.copy(build.config(), work.resolve(CONFIG), StandardCopyOption.REPLACE_EXISTING);
        Files.createDirectories(work.resolve(RESULT));
        CompileScript.write(work);
        return new Compilation(build);
    }

    /** What compiles, on its way. */
    interface Running {
        /**
         * How it ended, if it did.
         *
         * @throws HookException if it has vanished
         */
        Optional<Integer> exit() throws IOException;
    }

    /**
     * Waits until the compilation is done and takes what it has made.
     *
     * @throws HookException if it fails, with the end of what it said
     */
    KernelBuild.Result await(Running running) throws IOException, InterruptedException {
        Path log = build.work().resolve(LOG);
        String what = "Compiling Linux " + build.source().version() + " for " + build.arch().ociName();
        CompileLog lines;
        int exit;
        long begin = System.nanoTime();
        try (Progress.Task task = build.progress().start(what, estimate(), Progress.Unit.ITEMS)) {
            lines = new CompileLog(log, task);
            Optional<Integer> ended = running.exit();
            while (ended.isEmpty()) {
                Thread.sleep(PAUSE_MILLIS);
                lines.read();
                ended = running.exit();
            }
            lines.read();
            exit = ended.get();
        }
        Path kept = build.output().resolve(LOG);
        if (exit != 0) {
            // The output is thrown away where there is no kernel.
            kept = Files.createTempFile("hook-kernel-", ".log");
            Files.copy(log, kept, StandardCopyOption.REPLACE_EXISTING);
            throw new HookException(what + " failed (exit code " + exit + "). The end of what make said, all of which is in " + kept + ":\n" + lines.tail());
        }
        Files.copy(log, kept);
        Path result = build.work().resolve(RESULT);
        if (!Files.isRegularFile(result.resolve(RELEASE))) {
            throw new HookException(what + " has ended without a kernel:\n" + lines.tail());
        }
        try (Stream<Path> made = Files.list(result)) {
            for (Path each : made.toList()) {
                Files.move(each, build.output().resolve(each.getFileName()));
            }
        }
        build.progress().info(what + " took " + (System.nanoTime() - begin) / 1_000_000_000L + " s for " + lines.objects() + " files");
        return result(build.output());
    }

    private static KernelBuild.Result result(Path output) throws IOException {
        Path trees = output.resolve("dtbs");
        return new KernelBuild.Result(
                Files.readString(output.resolve(RELEASE)).strip(),
                output.resolve("kernel"),
                output.resolve("modules"),
                Files.isDirectory(trees) ? Optional.of(trees) : Optional.empty(),
                output.resolve("config"));
    }

    /** How many files will be compiled, roughly: nobody knows before make has been everywhere. */
    private long estimate() throws IOException {
        try (Stream<String> lines = Files.lines(build.config())) {
            return estimate(lines.filter(line -> ENABLED.matcher(line).lookingAt()).count());
        }
    }

    static long estimate(long options) {
        return Math.max(FEW_FILES, FEW_FILES + (options - FEW_OPTIONS) * FILES_AN_OPTION);
    }
}
