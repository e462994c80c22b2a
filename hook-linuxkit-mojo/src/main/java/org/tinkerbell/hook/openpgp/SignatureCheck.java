package org.tinkerbell.hook.openpgp;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.bouncycastle.bcpg.ArmoredInputStream;
import org.bouncycastle.bcpg.HashAlgorithmTags;
import org.bouncycastle.openpgp.PGPException;
import org.bouncycastle.openpgp.PGPPublicKey;
import org.bouncycastle.openpgp.PGPSignature;
import org.bouncycastle.openpgp.PGPSignatureList;
import org.bouncycastle.openpgp.bc.BcPGPObjectFactory;
import org.bouncycastle.openpgp.operator.bc.BcPGPContentVerifierBuilderProvider;
import org.tinkerbell.hook.io.HookException;

/** A check of signatures under way: what was signed is written to it, and at the end it says whether a signature is good. */
public final class SignatureCheck extends OutputStream {
    private final Keyring keyring;
    private final String source;
    private final String advice;
    private final Instant now;
    private final List<Candidate> candidates = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();

    /** What a signature is of (RFC 9580, section 5.2.1). */
    public enum Kind {
        /** A file, byte by byte. */
        FILE(PGPSignature.BINARY_DOCUMENT),
        /** A text with CR LF between lines and without blanks at their ends. */
        TEXT(PGPSignature.CANONICAL_TEXT_DOCUMENT);

        private final int type;

        Kind(int type) {
            this.type = type;
        }
    }

    private record Candidate(PGPSignature signature, PGPPublicKey key, String fingerprint) {}

    SignatureCheck(Keyring keyring, byte[] armored, Kind kind, String source, String advice, Instant now) {
        this.keyring = keyring;
        this.source = source;
        this.advice = advice;
        this.now = now;
        signatures(armored).forEach(signature -> consider(signature, kind));
    }

    private List<PGPSignature> signatures(byte[] armored) {
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

    private void consider(PGPSignature signature, Kind kind) {
        PGPPublicKey key = keyring.key(signature.getKeyID()).orElse(null);
        if (key == null) {
            problems.add("the key " + String.format(Locale.ROOT, "%016X", signature.getKeyID()) + " is not among the pinned ones");
            return;
        }
        String fingerprint = HexFormat.of().withUpperCase().formatHex(key.getFingerprint());
        int hash = signature.getHashAlgorithm();
        if (signature.getSignatureType() != kind.type) {
            problems.add("the one of key " + fingerprint + " is not one of a " + kind.name().toLowerCase(Locale.ROOT));
        } else if (hash != HashAlgorithmTags.SHA256 && hash != HashAlgorithmTags.SHA384 && hash != HashAlgorithmTags.SHA512) {
            problems.add("the one of key " + fingerprint + " uses a weak digest");
        } else {
            try {
                signature.init(new BcPGPContentVerifierBuilderProvider(), key);
                candidates.add(new Candidate(signature, key, fingerprint));
            } catch (PGPException | RuntimeException e) {
                problems.add("the one of key " + fingerprint + " cannot be checked (" + e.getMessage() + ")");
            }
        }
    }

    @Override
    public void write(int b) {
        candidates.forEach(candidate -> candidate.signature().update((byte) b));
    }

    @Override
    public void write(byte[] bytes, int from, int length) {
        candidates.forEach(candidate -> candidate.signature().update(bytes, from, length));
    }

    /**
     * Ends the check.
     *
     * @throws HookException if no signature is good; it says what is wrong with each
     */
    public void finish() {
        for (Candidate candidate : candidates) {
            String problem = problem(candidate);
            if (problem == null) {
                return;
            }
            problems.add(problem);
        }
        throw new HookException("The signature of " + source + " is not valid: "
                + (problems.isEmpty() ? "there is none" : String.join("; ", problems)) + ". " + advice);
    }

    private String problem(Candidate candidate) {
        PGPSignature signature = candidate.signature();
        PGPPublicKey key = candidate.key();
        String fingerprint = candidate.fingerprint();
        try {
            if (!signature.verify()) {
                return "this is not what the key " + fingerprint + " signed";
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
