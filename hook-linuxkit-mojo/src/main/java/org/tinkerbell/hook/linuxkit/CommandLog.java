package org.tinkerbell.hook.linuxkit;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What {@code linuxkit build} says, and which place of the YAML it is at: it works through the sections in their order and says so, but its
 * complaints name no line. The phrases are those of src/cmd/linuxkit/moby/build/build.go of LinuxKit 1.8.2; of another version's, whatever is not
 * understood only makes the place less exact.
 */
final class CommandLog {
    /** With {@code --verbose 2} lines have logrus's form. */
    private static final Pattern STRUCTURED = Pattern.compile("time=\\S+ level=\\w+ msg=(?:\"((?:[^\"\\\\]|\\\\.)*)\"|(\\S+)).*");

    private static final Pattern SECTION = Pattern.compile("Add (onboot|onshutdown|service) containers:");
    private static final Pattern PLACE = Pattern.compile("\\b(kernel|init|onboot|onshutdown|services|files|volumes)((?:\\.[\\w-]+)+)");
    private static final Pattern FAILURE = Pattern.compile("(?:Error: |.*error during command execution: )(.+)");

    private final LinuxKitConfig config;
    private final List<String> lines = new ArrayList<>();
    private String section = "";
    private int next;
    private String place = "";
    private String problem;

    CommandLog(LinuxKitConfig config) {
        this.config = config;
    }

    /** How many steps a build of a YAML reports. */
    static int steps(LinuxKitConfig config) {
        return (config.kernel().flatMap(LinuxKitConfig.Kernel::image).isPresent() ? 1 : 0) + config.init().size() + config.volumes().size()
                + config.containers().size();
    }

    /** Takes a line; says whether it begins a step. */
    boolean add(String line) {
        lines.add(line);
        Matcher structured = STRUCTURED.matcher(line);
        String text = !structured.matches() ? line : structured.group(1) == null ? structured.group(2) : structured.group(1).replace("\\\"", "\"");
        Matcher failure = FAILURE.matcher(text);
        if (failure.matches() && problem == null) {
            problem = failure.group(1);
        }
        Matcher heading = SECTION.matcher(text);
        if (heading.matches()) {
            enter(heading.group(1).equals("service") ? "services" : heading.group(1));
            return false;
        }
        if (text.startsWith("Extract kernel image: ")) {
            place = "/kernel/image";
        } else if (text.startsWith("Add init containers:")) {
            enter("init");
            return false;
        } else if (text.startsWith("Add volumes:")) {
            enter("volumes");
            return false;
        } else if (text.startsWith("Process init image: ") || text.startsWith("Process volume image: ") || text.startsWith("  Create OCI config for ")) {
            place = "/" + section + "/" + next++;
        } else {
            return false;
        }
        return true;
    }

    private void enter(String name) {
        section = name;
        next = 0;
        place = "/" + name;
    }

    /** What it complains of, if it has said so in a way that is understood. */
    Optional<String> problem() {
        return Optional.ofNullable(problem).map(text -> "linuxkit says: " + text);
    }

    /** Where in the YAML it failed, as a JSON Pointer; the whole document if that cannot be told. */
    String place() {
        String text = problem == null ? "" : problem;
        if (text.contains("failed to add filesystem parts")) {
            return file(text);
        }
        Matcher matcher = PLACE.matcher(text);
        if (text.startsWith("invalid config") && matcher.find()) {
            return "/" + matcher.group(1) + matcher.group(2).replace('.', '/');
        }
        return place;
    }

    private String file(String text) {
        String best = "/files";
        int length = 0;
        for (LinuxKitConfig.FileSpec file : config.files()) {
            for (String key : List.of("path", "source")) {
                String value = file.value().path(key).asString("");
                if (value.length() > length && text.contains(value)) {
                    best = file.pointer() + "/" + key;
                    length = value.length();
                }
            }
        }
        return best;
    }

    /** The end of what it said. */
    List<String> last(int count) {
        return List.copyOf(lines.subList(Math.max(0, lines.size() - count), lines.size()));
    }
}
