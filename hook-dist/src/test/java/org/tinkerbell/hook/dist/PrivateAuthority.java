package org.tinkerbell.hook.dist;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** A certificate authority that nobody knows, made by the JDK's keytool, with one server's certificate. */
final class PrivateAuthority {
    private static final String SECRET = "changeit";

    private final Path store;
    private final String certificate;
    private final Identity server;

    /**
     * @param certificate file with the certificate, PEM
     * @param key file with the private key, PKCS #8, PEM
     */
    record Identity(Path certificate, Path key) {}

    /**
     * Makes both. The certificates are valid from now on, so that a clock that is behind does not take them.
     *
     * @param directory where their files go, made if it is not there
     * @param host the server's name
     */
    PrivateAuthority(Path directory, String host) throws IOException, InterruptedException, GeneralSecurityException {
        store = Files.createDirectories(directory).resolve("keys.p12");
        keytool("-genkeypair", "-alias", "authority", "-dname", "CN=A private authority", "-ext", "bc:c", "-ext", "ku:c=keyCertSign");
        keytool("-genkeypair", "-alias", "server", "-dname", "CN=" + host);
        Path request = directory.resolve("request.pem");
        Path signed = directory.resolve("server.pem");
        keytool("-certreq", "-alias", "server", "-file", request.toString());
        keytool("-gencert", "-alias", "authority", "-infile", request.toString(), "-outfile", signed.toString(), "-rfc", "-ext", "san=dns:"
                + host);
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, SECRET.toCharArray());
        }
        certificate = pem("CERTIFICATE", keys.getCertificate("authority").getEncoded());
        Path key = directory.resolve("server.key");
        Files.writeString(key, pem("PRIVATE KEY", keys.getKey("server", SECRET.toCharArray()).getEncoded()));
        server = new Identity(signed, key);
    }

    /** The authority's certificate, PEM. */
    String certificate() {
        return certificate;
    }

    /** The server's. */
    Identity server() {
        return server;
    }

    private void keytool(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-keystore", store.toString(), "-storetype", "PKCS12", "-storepass", SECRET));
        if (arguments[0].equals("-genkeypair")) {
            command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2"));
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("keytool: " + said);
        }
    }

    private static String pem(String kind, byte[] der) {
        return "-----BEGIN " + kind + "-----\n" + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der) + "\n-----END " + kind
                + "-----\n";
    }
}
