package org.tinkerbell.hook.linuxkit;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.tinkerbell.hook.io.HookException;

/**
 * The forms in which a system is wanted, by the names that {@code linuxkit build --format} has for them. Kernel and initramfs are always
 * made, since the others are made of them or come beside them.
 *
 * @param names of formats, {@value #KERNEL_INITRD} among them
 */
public record Formats(SortedSet<String> names) {
    /** A kernel and its initramfs. */
    public static final String KERNEL_INITRD = "kernel+initrd";
    /** The root file system as a tar, kernel and command line in {@code boot/}. */
    public static final String TAR = "tar";
    /** The paths of that tar, one a line. Hook's own. */
    public static final String FILE_LIST = "filelist";
    /** An ISO that UEFI firmware boots, with kernel and initramfs on it. */
    public static final String ISO = "iso-efi-initrd";

    /** Kernel and initramfs, nothing else. */
    public static final Formats DEFAULT = new Formats(new TreeSet<>(List.of(KERNEL_INITRD)));

    /** Other words for {@link #ISO}. A system that lives in memory has no use for LinuxKit's iso-efi, whose root is the medium. */
    private static final Set<String> ISO_TOO = Set.of("iso", "iso-efi");

    private static final Set<String> WITHOUT_LINUXKIT = Set.of(KERNEL_INITRD, TAR, FILE_LIST, ISO);

    public Formats {
        SortedSet<String> all = new TreeSet<>(names);
        all.add(KERNEL_INITRD);
        names = Collections.unmodifiableSortedSet(all);
    }

    /**
     * The formats that a setting names.
     *
     * @param setting names parted by commas; null or blank: the environment's {@code LINUXKIT_ISO} (anything but {@code no}) and
     *     {@code OUTPUT_TARBALL_FILELIST=yes} count, which upstream's scripts know
     */
    public static Formats parse(String setting, Map<String, String> environment) {
        SortedSet<String> names = new TreeSet<>();
        if (setting != null && !setting.isBlank()) {
            for (String name : setting.trim().split("\\s*,\\s*")) {
                if (!name.matches("[a-z0-9][a-z0-9+-]*")) {
                    throw new HookException("hook.formats is '" + setting + "'; allowed: names of formats parted by commas, such as "
                            + KERNEL_INITRD + "," + ISO);
                }
                names.add(ISO_TOO.contains(name) ? ISO : name);
            }
            return new Formats(names);
        }
        String iso = environment.getOrDefault("LINUXKIT_ISO", "");
        if (!iso.isBlank() && !iso.equals("no")) {
            names.add(ISO);
        }
        if (environment.getOrDefault("OUTPUT_TARBALL_FILELIST", "").equals("yes")) {
            names.add(TAR);
            names.add(FILE_LIST);
        }
        return new Formats(names);
    }

    /** Whether a format is wanted. */
    public boolean has(String name) {
        return names.contains(name);
    }

    /** Whether the tar of the root file system is needed, for itself or for its list. */
    public boolean needsTar() {
        return has(TAR) || has(FILE_LIST);
    }

    /** Those that nothing but the {@code linuxkit} command makes. */
    public SortedSet<String> ofLinuxKitOnly() {
        SortedSet<String> rest = new TreeSet<>(names);
        rest.removeAll(WITHOUT_LINUXKIT);
        return rest;
    }

    /**
     * Lets formats pass that need no {@code linuxkit} command.
     *
     * @throws HookException if there are others
     */
    public void requireNoCommand() {
        if (!ofLinuxKitOnly().isEmpty()) {
            throw new HookException("The format " + String.join(", ", ofLinuxKitOnly()) + " is made by the linuxkit command only: add "
                    + "-Dhook.engine=command. Without it there are " + String.join(", ", new TreeSet<>(WITHOUT_LINUXKIT)) + ".");
        }
    }
}
