package org.tinkerbell.hook.io;

import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * How the network is used.
 *
 * @param proxies proxies by protocol; where the list is empty, Java's own settings ({@code http.proxyHost} and its kin) count
 * @param offline whether the network is not to be used at all; {@code file:} addresses still are
 * @param connections how many files are fetched at once
 * @param attempts how often an address is tried without a byte of progress before it counts as failed, at least 1
 * @param backOff the pause after the first failed attempt; it doubles with each further one
 * @param maxBackOff the longest pause, also the longest that a server may ask for ({@code Retry-After})
 * @param timeout how long a connection may take to come up, or to bring a next byte
 */
public record NetworkSettings(
        List<ProxySettings> proxies,
        boolean offline,
        int connections,
        int attempts,
        Duration backOff,
        Duration maxBackOff,
        Duration timeout) {
    public NetworkSettings {
        proxies = List.copyOf(proxies);
        Objects.requireNonNull(backOff, "backOff");
        Objects.requireNonNull(maxBackOff, "maxBackOff");
        Objects.requireNonNull(timeout, "timeout");
        if (connections < 1 || attempts < 1) {
            throw new IllegalArgumentException("at least one connection and one attempt are needed");
        }
    }

    /** No proxies, online, 8 connections, 5 attempts, pauses from half a second up to a minute, 30 seconds of silence. */
    public static NetworkSettings defaults() {
        return new NetworkSettings(
                List.of(), false, 8, 5, Duration.ofMillis(500), Duration.ofSeconds(60), Duration.ofSeconds(30));
    }

    /** The same with these proxies. */
    public NetworkSettings withProxies(List<ProxySettings> newProxies) {
        return new NetworkSettings(newProxies, offline, connections, attempts, backOff, maxBackOff, timeout);
    }

    /** The same, using the network or not. */
    public NetworkSettings withOffline(boolean newOffline) {
        return new NetworkSettings(proxies, newOffline, connections, attempts, backOff, maxBackOff, timeout);
    }

    /** The same with other patience. */
    public NetworkSettings withRetries(int newAttempts, Duration newBackOff, Duration newMaxBackOff, Duration newTimeout) {
        return new NetworkSettings(proxies, offline, connections, newAttempts, newBackOff, newMaxBackOff, newTimeout);
    }
}
