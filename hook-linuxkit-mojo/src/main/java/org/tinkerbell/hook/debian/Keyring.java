package org.tinkerbell.hook.debian;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bouncycastle.bcpg.ArmoredInputStream;
import org.bouncycastle.bcpg.HashAlgorithmTags;
import org.bouncycastle.openpgp.PGPException;
import org.bouncycastle.openpgp.PGPPublicKey;
import org.bouncycastle.openpgp.PGPPublicKeyRing;
import org.bouncycastle.openpgp.PGPSignature;
import org.bouncycastle.openpgp.PGPSignatureList;
import org.bouncycastle.openpgp.bc.BcPGPObjectFactory;
import org.bouncycastle.openpgp.operator.bc.BcPGPContentVerifierBuilderProvider;
import org.tinkerbell.hook.io.HookException;

/** OpenPGP keys that are trusted to sign an archive. Source of the formats: RFC 9580 (and RFC 4880 before it). */
public final class Keyring {
    private static final String BEGIN = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

    private final Map<Long, PGPPublicKey> keys;

    private Keyring(Map<Long, PGPPublicKey> keys) {
        this.keys = Map.copyOf(keys);
    }

    /**
     * The keys of Debian's archive for Debian 12 and 13: the automatic, the security and the stable release keys, as the
     * package {@code debian-archive-keyring} has them.
     */
    public static Keyring debian() {
        try (InputStream in = Keyring.class.getResourceAsStream("debian-archive-keys.asc")) {
            return of(new String(in.readAllBytes(), StandardCharsets.US_ASCII), "the built-in Debian keys");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Keys from a text that holds any number of ASCII-armored blocks.
     *
     * @param source name for messages
     */
    public static Keyring of(String armored, String source) {
        Map<Long, PGPPublicKey> keys = new HashMap<>();
        for (int at = armored.indexOf(BEGIN); at >= 0; at = armored.indexOf(BEGIN, at + 1)) {
            try (ArmoredInputStream in =
                    new ArmoredInputStream(new ByteArrayInputStream(armored.substring(at).getBytes(StandardCharsets.US_ASCII)))) {
                for (Object object : new BcPGPObjectFactory(in)) {
                    if (object instanceof PGPPublicKeyRing ring) {
                        ring.forEach(key -> keys.put(key.getKeyID(), key));
                    }
                }
            } catch (IOException | RuntimeException e) {
                throw new HookException("No OpenPGP keys can be read from " + source + ": " + e.getMessage(), e);
            }
        }
        if (keys.isEmpty()) {
            throw new HookException("There is no OpenPGP public key in " + source);
        }
        return new Keyring(keys);
    }

    /**
     * Checks signatures of a text, of which one good one by a key of this ring will do.
     *
     * @param canonical the signed text with CR LF between lines and without blanks at their ends
     * @param armored the ASCII-armored signatures
     * @param source name of what is signed, for messages
     * @param now the time at which keys and signatures have to be valid
     * @throws HookException if no signature is good; it says what is wrong with each
     */
    void verify(byte[] canonical, byte[] armored, String source, Instant now) {
        List<String> problems = new ArrayList<>();
        for (PGPSignature signature : signatures(armored, source)) {
            String problem = problem(signature, canonical, now);
            if (problem == null) {
                return;
            }
            problems.add(problem);
        }
        throw new HookException("The signature of " + source + " is not valid: "
                + (problems.isEmpty() ? "there is none" : String.join("; ", problems))
                + ". The mirror, a proxy on the way, or this machine's clock is wrong; try another mirror with -Dhook.debian.mirror.");
    }

    private static List<PGPSignature> signatures(byte[] armored, String source) {
        List<PGPSignature> signatures = new ArrayList<>();
        try (ArmoredInputStream in = new ArmoredInputStream(new ByteArrayInputStream(armored))) {
            Iterator<?> objects = new BcPGPObjectFactory(in).iterator();
            while (objects.hasNext()) {
                if (objects.next() instanceof PGPSignatureList list) {
                    list.forEach(signatures::add);
                }
            }
        } catch (IOException | RuntimeException e) {
            throw new HookException("The signature of " + source + " cannot be read: " + e.getMessage(), e);
        }
        return signatures;
    }

    private String problem(PGPSignature signature, byte[] canonical, Instant now) {
        String id = String.format(Locale.ROOT, "%016X", signature.getKeyID());
        PGPPublicKey key = keys.get(signature.getKeyID());
        if (key == null) {
            return "the key " + id + " is not among the pinned ones";
        }
        String fingerprint = HexFormat.of().withUpperCase().formatHex(key.getFingerprint());
        if (signature.getSignatureType() != PGPSignature.CANONICAL_TEXT_DOCUMENT) {
            return "the one of key " + fingerprint + " is not one of a text";
        }
        int hash = signature.getHashAlgorithm();
        if (hash != HashAlgorithmTags.SHA256 && hash != HashAlgorithmTags.SHA384 && hash != HashAlgorithmTags.SHA512) {
            return "the one of key " + fingerprint + " uses a weak digest";
        }
        try {
            signature.init(new BcPGPContentVerifierBuilderProvider(), key);
            signature.update(canonical);
            if (!signature.verify()) {
                return "the text is not what the key " + fingerprint + " signed";
            }
        } catch (PGPException | RuntimeException e) {
            return "the one of key " + fingerprint + " cannot be checked (" + e.getMessage() + ")";
        }
        Instant created = key.getCreationTime().toInstant();
        if (key.hasRevocation()) {
            return "the key " + fingerprint + " was revoked";
        }
        if (key.getValidSeconds() > 0 && created.plusSeconds(key.getValidSeconds()).isBefore(now)) {
            return "the key " + fingerprint + " expired on " + created.plusSeconds(key.getValidSeconds());
        }
        Instant signed = signature.getCreationTime().toInstant();
        if (signed.isBefore(created)) {
            return "the one of key " + fingerprint + " is older than the key";
        }
        long lifetime = signature.getHashedSubPackets() == null ? 0 : signature.getHashedSubPackets().getSignatureExpirationTime();
        if (lifetime > 0 && signed.plusSeconds(lifetime).isBefore(now)) {
            return "the one of key " + fingerprint + " expired on " + signed.plusSeconds(lifetime);
        }
        return null;
    }
}
