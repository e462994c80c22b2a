package org.tinkerbell.hook.openpgp;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.bouncycastle.bcpg.ArmoredInputStream;
import org.bouncycastle.openpgp.PGPPublicKey;
import org.bouncycastle.openpgp.PGPPublicKeyRing;
import org.bouncycastle.openpgp.bc.BcPGPObjectFactory;
import org.tinkerbell.hook.io.HookException;

/** OpenPGP keys that are trusted to sign something. Source of the formats: RFC 9580 (and RFC 4880 before it). */
public final class Keyring {
    private static final String BEGIN = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

    private final Map<Long, PGPPublicKey> keys;

    private Keyring(Map<Long, PGPPublicKey> keys) {
        this.keys = Map.copyOf(keys);
    }

    /**
     * Keys from a text that holds any number of ASCII-armored blocks.
     *
     * @param source name for messages
     * @throws HookException if there is no key in it
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

    /** Keys that come with the plugin, from the resource beside a class. */
    public static Keyring ofResource(Class<?> owner, String name) {
        try (InputStream in = owner.getResourceAsStream(name)) {
            return of(new String(in.readAllBytes(), StandardCharsets.US_ASCII), "the built-in " + name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** These keys and others. */
    public Keyring with(Keyring others) {
        Map<Long, PGPPublicKey> all = new HashMap<>(keys);
        all.putAll(others.keys);
        return new Keyring(all);
    }

    /**
     * Begins the check of signatures, of which one good one by a key of this ring will do.
     *
     * @param armored the ASCII-armored signatures
     * @param kind what was signed
     * @param source name of what is signed, for messages
     * @param advice what a person can do about a signature that is not good, a sentence
     * @param now the time at which keys and signatures have to be valid
     * @throws HookException if the signatures cannot be read
     */
    public SignatureCheck check(byte[] armored, SignatureCheck.Kind kind, String source, String advice, Instant now) {
        return new SignatureCheck(this, armored, kind, source, advice, now);
    }

    Optional<PGPPublicKey> key(long id) {
        return Optional.ofNullable(keys.get(id));
    }

    /** The keys' fingerprints, sorted. */
    @Override
    public String toString() {
        return keys.values().stream().map(key -> HexFormat.of().withUpperCase().formatHex(key.getFingerprint())).sorted()
                .collect(Collectors.joining(" "));
    }
}
