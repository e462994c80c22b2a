package org.tinkerbell.hook.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

/**
 * Hook's one change to the kernel's source: on x86 the longest command line is raised from 2048 to 4096 bytes, since what Tinkerbell
 * tells a machine (registries, certificates, the worker's image) may be longer than 2048.
 */
final class CommandLineSize {
    /** Change it when the change does. */
    static final String FINGERPRINT = "x86 COMMAND_LINE_SIZE 4096";

    private static final String FILE = "arch/x86/include/asm/setup.h";
    private static final int SIZE = 4096;
    private static final Pattern DEFINITION = Pattern.compile("(?m)^(#define\\s+COMMAND_LINE_SIZE\\s+)(\\d+)");

    private CommandLineSize() {}

    /** Whether a file of the source says how long the command line may be. */
    static boolean isIn(String path) {
        return path.equals(FILE);
    }

    /**
     * That file with the larger size; a kernel that has it already stays as it is.
     *
     * @throws HookException if the file does not say it in the way that is known
     */
    static Entry raised(Entry file, String origin) throws IOException {
        String text = new String(file.content().bytes(), StandardCharsets.UTF_8);
        Matcher matcher = DEFINITION.matcher(text);
        if (!matcher.find()) {
            throw new HookException(origin + ": " + FILE + " does not define COMMAND_LINE_SIZE as a number any more, so that Hook cannot raise it "
                    + "to " + SIZE + ". Take another series with -Dhook.kernel.series, or change CommandLineSize.");
        }
        if (Integer.parseInt(matcher.group(2)) >= SIZE) {
            return file;
        }
        String changed = text.substring(0, matcher.start(2)) + SIZE + text.substring(matcher.end(2));
        return file.withContent(Content.of(changed));
    }
}
