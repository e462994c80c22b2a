package org.tinkerbell.hook.mojo;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;

/** Where the cache is when nobody says otherwise. */
final class CacheLocation {
    private CacheLocation() {}

    /**
     * {@code CACHE_DIR}, else {@code hook} below the directory that the operating system has for a user's caches
     * (XDG base directories on Linux).
     */
    static Path of(Properties system, Map<String, String> environment) {
        String set = environment.get("CACHE_DIR");
        if (set != null && !set.isBlank()) {
            return Path.of(set);
        }
        Path home = Path.of(system.getProperty("user.home"));
        String os = system.getProperty("os.name").toLowerCase(Locale.ROOT);
        if (os.contains("win")) {
            String local = environment.get("LOCALAPPDATA");
            return (local == null ? home.resolve("AppData").resolve("Local") : Path.of(local)).resolve("hook").resolve("cache");
        }
        if (os.contains("mac")) {
            return home.resolve("Library").resolve("Caches").resolve("hook");
        }
        String xdg = environment.get("XDG_CACHE_HOME");
        return (xdg == null || xdg.isBlank() ? home.resolve(".cache") : Path.of(xdg)).resolve("hook");
    }
}
