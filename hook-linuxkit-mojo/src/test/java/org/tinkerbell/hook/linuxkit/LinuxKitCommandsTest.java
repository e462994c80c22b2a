package org.tinkerbell.hook.linuxkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.io.TestServer;

class LinuxKitCommandsTest {
    private static final String HOST = LinuxKitCommands.host();

    @TempDir
    Path work;

    private final List<String> warnings = new ArrayList<>();
    private LinuxKitCommands commands;

    @BeforeEach
    void setUp() {
        Progress progress = new Progress() {
            @Override
            public Task start(String what, long total, Unit unit) {
                return amount -> {};
            }

            @Override
            public void info(String message) {}

            @Override
            public void warn(String message) {
                warnings.add(message);
            }
        };
        Cache cache = new Cache(work.resolve("cache"));
        NetworkSettings once = NetworkSettings.defaults().withRetries(1, Duration.ofMillis(1), Duration.ofMillis(1), Duration.ofSeconds(30));
        commands = new LinuxKitCommands(cache, new Downloader(cache, once, progress), progress);
    }

    private static byte[] script(String version) {
        return ("#!/bin/sh\n[ \"$1\" = version ] && echo 'linuxkit version " + version + "' && echo 'commit: 0'\n").getBytes(StandardCharsets.UTF_8);
    }

    private Path command(String directory, String version) throws IOException {
        Path file = Files.createDirectories(work.resolve(directory)).resolve("linuxkit");
        Files.write(file, script(version));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        return file;
    }

    private static LinuxKitCommands.Wanted wanted(Optional<Path> named, Map<String, Digest> digests, String releases, Path... path) {
        return new LinuxKitCommands.Wanted(named, "1.8.2", digests, releases, List.of(path));
    }

    @Test
    void takesTheFirstOfThePathWhoseVersionFits() throws IOException {
        Path other = command("a", "v1.8.1").getParent();
        Path unknown = command("b", "unknown").getParent();
        Path good = command("c", "v1.8.2");
        assertEquals(new LinuxKitCommand(good), commands.find(wanted(Optional.empty(), Map.of(), "http://127.0.0.1:9/", work, other, unknown, good.getParent())));
    }

    @Test
    void refusesABinaryWithoutASumAndSaysHowToPin() throws IOException {
        Path other = command("a", "v1.8.1");
        String message = assertThrows(HookException.class,
                () -> commands.find(wanted(Optional.empty(), Map.of("plan9-mips", Digest.of("x")), "http://127.0.0.1:9/r/", other.getParent())))
                .getMessage();
        assertEquals("There is no linuxkit 1.8.2 on the PATH (" + other + " is version 1.8.1), and http://127.0.0.1:9/r/v1.8.2/linuxkit-" + HOST
                + " is not run unless its SHA-256 is known. Pin it with -Dhook.linuxkit.sha256=<64 hexadecimal digits>, or for good in the inventory "
                + "under defaults.linuxkit.sha256." + HOST + "; LinuxKit publishes it beside the file. Or name a command with "
                + "-Dhook.linuxkit.bin=<file>.", message);
    }

    @Test
    void fetchesThePinnedRelease() throws IOException {
        byte[] binary = script("v1.8.2");
        try (TestServer server = new TestServer()) {
            server.put("/v1.8.2/linuxkit-" + HOST, binary);
            LinuxKitCommands.Wanted wanted = wanted(Optional.empty(), Map.of(HOST, Digest.of(binary)), server.uri("/").toString());
            LinuxKitCommand first = commands.find(wanted);
            assertArrayEquals(binary, Files.readAllBytes(first.executable()));
            assertEquals(Optional.of("1.8.2"), first.version());
            assertEquals(first, commands.find(wanted));
            assertEquals(1, server.requests().size());

            Files.writeString(first.executable(), "damaged");
            assertEquals(first, commands.find(wanted));
            assertArrayEquals(binary, Files.readAllBytes(first.executable()));
            assertEquals(List.of(first.executable() + " was damaged and is fetched again."), warnings);
        }
    }

    @Test
    void runsNothingButWhatWasPinned() throws IOException {
        try (TestServer server = new TestServer()) {
            server.put("/v1.8.2/linuxkit-" + HOST, script("v1.8.2"));
            LinuxKitCommands.Wanted wanted = wanted(Optional.empty(), Map.of(HOST, Digest.of("another")), server.uri("/").toString());
            String message = assertThrows(HookException.class, () -> commands.find(wanted)).getMessage();
            assertTrue(message.contains(Digest.of("another").hex()), message);
            try (Stream<Path> left = Files.walk(work.resolve("cache/linuxkit-command"))) {
                assertEquals(List.of(), left.filter(file -> Files.isRegularFile(file) && Files.isExecutable(file)).toList());
            }
        }
    }

    @Test
    void takesTheNamedFileWhateverItsVersion() throws IOException {
        Path file = command("x", "unknown");
        assertEquals(file, commands.find(wanted(Optional.of(file), Map.of(), "http://127.0.0.1:9/")).executable());
        assertEquals(List.of(file + " does not say its version; 1.8.2 was expected. It is used since hook.linuxkit.bin names it."), warnings);
        String message = assertThrows(HookException.class,
                () -> commands.find(wanted(Optional.of(work.resolve("nothing")), Map.of(), "http://127.0.0.1:9/"))).getMessage();
        assertEquals("hook.linuxkit.bin is '" + work.resolve("nothing") + "', which is no file that can be run.", message);
    }

    @Test
    void refusesAVersionThatLeadsElsewhere() {
        assertThrows(HookException.class, () -> new LinuxKitCommands.Wanted(Optional.empty(), "../x", Map.of(), "", List.of()));
    }
}
