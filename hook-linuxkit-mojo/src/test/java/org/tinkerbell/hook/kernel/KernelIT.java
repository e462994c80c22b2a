package org.tinkerbell.hook.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.debian.Mirrors;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.toolbox.Toolbox;
import org.tinkerbell.hook.tree.Entry;
import org.tinkerbell.hook.tree.TarFile;

/** Makes images of the smallest kernel that Debian has, its cloud kernel. */
@EnabledOnOs(OS.LINUX)
class KernelIT {
    private static final String REPOSITORY = "ghcr.io/tinkerbell/hook/kernel/hook-kernel-debian";
    private static final List<String> EXCLUDE = List.of("sound/**", "net/bluetooth/**", "drivers/hid/**");

    @TempDir
    static Path directory;

    private static DebianKernel debian;
    private static KernelFiles files;
    private static Toolbox toolbox;

    @BeforeAll
    static void fetch() throws IOException {
        Cache cache = new Cache(directory.resolve("cache"));
        Mirrors mirrors = Mirrors.of(System.getProperty("hook.debian.mirror"), System.getProperty("hook.debian.securityMirror"),
                System.getProperty("hook.debian.snapshot"), Path.of("/etc/apt"));
        Downloader downloader = new Downloader(cache, NetworkSettings.defaults(), Progress.SILENT);
        Toolbox.Packages packages = locks -> new PackageSource(cache, downloader, mirrors, "trixie", locks, LockMode.LENIENT,
                Progress.SILENT);
        debian = new DebianKernel(packages.lockedIn(directory.resolve("no-locks")));
        files = debian.kernel(TestFlavors.debian("linux-image-cloud-" + Arch.host().debianName(), Arch.host()));
        toolbox = new Toolbox(cache, packages, Progress.SILENT);
    }

    private static KernelImage.Result build(String name, List<String> exclude) throws IOException, InterruptedException {
        Cache cache = new Cache(directory.resolve(name));
        return new KernelImage(cache, ImageStore.of(cache), toolbox, Progress.SILENT).build(files, exclude, List.of(), REPOSITORY);
    }

    @Test
    void isTheSameWhereverItIsMade() throws Exception {
        KernelImage.Result one = build("one", EXCLUDE);
        KernelImage.Result other = build("another", EXCLUDE);
        assertEquals(one.image().digest(), other.image().digest());
        assertArrayEquals(Files.readAllBytes(one.modules()), Files.readAllBytes(other.modules()));
        assertEquals(one.reference(), other.reference());
        assertTrue(one.reference().tag().orElseThrow().matches("\\d+\\.\\d+\\.\\d+-[0-9a-f]{8}"), one.reference().toString());
        assertFalse(build("one", List.of()).reference().equals(one.reference()), "other inputs have another name");
    }

    @Test
    void hasIndicesThatFitTheModules() throws Exception {
        KernelImage.Result result = build("one", EXCLUDE);
        String root = "lib/modules/" + result.release() + "/";
        Map<String, Entry> entries = TarFile.open(result.modules(), "modules").entries().stream()
                .collect(Collectors.toMap(Entry::path, Function.identity()));
        List<String> dependencies = new String(entries.get(root + "modules.dep").content().bytes(),
                StandardCharsets.UTF_8).lines().toList();
        long modules = entries.keySet().stream().filter(ModuleInfo::isModule).count();
        assertEquals(modules, dependencies.size(), "every module has its line");
        assertEquals(modules, result.report().kept());
        for (String line : dependencies) {
            for (String path : line.replace(":", "").split(" ")) {
                assertTrue(entries.containsKey(root + path), path);
            }
        }
        assertTrue(entries.keySet().stream().noneMatch(path -> path.contains("/kernel/sound/")));
        for (String list : List.of("modules.dep.bin", "modules.alias.bin", "modules.builtin.bin", "modules.order", "modules.softdep")) {
            assertTrue(entries.containsKey(root + list), list);
        }
        assertTrue(entries.values().stream().allMatch(e -> e.mtime() == 0 && e.uid() == 0));
    }

    @Test
    void saysWhatIsNoKernel() {
        assertTrue(assertThrows(HookException.class, () -> debian.kernel(TestFlavors.debian("busybox-static",
                Arch.host()))).getMessage().contains("busybox-static"));
    }
}
