package org.tinkerbell.hook.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarWriter;

/** The way of a compilation, with a source whose Makefile has the targets of a kernel's and needs no compiler. */
class CompilationTest {
    private static final String MAKEFILE = """
            RELEASE := 6.12.1$(LOCALVERSION)
            olddefconfig:
            \t@echo CONFIG_ADDED=y >> .config
            kernelrelease:
            \t@echo $(RELEASE)
            image_name:
            \t@echo arch/$(ARCH)/boot/Image.gz
            bzImage Image:
            \t@echo '  CC      drivers/net/ethernet/intel/e1000e/netdev.o'
            \t@echo '  CC [M]  fs/dummy.o'
            \t@echo '  LD      vmlinux.o'
            \t@grep -q CONFIG_BROKEN .config && { echo 'netdev.c:1: error: it is broken'; exit 1; } || true
            \t@mkdir -p arch/$(ARCH)/boot
            \t@echo "$(ARCH) $(CROSS_COMPILE) $(KBUILD_BUILD_USER) $(KBUILD_BUILD_TIMESTAMP) $(KCFLAGS)" > arch/$(ARCH)/boot/$@
            modules:
            modules_install:
            \t@mkdir -p $(INSTALL_MOD_PATH)/lib/modules/$(RELEASE)/kernel
            \t@ln -s /nowhere $(INSTALL_MOD_PATH)/lib/modules/$(RELEASE)/build
            \t@echo module > $(INSTALL_MOD_PATH)/lib/modules/$(RELEASE)/kernel/dummy.ko
            dtbs:
            dtbs_install:
            \t@mkdir -p $(INSTALL_DTBS_PATH)/vendor
            \t@echo tree > $(INSTALL_DTBS_PATH)/vendor/board.dtb
            menuconfig:
            \t@echo CONFIG_CHOSEN=y >> .config
            savedefconfig:
            \t@grep -v CONFIG_ADDED .config > defconfig
            """;

    @TempDir
    Path directory;

    private Path tools;
    private Path include;
    private final Recorder progress = new Recorder();

    /** Takes down what is said. */
    private static final class Recorder implements Progress {
        private final List<String> parts = new ArrayList<>();
        private long done;

        @Override
        public Task start(String what, long total, Unit unit) {
            if (!what.startsWith("Compiling")) {
                return amount -> {};
            }
            assertTrue(total > 0, "there is an estimate");
            return new Task() {
                @Override
                public void advance(long amount) {
                    done += amount;
                }

                @Override
                public void at(String part) {
                    parts.add(part);
                }
            };
        }

        @Override
        public void info(String message) {}

        @Override
        public void warn(String message) {}
    }

    @BeforeEach
    void lay() throws Exception {
        assumeTrue(isThere("make"), "make is not installed");
        tools = Files.createDirectories(directory.resolve("tools"));
        include = Files.createDirectories(directory.resolve("include"));
        for (String tool : List.of("bc", "bison", "flex", "gcc", "ld", "make", "perl", "zstd", "cmp", "find")) {
            tool(tool, tool + " 1.0");
        }
        Files.writeString(include.resolve("libelf.h"), "");
    }

