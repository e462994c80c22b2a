package org.tinkerbell.hook.tree;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EntryTest {
    @ParameterizedTest
    @ValueSource(strings = {"/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "a/./b", "../a", "a/..", "a/../b"})
    void pathsAreNormal(String path) {
        assertThrows(IllegalArgumentException.class, () -> Entry.directory(path, 0755));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "a/b", ".a", "..a", "a..", "a/...", "...", "a./.b"})
    void whatOnlyLooksLikeDotsIsFine(String path) {
        assertEquals(path, Entry.directory(path, 0755).path());
    }

    @Test
    void modesAndContentFitTheType() {
        assertThrows(IllegalArgumentException.class, () -> Entry.directory("a", 0100755));
        assertThrows(IllegalArgumentException.class, () -> Entry.file("a", 0644, null));
        assertEquals("a/b", Entry.directory("a/b/c", 0755).parent());
        assertEquals("c", Entry.directory("a/b/c", 0755).name());
    }
}
