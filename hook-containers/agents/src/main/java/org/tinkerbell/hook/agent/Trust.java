package org.tinkerbell.hook.agent;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/**
 * Whom https trusts: the authorities of the system's bundle, which is in every image anyway, so that the runtime needs no trust store of
 * its own; without a bundle, the runtime's.
 */
final class Trust {
    private static final Path BUNDLE = Path.of("/etc/ssl/certs/ca-certificates.crt");

    private Trust() {
    }

    static SSLSocketFactory sockets() throws IOException {
        try {
            KeyStore authorities = null;
            if (Files.isReadable(BUNDLE)) {
                authorities = KeyStore.getInstance(KeyStore.getDefaultType());
                authorities.load(null, null);
                try (InputStream in = Files.newInputStream(BUNDLE)) {
                    int number = 0;
                    for (Certificate certificate : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                        authorities.setCertificateEntry("authority" + number++, certificate);
                    }
                }
            }
            TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(authorities);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers.getTrustManagers(), null);
            return context.getSocketFactory();
        } catch (GeneralSecurityException e) {
            throw new IOException("the authorities that https trusts cannot be read", e);
        }
    }
}
