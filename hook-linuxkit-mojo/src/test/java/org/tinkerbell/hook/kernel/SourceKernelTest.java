package org.tinkerbell.hook.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarFile;
import org.tinkerbell.hook.tree.TarWriter;

class SourceKernelTest {
    @TempDir
    Path directory;

    private final FakeBuilder builder = new FakeBuilder();
    private String version = "6.12.58";
    private byte[] tarball = TestKernelOrg.xz(TestKernelOrg.tar("6.12.58", ""));
    private int jobs = 1;

    @BeforeEach
    void configure() throws IOException {
        Files.createDirectories(directory.resolve("configs"));
        config("generic-6.12-x86_64", "CONFIG_A=y\n");
        config("generic-6.12-aarch64", "CONFIG_A=y\n");
        config("tiny-6.12-x86_64", "CONFIG_B=y\n");
    }

    private void config(String name, String text) throws IOException {
        Files.writeString(directory.resolve("configs").resolve(name), text);
    }

    private static KernelSource source(String version, byte[] tarball) {
        return new KernelSource("linux-" + version + ".tar.xz", version, Digest.of(tarball), () -> Content.of(tarball));
    }

    private SourceKernel kernels() {
        return new SourceKernel(new Cache(directory.resolve("cache")), flavor -> source(version, tarball),
                new Defconfigs(directory.resolve("configs")), builder, jobs, Progress.SILENT);
    }

    private static Flavor flavor(String config, Arch arch) {
        return TestFlavors.source("kernel.org", "6.12", Optional.empty(), config, arch);
    }

    private static final Flavor GENERIC = flavor("generic", Arch.X86_64);

    private Digest inputs() throws IOException {
        return kernels().plan(GENERIC).inputs();
    }

    @Test
    void theHashOfTheInputsChangesWithEachOfThem() throws IOException {
        Digest before = inputs();
        config("generic-6.12-x86_64", "CONFIG_A=m\n");
        assertNotEquals(before, inputs(), "configuration");
        config("generic-6.12-x86_64", "CONFIG_A=y\n");
        assertEquals(before, inputs());
        version = "6.12.59";
        assertNotEquals(before, inputs(), "version");
        version = "6.12.58";
        byte[] same = tarball;
        tarball = TestKernelOrg.xz(TestKernelOrg.tar("6.12.58", "patched:\n"));
        assertNotEquals(before, inputs(), "source");
        tarball = same;
        builder.toolchain = "gcc 15";
        assertNotEquals(before, inputs(), "toolchain");
        builder.toolchain = "gcc 14.2";
        assertNotEquals(before, kernels().plan(flavor("generic", Arch.AARCH64)).inputs(), "architecture");
        assertNotEquals(before, kernels().plan(flavor("tiny", Arch.X86_64)).inputs(), "another configuration");
        assertTrue(source(version, tarball).fingerprint().contains(CommandLineSize.FINGERPRINT), "Hook's changes to the source");
        assertEquals(before, inputs());
    }

    @Test
    void theHashOfTheInputsDoesNotChangeWithAnythingElse() throws IOException {
        Digest before = inputs();
        jobs = 64;
        assertEquals(before, inputs(), "number of processes");
        config("generic-6.6-x86_64", "CONFIG_OLD=y\n");
        config("tiny-6.12-x86_64", "CONFIG_C=y\n");
        assertEquals(before, inputs(), "configurations that are not taken");
        Files.copy(directory.resolve("configs/generic-6.12-x86_64"), directory.resolve("configs/copy-6.12-x86_64"));
        assertEquals(before, kernels().plan(flavor("copy", Arch.X86_64)).inputs(), "the name of the configuration");
        Flavor other = TestFlavors.source("debian", "6.12", Optional.of("58"), "generic", Arch.X86_64);
        assertEquals(before, kernels().plan(other).inputs(), "the way in which the same source was asked for");
    }

    @Test
    void nothingIsCompiledTwice() throws Exception {
        KernelFiles first = kernels().kernel(GENERIC);
        KernelFiles second = kernels().kernel(GENERIC);
        assertEquals(1, builder.builds);
        assertEquals(first.inputs(), second.inputs());
        String kernel = new String(second.kernel().bytes(), StandardCharsets.UTF_8);
        assertEquals("# Linux 6.12.58\nCONFIG_A=y\ngcc 14.2", kernel);
        assertEquals("6.12.58", second.release());
        assertEquals(List.of(), second.deviceTrees());
        kernels().kernel(kernels().plan(GENERIC), true);
        assertEquals(2, builder.builds, "anew");
        List<Entry> trees = kernels().kernel(flavor("generic", Arch.AARCH64)).deviceTrees();
        assertEquals(List.of("vendor/board.dtb"), trees.stream().map(Entry::path).toList());
    }

    @Test
    void aFailedBuildLeavesNothing() throws Exception {
        builder.failing = true;
        assertEquals("internal compiler error", assertThrows(HookException.class, () -> kernels().kernel(GENERIC)).getMessage());
        try (Stream<Path> left = Files.list(directory.resolve("cache/kernel-build"))) {
            assertEquals(List.of(), left.toList());
        }
        builder.failing = false;
        kernels().kernel(GENERIC);
        assertEquals(2, builder.builds);
    }

