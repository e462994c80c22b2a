package org.tinkerbell.hook.agent.service;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MountCommandsTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "tmpfs|tmpfs|''|mount -t tmpfs tmpfs /d|true",
        "tmpfs|tmpfs|size=1m nosuid defaults|mount -t tmpfs -o size=1m,nosuid tmpfs /d|true",
        "''|''|remount private|mount --make-private /d|false",
        "''|''|private|mount --make-private /d|false",
        "''|''|remount ro|mount -o remount,ro /d|false",
        "''|''|remount bind ro|mount -o remount,bind,ro /d|false",
        "overlay|overlay|lowerdir=/l upperdir=/u workdir=/w|mount -t overlay -o lowerdir=/l,upperdir=/u,workdir=/w overlay /d|true",
        "''|/s|bind|mount -o bind /s /d|true",
        "bind|/s|rbind ro nosuid rslave|mount -o rbind /s /d;mount -o remount,bind,ro,nosuid /d;mount --make-rslave /d|true",
        "''|/dev/sda1|''|mount /dev/sda1 /d|true",
        "ext4|/dev/sda1|shared|mount -t ext4 /dev/sda1 /d;mount --make-shared /d|true",
        "cgroup2|''|''|mount -t cgroup2 none /d|true",
        "''|''|rshared private|mount --make-rshared /d;mount --make-private /d|false",
    })
    void eachCallOfTheKernelIsOneCommand(String type, String source, String options, String commands, boolean adds) {
        RuntimeConfig.Mount mount = new RuntimeConfig.Mount("/d", type, source, options.isEmpty() ? List.of() : List.of(options.split(" ")));
        List<String> lines = new ArrayList<>();
        for (List<String> command : MountCommands.of(mount, "/d")) {
            lines.add(String.join(" ", command));
        }
        assertEquals(commands, String.join(";", lines));
        assertEquals(adds, MountCommands.adds(mount));
    }
}
