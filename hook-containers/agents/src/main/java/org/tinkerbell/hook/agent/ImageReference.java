package org.tinkerbell.hook.agent;

/**
 * An image's name, taken apart by the rules of {@code distribution/reference} ({@code ParseNormalizedNamed}): the first part is a
 * registry if it has a dot, a colon or an upper-case letter in it or is {@code localhost}, else the registry is {@code docker.io}.
 *
 * @param registry host and, where given, port, exactly as written
 * @param repository name for the engine without tag and digest, as written
 * @param tag tag, {@code latest} if there is neither tag nor digest, empty if there is only a digest
 * @param digest digest with its algorithm, empty if there is none
 */
public record ImageReference(String registry, String repository, String tag, String digest) {
    private static final int LONGEST = 255;

    /**
     * Takes a name apart.
     *
     * @param name for example {@code registry.example:5000/tinkerbell/tink-worker:v1}
     * @return its parts
     * @throws AgentException if it is no valid name; names are ASCII, so no look-alike of a host gets through here
     */
    public static ImageReference parse(String name) {
        String rest = name;
        String digest = "";
        int at = rest.indexOf('@');
        if (at >= 0) {
            digest = rest.substring(at + 1);
            rest = rest.substring(0, at);
            if (!digest(digest)) {
                throw invalid(name, "its digest is malformed");
            }
        }
        String tag = "";
        int colon = rest.lastIndexOf(':');
        if (colon > rest.lastIndexOf('/')) {
            tag = rest.substring(colon + 1);
            rest = rest.substring(0, colon);
            if (!tag(tag)) {
                throw invalid(name, "its tag is malformed");
            }
        }
        String registry = "docker.io";
        String path = rest;
        int slash = rest.indexOf('/');
        if (slash >= 0) {
            String head = rest.substring(0, slash);
            if (head.indexOf('.') >= 0 || head.indexOf(':') >= 0 || head.equals("localhost") || upper(head)) {
                if (!host(head)) {
                    throw invalid(name, "its registry is malformed");
                }
                registry = head.equals("index.docker.io") ? "docker.io" : head;
                path = rest.substring(slash + 1);
            }
        }
        for (String component : path.split("/", -1)) {
            if (!component(component)) {
                throw invalid(name, "a part of its path is malformed (lower-case letters, digits, separators between them)");
            }
        }
        if (rest.length() > LONGEST) {
            throw invalid(name, "it is too long");
        }
        return new ImageReference(registry, rest, tag.isEmpty() && digest.isEmpty() ? "latest" : tag, digest);
    }

    /**
     * Tells whether a text is a registry: a host name, an IPv4 address or an IPv6 address in brackets, with or without a port.
     *
     * @param text the text
     * @return whether it is one by the grammar of {@code distribution/reference}
     */
    public static boolean host(String text) {
        String host = text;
        int bracket = text.indexOf(']');
        int colon = text.indexOf(':', bracket < 0 ? 0 : bracket);
        if (colon >= 0) {
            host = text.substring(0, colon);
            String port = text.substring(colon + 1);
            if (port.isEmpty() || !only(port, "0123456789")) {
                return false;
            }
        }
        if (host.startsWith("[")) {
            return host.length() > 2 && host.indexOf(']') == host.length() - 1
                    && only(host.substring(1, host.length() - 1), "0123456789abcdefABCDEF:");
        }
        for (String label : host.split("\\.", -1)) {
            if (label.isEmpty() || label.startsWith("-") || label.endsWith("-")) {
                return false;
            }
            for (int i = 0; i < label.length(); i++) {
                if (!alphanumeric(label.charAt(i)) && label.charAt(i) != '-') {
                    return false;
                }
            }
        }
        return true;
    }

    private static boolean component(String text) {
        // Letters and digits, between them one '.', one or two '_', or any number of '-'.
        int at = 0;
        boolean wanted = true;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c >= 'a' && c <= 'z' || c >= '0' && c <= '9') {
                wanted = false;
                at++;
                continue;
            }
            if (wanted) {
                return false;
            }
            if (c == '.') {
                at++;
            } else if (c == '_') {
                at += text.startsWith("__", at) ? 2 : 1;
            } else if (c == '-') {
                while (at < text.length() && text.charAt(at) == '-') {
                    at++;
                }
            } else {
                return false;
            }
            wanted = true;
        }
        return !wanted;
    }

    private static boolean tag(String text) {
        if (text.isEmpty() || text.length() > 128 || text.charAt(0) == '.' || text.charAt(0) == '-') {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (!alphanumeric(text.charAt(i)) && "_.-".indexOf(text.charAt(i)) < 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean digest(String text) {
        int colon = text.indexOf(':');
        if (colon <= 0) {
            return false;
        }
        for (int i = 0; i < colon; i++) {
            if (!alphanumeric(text.charAt(i)) && "+._-".indexOf(text.charAt(i)) < 0) {
                return false;
            }
        }
        String hex = text.substring(colon + 1);
        return hex.length() >= 32 && only(hex, "0123456789abcdefABCDEF");
    }

    private static boolean only(String text, String alphabet) {
        for (int i = 0; i < text.length(); i++) {
            if (alphabet.indexOf(text.charAt(i)) < 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean alphanumeric(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
    }

    private static boolean upper(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isUpperCase(text.charAt(i))) {
                return true;
            }
        }
        return false;
    }

    private static AgentException invalid(String name, String why) {
        return new AgentException("\"" + name + "\" is no image name: " + why);
    }
}
