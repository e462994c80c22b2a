package org.tinkerbell.hook.agent;

import java.nio.file.Files;
import java.nio.file.Path;

/** Time as the programs see it: monotonic, since the machine's clock jumps by decades during the boot. */
public interface Ticker {
    /** @return nanoseconds since some moment */
    long nanos();

    /**
     * Waits.
     *
     * @param millis how long
     * @throws InterruptedException if the thread shall end
     */
    void sleep(long millis) throws InterruptedException;

    /** The real one. */
    Ticker SYSTEM = new Ticker() {
        @Override
        public long nanos() {
            return System.nanoTime();
        }

        @Override
        public void sleep(long millis) throws InterruptedException {
            Thread.sleep(millis);
        }
    };

    /**
     * Tells how long the machine has been up, for people: {@code 23.4 s after power-on}. The kernel counts from its own start
     * ({@code /proc/uptime}); the firmware's time before that is not known to it.
     *
     * @return the phrase, empty if the kernel does not tell
     */
    static String uptime() {
        try {
            String text = Files.readString(Path.of("/proc/uptime"));
            String seconds = text.substring(0, text.indexOf(' '));
            return seconds.substring(0, seconds.indexOf('.') + 2) + " s after power-on";
        } catch (java.io.IOException | StringIndexOutOfBoundsException e) {
            return "";
        }
    }
}
