package org.tinkerbell.hook.openpgp;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.tinkerbell.hook.io.HookException;

/** Texts with their signature below them: the cleartext signature framework, section 7 of RFC 9580. */
public final class ClearSigned {
    private static final String MESSAGE = "-----BEGIN PGP SIGNED MESSAGE-----";
    private static final String SIGNATURE = "-----BEGIN PGP SIGNATURE-----";

    private ClearSigned() {}

    /**
     * The text of which a signature was checked.
     *
     * @param bytes the whole file
     * @param source name for messages, usually its address
     * @param kind what it should be, for messages, such as {@code signed index (InRelease)}
     * @param advice what a person can do about a signature that is not good, a sentence
     * @param now the time at which keys and signatures have to be valid
     * @return what was signed: lines that end with LF, without blanks at their ends, as ISO 8859-1
     * @throws HookException if it is not such a text, or not signed by a key of the ring
     */
    public static String text(byte[] bytes, String source, String kind, Keyring keyring, String advice, Instant now) {
        String text = new String(bytes, StandardCharsets.ISO_8859_1).replace("\r\n", "\n");
        if (!text.startsWith(MESSAGE + "\n")) {
            throw new HookException(source + " is not a " + kind + ": is there a login page or a proxy's error on the way?");
        }
        int begin = text.indexOf("\n\n");
        int end = text.indexOf("\n" + SIGNATURE + "\n");
        if (begin < 0 || end < begin || text.indexOf(MESSAGE, 1) >= 0) {
            throw new HookException(source + " is not a complete " + kind + "; it may have been cut on the way");
        }
        String body = unescaped(begin + 2 > end ? "" : text.substring(begin + 2, end), source);
        SignatureCheck check = keyring.check(
                text.substring(end + 1).getBytes(StandardCharsets.ISO_8859_1), SignatureCheck.Kind.TEXT, source, advice, now);
        byte[] canonical = body.replace("\n", "\r\n").getBytes(StandardCharsets.ISO_8859_1);
        check.write(canonical, 0, canonical.length);
        check.finish();
        return body;
    }

    /** What was signed: without dash escapes, and without blanks at the ends of lines. */
    private static String unescaped(String text, String source) {
        StringBuilder result = new StringBuilder(text.length());
        for (String line : text.split("\n", -1)) {
            if (line.startsWith("- ")) {
                line = line.substring(2);
            } else if (line.startsWith("-")) {
                throw new HookException(source + " is not a well-formed signed text: a line begins with an unescaped dash");
            }
            int length = line.length();
            while (length > 0 && (line.charAt(length - 1) == ' ' || line.charAt(length - 1) == '\t')) {
                length--;
            }
            result.append(line, 0, length).append('\n');
        }
        result.setLength(result.length() - 1);
        return result.toString();
    }
}
