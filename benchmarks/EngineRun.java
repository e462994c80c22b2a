import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Locale;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.initramfs.Compression;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.linuxkit.EmbeddedEngine;
import org.tinkerbell.hook.linuxkit.Engine;
import org.tinkerbell.hook.linuxkit.LinuxKitConfig;
import org.tinkerbell.hook.linuxkit.StoreImages;
import org.tinkerbell.hook.oci.ImageStore;

/** Builds one YAML with the embedded engine, without Maven: {@code EngineRun YAML ARCH STORE CACHE OUT [COMPRESSION]}. Times of the engine alone go to standard output. */
public final class EngineRun {
    private EngineRun() {}

    public static void main(String[] arguments) throws Exception {
        Path yaml = Path.of(arguments[0]).toAbsolutePath();
        Cache cache = new Cache(Path.of(arguments[3]));
        StoreImages images = new StoreImages(new ImageStore(Path.of(arguments[2]), cache), (reference, arch) -> {
            throw new HookException("the store has no " + reference);
        });
        long start = System.nanoTime();
        Engine.Result result = new EmbeddedEngine(images, cache, Progress.SILENT).build(new Engine.Request(
                LinuxKitConfig.read(yaml), Arch.of(arguments[1]), "hook", Path.of(arguments[4]), yaml.getParent(),
                arguments.length > 5 ? Compression.parse(arguments[5]) : Compression.DEFAULT, 0));
        double seconds = (System.nanoTime() - start) / 1e9;
        long collecting = ManagementFactory.getGarbageCollectorMXBeans().stream().mapToLong(GarbageCollectorMXBean::getCollectionTime).sum();
        System.out.printf(Locale.ROOT, "engine alone %.2f s, of it collecting garbage %.2f s; initramfs %d bytes%n", seconds, collecting / 1e3,
                result.report().initramfs());
    }
}
