package org.tinkerbell.hook.debian;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.tinkerbell.hook.io.HookException;

/**
 * Where the archives are: for each, the addresses below which its {@code dists} and {@code pool} lie, in the order in which they are tried.
 *
 * @param debian addresses of the main archive
 * @param security addresses of the security archive
 * @param snapshot address of a snapshot service as Debian's is, which has the archives by time
 */
public record Mirrors(List<URI> debian, List<URI> security, URI snapshot) {
    private static final URI OFFICIAL = URI.create("http://ftp.debian.org/debian/");
    private static final URI OFFICIAL_SECURITY = URI.create("http://security.debian.org/debian-security/");
    private static final URI OFFICIAL_SNAPSHOT = URI.create("http://snapshot.debian.org/");

    private static final Pattern ONE_LINE = Pattern.compile(
            "deb\\s+(?:\\[(?<options>[^\\]]*)\\]\\s+)?(?<uri>\\S+)\\s+(?<suite>\\S+)\\s+(?<components>.+)");
    private static final Pattern SUITE = Pattern.compile(
            "(?:(?:old)*stable|testing|unstable|sid|experimental|bullseye|bookworm|trixie|forky|duke)"
            + "(?<part>-security|/updates|-updates|-backports(?:-sloppy)?|-proposed-updates)?");
    private static final DateTimeFormatter SNAPSHOT_TIME =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

    public Mirrors {
        debian = debian.stream().map(Mirrors::directory).toList();
        security = security.stream().map(Mirrors::directory).toList();
        snapshot = directory(snapshot);
    }

    /** Debian's own servers. */
    public static Mirrors official() {
        return new Mirrors(List.of(OFFICIAL), List.of(OFFICIAL_SECURITY), OFFICIAL_SNAPSHOT);
    }

    /**
     * What a person has set; for the rest what the host's APT uses, followed by Debian's own servers. Of the host's sources
     * only the addresses count, since the host may run another release.
     *
     * @param debian addresses parted by blanks or commas; null or blank if nothing is set
     * @param security the same for the security archive
     * @param snapshot address of the snapshot service, or null
     * @param apt APT's configuration directory, usually {@code /etc/apt}; it need not exist
     */
    public static Mirrors of(String debian, String security, String snapshot, Path apt) throws IOException {
        Set<URI> main = addresses(debian, "hook.debian.mirror");
        Set<URI> updates = addresses(security, "hook.debian.securityMirror");
        Set<URI> past = addresses(snapshot, "hook.debian.snapshot");
        if (main.isEmpty() || updates.isEmpty()) {
            Set<URI> hostMain = new LinkedHashSet<>();
            Set<URI> hostSecurity = new LinkedHashSet<>();
            readHost(apt, hostMain, hostSecurity);
            hostMain.add(OFFICIAL);
            hostSecurity.add(OFFICIAL_SECURITY);
            main = main.isEmpty() ? hostMain : main;
            updates = updates.isEmpty() ? hostSecurity : updates;
        }
        return new Mirrors(List.copyOf(main), List.copyOf(updates), past.isEmpty() ? OFFICIAL_SNAPSHOT : past.iterator().next());
    }

    /** The addresses of an archive: {@code debian} or {@code debian-security}. */
    public List<URI> of(String archive) {
        return archive.equals(Suite.SECURITY_ARCHIVE) ? security : debian;
    }

    /** The addresses of a file of an archive, given by its path below the archive's directory. */
    List<URI> of(String archive, String path) {
        return of(archive).stream().map(mirror -> mirror.resolve(escaped(path))).toList();
    }

    /**
     * The addresses at the snapshot service of a file that an index of some date named. The service answers with the state
     * at or before the time it is asked for, and takes one every few hours, so that a file which was new in that index is first
     * seen some hours later; files stay in the archive for longer than that after they were replaced.
     */
    List<URI> snapshots(String archive, String path, Instant date) {
        return Stream.of(Duration.ofHours(8), Duration.ofHours(24), Duration.ZERO)
                .map(later -> snapshot.resolve("archive/" + archive + "/" + SNAPSHOT_TIME.format(date.plus(later)) + "/" + escaped(path)))
                .toList();
    }

    /** Of what can stand in a package's file name, only a few signs mean something in an address. */
    private static String escaped(String path) {
        return path.replace("%", "%25").replace("~", "%7e").replace(" ", "%20").replace("?", "%3f").replace("#", "%23");
    }

