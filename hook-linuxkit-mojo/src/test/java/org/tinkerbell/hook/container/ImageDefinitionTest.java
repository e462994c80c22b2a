package org.tinkerbell.hook.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.HookException;

final class ImageDefinitionTest {
    @TempDir
    Path directory;

    @Test
    void everyKeyIsRead() throws IOException {
        Files.createDirectories(directory.resolve("files"));
        Files.writeString(directory.resolve("files/x"), "x");
        ImageDefinition image = read(
                """
                description: all of it
                layout: split
                arch: [arm64]
                packages: [a1, {name: b2, arch: [amd64]}, {name: c3, suite: trixie-backports}]
                without: [d4]
                include: ["usr/bin/*"]
                includeList: firmware
                remove: [usr/x]
                keep: [usr/share/doc/a1]
                directories: [{path: /var/x, mode: "1777", uid: 1, gid: 2}]
                files: [{path: a, contents: text}, {path: b, source: files/x, mode: "600"}]
                links: [{path: l, target: ../t}]
                caBundle: true
                java: true
                environment: {B: "2", A: "1"}
                entrypoint: [e]
                command: [c, d]
                workdir: /w
                user: "1:2"
                labels: {k: v}
                linuxkit: {net: host, capabilities: [all]}
                """);

        assertEquals(directory.getFileName().toString(), image.name());
        assertEquals(ImageDefinition.Layout.SPLIT, image.layout());
        assertEquals(Set.of(Arch.AARCH64), image.architectures());
        assertEquals(List.of("a1", "c3"), image.packagesFor(Arch.AARCH64).stream().map(ImageDefinition.PackageRequest::name).toList());
        assertEquals(Optional.of("trixie-backports"), image.packages().get(2).suite());
        assertEquals(new ImageDefinition.DirectoryItem("var/x", 01777, 1, 2, Set.of(Arch.values())), image.directories().get(0));
        assertEquals(Optional.of(0600), image.files().get(1).mode());
        assertEquals(List.of("A=1", "B=2"), image.environmentLines());
        assertEquals("{\"net\":\"host\",\"capabilities\":[\"all\"]}", image.labels().get("org.mobyproject.config"));
        assertEquals("v", image.labels().get("k"));
        assertTrue(image.java() && image.caBundle());
    }

    @Test
    void groupsOfPackagesHaveSuitesAndTheRuntimesLibraries() throws IOException {
        ImageDefinition image = read(
                """
                description: x
                packages: [a1, {name: b2, arch: [amd64]}, {name: c3, suite: trixie-backports}]
                without: [d4, zlib1g]
                java: true
                """);

        assertEquals(Set.of("a1", "c3/trixie-backports", "libc6", "libgcc-s1", "libstdc++6"),
                PackageGroups.image(image, Arch.AARCH64).orElseThrow().requested());
        assertTrue(PackageGroups.image(image, Arch.X86_64).orElseThrow().requested().contains("b2"));
        assertEquals(List.of(image.name(), "java-runtime", "java-jlink"),
                PackageGroups.of(List.of(image), Arch.X86_64).stream().map(g -> g.name()).toList());
    }

    @Test
    void commentsAndLineBreaksMakeNoDifference() throws IOException {
        ImageDefinition one = read("description: x\ncommand: [a, b]\n");
        ImageDefinition two = read("# what it is\ndescription: 'x'\ncommand:\n  - a\n  - b\n");
        ImageDefinition three = read("description: x\ncommand: [a, c]\n");

        assertEquals(one.digest(), two.digest());
        assertFalse(one.digest().equals(three.digest()));
    }

