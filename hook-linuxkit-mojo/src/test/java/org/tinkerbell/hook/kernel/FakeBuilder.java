package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;

/** Compiles nothing: the kernel's bytes say what it would be made from. */
final class FakeBuilder implements KernelBuilder {
    int builds;
    String toolchain = "gcc 14.2";
    String release = "";
    boolean failing;
    boolean modules = true;

    @Override
    public String fingerprint(Arch target) {
        return toolchain;
    }

    @Override
    public KernelBuild.Result build(KernelBuild build) throws IOException {
        builds++;
        Path output = build.output();
        Files.writeString(output.resolve("left"), "x");
        Files.writeString(build.work().resolve("left"), "x");
        if (failing) {
            throw new HookException("internal compiler error");
        }
        Path source = build.work().resolve("source");
        build.source().unpack(source, amount -> {});
        Files.writeString(output.resolve("bzImage"), Files.readString(source.resolve("Makefile")) + Files.readString(build.config()) + toolchain);
        Files.writeString(output.resolve(".config"), "CONFIG_X=y\n");
        Path lists = output.resolve("modules");
        if (modules) {
            Files.createDirectories(lists);
            Files.writeString(lists.resolve("readme"), "no module\n");
        }
        Optional<Path> trees = Optional.empty();
        if (build.arch() == Arch.AARCH64) {
            trees = Optional.of(Files.createDirectories(output.resolve("dtbs/vendor")).getParent());
            Files.writeString(output.resolve("dtbs/vendor/board.dtb"), "tree");
        }
        String made = release.isEmpty() ? build.source().version() : release;
        return new KernelBuild.Result(made, output.resolve("bzImage"), lists, trees, output.resolve(".config"));
    }
}
