package org.tinkerbell.hook.container;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.tree.Glob;

/**
 * What an {@code image.yaml} says: what a container image is made of. The keys are documented in
 * {@code hook-containers/images/image.schema.json}.
 *
 * @param name the image's name, which is that of its directory
 * @param directory where {@code image.yaml} stands; {@code source} is relative to it
 * @param digest of all that the file says; comments and line breaks make no difference
 * @param architectures for which the image exists
 * @param packages from which the files come
 * @param without packages of the closure that are left out
 * @param selection which of the packages' files are taken
 * @param embed directory that gets what a container engine keeps of the images in {@value EmbeddedImages#FILE}
 * @param labels of the image, that of LinuxKit among them
 */
public record ImageDefinition(
        String name,
        Path directory,
        Digest digest,
        String description,
        Layout layout,
        Set<Arch> architectures,
        List<PackageRequest> packages,
        Set<String> without,
        Selection selection,
        List<DirectoryItem> directories,
        List<FileItem> files,
        List<LinkItem> links,
        Optional<Accounts> accounts,
        boolean caBundle,
        boolean java,
        Optional<String> embed,
        SortedMap<String, String> environment,
        List<String> entrypoint,
        List<String> command,
        String workdir,
        String user,
        SortedMap<String, String> labels) {

    /** Name of the file in an image's directory. */
    public static final String FILE = "image.yaml";

    /** The label in which LinuxKit looks for an image's defaults (docs/yaml.md, "Image specification"). */
    public static final String LINUXKIT_LABEL = "org.mobyproject.config";

    /** What the directories that Debian has merged into {@code /usr} are. */
    public enum Layout {
        /** {@code /bin}, {@code /sbin}, {@code /lib} and {@code /lib64} are links into {@code /usr}, as Debian has them. */
        MERGED_USR,
        /** They are directories of their own, so that images unpacked one over another can all write there. */
        SPLIT,
        /** None of them is made. */
        EMPTY
    }

    /**
     * A package by name.
     *
     * @param architectures for which it is wanted
     * @param suite to take it from; empty: by the archive's own order
     */
    public record PackageRequest(String name, Set<Arch> architectures, Optional<String> suite) {}

    /**
     * Which of the packages' files are taken.
     *
     * @param include only these, if given
     * @param includeList name of a list in the inventory with more of them
     * @param remove what is left out, beside what is left out of every image
     * @param keep what stays all the same
     */
    public record Selection(Optional<List<Glob>> include, Optional<String> includeList, List<Glob> remove, List<Glob> keep) {}

    /** A directory of the definition's own. */
    public record DirectoryItem(String path, int mode, int uid, int gid, Set<Arch> architectures) {}

    /**
     * A file, or a directory of files, of the definition's own.
     *
     * @param contents text; empty where there is a source
     * @param source file or directory beside {@code image.yaml}; empty where there are contents
     * @param mode permission bits; empty: by the content
     */
    public record FileItem(
            String path,
            Optional<String> contents,
            Optional<Path> source,
            Optional<Integer> mode,
            int uid,
            int gid,
            Set<Arch> architectures) {}

    /** A symbolic link of the definition's own. */
    public record LinkItem(String path, String target, Set<Arch> architectures) {}

    /** Who is known in the image. */
    public record Accounts(List<User> users, List<Group> groups) {}

    /**
     * A line of {@code /etc/passwd} and one of {@code /etc/shadow} (passwd(5), shadow(5)).
     *
     * @param password as crypt(3) made it; empty: none is asked for; {@code *}: none fits
     */
    public record User(String name, long uid, long gid, String comment, String home, String shell, String password) {}

    /** A line of {@code /etc/group} (group(5)). */
    public record Group(String name, long gid, List<String> members) {}

    public ImageDefinition {
        architectures = Set.copyOf(architectures);
        packages = List.copyOf(packages);
        without = Set.copyOf(without);
        directories = List.copyOf(directories);
        files = List.copyOf(files);
        links = List.copyOf(links);
        entrypoint = List.copyOf(entrypoint);
        command = List.copyOf(command);
        environment = Collections.unmodifiableSortedMap(environment);
        labels = Collections.unmodifiableSortedMap(labels);
    }

    /**
     * Reads {@code image.yaml} from an image's directory.
     *
     * @throws org.tinkerbell.hook.io.HookException if it is not right, with file, line, key and what is allowed
     */
    public static ImageDefinition read(Path directory) throws IOException {
        return new ImageDefinitionReader(directory).read();
    }

    /** What the label of LinuxKit says, or nothing; see {@link #LINUXKIT_LABEL}. */
    public Optional<String> linuxkitLabel() {
        return Optional.ofNullable(labels.get(LINUXKIT_LABEL));
    }

    /** The packages that are wanted for an architecture. */
    public List<PackageRequest> packagesFor(Arch arch) {
        return packages.stream().filter(p -> p.architectures().contains(arch)).toList();
    }

    /** {@code KEY=value}, sorted, as an image's configuration has them. */
    public List<String> environmentLines() {
        return environment.entrySet().stream().map((Map.Entry<String, String> e) -> e.getKey() + "=" + e.getValue()).toList();
    }
}
