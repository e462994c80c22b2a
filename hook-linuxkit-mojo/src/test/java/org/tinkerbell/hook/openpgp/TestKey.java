package org.tinkerbell.hook.openpgp;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Date;
import java.util.Iterator;
import org.bouncycastle.bcpg.ArmoredOutputStream;
import org.bouncycastle.bcpg.HashAlgorithmTags;
import org.bouncycastle.bcpg.PublicKeyAlgorithmTags;
import org.bouncycastle.bcpg.PublicKeyPacket;
import org.bouncycastle.bcpg.sig.KeyFlags;
import org.bouncycastle.crypto.generators.Ed25519KeyPairGenerator;
import org.bouncycastle.crypto.params.Ed25519KeyGenerationParameters;
import org.bouncycastle.openpgp.PGPException;
import org.bouncycastle.openpgp.PGPKeyPair;
import org.bouncycastle.openpgp.PGPKeyRingGenerator;
import org.bouncycastle.openpgp.PGPSecretKey;
import org.bouncycastle.openpgp.PGPSecretKeyRing;
import org.bouncycastle.openpgp.PGPSignature;
import org.bouncycastle.openpgp.PGPSignatureGenerator;
import org.bouncycastle.openpgp.PGPSignatureSubpacketGenerator;
import org.bouncycastle.openpgp.operator.bc.BcPBESecretKeyDecryptorBuilder;
import org.bouncycastle.openpgp.operator.bc.BcPGPContentSignerBuilder;
import org.bouncycastle.openpgp.operator.bc.BcPGPDigestCalculatorProvider;
import org.bouncycastle.openpgp.operator.bc.BcPGPKeyPair;

/** An OpenPGP key of a test, which signs texts and files. */
public final class TestKey {
    private final PGPSecretKeyRing ring;
    private final Instant signed;

    /**
     * @param created when the key was made; signatures are of that time, too
     * @param validSeconds how long it is valid, 0 for ever
     */
    public TestKey(Instant created, long validSeconds) {
        this.signed = created;
        try {
            PGPSignatureSubpacketGenerator packets = new PGPSignatureSubpacketGenerator();
            packets.setKeyFlags(false, KeyFlags.CERTIFY_OTHER | KeyFlags.SIGN_DATA);
            if (validSeconds > 0) {
                packets.setKeyExpirationTime(false, validSeconds);
            }
            PGPKeyPair primary = pair(created);
            PGPKeyRingGenerator generator = new PGPKeyRingGenerator(PGPSignature.POSITIVE_CERTIFICATION, primary, "Test <test@example.org>",
                    new BcPGPDigestCalculatorProvider().get(HashAlgorithmTags.SHA1), packets.generate(), null,
                    new BcPGPContentSignerBuilder(PublicKeyAlgorithmTags.EDDSA_LEGACY, HashAlgorithmTags.SHA256), null);
            PGPSignatureSubpacketGenerator sub = new PGPSignatureSubpacketGenerator();
            sub.setKeyFlags(false, KeyFlags.SIGN_DATA);
            if (validSeconds > 0) {
                sub.setKeyExpirationTime(false, validSeconds);
            }
            generator.addSubKey(pair(created), sub.generate(), null);
            ring = generator.generateSecretKeyRing();
        } catch (PGPException e) {
            throw new IllegalStateException(e);
        }
    }

    private static PGPKeyPair pair(Instant created) throws PGPException {
        Ed25519KeyPairGenerator generator = new Ed25519KeyPairGenerator();
        generator.init(new Ed25519KeyGenerationParameters(new SecureRandom()));
        return new BcPGPKeyPair(PublicKeyPacket.VERSION_4, PublicKeyAlgorithmTags.EDDSA_LEGACY, generator.generateKeyPair(),
                Date.from(created));
    }

    /** The public keys, ASCII-armored. */
    public String publicKeys() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ArmoredOutputStream out = new ArmoredOutputStream(bytes)) {
            ring.toCertificate().encode(out);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return bytes.toString(StandardCharsets.US_ASCII);
    }

    public Keyring keyring() {
        return Keyring.of(publicKeys(), "test");
    }

    /** A clear-signed text, signed by several keys, by their subkeys. */
    public static byte[] clearSign(String text, TestKey... keys) {
        return clearSign(text, HashAlgorithmTags.SHA256, true, keys);
    }

    public static byte[] clearSign(String text, int hash, boolean bySubkey, TestKey... keys) {
        StringBuilder signed = new StringBuilder("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n");
        StringBuilder canonical = new StringBuilder();
        for (String line : text.stripTrailing().split("\n", -1)) {
            signed.append(line.startsWith("-") ? "- " : "").append(line).append('\n');
            canonical.append(canonical.isEmpty() ? "" : "\r\n").append(line.stripTrailing());
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ArmoredOutputStream out = new ArmoredOutputStream(bytes)) {
            for (TestKey key : keys) {
                key.sign(canonical.toString().getBytes(StandardCharsets.UTF_8), PGPSignature.CANONICAL_TEXT_DOCUMENT, hash, bySubkey).encode(out);
            }
        } catch (IOException | PGPException e) {
            throw new IllegalStateException(e);
        }
        return (signed + bytes.toString(StandardCharsets.US_ASCII)).getBytes(StandardCharsets.UTF_8);
    }

    /** The detached signature of a file, ASCII-armored, as {@code gpg --detach-sign --armor} makes it. */
    public byte[] signFile(byte[] file) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ArmoredOutputStream out = new ArmoredOutputStream(bytes)) {
            sign(file, PGPSignature.BINARY_DOCUMENT, HashAlgorithmTags.SHA256, false).encode(out);
        } catch (IOException | PGPException e) {
            throw new IllegalStateException(e);
        }
        return bytes.toByteArray();
    }

    private PGPSignature sign(byte[] canonical, int type, int hash, boolean bySubkey) throws PGPException {
        Iterator<PGPSecretKey> keys = ring.getSecretKeys();
        PGPSecretKey key = keys.next();
        if (bySubkey) {
            key = keys.next();
        }
        PGPSignatureGenerator generator = new PGPSignatureGenerator(
                new BcPGPContentSignerBuilder(PublicKeyAlgorithmTags.EDDSA_LEGACY, hash), key.getPublicKey());
        generator.init(type,
                key.extractPrivateKey(new BcPBESecretKeyDecryptorBuilder(new BcPGPDigestCalculatorProvider()).build(new char[0])));
        PGPSignatureSubpacketGenerator packets = new PGPSignatureSubpacketGenerator();
        packets.setSignatureCreationTime(false, Date.from(signed));
        generator.setHashedSubpackets(packets.generate());
        generator.update(canonical);
        return generator.generate();
    }
}
