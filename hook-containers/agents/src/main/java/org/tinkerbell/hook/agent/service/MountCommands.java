package org.tinkerbell.hook.agent.service;

import java.util.ArrayList;
import java.util.List;
import org.tinkerbell.hook.agent.service.RuntimeConfig.Mount;

/**
 * The commands that make one mount. The kernel does one thing a call (mount(2)): a bind mount takes no other flag, and a change of
 * propagation takes nothing else. Flags that stand together in {@code runtime.json} are therefore several commands; that LinuxKit gives
 * them to the kernel in one call and the kernel drops some ({@code remount,private} remounts only) is a fault that is not kept.
 */
final class MountCommands {
    private static final List<String> PROPAGATION =
            List.of("private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable");

    private MountCommands() {
    }

    /**
     * Tells what makes a mount.
     *
     * @param mount the mount
     * @param destination its absolute destination
     * @return the commands in order, for both BusyBox's mount(8) and that of util-linux
     */
    static List<List<String>> of(Mount mount, String destination) {
        List<String> propagation = new ArrayList<>();
        List<String> rest = new ArrayList<>();
        String bind = "";
        boolean remount = false;
        for (String option : mount.options()) {
            if (PROPAGATION.contains(option)) {
                propagation.add(option);
            } else if (option.equals("bind") || option.equals("rbind")) {
                bind = option;
            } else if (option.equals("remount")) {
                remount = true;
            } else if (!option.equals("defaults") && !option.isEmpty()) {
                rest.add(option);
            }
        }
        String source = mount.source().isEmpty() ? "none" : mount.source();
        List<List<String>> commands = new ArrayList<>();
        if (remount) {
            if (!rest.isEmpty()) {
                rest.add(0, bind.isEmpty() ? "remount" : "remount,bind");
                commands.add(List.of("mount", "-o", String.join(",", rest), destination));
            }
        } else if (!bind.isEmpty()) {
            commands.add(List.of("mount", "-o", bind, source, destination));
            if (!rest.isEmpty()) {
                commands.add(List.of("mount", "-o", "remount,bind," + String.join(",", rest), destination));
            }
        } else if (!mount.type().isEmpty() || propagation.isEmpty()) {
            List<String> command = new ArrayList<>(List.of("mount"));
            if (!mount.type().isEmpty()) {
                command.add("-t");
                command.add(mount.type());
            }
            if (!rest.isEmpty()) {
                command.add("-o");
                command.add(String.join(",", rest));
            }
            command.add(source);
            command.add(destination);
            commands.add(command);
        }
        for (String flag : propagation) {
            commands.add(List.of("mount", "--make-" + flag, destination));
        }
        return commands;
    }

    /**
     * Tells whether a mount puts a new file system at its destination, and so has to be undone.
     *
     * @param mount the mount
     * @return false for a remount and a mere change of propagation
     */
    static boolean adds(Mount mount) {
        if (mount.options().contains("remount")) {
            return false;
        }
        return !mount.type().isEmpty() || mount.options().contains("bind") || mount.options().contains("rbind")
                || mount.options().stream().noneMatch(PROPAGATION::contains);
    }
}
