package org.tinkerbell.hook.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RelationTest {
    private static Relation.Alternative one(String text) {
        List<Relation> relations = Relation.parse(text);
        assertEquals(1, relations.size());
        assertEquals(1, relations.get(0).alternatives().size());
        return relations.get(0).alternatives().get(0);
    }

    @Test
    void readsWhatPolicyAllows() {
        List<Relation> relations = Relation.parse("libc6 (>= 2.41), default-mta | mail-transport-agent,\n python3:any (>= 3.13~),"
                + "foo(<<2) [amd64 arm64] <!nocheck> , ");
        assertEquals("[libc6 (>= 2.41), default-mta | mail-transport-agent, python3:any (>= 3.13~), foo (<< 2)]", relations.toString());
        assertEquals(List.of("amd64", "arm64"), relations.get(3).alternatives().get(0).architectures());
        assertEquals(List.of(), Relation.parse(null));
        assertEquals(List.of(), Relation.parse(" \n "));
    }

    @Test
    void comparesVersions() {
        DebianVersion version = DebianVersion.of("2.0-1");
        assertTrue(one("a (>= 2.0-1)").accepts(version) && one("a (= 2.0-1)").accepts(version) && one("a (<= 2.0-1)").accepts(version));
        assertFalse(one("a (>> 2.0-1)").accepts(version) || one("a (<< 2.0-1)").accepts(version) || one("a (= 2.0)").accepts(version));
        assertTrue(one("a (< 2.0-1)").accepts(version) && one("a (> 2.0-1)").accepts(version), "the old signs mean 'or equal'");
    }

    @Test
    void knowsArchitectures() {
        assertTrue(one("a [amd64]").isFor("amd64") && one("a [!i386]").isFor("amd64") && one("a [linux-any]").isFor("arm64"));
        assertFalse(one("a [amd64]").isFor("arm64") || one("a [!amd64 !i386]").isFor("amd64"));
        assertTrue(one("a:any").qualifies("arm64") && one("a:native").qualifies("arm64") && one("a:arm64").qualifies("arm64"));
        assertFalse(one("a:amd64").qualifies("arm64"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "a (2)", "a (>= )", "a (>= 1", "| a", "a ||b", "(>= 1)", "a (~ 1)", "a (>= 1/2)"})
    void saysWhatIsNoRelation(String text) {
        assertThrows(IllegalArgumentException.class, () -> Relation.parse(text));
    }
}
