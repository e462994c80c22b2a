package org.tinkerbell.hook.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.io.HookException;

class MirrorsTest {
    private static final String OFFICIAL = "http://ftp.debian.org/debian/";
    private static final String OFFICIAL_SECURITY = "http://security.debian.org/debian-security/";

    @TempDir
    Path apt;

    @BeforeEach
    void directory() throws IOException {
        Files.createDirectories(apt.resolve("sources.list.d"));
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(apt.resolve(name), text);
    }

    private void assertFound(List<String> main, List<String> security) throws IOException {
        Mirrors mirrors = Mirrors.of(null, "", null, apt);
        assertEquals(main, mirrors.debian().stream().map(URI::toString).toList());
        assertEquals(security, mirrors.security().stream().map(URI::toString).toList());
    }

    @Test
    void withoutAptDebiansOwn() throws IOException {
        assertEquals(Mirrors.official(), Mirrors.of(null, null, null, apt.resolve("nowhere")));
        assertFound(List.of(OFFICIAL), List.of(OFFICIAL_SECURITY));
    }

    @Test
    void readsTheOneLineFormat() throws IOException {
        write("sources.list", """
                # deb http://commented.example/debian bookworm main
                deb http://one.example/debian bookworm main contrib # a remark
                deb-src http://source.example/debian bookworm main
                deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://two.example/mirror/ stable-updates main
                deb http://sec.example/debian-security bookworm-security main
                deb http://oldsec.example/debian-security bullseye/updates main
                deb cdrom:[Debian]/ bookworm main
                deb http://archive.ubuntu.example/ubuntu jammy main
                deb https://download.docker.example/linux/debian bookworm stable
                deb https://apt.vendor.example bookworm main
                deb http://flat.example/debian ./
                nonsense
                """);
        write("sources.list.d/b.list", "deb http://three.example/debian trixie-backports main\n");
        write("sources.list.d/b.list.save", "deb http://saved.example/debian trixie main\n");
        assertFound(List.of("http://one.example/debian/", "http://two.example/mirror/", "http://three.example/debian/", OFFICIAL),
                List.of("http://sec.example/debian-security/", "http://oldsec.example/debian-security/", OFFICIAL_SECURITY));
    }

    @Test
    void readsTheStanzaFormat() throws IOException {
        write("sources.list.d/debian.sources", """
                Types: deb deb-src
                URIs: http://one.example/debian http://two.example/debian/
                Suites: bookworm bookworm-updates
                Components: main
                Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

                Types: deb
                # a comment
                URIs: http://one.example/debian-security
                Suites: bookworm-security
                Components: main

                Enabled: no
                Types: deb
                URIs: http://off.example/debian
                Suites: bookworm
                Components: main

                Types: deb-src
                URIs: http://source.example/debian
                Suites: bookworm
                Components: main
                """);
        write("sources.list.d/other.sources",
                "Types: deb\nURIs: https://deb.nodesource.example/node\nSuites: nodistro\nComponents: main\n");
        write("sources.list.d/wrong.sources", "this is\nno stanza\n");
        assertFound(List.of("http://one.example/debian/", "http://two.example/debian/", OFFICIAL),
                List.of("http://one.example/debian-security/", OFFICIAL_SECURITY));
    }

    @Test
    void whatIsSetOverrides() throws IOException {
        write("sources.list", "deb http://one.example/debian bookworm main\n");
        Mirrors mirrors = Mirrors.of("https://a.example/debian, file:///srv/debian", null, "http://past.example", apt);
        assertEquals("[https://a.example/debian/, file:///srv/debian/]", mirrors.debian().toString());
        assertEquals(List.of(URI.create(OFFICIAL_SECURITY)), mirrors.security());
        assertEquals(URI.create("http://past.example/"), mirrors.snapshot());
        assertTrue(assertThrows(HookException.class, () -> Mirrors.of("ftp.de.debian.org", null, null, apt)).getMessage()
                .startsWith("hook.debian.mirror is 'ftp.de.debian.org'"));
        assertThrows(HookException.class, () -> Mirrors.of(null, "http://a b|c", null, apt));
    }

    @Test
    void makesAddresses() {
        Mirrors mirrors = Mirrors.official();
        assertEquals("[http://security.debian.org/debian-security/pool/a_1%7ebpo+1_amd64.deb]",
                mirrors.of("debian-security", "pool/a_1~bpo+1_amd64.deb").toString());
        assertEquals("http://snapshot.debian.org/archive/debian/20260912T155541Z/pool/a.deb",
                mirrors.snapshots("debian", "pool/a.deb", Instant.parse("2026-09-12T07:55:41Z")).get(0).toString());
    }
}
