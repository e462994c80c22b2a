package org.tinkerbell.hook.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.debian.Mirrors;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Directories;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.FakeRegistry;
import org.tinkerbell.hook.oci.Image;
import org.tinkerbell.hook.oci.ImageBuilder;
import org.tinkerbell.hook.oci.ImageConfig;
import org.tinkerbell.hook.oci.ImageReference;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.oci.Registry;
import org.tinkerbell.hook.oci.RegistrySettings;
import org.tinkerbell.hook.toolbox.Toolbox;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarFile;
import org.tinkerbell.hook.tree.TarWriter;

class KernelStockTest {
    private static final Flavor FLAVOR = TestFlavors.source("kernel.org", "6.12", Optional.empty(), "generic", Arch.X86_64);

    @TempDir
    Path directory;

    private final FakeBuilder builder = new FakeBuilder();
    private final List<String> asked = new ArrayList<>();
    private FakeRegistry fake;
    private String version = "6.12.58";

    @BeforeEach
    void start() throws IOException {
        fake = new FakeRegistry();
        Files.createDirectories(directory.resolve("configs"));
        Files.writeString(directory.resolve("configs/generic-6.12-x86_64"), "CONFIG_A=y\n");
        Files.writeString(directory.resolve("configs/generic-6.12-aarch64"), "CONFIG_A=y\n");
    }

    @AfterEach
    void stop() {
        fake.close();
    }

    /** One builder's machine: a cache, its store, and the kernels that it knows of. */
    private final class Machine {
        final Cache cache;
        final ImageStore store;
        final KernelImage images;
        final Registry registry;

        Machine(String name) {
            cache = new Cache(directory.resolve(name));
            store = ImageStore.of(cache);
            NetworkSettings offline = NetworkSettings.defaults().withOffline(true);
            Toolbox toolbox = new Toolbox(cache, locks -> new PackageSource(cache, new Downloader(cache, offline, Progress.SILENT),
                    Mirrors.official(), "trixie", locks, LockMode.STRICT, Progress.SILENT), Progress.SILENT);
            images = new KernelImage(cache, store, toolbox, Progress.SILENT);
            registry = new Registry(store, RegistrySettings.of(NetworkSettings.defaults()
                    .withRetries(2, Duration.ofMillis(5), Duration.ofMillis(50), Duration.ofSeconds(10)),
                    Map.of("DOCKER_CONFIG", directory.resolve("docker").toString())), Progress.SILENT);
        }

        SourceKernel method() {
            byte[] tarball = TestKernelOrg.xz(TestKernelOrg.tar(version, ""));
            KernelSource source = new KernelSource("test", version, Digest.of(tarball), () -> Content.of(tarball));
            return new SourceKernel(cache, flavor -> source, new Defconfigs(directory.resolve("configs")), builder, 1, Progress.SILENT);
        }

        KernelImage.Result kernel(Flavor flavor, boolean anew, KernelImage.Place... places) throws IOException, InterruptedException {
            return new KernelStock(images, List.of(places), fake.host() + "/a/b", Progress.SILENT).kernel(method(), flavor, anew);
        }

        KernelImage.Result newest(Flavor flavor) throws IOException {
            return new KernelStock(images, List.of(), fake.host() + "/a/b", Progress.SILENT)
                    .newest(flavor, registry::tags, new RegistryKernels(registry));
        }

        KernelImage.Place registry() {
            return recorded("registry", new RegistryKernels(registry));
        }
    }

