package org.tinkerbell.hook.linuxkit;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The closed list of variables that Hook's templates may use, with their values in one build. The names are those of upstream Hook's
 * templates, so that a site's own template goes on working.
 *
 * @param names every name that is a variable
 * @param values the values that there are; using a name without a value is an error
 */
public record TemplateVariables(Set<String> names, Map<String, String> values) {
    // Images that upstream takes from the LinuxKit project, by upstream's names; ours are called hook-<name>.
    private static final Map<String, String> OF_LINUXKIT = Map.ofEntries(
            Map.entry("CA_CERTIFICATES", "ca-certificates"),
            Map.entry("DHCPCD", "dhcpcd"),
            Map.entry("FIRMWARE", "firmware"),
            Map.entry("GETTY", "getty"),
            Map.entry("INIT", "init"),
            Map.entry("MODPROBE", "modprobe"),
            Map.entry("OPENNTPD", "ntpd"),
            Map.entry("RNGD", "rngd"),
            Map.entry("SSHD", "sshd"),
            Map.entry("SYSCTL", "sysctl"),
            Map.entry("SYSFS", "sysfs"));
    private static final Set<String> OF_HOOK = Set.of("ACPID", "BOOTKIT", "CONTAINERD", "DOCKER", "EMBEDDED", "RUNC", "UDEV");
    private static final String PREFIX = "hook-";
    /** Of debug builds: the keys of those who may come in, as the inside of a double-quoted YAML text. */
    private static final String DEBUG_KEYS = "HOOK_DEBUG_KEYS";

    // The program in the rngd image that feeds the pool once and ends: the sets differ in its path.
    private static final String RNGD = "HOOK_CONTAINER_LINUXKIT_RNGD_PROGRAM";
    private static final String RNGD_OF_HOOK = "/usr/sbin/hook-rngd";
    private static final String RNGD_OF_LINUXKIT = "/sbin/rngd";

    public TemplateVariables {
        names = Set.copyOf(names);
        values = Map.copyOf(values);
    }

    /**
     * The variables of one build.
     *
     * @param version Hook's version
     * @param flavor id of the flavor
     * @param kernelImage name of the kernel image
     * @param kernelVersion version of the kernel in it
     * @param images full names of the container images by their directories' names. Image {@code hook-x-y} is
     *     <code>${HOOK_CONTAINER_X_Y_IMAGE}</code>, so a directory that a site adds has its variable at once
     */
    public static TemplateVariables of(String version, String flavor, String kernelImage, String kernelVersion, Map<String, String> images) {
        Map<String, String> values = new TreeMap<>();
        values.put("HOOK_VERSION", version);
        values.put("HOOK_KERNEL_ID", flavor);
        values.put("HOOK_KERNEL_IMAGE", kernelImage);
        values.put("HOOK_KERNEL_VERSION", kernelVersion);
        values.put(RNGD, RNGD_OF_HOOK);
        images.forEach((directory, name) -> {
            String plain = directory.startsWith(PREFIX) ? directory.substring(PREFIX.length()) : directory;
            values.put(variable(plain.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_")), name);
        });
        OF_LINUXKIT.forEach((upstream, ours) -> {
            String name = images.get(PREFIX + ours);
            if (name != null) {
                values.put(variable("LINUXKIT_" + upstream), name);
            }
        });
        Set<String> names = new TreeSet<>(values.keySet());
        names.add(DEBUG_KEYS);
        OF_HOOK.forEach(name -> names.add(variable(name)));
        OF_LINUXKIT.keySet().forEach(name -> names.add(variable("LINUXKIT_" + name)));
        return new TemplateVariables(names, values);
    }

    /**
     * The same with the LinuxKit project's own images in the place of Hook's.
     *
     * @param images full names by what they are for, such as {@code openntpd}; see {@link LinuxKitImages#names}
     */
    public TemplateVariables withLinuxKit(Map<String, String> images) {
        Map<String, String> changed = new TreeMap<>(values);
        for (String name : OF_LINUXKIT.keySet()) {
            changed.put(variable("LINUXKIT_" + name), images.get(name.toLowerCase(Locale.ROOT).replace('_', '-')));
        }
        changed.put(RNGD, RNGD_OF_LINUXKIT);
        return new TemplateVariables(names, changed);
    }

    /** The same with the keys of a debug build. */
    public TemplateVariables with(DebugKeys keys) {
        Map<String, String> more = new TreeMap<>(values);
        more.put(DEBUG_KEYS, keys.yaml());
        return new TemplateVariables(names, more);
    }

    private static String variable(String name) {
        return "HOOK_CONTAINER_" + name + "_IMAGE";
    }
}
