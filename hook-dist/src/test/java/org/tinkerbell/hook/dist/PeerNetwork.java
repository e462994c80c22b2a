package org.tinkerbell.hook.dist;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.tinkerbell.hook.toolbox.Tool;

/**
 * A data centre in a network namespace: the machines' network with a real DHCP and DNS server (dnsmasq), which also advertises IPv6, and the
 * network of a BMC's USB card, which hands out a link-local address without a route. A router leads from the first to this host. The addresses
 * are of the range for tests of network devices (RFC 2544), of which nobody's real network is.
 */
final class PeerNetwork implements AutoCloseable {
    /** This host, as machines see it. */
    static final String HOST = "198.18.8.1";
    /** Name of this host in the DNS of that network. */
    static final String HOST_NAME = "tinkerbell.hook.test";
    /** The router, DHCP and DNS server, as machines see it. */
    static final String ROUTER = "198.18.7.1";
    /** The machines' network but for the last byte. */
    static final String MACHINES = "198.18.7.";
    /** The tap device for a machine's card. */
    static final String CARD = "machines";
    /** The tap device for a BMC's card. */
    static final String BMC = "bmc";
    /** The network of a BMC's card but for the last byte. */
    static final String LINK_LOCAL = "169.254.95.";

    private static final List<Path> DNSMASQ = List.of(Path.of("/usr/sbin/dnsmasq"), Path.of("/usr/bin/dnsmasq"),
            Path.of("/usr/local/sbin/dnsmasq"));

    /** Where ip(8) keeps them by name. */
    private static final Path NAMESPACES = Path.of("/run/netns");

    private final String name = "hook-" + ProcessHandle.current().pid();
    private final Process dnsmasq;
    private final StringBuffer log = new StringBuffer();

    /** Why there can be none on this host, if there can be none. */
    static Optional<String> obstacle() throws InterruptedException {
        if (!Integer.valueOf(0).equals(attribute("/proc/self", "unix:uid"))) {
            return Optional.of("a network namespace and the ports 123 and 514 take root");
        }
        if (!Files.exists(Path.of("/dev/net/tun"))) {
            return Optional.of("there are no tap devices: /dev/net/tun is not there");
        }
        if (dnsmasq().isEmpty()) {
            return Optional.of("dnsmasq is not installed (Debian's package dnsmasq-base)");
        }
        // Root in a container often may not; nothing but trying tells.
        String trial = "hook-" + ProcessHandle.current().pid();
        try {
            ip("netns", "add", trial);
            try {
                ip("-n", trial, "tuntap", "add", "trial", "mode", "tap");
            } finally {
                ip("netns", "delete", trial);
            }
        } catch (IOException e) {
            return Optional.of("no network namespace with a tap device can be made here: " + e.getMessage().strip());
        }
        return Optional.empty();
    }

    private static Object attribute(String file, String name) {
        try {
            return Files.getAttribute(Path.of(file), name);
        } catch (IOException | UnsupportedOperationException e) {
            return -1;
        }
    }

    private static Optional<Path> dnsmasq() {
        return DNSMASQ.stream().filter(Files::isExecutable).findFirst();
    }

