package org.tinkerbell.hook.io;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * An HTTP proxy, in the terms of the {@code <proxy>} element of Maven's
 * <a href="https://maven.apache.org/settings.html#proxies">settings</a>.
 *
 * @param protocol scheme of the addresses that it is for: {@code http} or {@code https}
 * @param host name or address of the proxy
 * @param port its TCP port
 * @param user account on the proxy, or null if it asks for none
 * @param password its password in clear, or null
 * @param nonProxyHosts patterns of hosts that are asked directly; {@code *} stands for any text
 */
public record ProxySettings(String protocol, String host, int port, String user, String password, List<String> nonProxyHosts) {
    public ProxySettings {
        protocol = protocol == null || protocol.isBlank() ? "http" : protocol.toLowerCase(Locale.ROOT);
        Objects.requireNonNull(host, "host");
        nonProxyHosts = List.copyOf(nonProxyHosts);
    }

    /** Whether this proxy is not to be used for a host. */
    public boolean excludes(String target) {
        String lower = target.toLowerCase(Locale.ROOT);
        return nonProxyHosts.stream().anyMatch(pattern -> glob(pattern.toLowerCase(Locale.ROOT)).matcher(lower).matches());
    }

    private static Pattern glob(String pattern) {
        StringBuilder regex = new StringBuilder();
        for (String literal : pattern.split("\\*", -1)) {
            regex.append(regex.isEmpty() ? "" : ".*").append(Pattern.quote(literal));
        }
        return Pattern.compile(regex.toString());
    }

    /** Without the password, for messages. */
    @Override
    public String toString() {
        return protocol + " proxy " + (user == null ? "" : user + "@") + host + ":" + port;
    }
}
