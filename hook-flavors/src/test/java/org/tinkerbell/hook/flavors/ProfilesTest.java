package org.tinkerbell.hook.flavors;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.maven.model.Model;
import org.apache.maven.model.Profile;
import org.apache.maven.model.io.xpp3.MavenXpp3Reader;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.flavor.Inventory;

/** The root pom's profiles and the inventory say the same. */
class ProfilesTest {
    private static final Set<String> NO_FLAVOR = Set.of("default-flavor", "site-flavors");

    private Inventory inventory;
    private Map<String, Profile> profiles;

    @BeforeEach
    void read() throws Exception {
        inventory = Inventory.read(Path.of("src/main/resources/flavors.yaml"), Optional.empty());
        try (InputStream in = Files.newInputStream(Path.of("../pom.xml"))) {
            Model model = new MavenXpp3Reader().read(in);
            profiles = model.getProfiles().stream().filter(p -> !NO_FLAVOR.contains(p.getId())).collect(Collectors.toMap(Profile::getId, p -> p));
        }
    }

    @Test
    void everyFlavorAndAliasHasItsProfile() {
        Set<String> names = new TreeSet<>();
        for (Flavor flavor : inventory.flavors()) {
            names.add(flavor.id());
            names.addAll(flavor.aliases());
        }
        assertEquals(names, new TreeSet<>(profiles.keySet()));
    }

    @Test
    void aProfileNamesItsFlavorAndBringsItsKernelModuleAlone() {
        Map<String, List<String>> expected = new TreeMap<>();
        Map<String, List<String>> actual = new TreeMap<>();
        profiles.forEach((id, profile) -> {
            Flavor flavor = inventory.flavor(id);
            String module = flavor.kernel().method().module();
            expected.put(id, List.of(flavor.id(), module, "[" + module + "]", "hook.flavor=" + id));
            actual.put(id, List.of(
                    profile.getProperties().getProperty("hook.flavor"),
                    profile.getProperties().getProperty("hook.kernel.module"),
                    profile.getModules().toString(),
                    profile.getActivation().getProperty().getName() + "=" + profile.getActivation().getProperty().getValue()));
        });
        assertEquals(expected, actual);
    }

    @Test
    void theInventoryIsTheOneThatPeopleKnow() {
        // ../shared facts: upstream's ids, which existing pipelines and boot servers name, and Debian's two.
        assertEquals(
                List.of("x86_64", "aarch64", "x86_64", "latest-lts-x86_64", "latest-lts-aarch64", "armbian-meson64-edge",
                        "armbian-bcm2711-current", "armbian-rockchip64-edge", "armbian-genio-edge", "armbian-rk35xx-vendor",
                        "armbian-uefi-arm64-edge", "armbian-uefi-x86-edge", "debian-amd64", "debian-arm64"),
                inventory.flavors().stream().map(Flavor::outputId).toList());
    }
}