    private static URI directory(URI uri) {
        return uri.toString().endsWith("/") ? uri : URI.create(uri + "/");
    }

    private static Set<URI> addresses(String setting, String property) {
        Set<URI> addresses = new LinkedHashSet<>();
        for (String text : setting == null ? new String[0] : setting.trim().split("[\\s,]+")) {
            if (text.isEmpty()) {
                continue;
            }
            try {
                URI uri = new URI(text);
                if (!List.of("http", "https", "file").contains(String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT))) {
                    throw new HookException(property + " is '" + text
                            + "': write an address that begins with http://, https:// or file:///");
                }
                addresses.add(directory(uri));
            } catch (URISyntaxException e) {
                throw new HookException(property + " is '" + text + "', which is not an address: " + e.getReason(), e);
            }
        }
        return addresses;
    }

    private static void readHost(Path apt, Set<URI> main, Set<URI> security) throws IOException {
        List<Path> files = new ArrayList<>();
        if (Files.isReadable(apt.resolve("sources.list"))) {
            files.add(apt.resolve("sources.list"));
        }
        if (Files.isDirectory(apt.resolve("sources.list.d")) && Files.isReadable(apt.resolve("sources.list.d"))) {
            try (Stream<Path> listed = Files.list(apt.resolve("sources.list.d"))) {
                listed.filter(Files::isReadable).sorted().forEach(files::add);
            }
        }
        for (Path file : files) {
            String name = file.getFileName().toString();
            if (name.endsWith(".sources")) {
                readStanzas(file, main, security);
            } else if (name.endsWith(".list")) {
                readLines(file, main, security);
            }
        }
    }

    /** The one-line format of sources.list(5). */
    private static void readLines(Path file, Set<URI> main, Set<URI> security) throws IOException {
        try (BufferedReader reader = Files.newBufferedReader(file, StandardCharsets.ISO_8859_1)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                Matcher matcher = ONE_LINE.matcher(line.replaceFirst("#.*", "").trim());
                if (matcher.matches()) {
                    String options = matcher.group("options") == null ? "" : matcher.group("options");
                    add(matcher.group("uri"), matcher.group("suite"), matcher.group("components"), options, main, security);
                }
            }
        }
    }

    /** The deb822 format of sources.list(5). */
    private static void readStanzas(Path file, Set<URI> main, Set<URI> security) throws IOException {
        try (Deb822 reader = new Deb822(Files.newInputStream(file), file.toString(), Set.of())) {
            for (Deb822.Stanza stanza = reader.next(); stanza != null; stanza = reader.next()) {
                if (stanza.find("Enabled").orElse("yes").matches("(?i)no|false|0|off|without|disable")
                        || !List.of(stanza.find("Types").orElse("").split("\\s+")).contains("deb")) {
                    continue;
                }
                for (String uri : stanza.find("URIs").orElse("").trim().split("\\s+")) {
                    for (String suite : stanza.find("Suites").orElse("").trim().split("\\s+")) {
                        add(uri, suite, stanza.find("Components").orElse(""), stanza.find("Signed-By").orElse(""), main, security);
                    }
                }
            }
        } catch (HookException e) {
            // APT's own file, for APT to complain about; Debian's servers are there as well.
            return;
        }
    }

    /** Keeps an address if it is one of Debian's archive; other vendors use the same names of suites and components. */
    private static void add(String address, String suite, String components, String options, Set<URI> main, Set<URI> security) {
        Matcher matcher = SUITE.matcher(suite);
        if (!matcher.matches() || !List.of(components.trim().split("\\s+")).contains("main") || !address.matches("(https?|file):.*")) {
            return;
        }
        URI uri;
        try {
            uri = directory(new URI(address));
        } catch (URISyntaxException e) {
            return;
        }
        String path = uri.getPath() == null ? "" : uri.getPath();
        boolean debian = options.contains("debian-archive") || path.matches(".*/debian(-security)?/")
                || uri.getHost() != null && uri.getHost().endsWith(".debian.org");
        if (debian && !path.contains("snapshot")) {
            String part = matcher.group("part");
            (part != null && (part.equals("-security") || part.equals("/updates")) ? security : main).add(uri);
        }
    }
}
