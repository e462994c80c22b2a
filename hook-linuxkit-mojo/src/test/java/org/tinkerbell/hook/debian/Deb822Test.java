package org.tinkerbell.hook.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinkerbell.hook.io.HookException;

class Deb822Test {
    private static final String TEXT =
            "\n# a comment\nPackage: a\nDepends: b,\n c\n# between\n\td\nEmpty:\nnäme: ü \r\n\n\n\nPackage: b\n .\nLast: 1";

    private static Deb822 reader(String text, String... wanted) {
        return new Deb822(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "file", Set.of(wanted));
    }

    @Test
    void readsEverything() throws IOException {
        try (Deb822 reader = reader(TEXT)) {
            Deb822.Stanza first = reader.next();
            assertEquals(3, first.line());
            assertEquals("b,\nc\nd", first.get("depends"));
            assertEquals("", first.get("Empty"));
            assertEquals("ü", first.get("näme"));
            assertEquals("file:8", first.place("Empty"));
            assertEquals("[Package, Depends, Empty, näme]", first.names().toString());
            Deb822.Stanza second = reader.next();
            assertEquals("b\n.", second.get("Package"));
            assertEquals("1", second.get("Last"));
            assertNull(reader.next());
        }
    }

    @Test
    void readsOnlyWhatIsWanted() throws IOException {
        try (Deb822 reader = reader(TEXT, "Package", "Depends", "Absent")) {
            Deb822.Stanza first = reader.next();
            assertEquals("b,\nc\nd", first.get("Depends"));
            assertNull(first.get("Empty"));
            assertNull(first.get("Absent"));
            assertEquals("b\n.", reader.next().get("Package"));
            assertNull(reader.next());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 100})
    void theSizeOfReadsDoesNotMatter(int size) throws IOException {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 3000; i++) {
            text.append("Package: p").append(i).append("\nDescription: ").append("x".repeat(i % 97)).append("\n\n");
        }
        text.append("Package: long\nDescription: ").append("y".repeat(200_000)).append('\n');
        InputStream slow = new ByteArrayInputStream(text.toString().getBytes(StandardCharsets.UTF_8)) {
            @Override
            public synchronized int read(byte[] buffer, int offset, int length) {
                return super.read(buffer, offset, Math.min(length, size));
            }
        };
        try (Deb822 reader = new Deb822(slow, "file", Set.of("Package", "Description"))) {
            for (int i = 0; i < 3000; i++) {
                assertEquals("p" + i, reader.next().get("Package"));
            }
            assertEquals(200_000, reader.next().get("Description").length());
            assertNull(reader.next());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Package: a\nnonsense\n", "Package: a\n: b\n", "Package: a\nPackage: b\n", "Package: a\npackage: b\n"})
    void saysWhereItIsWrong(String text) {
        String message = assertThrows(HookException.class, () -> reader(text).next()).getMessage();
        assertTrue(message.startsWith("file:2: "), message);
    }

    @Test
    void aContinuationNeedsABeginning() {
        assertTrue(assertThrows(HookException.class, () -> reader("\n x\n").next()).getMessage().startsWith("file:2: "));
        assertTrue(assertThrows(HookException.class, () -> reader("A: b\n").next().require("C")).getMessage().startsWith("file:1: "));
    }
}
