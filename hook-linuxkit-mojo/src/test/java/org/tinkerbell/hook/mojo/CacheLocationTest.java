package org.tinkerbell.hook.mojo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;

class CacheLocationTest {
    private static Properties on(String os) {
        Properties properties = new Properties();
        properties.setProperty("os.name", os);
        properties.setProperty("user.home", "/home/me");
        return properties;
    }

    @Test
    void theEnvironmentComesFirst() {
        assertEquals(Path.of("/big/disk"), CacheLocation.of(on("Linux"), Map.of("CACHE_DIR", "/big/disk", "XDG_CACHE_HOME", "/xdg")));
    }

    @Test
    void everySystemHasItsPlaceForCaches() {
        assertEquals(Path.of("/home/me/.cache/hook"), CacheLocation.of(on("Linux"), Map.of("CACHE_DIR", " ")));
        assertEquals(Path.of("/xdg/hook"), CacheLocation.of(on("Linux"), Map.of("XDG_CACHE_HOME", "/xdg")));
        assertEquals(Path.of("/home/me/Library/Caches/hook"), CacheLocation.of(on("Mac OS X"), Map.of()));
        assertEquals(Path.of("/users/me/local/hook/cache"), CacheLocation.of(on("Windows 11"), Map.of("LOCALAPPDATA", "/users/me/local")));
    }
}
