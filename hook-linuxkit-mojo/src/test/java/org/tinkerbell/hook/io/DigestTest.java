package org.tinkerbell.hook.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DigestTest {
    // FIPS 180-2, appendix B.1; and the SHA-512 of appendix C.1
    private static final String ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    private static final String ABC_512 = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

    @Test
    void textStreamFileAndBytesGiveTheSame(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("f"), "abc");
        assertEquals("sha256:" + ABC, Digest.of("abc").toString());
        assertEquals(Digest.of("abc"), Digest.of(file));
        assertEquals(Digest.of("abc"), Digest.of(new ByteArrayInputStream("abc".getBytes())));
        assertEquals(Digest.of("abc"), Digest.parse("sha256:" + ABC));
    }

    @Test
    void refusesWhatIsNoDigest() {
        assertThrows(IllegalArgumentException.class, () -> Digest.parse("sha256:abc"));
        assertThrows(IllegalArgumentException.class, () -> Digest.parse("sha512:" + ABC));
        assertThrows(IllegalArgumentException.class, () -> Digest.parse(ABC.toUpperCase()));
    }

    @Test
    void checksumsAreThoseOfTheStandard(@TempDir Path directory) throws IOException {
        assertEquals(new Checksums(ABC, ABC_512), Checksums.of(Files.writeString(directory.resolve("f"), "abc")));
    }

    @Test
    void checksumsBesideAFileAreReadAgainOnlyIfTheFileHasChanged(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("f"), "abc");
        assertEquals(new Checksums(ABC, ABC_512), Checksums.beside(file));
        assertEquals(ABC + "  f\n", Files.readString(directory.resolve("f.sha256")));
        assertEquals(ABC_512 + "  f\n", Files.readString(directory.resolve("f.sha512")));

        // Whether the file was read shows in what is said of one that was changed behind its time's back.
        FileTime time = Files.getLastModifiedTime(file);
        Files.writeString(file, "abd");
        Files.setLastModifiedTime(file, time);
        assertEquals(new Checksums(ABC, ABC_512), Checksums.beside(file));

        Files.setLastModifiedTime(file, FileTime.fromMillis(time.toMillis() - 10_000));
        Checksums changed = Checksums.beside(file);
        assertEquals(Checksums.of(file), changed);
        assertEquals(changed.sha256() + "  f\n", Files.readString(directory.resolve("f.sha256")));

        Files.delete(directory.resolve("f.sha512"));
        assertEquals(changed, Checksums.beside(file));
        Path renamed = Files.move(file, directory.resolve("g"));
        Files.move(directory.resolve("f.sha256"), directory.resolve("g.sha256"));
        Files.move(directory.resolve("f.sha512"), directory.resolve("g.sha512"));
        assertEquals(changed, Checksums.beside(renamed));
        assertEquals(changed.sha256() + "  g\n", Files.readString(directory.resolve("g.sha256")), "the name in it is the file's");
    }
}
