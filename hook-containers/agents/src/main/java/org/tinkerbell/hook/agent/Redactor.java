package org.tinkerbell.hook.agent;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * Takes secrets out of a text before it is shown: the secret as it is and in the notations in which engines and registries send
 * it back (JSON, URL, Base64 of either alphabet), and the user information of any URL.
 */
public final class Redactor {
    private static final String HIDDEN = "***";

    private final List<String> forms = new ArrayList<>();

    /**
     * Adds a secret.
     *
     * @param secret the secret; empty adds nothing
     * @return this
     */
    public synchronized Redactor hide(String secret) {
        if (secret == null || secret.isEmpty()) {
            return this;
        }
        byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
        String json = Json.write(secret);
        add(secret);
        add(json.substring(1, json.length() - 1));
        add(URLEncoder.encode(secret, StandardCharsets.UTF_8));
        add(URLEncoder.encode(secret, StandardCharsets.UTF_8).replace("+", "%20"));
        add(Base64.getEncoder().encodeToString(bytes));
        add(Base64.getUrlEncoder().encodeToString(bytes));
        add(Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
        return this;
    }

    private void add(String form) {
        if (forms.contains(form)) {
            return;
        }
        // The longest first: one that holds another must go as a whole.
        int at = 0;
        while (at < forms.size() && forms.get(at).length() >= form.length()) {
            at++;
        }
        forms.add(at, form);
    }

    /**
     * Cleans a text.
     *
     * @param text what is to be shown
     * @return the same with {@code ***} in the place of every secret
     */
    public synchronized String clean(String text) {
        String clean = text;
        for (String form : forms) {
            clean = clean.replace(form, HIDDEN);
        }
        return userInformation(clean);
    }

    /** {@code scheme://user:password@host}: proxies are written so, and Go's error messages quote whole URLs. */
    private static String userInformation(String text) {
        int scheme = text.indexOf("://");
        if (scheme < 0) {
            return text;
        }
        StringBuilder out = new StringBuilder(text.length());
        int done = 0;
        while (scheme >= 0) {
            int start = scheme + 3;
            int end = start;
            int at = -1;
            while (end < text.length() && "/ \"'\\\n\t?#".indexOf(text.charAt(end)) < 0) {
                if (text.charAt(end) == '@') {
                    at = end;
                }
                end++;
            }
            if (at >= 0) {
                out.append(text, done, start).append(HIDDEN);
                done = at;
            }
            scheme = text.indexOf("://", end);
        }
        return out.append(text, done, text.length()).toString();
    }
}
