package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Digest;

/**
 * The steps by which a kernel is compiled, {@code compile.sh}: the same in a container and on the machine itself. What is fixed for the same
 * bytes to come out ({@code KBUILD_BUILD_*} and such; kernel, Documentation/kbuild/reproducible-builds.rst) stands in the script.
 */
final class CompileScript {
    /** Name of the script in a working directory. */
    static final String FILE = "compile.sh";

    private static final byte[] TEXT = text();

    private CompileScript() {}

    /** Stands for the steps in the hash of a build's inputs. */
    static Digest fingerprint() {
        return Digest.of(TEXT);
    }

    /** Puts the script into a directory. */
    static Path write(Path directory) throws IOException {
        return Files.write(directory.resolve(FILE), TEXT);
    }

    /** What {@code ARCH} and {@code CROSS_COMPILE} have to be: the cross-compiler is Debian's, named by the target's triplet. */
    static Map<String, String> environment(Arch target, Arch machine) {
        Map<String, String> environment = new TreeMap<>();
        environment.put("ARCH", name(target));
        environment.put("CROSS_COMPILE", prefix(target, machine).orElse(""));
        return environment;
    }

    /** What stands before the names of compiler and linker; nothing where the machine's own are the right ones. */
    static Optional<String> prefix(Arch target, Arch machine) {
        return target == machine ? Optional.empty() : Optional.of(target.triplet() + "-");
    }

    /** The directory below {@code arch/} of the kernel's source. */
    static String name(Arch arch) {
        return switch (arch) {
            case X86_64 -> "x86";
            case AARCH64 -> "arm64";
        };
    }

    private static byte[] text() {
        try (InputStream in = CompileScript.class.getResourceAsStream(FILE)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
