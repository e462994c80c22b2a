package org.tinkerbell.hook.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.Test;

class RedactorTest {
    @Test
    void everyNotationOfASecretIsHidden() {
        String secret = "p\"ä ss/w+ö?\\dx";
        Redactor redactor = new Redactor().hide(secret);
        byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
        assertTrue(Base64.getEncoder().encodeToString(bytes).endsWith("="), "with and without padding differ");
        for (String form : new String[] {secret, Json.write(secret), java.net.URLEncoder.encode(secret, StandardCharsets.UTF_8),
            java.net.URLEncoder.encode(secret, StandardCharsets.UTF_8).replace("+", "%20"), Base64.getEncoder().encodeToString(bytes),
            Base64.getUrlEncoder().encodeToString(bytes), Base64.getUrlEncoder().withoutPadding().encodeToString(bytes)}) {
            String bare = form.startsWith("\"") ? form.substring(1, form.length() - 1) : form;
            String clean = redactor.clean("before " + form + " after");
            assertFalse(clean.contains(bare), clean);
            assertTrue(clean.startsWith("before ") && clean.endsWith(" after"), clean);
        }
    }

    @Test
    void aSecretThatHoldsAnotherIsHiddenWhole() {
        Redactor redactor = new Redactor().hide("abc").hide("abcdef");
        assertEquals("*** ***", redactor.clean("abcdef abc"));
    }

    @Test
    void noSecretChangesNothing() {
        assertEquals("text", new Redactor().hide("").hide(null).clean("text"));
    }

    @Test
    void userInformationOfUrlsIsHidden() {
        Redactor redactor = new Redactor();
        assertEquals("proxyconnect http://***@proxy:3128/ failed", redactor.clean("proxyconnect http://me:secret@proxy:3128/ failed"));
        assertEquals("\"https://***@h\" and http://other/x@y",
                redactor.clean("\"https://u:p@ss@h\" and http://other/x@y"));
        assertEquals("mail a@b, http://host:80/", redactor.clean("mail a@b, http://host:80/"));
    }

    @Test
    void theJournalHidesSecretsAndControlCharacters() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Journal journal = new Journal("x", new PrintStream(out, true, StandardCharsets.UTF_8), new Redactor().hide("hunter2"));
        journal.say("failed", new java.io.IOException("password hunter2\u001b[2J\nnext"));
        assertEquals("x: failed: IOException: password *** [2J next\n", out.toString(StandardCharsets.UTF_8));
    }
}