    @Test
    void accountsGetRootAndTheirGroups() throws IOException {
        ImageDefinition image = read(
                """
                description: x
                accounts:
                  users:
                    - {name: ntpd, uid: 101, gid: 101, home: /run/openntpd}
                    - {name: guest, uid: 1000, gid: 100, password: "", shell: /bin/sh}
                  groups:
                    - {name: users, gid: 100, members: [guest]}
                """);

        assertEquals("root:x:0:0::/root:/bin/sh\nntpd:x:101:101::/run/openntpd:/usr/sbin/nologin\nguest:x:1000:100::/nonexistent:/bin/sh\n",
                text(image, "etc/passwd"));
        assertEquals("users:x:100:guest\nroot:x:0:\nntpd:x:101:\n", text(image, "etc/group"));
        assertEquals("root:*:::::::\nntpd:*:::::::\nguest::::::::\n", text(image, "etc/shadow"));
        assertEquals(0600, AccountFiles.of(image.accounts().orElseThrow()).stream().filter(e -> e.name().equals("shadow")).findFirst().orElseThrow().mode());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "layout: flat                                                  | 2 | layout | merged-usr, split, empty",
        "packges: [x]                                                  | 2 | packges | there is no such key",
        "packages: [Bad_Name]                                          | 2 | packages[0] | pattern",
        "packages: [a1]\\nwithout: [a1]                                | 2 | packages[0] | left out by 'without'",
        "arch: [riscv64]                                               | 2 | arch[0] | amd64, arm64",
        "files: [{path: ../x, contents: y}]                            | 2 | files[0].path | pattern",
        "files: [{path: a/../../x, contents: y}]                       | 2 | files[0].path | pattern",
        "files: [{path: x}]                                            | 2 | files[0] | contents",
        "files: [{path: x, source: ../../etc/passwd}]                  | 2 | files[0].source | not below the image's directory",
        "files: [{path: x, source: nowhere}]                           | 2 | files[0].source | there is no file",
        "files: [{path: x, contents: y, mode: 755}]                    | 2 | files[0].mode | a text",
        "files:\\n  - {path: x, contents: y}\\nlinks:\\n  - {path: /x, target: z} | 5 | links[0] | a second time here; the first time at",
        "include: ['usr/{a']                                           | 2 | include[0] | usr/{a",
        "remove: ['usr/[a']                                            | 2 | remove[0] | usr/[a",
        "accounts: {users: [{name: a, uid: 1}, {name: a, uid: 2}]}     | 2 | accounts.users[1] | a user a already",
        "accounts: {groups: [{name: a, gid: 1}, {name: b, gid: 1}]}    | 2 | accounts.groups[1].gid | the number 1 already",
        "accounts: {groups: [{name: a, gid: 1, members: [nobody]}]}    | 2 | accounts.groups[0].members[0] | no user nobody",
        "accounts: {users: [{name: a, uid: 1, home: '/x:y'}]}          | 2 | accounts.users[0].home | pattern",
        "linuxkit: {nets: host}                                        | 2 | linuxkit.nets | there is no such key",
        "linuxkit: {net: host}\\nlabels: {org.mobyproject.config: '{}'} | 3 | labels | written by the key 'linuxkit'",
        "environment: {1X: y}                                          | 2 | environment | 1X",
    })
    void whatIsWrongIsNamedByLineAndKey(String yaml, int line, String key, String problem) {
        HookException e = assertThrows(HookException.class, () -> read("description: x\n" + yaml.strip().replace("\\n", "\n") + "\n"));

        assertTrue(e.getMessage().contains("image.yaml:" + line + ": " + key), e.getMessage());
        assertTrue(e.getMessage().contains(problem), e.getMessage());
    }

    @Test
    void aSourceMustNotLeadOutThroughALink() throws IOException {
        Files.createSymbolicLink(directory.resolve("out"), Path.of("/etc/hostname"));

        HookException e = assertThrows(HookException.class, () -> read("description: x\nfiles: [{path: a, source: out}]\n"));

        assertTrue(e.getMessage().contains("through a symbolic link"), e.getMessage());
    }

    @Test
    void theImagesOfTheProjectAreRight() throws IOException {
        List<ImageDefinition> images = ContainerImages.definitions(Path.of("../hook-containers/images"));

        assertTrue(images.size() >= 18, () -> images.size() + " images");
        for (Arch arch : Arch.values()) {
            PackageGroups.of(images, arch);
        }
    }

    private ImageDefinition read(String yaml) throws IOException {
        Files.writeString(directory.resolve(ImageDefinition.FILE), yaml);
        return ImageDefinition.read(directory);
    }

    private static String text(ImageDefinition image, String path) throws IOException {
        return new String(AccountFiles.of(image.accounts().orElseThrow()).stream()
                .filter(e -> e.path().equals(path))
                .findFirst()
                .orElseThrow()
                .content()
                .bytes());
    }
}
