package org.tinkerbell.hook.container;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

/**
 * The file of certificates that Debian's {@code update-ca-certificates} makes from the package ca-certificates.
 *
 * <p>The package's postinst lists what is below {@code /usr/share/ca-certificates} in {@code /etc/ca-certificates.conf}, sorted by
 * the bytes of the names; update-ca-certificates(8) appends these files in that order, each ended by a line feed.
 */
final class CaBundle {
    /** Where programs look for it. */
    static final String PATH = "etc/ssl/certs/ca-certificates.crt";

    private static final String DIRECTORY = "usr/share/ca-certificates/";

    private CaBundle() {}

    /**
     * The bundle.
     *
     * @param entries of the package ca-certificates
     */
    static Entry of(List<Entry> entries) throws IOException {
        List<Entry> certificates = entries.stream()
                .filter(e -> e.type() == Entry.Type.FILE && e.path().startsWith(DIRECTORY) && e.path().endsWith(".crt"))
                .sorted(Comparator.comparing(Entry::path))
                .toList();
        if (certificates.isEmpty()) {
            throw new HookException("The Debian package ca-certificates has no certificates below /" + DIRECTORY
                    + ": its layout has changed, and the CA bundle cannot be made from it.");
        }
        ByteArrayOutputStream bundle = new ByteArrayOutputStream();
        for (Entry certificate : certificates) {
            byte[] pem = certificate.content().bytes();
            bundle.writeBytes(pem);
            if (pem.length > 0 && pem[pem.length - 1] != '\n') {
                bundle.write('\n');
            }
        }
        return Entry.file(PATH, 0644, Content.of(bundle.toByteArray()));
    }
}