    private KernelImage.Place recorded(String name, KernelImage.Place place) {
        return new KernelImage.Place() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public Optional<Image> image(ImageReference reference, Arch arch) throws IOException {
                asked.add(name);
                return place == null ? Optional.empty() : place.image(reference, arch);
            }
        };
    }

    private static void assertSame(KernelImage.Result expected, KernelImage.Result actual) throws IOException {
        assertEquals(expected.reference(), actual.reference());
        assertEquals(expected.image().digest(), actual.image().digest());
        assertEquals(expected.release(), actual.release());
        assertEquals(expected.report(), actual.report());
        assertArrayEquals(Files.readAllBytes(expected.kernel()), Files.readAllBytes(actual.kernel()));
        assertArrayEquals(Files.readAllBytes(expected.modules()), Files.readAllBytes(actual.modules()));
        assertEquals(expected.deviceTrees().isPresent(), actual.deviceTrees().isPresent());
        if (expected.deviceTrees().isPresent()) {
            assertArrayEquals(Files.readAllBytes(expected.deviceTrees().get()), Files.readAllBytes(actual.deviceTrees().get()));
        }
    }

    @Test
    void whatIsHereIsNotLookedForElsewhere() throws Exception {
        Machine machine = new Machine("one");
        KernelImage.Result made = machine.kernel(FLAVOR, false, recorded("maven", null), machine.registry());
        assertEquals(List.of("maven", "registry"), asked, "in this order, and then it is compiled");
        assertTrue(made.reference().tag().orElseThrow().matches("6\\.12\\.58-[0-9a-f]{8}"), made.reference().toString());
        asked.clear();
        assertSame(made, machine.kernel(FLAVOR, false, recorded("maven", null), machine.registry()));
        // The store alone is enough, and so are the files alone.
        Directories.delete(machine.cache.root().resolve("kernel"));
        assertSame(made, machine.kernel(FLAVOR, false, recorded("maven", null)));
        Directories.delete(machine.store.layout());
        assertSame(made, machine.kernel(FLAVOR, false, recorded("maven", null)));
        assertEquals(List.of(), asked);
        assertEquals(1, builder.builds);
    }

    @Test
    void whatAnotherMachinePushedIsTakenFromTheRegistry() throws Exception {
        Flavor arm = TestFlavors.source("kernel.org", "6.12", Optional.empty(), "generic", Arch.AARCH64);
        Machine one = new Machine("one");
        KernelImage.Result made = one.kernel(arm, false);
        one.registry.push(made.reference(), List.of(made.image()));
        Machine other = new Machine("other");
        assertSame(made, other.kernel(arm, false, recorded("maven", null), other.registry()));
        assertEquals(List.of("maven", "registry"), asked);
        assertEquals(1, builder.builds);
        assertTrue(made.deviceTrees().isPresent());
    }

    @Test
    void theFirstPlaceThatHasItIsTheLastThatIsAsked() throws Exception {
        Machine one = new Machine("one");
        KernelImage.Result made = one.kernel(FLAVOR, false);
        one.registry.push(made.reference(), List.of(made.image()));
        Machine other = new Machine("other");
        KernelImage.Place maven = recorded("maven", new RegistryKernels(other.registry));
        assertSame(made, other.kernel(FLAVOR, false, maven, other.registry()));
        assertEquals(List.of("maven"), asked);
    }

    @Test
    void forcedItIsCompiledWhateverIsThere() throws Exception {
        Machine machine = new Machine("one");
        KernelImage.Result made = machine.kernel(FLAVOR, false);
        machine.registry.push(made.reference(), List.of(made.image()));
        assertSame(made, machine.kernel(FLAVOR, true, recorded("maven", null), machine.registry()));
        assertEquals(2, builder.builds);
        assertEquals(List.of(), asked);
    }

    @Test
    void otherInputsAreAnotherKernel() throws Exception {
        Machine machine = new Machine("one");
        KernelImage.Result made = machine.kernel(FLAVOR, false);
        builder.toolchain = "gcc 15";
        KernelImage.Result other = machine.kernel(FLAVOR, false);
        assertFalse(made.reference().equals(other.reference()));
        assertEquals(2, builder.builds);
        Flavor fewer = TestFlavors.of(FLAVOR.arch(), FLAVOR.kernel(), List.of("sound/**"));
        assertFalse(machine.kernel(fewer, false).reference().equals(other.reference()), "the modules that are left out count, too");
        assertEquals(2, builder.builds, "but for them nothing is compiled");
    }

    @Test
    void aRegistryThatCannotBeAskedIsNoReasonToStop() throws Exception {
        Machine machine = new Machine("one");
        fake.close();
        machine.kernel(FLAVOR, false, machine.registry());
        assertEquals(1, builder.builds);
        assertEquals(List.of("registry"), asked);
    }

    @Test
    void anImageThatIsNotWhatItsTagSaysIsNotTaken() throws Exception {
        Machine one = new Machine("one");
        KernelImage.Result made = one.kernel(FLAVOR, false);
        Image wrong = new ImageBuilder(one.store).build(ImageReference.parse("x.example/y:1"), ImageConfig.of(Arch.X86_64)
                .withLabels(Map.of("org.tinkerbell.hook.kernel.inputs", Digest.of("other").toString())), List.of(
                        Entry.file("kernel", 0644, Content.of("evil"))), 0);
        one.registry.push(made.reference(), List.of(wrong));
        Machine other = new Machine("other");
        assertSame(made, other.kernel(FLAVOR, false, other.registry()));
        assertEquals(2, builder.builds);
    }

    private KernelImage.Result publish(Machine machine, String kernelVersion, Arch arch) throws Exception {
        version = kernelVersion;
        KernelImage.Result made =
                machine.kernel(TestFlavors.source("kernel.org", "6.12", Optional.empty(), "generic", arch), false);
        machine.registry.push(made.reference(), List.of(made.image()));
        return made;
    }

    @Test
    void theNewestPublishedIsThatOfTheHighestPointReleaseForTheArchitecture() throws Exception {
        Machine one = new Machine("one");
        publish(one, "6.12.9", Arch.X86_64);
        publish(one, "6.12.58", Arch.X86_64);
        KernelImage.Result arm = publish(one, "6.12.100", Arch.AARCH64);
        fake.types.put("6.12.200-notours", "x");
        fake.types.put("latest", "x");
        Machine other = new Machine("other");
        KernelImage.Result newest = other.newest(FLAVOR);
        assertTrue(newest.reference().tag().orElseThrow().startsWith("6.12.58-"), newest.reference().toString());
        assertEquals("6.12.58", newest.release());
        String layer = arm.image().layers().get(0).digest().toString();
        assertTrue(fake.requests.stream().noneMatch(r -> r.startsWith("GET") && r.contains(layer)), "nothing is fetched of the wrong architecture");
        assertTrue(Files.readString(newest.kernel()).startsWith("# Linux 6.12.58"));
        assertTrue(newest.modules().toFile().isFile());
        String message = assertThrows(HookException.class, () -> other.newest(
                TestFlavors.source("kernel.org", "6.6", Optional.empty(), "generic", Arch.X86_64))).getMessage();
        assertTrue(message.contains("6.6") && message.contains("USE_LATEST_BUILT_KERNEL"), message);
    }

    @Test
    void aKernelThatUpstreamPublishedHasNoReportOfOurs() throws Exception {
        Machine one = new Machine("one");
        ByteArrayOutputStream modules = new ByteArrayOutputStream();
        TarWriter.write(List.of(Entry.file("lib/modules/6.12.58-hook/kernel/a.ko", 0644, Content.of("elf")),
                Entry.file("lib/modules/6.12.58-hook/modules.dep", 0644, Content.of(""))), modules, 0);
        ImageReference name = ImageReference.parse(fake.host() + "/a/b:6.12.58-0123abcd");
        Image image = new ImageBuilder(one.store).build(name, ImageConfig.of(Arch.X86_64), List.of(
                Entry.file("kernel", 0644, Content.of("bz")), Entry.file("kernel.tar", 0644, Content.of(modules.toByteArray()))), 0);
        one.registry.push(name, List.of(image));
        KernelImage.Result newest = new Machine("other").newest(FLAVOR);
        assertEquals("6.12.58-hook", newest.release());
        assertEquals(1, newest.report().kept());
        assertEquals("bz", new String(Files.readAllBytes(newest.kernel()), StandardCharsets.UTF_8));
        assertEquals(Optional.empty(), newest.deviceTrees());
    }

    @Test
    void aKernelWithoutModulesIsAKernel() throws Exception {
        builder.modules = false;
        KernelImage.Result made = new Machine("one").kernel(FLAVOR, false);
        assertEquals(0, made.report().kept());
        List<Entry> entries = TarFile.open(made.modules(), "modules").entries();
        assertEquals(List.of("lib", "lib/modules", "lib/modules/6.12.58"), entries.stream().map(Entry::path).toList());
    }
}
