package org.tinkerbell.hook.flavor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.io.HookException;

class InventoryTest {
    private static final String BUILT_IN = """
            defaults:
              template: hook
              modules:
                exclude: [sound/**]
            flavors:
              from-source:
                arch: x86_64
                kernel: {method: default, series: "6.12", config: generic}
              lts:
                arch: aarch64
                kernel: {method: default, series: longterm, config: generic}
                outputId: latest-lts
              board:
                arch: aarch64
                aliases: [my-board]
                kernel: {method: armbian, artifact: kernel-board}
                tags: [sbc]
            """;

    @TempDir
    Path directory;

    private Path file;

    @BeforeEach
    void builtIn() throws IOException {
        file = Files.writeString(directory.resolve("flavors.yaml"), BUILT_IN);
    }

    private Inventory with(String site) throws IOException {
        return Inventory.read(file, Optional.of(Files.writeString(directory.resolve("site.yaml"), site)));
    }

    private String problem(String site) {
        return assertThrows(HookException.class, () -> with(site)).getMessage().replace(directory + "/", "");
    }

    @Test
    void outputIdsAreTheNamesThatPeopleKnow() throws IOException {
        Inventory inventory = Inventory.read(file, Optional.empty());
        assertEquals("x86_64", inventory.flavor("from-source").outputId());
        assertEquals("latest-lts-aarch64", inventory.flavor("lts").outputId());
        assertEquals("board", inventory.flavor("board").outputId());
    }

    @Test
    void defaultsHoldForEveryFlavor() throws IOException {
        Flavor flavor = Inventory.read(file, Optional.empty()).flavor("board");
        assertEquals("hook", flavor.template());
        assertEquals(List.of("sound/**"), flavor.excludedModules());
    }

    @Test
    void aliasesNameTheFlavorToo() throws IOException {
        assertEquals("board", Inventory.read(file, Optional.empty()).flavor("my-board").id());
    }

    @Test
    void aSiteChangesSingleFields() throws IOException {
        Flavor flavor = with("flavors: {board: {kernel: {version: 6.12.9-S1}, modules: {keep: [sound/usb/**]}}}").flavor("board");
        assertEquals(Optional.of("kernel-board"), flavor.kernel().artifact());
        assertEquals(Optional.of("6.12.9-S1"), flavor.kernel().version());
        assertEquals(List.of("sound/**"), flavor.excludedModules());
        assertEquals(List.of("sound/usb/**"), flavor.keptModules());
        assertEquals(List.of("sbc"), flavor.tags());
    }

    @Test
    void aFlavorKeepsMoreModulesThanTheDefaults() throws IOException {
        Flavor flavor = with("""
                defaults: {modules: {keep: [drivers/hid/**]}}
                flavors: {board: {modules: {keepAlso: [sound/usb/**]}}}
                """).flavor("board");
        assertEquals(List.of("drivers/hid/**", "sound/usb/**"), flavor.keptModules());
    }

    @Test
    void aSiteChangesTheDefaults() throws IOException {
        assertEquals(List.of("drivers/gpu/**"), with("defaults: {modules: {exclude: [drivers/gpu/**]}}").flavor("board").excludedModules());
    }

    @Test
    void aSiteAddsFlavorsWithTemplatesOfItsOwn() throws IOException {
        Flavor flavor = with("""
                flavors:
                  rack:
                    arch: x86_64
                    kernel: {method: debian, package: linux-image-cloud-amd64}
                    template: sub/rack.yaml
                """).flavor("rack");
        assertEquals("rack", flavor.outputId());
        assertEquals(directory.resolve("sub").resolve("rack.yaml").toString(), flavor.template());
    }

    @Test
    void anUnknownIdNamesTheNearest() throws IOException {
        Inventory inventory = Inventory.read(file, Optional.empty());
        String message = assertThrows(HookException.class, () -> inventory.flavor("bord")).getMessage();
        assertTrue(message.startsWith("There is no flavor 'bord'. Did you mean 'board'"), message);
    }

    @Test
    void aWrongFieldNamesFileLineFieldAndWhatIsAllowed() {
        assertEquals("site.yaml:3: flavors.rack.arch: 'amd64' is not allowed; allowed: x86_64, aarch64",
                problem("flavors:\n  rack:\n    arch: amd64\n"));
        assertTrue(problem("flavors:\n  rack:\n    colour: red\n").startsWith("site.yaml:3: flavors.rack.colour: there is no such key here; allowed: aliases, arch"));
        assertEquals("site.yaml:3: flavors.rack.kernel.method: 'debain' is not allowed; allowed: default, armbian, debian",
                problem("flavors:\n  rack:\n    kernel: {method: debain}\n"));
    }

    @Test
    void aMissingFieldNamesTheFlavorsPlace() {
        assertEquals("site.yaml:2: flavors.rack: the key 'kernel.method' is missing", problem("flavors:\n  rack:\n    arch: x86_64\n"));
        assertEquals("site.yaml:2: flavors.rack: the key 'kernel.package' is missing",
                problem("flavors:\n  rack: {arch: x86_64, kernel: {method: debian}}\n"));
    }

    @Test
    void anotherFlavorsKernelMustBeThereAndFit() {
        assertTrue(problem("flavors:\n  peg: {arch: x86_64, kernel: {method: default, of: from-sauce}}\n")
                .startsWith("site.yaml:2: flavors.peg.kernel.of: there is no flavor 'from-sauce'; the nearest: from-source"));
        assertEquals("site.yaml:2: flavors.peg.kernel.of: lts is for aarch64, this flavor for x86_64",
                problem("flavors:\n  peg: {arch: x86_64, kernel: {method: default, of: lts}}\n"));
    }

    @Test
    void anAliasMayNotNameAnotherFlavor() {
        assertEquals("site.yaml:2: flavors.rack.aliases: 'board' names flavor board already",
                problem("flavors:\n  rack: {arch: x86_64, aliases: [board], kernel: {method: debian, package: p}}\n"));
    }
}