    /** Builds it. @param directory for the server's files */
    PeerNetwork(Path directory) throws IOException, InterruptedException {
        removeLeftOvers();
        // 15 bytes are the longest name of a device.
        String veth = "hk" + ProcessHandle.current().pid();
        ip("netns", "add", name);
        try {
            ip("link", "add", veth, "type", "veth", "peer", "name", "uplink", "netns", name);
            ip("address", "add", HOST + "/30", "dev", veth);
            ip("link", "set", veth, "up");
            inside("address", "add", "198.18.8.2/30", "dev", "uplink");
            for (String tap : List.of(CARD, BMC)) {
                inside("tuntap", "add", tap, "mode", "tap");
            }
            inside("address", "add", ROUTER + "/24", "dev", CARD);
            inside("-6", "address", "add", "2001:db8:7::1/64", "dev", CARD, "nodad");
            inside("address", "add", LINK_LOCAL + "1/24", "dev", BMC);
            for (String device : List.of("lo", "uplink", CARD, BMC)) {
                inside("link", "set", device, "up");
            }
            ip("netns", "exec", name, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward");
            ip("route", "add", ROUTER.replaceAll("1$", "0/24"), "via", "198.18.8.2");
            Path configuration = Files.createDirectories(directory).resolve("dnsmasq.conf");
            Files.writeString(configuration, String.join("\n",
                    "keep-in-foreground", "log-facility=-", "log-dhcp", "user=root", "pid-file=", "no-resolv", "no-hosts",
                    "dhcp-leasefile=" + directory.resolve("leases"), "interface=" + CARD, "interface=" + BMC, "bind-interfaces",
                    "dhcp-authoritative",
                    "dhcp-range=set:machines," + MACHINES + "100," + MACHINES + "150,255.255.255.0,10m",
                    "dhcp-option=tag:machines,option:ntp-server," + HOST,
                    "dhcp-option=tag:machines,option:domain-search,hook.test",
                    // The BMC is the faster one by far.
                    "dhcp-reply-delay=tag:machines,3",
                    "dhcp-range=set:bmc," + LINK_LOCAL + "100," + LINK_LOCAL + "150,255.255.255.0,10m",
                    "dhcp-option=tag:bmc,option:router",
                    "dhcp-option=tag:bmc,option:dns-server",
                    "enable-ra", "dhcp-range=2001:db8:7::,ra-stateless,64",
                    "address=/" + HOST_NAME + "/" + HOST) + "\n");
            dnsmasq = new ProcessBuilder("ip", "netns", "exec", name, dnsmasq().orElseThrow().toString(),
                    "--conf-file=" + configuration).redirectErrorStream(true).start();
        } catch (IOException | InterruptedException | RuntimeException e) {
            remove();
            throw e;
        }
        Thread reader = new Thread(this::read, "dnsmasq");
        reader.setDaemon(true);
        reader.start();
    }

    /** This host's address there. */
    InetAddress address() throws IOException {
        return InetAddress.getByName(HOST);
    }

    /** A tool as it runs inside. */
    Tool inside(Tool tool) {
        List<String> prefix = new ArrayList<>(List.of("ip", "netns", "exec", name));
        prefix.addAll(tool.prefix());
        return new Tool(tool.name(), prefix, tool.root(), new TreeMap<>(tool.environment()));
    }

    /** What the DHCP server says. */
    String log() {
        return log.toString();
    }

    @Override
    public void close() throws IOException {
        dnsmasq.destroy();
        try {
            remove();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A test that was killed could not tidy up, and its addresses are those of this one. */
    private static void removeLeftOvers() throws IOException, InterruptedException {
        if (!Files.isDirectory(NAMESPACES)) {
            return;
        }
        try (DirectoryStream<Path> namespaces = Files.newDirectoryStream(NAMESPACES, "hook-*")) {
            for (Path namespace : namespaces) {
                String pid = namespace.getFileName().toString().substring("hook-".length());
                if (pid.matches("\\d{1,9}") && ProcessHandle.of(Long.parseLong(pid)).isEmpty()) {
                    ip("netns", "delete", namespace.getFileName().toString());
                }
            }
        }
    }

    /** With the namespace goes everything in it, the other end of its cable too. */
    private void remove() throws IOException, InterruptedException {
        ip("netns", "delete", name);
    }

    private void inside(String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of("-n", name));
        all.addAll(List.of(arguments));
        ip(all.toArray(String[]::new));
    }

    private static void ip(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("ip"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + ": " + said);
        }
    }

    private void read() {
        try (BufferedReader lines = dnsmasq.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                log.append(line).append('\n');
            }
        } catch (IOException e) {
            log.append(e).append('\n');
        }
    }
}