    private static boolean isThere(String program) throws InterruptedException {
        try {
            return new ProcessBuilder(program, "--version").redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private void tool(String name, String version) throws IOException {
        Path file = tools.resolve(name);
        Files.writeString(file, "#!/bin/sh\necho " + version + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static KernelSource source() throws IOException {
        ByteArrayOutputStream tar = new ByteArrayOutputStream();
        TarWriter.write(List.of(
                Entry.directory("linux-6.12.1", 0755),
                Entry.file("linux-6.12.1/Makefile", 0644, Content.of(MAKEFILE)),
                Entry.file("linux-6.12.1/arch/x86/include/asm/setup.h", 0644, Content.of("#define COMMAND_LINE_SIZE 2048\n"))), tar, Long.MAX_VALUE);
        byte[] bytes = tar.toByteArray();
        return new KernelSource("linux-6.12.1.tar of the test", "6.12.1", Digest.of(bytes), () -> Content.of(bytes));
    }

    private KernelBuild build(String name, String config) throws IOException {
        Path file = Files.writeString(directory.resolve(name + "-config"), config);
        return new KernelBuild(source(), Arch.host(), file, Files.createDirectories(directory.resolve(name + "-work")),
                Files.createDirectories(directory.resolve(name + "-output")), 1, progress);
    }

    private HostBuilder host() {
        return new HostBuilder(List.of(tools), include);
    }

    @Test
    void theHostsToolsMakeAllThatAKernelIs() throws Exception {
        KernelBuild build = build("host", "CONFIG_MODULES=y\nCONFIG_OF=y\n");
        KernelBuild.Result result = host().build(build);
        assertEquals("6.12.1", result.release());
        String name = CompileScript.name(Arch.host());
        assertEquals(name + "  hook Thu Jan  1 00:00:00 UTC 1970 \n", Files.readString(result.kernel()));
        assertEquals("module\n", Files.readString(result.modules().resolve("kernel/dummy.ko")));
        assertFalse(Files.isSymbolicLink(result.modules().resolve("build")), "a link into a directory that is gone");
        assertTrue(Files.readString(result.config()).contains("CONFIG_ADDED=y"), "the whole configuration");
        assertEquals(Arch.host() != Arch.X86_64, result.deviceTrees().isPresent());
        assertEquals(2, progress.done, "files compiled");
        assertTrue(progress.parts.contains("drivers/net/ethernet"), progress.parts.toString());
        assertTrue(Files.readString(build.output().resolve(Compilation.LOG)).contains("netdev.o"));
    }

    @Test
    void aKernelWithoutModulesHasAnEmptyDirectoryOfThem() throws Exception {
        KernelBuild.Result result = host().build(build("host", "CONFIG_OF=y\n"));
        try (Stream<Path> all = Files.list(result.modules())) {
            assertEquals(List.of(), all.toList());
        }
    }

    @Test
    void aCompilationThatFailsSaysWhatMakeSaid() throws Exception {
        KernelBuild build = build("host", "CONFIG_BROKEN=y\n");
        HookException e = assertThrows(HookException.class, () -> host().build(build));
        assertTrue(e.getMessage().contains("netdev.c:1: error: it is broken"), e.getMessage());
        Path log = Path.of(e.getMessage().replaceFirst("(?s).*all of which is in (\\S+):\n.*", "$1"));
        assertTrue(Files.readString(log).contains("it is broken"), "all of it");
        Files.delete(log);
        try (Stream<Path> left = Files.list(build.output())) {
            assertEquals(List.of(), left.toList(), "nothing half-made");
        }
    }

    @Test
    void namesThePackagesOfWhatIsMissing() throws Exception {
        Files.delete(tools.resolve("flex"));
        Files.delete(tools.resolve("ld"));
        Files.delete(include.resolve("libelf.h"));
        HookException e = assertThrows(HookException.class, () -> host().fingerprint(Arch.host()));
        assertTrue(e.getMessage().contains("flex, ld" ) && e.getMessage().contains("apt-get install binutils flex"), e.getMessage());
        assertEquals(Arch.host() == Arch.X86_64, e.getMessage().contains("libelf-dev"), e.getMessage());
        Arch other = Arch.host() == Arch.X86_64 ? Arch.AARCH64 : Arch.X86_64;
        HookException cross = assertThrows(HookException.class, () -> host().fingerprint(other));
        String triplet = other.triplet().replace('_', '-');
        assertTrue(cross.getMessage().contains("binutils-" + triplet) && cross.getMessage().contains("gcc-" + triplet), cross.getMessage());
        assertTrue(cross.getMessage().contains(other.triplet() + "-gcc"), cross.getMessage());
    }

    @Test
    void anotherCompilerIsAnotherInput() throws Exception {
        String before = host().fingerprint(Arch.host());
        tool("gcc", "gcc 2.0");
        assertNotEquals(before, host().fingerprint(Arch.host()));
        tool("gcc", "gcc 1.0");
        tool("make", "make 2.0");
        assertEquals(before, host().fingerprint(Arch.host()), "make changes nothing in a kernel");
    }

    /** A container without one: the command is run here, on the directory that it would see. */
    private static ContainerBuilder.Toolchain here(List<Process> started) {
        return new ContainerBuilder.Toolchain() {
            @Override
            public String fingerprint(Arch target) {
                return "gcc 14";
            }

            @Override
            public void start(Path work, List<String> command, Map<String, String> environment) throws IOException {
                List<String> moved = command.stream().map(word -> word.replace(ContainerBuilder.MOUNT, work.toString())).toList();
                ProcessBuilder builder = new ProcessBuilder(moved).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.INHERIT);
                environment.forEach((name, value) -> builder.environment().put(name, value.replace(ContainerBuilder.MOUNT, work.toString())));
                started.add(builder.start());
            }
        };
    }

    @Test
    void aContainerMakesWhatTheHostMakes() throws Exception {
        List<Process> started = new ArrayList<>();
        String config = "CONFIG_MODULES=y\nCONFIG_OF=y\n";
        KernelBuild.Result inContainer = new ContainerBuilder(here(started)).build(build("container", config));
        KernelBuild.Result onHost = host().build(build("host", config));
        assertArrayEquals(Files.readAllBytes(onHost.kernel()), Files.readAllBytes(inContainer.kernel()));
        assertEquals(files(directory.resolve("host-output")), files(directory.resolve("container-output")));
        assertTrue(started.get(0).waitFor(1, TimeUnit.MINUTES), "it has ended");
    }

    @Test
    void whatFailsInAContainerFails() throws Exception {
        KernelBuild build = build("container", "CONFIG_BROKEN=y\n");
        HookException e = assertThrows(HookException.class, () -> new ContainerBuilder(here(new ArrayList<>())).build(build));
        assertTrue(e.getMessage().contains("it is broken"), e.getMessage());
    }

    @Test
    void aContainerThatIsNotHeardOfIsNotWaitedFor() throws Exception {
        ContainerBuilder.Toolchain dumb = new ContainerBuilder.Toolchain() {
            @Override
            public String fingerprint(Arch target) {
                return "";
            }

            @Override
            public void start(Path work, List<String> command, Map<String, String> environment) {
                // An engine elsewhere, with a directory of the same name.
            }
        };
        KernelBuild build = build("container", "");
        HookException e = assertThrows(HookException.class, () -> new ContainerBuilder(dumb, Duration.ofMillis(100)).build(build));
        assertTrue(e.getMessage().contains("does not see"), e.getMessage());
    }

    @Test
    void withoutAnEngineNothingIsUnpacked() throws Exception {
        ContainerBuilder.Toolchain none = new ContainerBuilder.Toolchain() {
            @Override
            public String fingerprint(Arch target) {
                return "";
            }

            @Override
            public void start(Path work, List<String> command, Map<String, String> environment) {
                throw new HookException("no engine");
            }
        };
        KernelBuild build = build("container", "");
        HookException e = assertThrows(HookException.class, () -> new ContainerBuilder(none).build(build));
        assertEquals("no engine", e.getMessage());
        assertFalse(Files.exists(build.work().resolve("source")));
    }

    @Test
    void aContainerEndsWhenNobodyWaitsForItAnyMore() throws Exception {
        List<Process> started = new ArrayList<>();
        // As if Maven had been killed long ago: nothing touches the pulse.
        Path work = Files.createDirectories(directory.resolve("orphan"));
        // There is no container here that would end the compiler with its first process: it ends once the file is there.
        Files.writeString(work.resolve("compile.sh"), "for i in $(seq 600); do [ -e ended ] && exit; sleep 0.2; done\n");
        Files.createFile(work.resolve("ready"));
        Files.setLastModifiedTime(Files.createFile(work.resolve("pulse.host")), FileTime.fromMillis(0));
        here(started).start(work, List.of("sh", "-c", ContainerBuilder.supervisor()), Map.of("JOBS", "1"));
        try {
            assertTrue(started.get(0).waitFor(1, TimeUnit.MINUTES), "it waits for nobody");
            assertEquals(1, started.get(0).exitValue());
        } finally {
            Files.createFile(work.resolve("ended"));
            for (int i = 0; i < 600 && !Files.exists(work.resolve("exit")); i++) {
                Thread.sleep(100);
            }
        }
    }

    private static List<String> files(Path root) throws IOException {
        try (Stream<Path> walk = Files.walk(root)) {
            return walk.map(path -> root.relativize(path).toString()).sorted().collect(Collectors.toList());
        }
    }

    @Test
    void whatSomebodyChoosesIsSaved() throws Exception {
        Path from = Files.writeString(directory.resolve("generic-6.6-x"), "CONFIG_OLD=y\n");
        Path to = directory.resolve("configs/generic-6.12-x");
        ConfigSession session = new ConfigSession(new Cache(directory.resolve("cache")), this::run, progress);
        assertTrue(session.run(ConfigSession.Kind.MENU, source(), Arch.host(), from, to));
        assertEquals("CONFIG_OLD=y\nCONFIG_CHOSEN=y\n", Files.readString(to));
        assertEquals("CONFIG_OLD=y\n", Files.readString(from));
    }

    @Test
    void whatASessionLeftBehindIsClearedAwayByTheNext() throws Exception {
        Path config = Files.writeString(directory.resolve("config"), "CONFIG_OLD=y\n");
        List<Path> works = new ArrayList<>();
        ConfigSession session = new ConfigSession(new Cache(directory.resolve("cache")), (work, command, environment) -> {
            works.add(work);
            assertFalse(Files.exists(work.resolve("source/old.o")), "as if by a Maven that was killed");
            return 1;
        }, progress);
        assertThrows(HookException.class, () -> session.run(ConfigSession.Kind.MENU, source(), Arch.host(), config, config));
        Files.createFile(Files.createDirectories(works.get(0).resolve("source")).resolve("old.o"));
        assertThrows(HookException.class, () -> session.run(ConfigSession.Kind.MENU, source(), Arch.host(), config, config));
        assertEquals(works.get(0), works.get(1));
        assertFalse(Files.exists(works.get(0)));
    }

    @Test
    void whatWasNotSavedChangesNothing() throws Exception {
        Path config = Files.writeString(directory.resolve("config"), "CONFIG_OLD=y\n");
        ConfigSession session = new ConfigSession(new Cache(directory.resolve("cache")), (work, command, environment) -> 1, progress);
        assertThrows(HookException.class, () -> session.run(ConfigSession.Kind.MENU, source(), Arch.host(), config, config));
        ConfigSession shell = new ConfigSession(new Cache(directory.resolve("cache")), (work, command, environment) -> 0, progress);
        assertFalse(shell.run(ConfigSession.Kind.SHELL, source(), Arch.host(), config, config));
        assertEquals("CONFIG_OLD=y\n", Files.readString(config));
        try (Stream<Path> left = Files.list(directory.resolve("cache/kernel-config"))) {
            assertEquals(List.of(), left.toList());
        }
    }

    private int run(Path work, List<String> command, Map<String, String> environment) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).directory(work.toFile()).inheritIO();
        builder.environment().putAll(environment);
        return builder.start().waitFor();
    }
}