    @Test
    void whatKilledBuildsOfOtherKernelsHaveLeftIsDeletedUnlessOneIsAtWork() throws Exception {
        Path kept = Files.createDirectories(directory.resolve("cache/kernel-build"));
        Files.createDirectories(kept.resolve(".6.12.57-dead.work.part/source"));
        Files.createDirectories(kept.resolve(".6.12.57-dead.part"));
        Files.createDirectories(kept.resolve(".6.12.57-busy.work.part/source"));
        CountDownLatch done = new CountDownLatch(1);
        CountDownLatch held = new CountDownLatch(1);
        CompletableFuture<Void> other = CompletableFuture.runAsync(() -> {
            try (Cache.Held lock = new Cache(directory.resolve("cache")).lock(kept.resolve("6.12.57-busy").toString())) {
                held.countDown();
                done.await();
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        held.await();
        try {
            kernels().kernel(GENERIC);
        } finally {
            done.countDown();
        }
        other.get();
        try (Stream<Path> left = Files.list(kept)) {
            assertEquals(List.of(".6.12.57-busy.work.part"),
                    left.map(path -> path.getFileName().toString()).filter(name -> name.startsWith(".")).toList());
        }
    }

    @Test
    void aSourceThatIsAnotherVersionIsRefused() throws Exception {
        builder.release = "6.12.5";
        assertTrue(assertThrows(HookException.class, () -> kernels().kernel(GENERIC)).getMessage().contains("is Linux 6.12.5 by its Makefile"));
        builder.release = "6.12.581";
        assertThrows(HookException.class, () -> kernels().kernel(GENERIC));
        builder.release = "6.12.58-hook";
        assertEquals("6.12.58-hook", kernels().kernel(GENERIC).release());
    }

    @Test
    void aConfigurationIsThatOfTheSeriesOrOfTheNewestBefore() throws IOException {
        Defconfigs configs = new Defconfigs(directory.resolve("configs"));
        config("generic-6.6-x86_64", "old\n");
        config("generic-6.2-x86_64", "older\n");
        assertEquals("generic-6.12-x86_64", configs.file("generic", "6.12", Arch.X86_64).getFileName().toString());
        assertEquals("generic-6.12-x86_64", configs.file("generic", "6.18", Arch.X86_64).getFileName().toString());
        assertEquals("generic-6.6-x86_64", configs.file("generic", "6.11", Arch.X86_64).getFileName().toString());
        String message = assertThrows(HookException.class, () -> configs.file("generic", "5.10", Arch.X86_64)).getMessage();
        assertTrue(message.contains("5.10") && message.contains("tiny-6.12-x86_64") && !message.contains("aarch64"), message);
        Path own = directory.resolve("own");
        assertTrue(assertThrows(HookException.class, () -> configs.file(own.toString(), "6.12", Arch.X86_64)).getMessage().contains("not there"));
        Files.writeString(own, "CONFIG_OWN=y\n");
        assertEquals(own, configs.file(own.toString(), "6.12", Arch.X86_64));
    }

    @Test
    void theSourceAsATarIsTheSameTree() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Path scratch = Files.createDirectories(directory.resolve("scratch"));
        source(version, tarball).tar(scratch, bytes);
        TarFile tar = TarFile.index(new ByteArrayInputStream(bytes.toByteArray()), directory.resolve("x.tar"), "x");
        List<String> paths = tar.entries().stream().filter(e -> e.type() != Entry.Type.DIRECTORY).map(Entry::path).toList();
        assertEquals(List.of("Makefile", "arch/x86/include/asm/setup.h", "scripts/link", "scripts/run.sh"), paths);
        String header = new String(tar.entries().stream().filter(e -> e.path().endsWith("setup.h")).findFirst().orElseThrow().content().bytes(),
                StandardCharsets.UTF_8);
        assertTrue(header.contains("COMMAND_LINE_SIZE 4096") && header.contains("X 2048"), header);
        try (Stream<Path> left = Files.list(scratch)) {
            assertEquals(0, left.count());
        }
    }

    @Test
    void aSourceThatIsNoneIsRefused() throws IOException {
        byte[] cut = Arrays.copyOf(tarball, tarball.length - 40);
        assertThrows(IOException.class, () -> source(version, cut).unpack(directory.resolve("a"), amount -> {}));
        assertTrue(refused("b", List.of(Entry.file("x/README", 0644, Content.of("")))).contains("there is no Makefile"));
        assertTrue(refused("c", List.of(Entry.file("x/Makefile", 0644, Content.of("")),
                Entry.file("x/arch/x86/include/asm/setup.h", 0644, Content.of("#define COMMAND_LINE_SIZE CONFIG_SIZE\n"))))
                .contains("COMMAND_LINE_SIZE"));
        assertFalse(Files.exists(directory.resolve("c/Makefile")), "nothing is unpacked before all of it is known to be right");
    }

    private String refused(String name, List<Entry> entries) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        TarWriter.write(entries, bytes, 0);
        return assertThrows(HookException.class, () -> source(version, bytes.toByteArray()).unpack(directory.resolve(name), amount -> {})).getMessage();
    }

    @Test
    void aLargerCommandLineStaysAsItIs() throws IOException {
        Entry file = Entry.file("arch/x86/include/asm/setup.h", 0644, Content.of("#define COMMAND_LINE_SIZE 8192\n"));
        assertEquals(file, CommandLineSize.raised(file, "test"));
    }
}
