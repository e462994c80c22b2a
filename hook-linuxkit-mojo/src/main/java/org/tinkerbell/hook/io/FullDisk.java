package org.tinkerbell.hook.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Tells a full disk from the other things that go wrong when a file is written. */
public final class FullDisk {
    private FullDisk() {}

    /**
     * What to throw for a failure to write below a directory: an exception for people if the disk or the quota is used up,
     * else the failure itself.
     *
     * @param directory where it was written to; the nearest parent that exists is looked at
     */
    public static IOException check(IOException failure, Path directory) {
        String message = String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT);
        // ENOSPC and EDQUOT as Linux and macOS, then as Windows words them; Java hands the system's text on.
        if (message.contains("no space left") || message.contains("quota exceeded") || message.contains("not enough space")) {
            throw new HookException("The disk is full: " + free(directory) + " left for " + directory
                    + ". Make room there, or name another place (the cache: -Dhook.cacheDir or CACHE_DIR), and build again; "
                    + "what was fetched so far is kept.", failure);
        }
        return failure;
    }

    private static String free(Path directory) {
        Path existing = directory.toAbsolutePath();
        while (existing != null && !Files.exists(existing)) {
            existing = existing.getParent();
        }
        try {
            return existing == null ? "nothing" : Files.getFileStore(existing).getUsableSpace() / 1_000_000 + " MB";
        } catch (IOException e) {
            return "too little";
        }
    }
}
