package org.tinkerbell.hook.agent;

import java.nio.file.Path;
import java.util.List;

/** Runs other programs: always an array of arguments, never a shell. Tests put a record of what was asked in its place. */
public interface Commands {
    /** The status of a command that was ended because its time was over. */
    int TIMED_OUT = -1;

    /**
     * What came of a command.
     *
     * @param status exit status; 128 + n if signal n ended it; {@link #TIMED_OUT}
     * @param output the first 64 KB of what it wrote to both streams, without white space at the end
     */
    record Result(int status, String output) {
        /** @return whether it ended with status 0 */
        public boolean ok() {
            return status == 0;
        }
    }

    /**
     * Runs a command and takes what it writes.
     *
     * @param millis how long it may take; then it is killed
     * @param arguments program and arguments
     * @return what came of it; a program that cannot be started has status 127
     * @throws InterruptedException if the thread shall end; the command is killed
     */
    Result run(long millis, List<String> arguments) throws InterruptedException;

    /**
     * Runs a command whose output goes to files.
     *
     * @param millis how long it may take; then it is killed
     * @param arguments program and arguments
     * @param out where its standard output is appended
     * @param error where its standard error is appended
     * @return what came of it, without output
     * @throws InterruptedException if the thread shall end; the command is killed
     */
    Result run(long millis, List<String> arguments, Path out, Path error) throws InterruptedException;
}
