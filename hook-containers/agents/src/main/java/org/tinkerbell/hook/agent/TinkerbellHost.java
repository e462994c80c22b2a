package org.tinkerbell.hook.agent;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;

/**
 * The Tinkerbell host as the command line names it: {@code tinkerbell} or the older {@code packet_base_url}, a base URL or just a host.
 */
public final class TinkerbellHost {
    private static final int METADATA_PORT = 50061;

    private final List<URI> bases;

    private TinkerbellHost(List<URI> bases) {
        this.bases = bases;
    }

    /**
     * Finds the host.
     *
     * @param line the command line
     * @return the host; one that is not named has no addresses
     * @throws AgentException if a value is neither a URL of http or https nor a host
     */
    public static TinkerbellHost of(CommandLine line) {
        List<URI> bases = new ArrayList<>();
        for (String name : new String[] {"tinkerbell", "packet_base_url"}) {
            String value = line.get(name).trim();
            if (!value.isEmpty()) {
                bases.add(base(name, value));
            }
        }
        return new TinkerbellHost(bases);
    }

    private static URI base(String name, String value) {
        try {
            URI uri = new URI(value.contains("://") ? value : "http://" + value);
            boolean web = "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
            if (web && uri.getHost() != null && uri.getQuery() == null && uri.getFragment() == null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // Told below: the parser's own words add nothing.
        }
        throw new AgentException("the command line's " + name + " is no base URL of http or https: " + value);
    }

    /** @return where the registry's CA certificate may be, the likeliest first */
    public List<URI> certificates() {
        List<URI> places = new ArrayList<>();
        for (URI base : bases) {
            String path = base.getRawPath() == null ? "" : base.getRawPath();
            while (path.endsWith("/")) {
                path = path.substring(0, path.length() - 1);
            }
            add(places, base.getScheme() + "://" + base.getRawAuthority() + path + "/ca.pem");
            add(places, base.getScheme() + "://" + base.getRawAuthority() + "/ca.pem");
        }
        return places;
    }

    /** @return where the machine's metadata may be */
    public List<URI> metadata() {
        List<URI> places = new ArrayList<>();
        for (URI base : bases) {
            add(places, base.getScheme() + "://" + base.getHost() + ":" + METADATA_PORT + "/metadata");
        }
        return places;
    }

    private static void add(List<URI> places, String place) {
        URI uri = URI.create(place);
        if (!places.contains(uri)) {
            places.add(uri);
        }
    }
}
