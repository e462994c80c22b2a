package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;

/**
 * Compiles kernels with the tools of the machine, which have to be there. Other versions of them make other bytes; so their versions are among
 * the inputs of a build.
 */
public final class HostBuilder implements KernelBuilder {
    private static final String LIBELF = "libelf.h";

    /** Programs and the Debian packages that they are in; {@code gcc} and {@code ld} have the target's prefix. */
    private static final Map<String, String> PROGRAMS = new TreeMap<>(Map.ofEntries(
            Map.entry("bc", "bc"), Map.entry("bison", "bison"), Map.entry("flex", "flex"), Map.entry("gcc", "gcc"),
            Map.entry("ld", "binutils"), Map.entry("make", "make"), Map.entry("perl", "perl"), Map.entry("zstd", "zstd"),
            Map.entry("cmp", "diffutils"), Map.entry("find", "findutils")));
    /** Those of them whose version changes what is made. */
    private static final List<String> VERSIONED = List.of("gcc", "ld", "zstd");
    private static final long PATIENCE_SECONDS = 30;

    private final List<Path> searchPath;
    private final Path include;

    /**
     * A builder with the programs of a search path.
     *
     * @param searchPath where programs are looked for, as {@code PATH} has it
     * @param include where libraries' headers are, {@code /usr/include}
     */
    public HostBuilder(List<Path> searchPath, Path include) {
        this.searchPath = List.copyOf(searchPath);
        this.include = include;
    }

    /** A builder with this machine's programs. */
    public static HostBuilder ofThisMachine() {
        List<Path> path = new ArrayList<>();
        for (String each : Optional.ofNullable(System.getenv("PATH")).orElse("/usr/bin:/bin").split(":")) {
            if (!each.isEmpty()) {
                path.add(Path.of(each));
            }
        }
        return new HostBuilder(path, Path.of("/usr/include"));
    }

    @Override
    public String fingerprint(Arch target) throws IOException {
        check(target);
        StringJoiner all = new StringJoiner("\n");
        all.add(CompileScript.fingerprint().toString());
        for (String program : VERSIONED) {
            all.add(program + " " + version(find(name(program, target)).orElseThrow()));
        }
        return all.toString();
    }

    @Override
    public KernelBuild.Result build(KernelBuild build) throws IOException, InterruptedException {
        check(build.arch());
        Compilation compilation = Compilation.prepare(build);
        Path work = build.work();
        ProcessBuilder builder = new ProcessBuilder("sh", work.resolve(CompileScript.FILE).toString(),
                work.resolve(Compilation.SOURCE).toString(), work.resolve(Compilation.CONFIG).toString(),
                work.resolve(Compilation.RESULT).toString(), Integer.toString(build.jobs()));
        builder.environment().putAll(CompileScript.environment(build.arch(), Arch.host()));
        builder.redirectErrorStream(true).redirectOutput(work.resolve(Compilation.LOG).toFile());
        Process process = builder.start();
        process.getOutputStream().close();
        Thread ender = new Thread(() -> end(process));
        Runtime.getRuntime().addShutdownHook(ender);
        try {
            return compilation.await(() -> process.isAlive() ? Optional.empty() : Optional.of(process.exitValue()));
        } finally {
            end(process);
            Runtime.getRuntime().removeShutdownHook(ender);
        }
    }

    /** Ends a process and all that it has started. */
    private static void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroy);
        process.destroy();
    }

    /**
     * Sees to it that all is there that a kernel is compiled with.
     *
     * @throws HookException if not, naming the Debian packages
     */
    void check(Arch target) {
        SortedSet<String> missing = new TreeSet<>();
        SortedSet<String> packages = new TreeSet<>();
        PROGRAMS.forEach((program, debian) -> {
            String name = name(program, target);
            if (find(name).isEmpty()) {
                missing.add(name);
                packages.add(name.equals(program) ? debian : cross(debian, target));
            }
            // What runs while the kernel is made is compiled for this machine.
            if (program.equals("gcc") && find(program).isEmpty()) {
                missing.add(program);
                packages.add(debian);
            }
        });
        // objtool is made with it.
        if (target == Arch.X86_64 && !Files.exists(include.resolve(LIBELF))) {
            missing.add(LIBELF);
            packages.add("libelf-dev");
        }
        if (!missing.isEmpty()) {
            throw new HookException("This machine has no " + String.join(", ", missing) + " to compile a kernel with. On Debian: apt-get install "
                    + String.join(" ", packages) + ". Or let a container have them (leave out -Dhook.kernel.builder=host).");
        }
    }

    private static String name(String program, Arch target) {
        boolean prefixed = program.equals("gcc") || program.equals("ld");
        return (prefixed ? CompileScript.prefix(target, Arch.host()).orElse("") : "") + program;
    }

    private static String cross(String debian, Arch target) {
        return debian + "-" + target.triplet().replace('_', '-');
    }

    private Optional<Path> find(String program) {
        return searchPath.stream().map(directory -> directory.resolve(program)).filter(Files::isExecutable).findFirst();
    }

    private static String version(Path program) throws IOException {
        Process process = new ProcessBuilder(program.toString(), "--version").redirectErrorStream(true).start();
        process.getOutputStream().close();
        try (var in = process.getInputStream()) {
            String said = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new HookException(program + " --version fails: " + said);
            }
            return said.lines().findFirst().orElse("");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            process.destroy();
        }
    }
}
