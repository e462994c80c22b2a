package org.tinkerbell.hook.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.tinkerbell.hook.io.HookException;

class ResolverTest {
    private static final Suite STABLE = new Suite("debian", "stable", List.of("main"), false);
    private static final Suite SECURITY = new Suite("debian-security", "stable-security", List.of("main"), false);
    private static final Suite BACKPORTS = new Suite("debian", "stable-backports", List.of("main"), true);

    private final List<BinaryPackage> packages = new ArrayList<>();

    /** A package from its name and version, and lines of fields. */
    private ResolverTest add(Suite suite, String nameAndVersion, String... fields) {
        String[] parts = nameAndVersion.split(" ");
        String text = "Package: " + parts[0] + "\nVersion: " + parts[1] + "\nArchitecture: amd64\n" + String.join("\n", fields) + "\n";
        try {
            packages.addAll(PackageIndex.read(
                    new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "index", suite, "main", Instant.EPOCH));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return this;
    }

    private ResolverTest add(String nameAndVersion, String... fields) {
        return add(STABLE, nameAndVersion, fields);
    }

    private String resolve(String... requested) {
        return resolve(List.of(requested), List.of());
    }

    private String resolve(List<String> requested, List<String> without) {
        return new Resolver(new PackageIndex(packages), "amd64", "stable").resolve(requested, without).stream()
                .map(BinaryPackage::toString)
                .collect(Collectors.joining(", "));
    }

    private String impossible(String... requested) {
        return assertThrows(HookException.class, () -> resolve(requested)).getMessage();
    }

    @Test
    void takesWhatIsNeededAndNothingElse() {
        add("a 1", "Depends: b (>= 2), c", "Recommends: r", "Suggests: s").add("b 2", "Pre-Depends: d").add("c 1").add("d 1", "Depends: a")
                .add("r 1").add("s 1").add("x 1");
        assertEquals("a 1, b 2, c 1, d 1", resolve("a"));
    }

    @Test
    void takesTheNewestOfTheSuites() {
        add("a 1.9", "Depends: old").add(SECURITY, "a 1.10", "Depends: new").add("old 1").add("new 1");
        assertEquals("a 1.10, new 1", resolve("a"));
    }

    @Test
    void takesTheFirstAlternativeUnlessAnotherIsThereAnyway() {
        add("a 1", "Depends: b | c").add("b 1").add("c 1").add("d 1", "Depends: c");
        assertEquals("a 1, b 1", resolve("a"));
        assertEquals("a 1, c 1", resolve("a", "c"));
        assertEquals("a 1, c 1, d 1", resolve("a", "d"), "c is needed without a choice, so it serves a too");
    }

    @Test
    void goesOnToAnAlternativeThatCanBeHad() {
        add("a 1", "Depends: missing | b (>= 2) | c").add("b 1").add("c 1");
        assertEquals("a 1, c 1", resolve("a"));
        add("z 1", "Depends: broken | c").add("broken 1", "Depends: missing");
        assertEquals("c 1, z 1", resolve("z"));
    }

    @Test
    void choosesProvidersByPriorityThenName() {
        add("a 1", "Depends: mta").add("exim 1", "Provides: mta", "Priority: optional").add("courier 1", "Provides: mta",
                "Priority: optional")
                .add("zmail 1", "Provides: mta", "Priority: important");
        assertEquals("a 1, zmail 1", resolve("a"));
        assertEquals("a 1, exim 1", resolve("a", "exim"));
        packages.remove(packages.size() - 1);
        assertEquals("a 1, courier 1", resolve("a"));
    }

    @Test
    void aVersionIsMetOnlyByAVersionedProvision() {
        add("a 1", "Depends: v (>= 2)").add("p 5", "Provides: v");
        assertTrue(impossible("a").endsWith("a 1 needs v (>= 2): nothing provides v"), impossible("a"));
        add("q 1", "Provides: v (= 2)");
        assertEquals("a 1, q 1", resolve("a"));
    }

    @Test
    void qualifiersOfArchitectureAreUnderstood() {
        add("a 1", "Depends: b:any, c:native | x, d [arm64], e:amd64").add("b 1", "Multi-Arch: allowed").add("c 1").add("e 1");
        assertEquals("a 1, b 1, c 1, e 1", resolve("a"));
        add("z 1", "Depends: b:arm64");
        assertTrue(impossible("z").contains("z 1 needs b:arm64"));
    }

    @Test
    void saysTheWholeWayToWhatIsMissing() {
        add("a 1", "Depends: b (>= 2)").add("b 2", "Depends: c (>= 3)").add("c 2").add("d 1", "Depends: e").add("e 1", "Depends: f");
        assertEquals("The packages for amd64 cannot be put together: a 1 needs b (>= 2): b 2 needs c (>= 3): there is only c 2",
                impossible("a"));
        assertEquals("The packages for amd64 cannot be put together: d 1 needs e: e 1 needs f: nothing provides f", impossible("d"));
    }

    @Test
    void anUnknownPackageIsAnsweredWithAHint() {
        add("docker.io 1").add("exim 1", "Provides: mta");
        assertEquals("There is no package 'dokcer.io' for amd64 in stable; did you mean docker.io?", impossible("dokcer.io"));
        assertTrue(impossible("mta").contains("these provide, ask for one of them: exim"));
        assertTrue(impossible("docker.io=2").contains("there is docker.io 1 (stable)"));
        assertTrue(impossible("Docker IO").contains("not a package"));
    }

    @Test
    void packagesThatDoNotGoTogetherAreNotPutTogether() {
        add("a 1", "Depends: b | c").add("b 1", "Conflicts: x").add("c 1").add("x 1");
        assertEquals("a 1, c 1, x 1", resolve("a", "x"));
        add("y 1", "Breaks: x (<< 2)");
        assertTrue(impossible("x", "y").contains("are both asked for, but one conflicts with the other"));
        add("z 1", "Depends: b");
        String message = impossible("x", "z");
        assertTrue(message.contains("z 1 needs b: b 1 conflicts with x 1, which was asked for"), message);
    }

    @Test
    void aChoiceThatTurnsOutWrongIsMadeAnew() {
        add("a 1", "Depends: b | c, d").add("b 1").add("c 1").add("d 1", "Depends: e | f").add("e 1", "Depends: g | h")
                .add("f 1").add("g 1", "Conflicts: b").add("h 1", "Conflicts: b");
        assertEquals("a 1, c 1, d 1, e 1, g 1", resolve("a"));
    }

    @Test
    void aPackageDoesNotConflictWithWhatItProvides() {
        add("a 1", "Provides: mta", "Conflicts: mta").add("b 1", "Provides: mta", "Conflicts: mta");
        assertEquals("a 1", resolve("a"));
        assertTrue(impossible("a", "b").contains("both asked for"));
    }

    @Test
    void anExactVersionIsFound() {
        add("a 1", "Depends: b, c (= 1)").add("b 1", "Depends: c").add("c 1").add(SECURITY, "c 2");
        assertEquals("a 1, b 1, c 1", resolve("a"));
        assertEquals("c 1", resolve("c=1"));
        assertTrue(impossible("a", "c=2").contains("c 2 was chosen, which was asked for"), impossible("a", "c=2"));
    }

    @Test
    void backportsOnlyOnRequest() {
        add("a 1", "Depends: b").add("b 1").add(BACKPORTS, "a 2", "Depends: b (>= 2), c").add(BACKPORTS, "b 2").add(BACKPORTS, "c 2")
                .add("c 1").add(BACKPORTS, "only 2");
        assertEquals("a 1, b 1", resolve("a"));
        assertEquals("a 2, b 2, c 1", resolve("a/stable-backports"));
        assertTrue(impossible("only").contains("there is only 2 (stable-backports)"));
        assertTrue(impossible("a/nosuch").contains("a 2 (stable-backports)"));
    }

    @Test
    void someCanBeLeftOut() {
        add("a 1", "Depends: adduser, b").add("b 1", "Depends: debconf (>= 0.5) | debconf-2.0, c").add("adduser 3", "Depends: passwd")
                .add("passwd 1").add("debconf 1").add("c 1");
        assertEquals("a 1, b 1, c 1", resolve(List.of("a"), List.of("adduser", "debconf")));
    }

    @Test
    void theOrderOfTheIndexDoesNotMatter() {
        add("a 1", "Depends: x | y, v").add("x 1", "Depends: z").add("y 1").add("z 1", "Conflicts: q").add("q 1", "Provides: v")
                .add("p 1", "Provides: v", "Conflicts: z").add("r 1", "Provides: v").add("b 1", "Depends: v, y");
        String expected = resolve("a", "b");
        for (int i = 0; i < 50; i++) {
            Collections.shuffle(packages, new Random(i));
            assertEquals(expected, resolve("b", "a"));
        }
    }

    @Test
    void circlesEnd() {
        add("a 1", "Depends: b").add("b 1", "Depends: c").add("c 1", "Depends: a, b");
        assertEquals("a 1, b 1, c 1", resolve("c"));
    }

    @Test
    void aBrokenFieldIsNamed() {
        add("a 1", "Depends: (broken");
        String message = impossible("a");
        assertTrue(message.contains("index:1") && message.contains("(broken"), message);
    }
}
