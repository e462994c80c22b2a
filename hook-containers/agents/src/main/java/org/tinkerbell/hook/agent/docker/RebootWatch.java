package org.tinkerbell.hook.agent.docker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Ticker;

/**
 * Reboots the machine once the worker's file is there: first by asking PID 1, which BusyBox's init takes SIGTERM for (a clean shutdown: the
 * services end, file systems are unmounted); if the machine is still up a minute later, by the kernel's SysRq key (sync, remount read-only,
 * boot), since a machine that was told to reboot and did not is one that nobody can reach.
 */
final class RebootWatch implements Runnable {
    private static final long LOOK = 1000;
    private static final long PATIENCE = 60_000;

    /** What reaches outside. */
    interface Machine {
        /** @return whether PID 1 is the machine's own and could be asked to reboot */
        boolean askInit();

        /**
         * Presses SysRq.
         *
         * @param key the key's letter
         * @return whether the kernel took it
         */
        boolean sysRq(char key);
    }

    private final Path file;
    private final Machine machine;
    private final Journal journal;
    private final Ticker ticker;

    RebootWatch(Path file, Machine machine, Journal journal, Ticker ticker) {
        this.file = file;
        this.machine = machine;
        this.journal = journal;
        this.ticker = ticker;
    }

    @Override
    public void run() {
        try {
            while (!Files.isRegularFile(file)) {
                ticker.sleep(LOOK);
            }
            journal.say(file + " is there: the machine reboots (" + Ticker.uptime() + ")");
            if (machine.askInit()) {
                ticker.sleep(PATIENCE);
                journal.say("the machine is still up: it is reset");
            } else {
                journal.say("init cannot be asked to reboot: the machine is reset");
            }
            for (char key : new char[] {'s', 'u', 'b'}) {
                if (!machine.sysRq(key)) {
                    journal.say("the kernel does not take SysRq " + key);
                }
                ticker.sleep(LOOK);
            }
        } catch (InterruptedException e) {
            // The program ends.
        }
    }

    /** The real machine, seen from a container with the host's processes and its root at {@code /host_root}. */
    static final class ThisMachine implements Machine {
        @Override
        public boolean askInit() {
            // In a process namespace of its own, PID 1 would be this very program.
            return ProcessHandle.current().pid() != 1 && ProcessHandle.of(1).map(ProcessHandle::destroy).orElse(Boolean.FALSE);
        }

        @Override
        public boolean sysRq(char key) {
            for (String proc : new String[] {"/proc/sysrq-trigger", "/host_root/proc/sysrq-trigger"}) {
                try {
                    Files.write(Path.of(proc), new byte[] {(byte) key}, StandardOpenOption.WRITE);
                    return true;
                } catch (IOException e) {
                    // Read-only in some containers: the next one.
                }
            }
            return false;
        }
    }
}
