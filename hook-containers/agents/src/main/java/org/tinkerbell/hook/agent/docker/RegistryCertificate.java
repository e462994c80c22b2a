package org.tinkerbell.hook.agent.docker;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.List;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.Backoff;
import org.tinkerbell.hook.agent.BoundedFetch;
import org.tinkerbell.hook.agent.CommandLine;
import org.tinkerbell.hook.agent.ImageReference;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Ticker;
import org.tinkerbell.hook.agent.TinkerbellHost;

/**
 * The CA certificate of the registry, from the Tinkerbell host to where the engine looks for it
 * ({@code /etc/docker/certs.d/<registry>/ca.crt}).
 *
 * <p>Whom to trust: the command line names the host, over the same network that brought the kernel; so a certificate that it hands out
 * over http is as good as that kernel. It counts for that one registry and nothing else. Over https the host must prove itself first.
 * What is no certificate is not installed: the engine would refuse the registry altogether.
 *
 * <p>The engine reads the directory at each pull, so a certificate that comes late is still of use: when the host does not answer in the
 * time that the engine waits for it, it is asked again behind the engine's back.
 */
final class RegistryCertificate {
    /** Milliseconds that the engine's start waits at most. */
    private static final long BEFORE_ENGINE = 5000;
    private static final long ONE_TRY = 3000;
    private static final int NO_SUCH = 404;
    private static final int GONE = 410;

    private final List<URI> places;
    private final String registry;
    private final Path directory;
    private final Journal journal;
    private final Ticker ticker;

    private RegistryCertificate(List<URI> places, String registry, Path directory, Journal journal, Ticker ticker) {
        this.places = places;
        this.registry = registry;
        this.directory = directory;
        this.journal = journal;
        this.ticker = ticker;
    }

    /**
     * Prepares.
     *
     * @param line the command line
     * @param directory {@code /etc/docker/certs.d}
     * @param journal tells what happens
     * @param ticker the time
     * @return what to fetch, or nothing to fetch
     */
    static RegistryCertificate of(CommandLine line, Path directory, Journal journal, Ticker ticker) {
        try {
            String registry = registry(line);
            List<URI> places = registry.isEmpty() ? List.of() : TinkerbellHost.of(line).certificates();
            return new RegistryCertificate(places, registry, directory, journal, ticker);
        } catch (AgentException e) {
            journal.say("no CA certificate is fetched", e);
            return new RegistryCertificate(List.of(), "", directory, journal, ticker);
        }
    }

    /** The registry's host, which becomes the name of a directory. */
    static String registry(CommandLine line) {
        String named = line.get("docker_registry").trim();
        int slash = named.indexOf('/');
        String host = slash < 0 ? named : named.substring(0, slash);
        if (host.isEmpty() && !line.get("tink_worker_image").isEmpty()) {
            host = ImageReference.parse(line.get("tink_worker_image").trim()).registry();
        }
        if (!host.isEmpty() && !ImageReference.host(host)) {
            throw new AgentException("the command line's docker_registry is no host: " + named);
        }
        return host;
    }

    /**
     * Fetches and installs it before the engine starts.
     *
     * @throws InterruptedException if the thread shall end
     */
    void beforeEngine() throws InterruptedException {
        if (places.isEmpty()) {
            return;
        }
        long start = ticker.nanos();
        boolean again = attempt(Math.min(ONE_TRY, BEFORE_ENGINE), true);
        while (again && ticker.nanos() - start < (BEFORE_ENGINE - ONE_TRY) * 1_000_000) {
            ticker.sleep(500);
            again = attempt(ONE_TRY, false);
        }
        if (again) {
            journal.say("the engine starts without the registry's CA certificate; the host is asked again meanwhile");
            Thread late = new Thread(null, new Late(), "certificate");
            late.setDaemon(true);
            late.start();
        }
    }

    private final class Late implements Runnable {
        @Override
        public void run() {
            Backoff backoff = new Backoff(2000, 60_000);
            try {
                do {
                    ticker.sleep(backoff.next());
                } while (attempt(ONE_TRY * 3, false));
            } catch (InterruptedException e) {
                // The program ends.
            }
        }
    }

    /** Returns whether it is worth asking again. */
    private boolean attempt(long millis, boolean tell) throws InterruptedException {
        boolean again = false;
        for (URI place : places) {
            try {
                BoundedFetch.Answer answer = BoundedFetch.get(place, millis);
                if (answer.status() == 200) {
                    install(answer.body());
                    journal.say("CA certificate of " + registry + " installed from " + place);
                    return false;
                }
                if (tell) {
                    journal.say(place + " answers " + answer.status() + ": no CA certificate there");
                }
                again |= answer.status() != NO_SUCH && answer.status() != GONE;
            } catch (CertificateException | AgentException e) {
                journal.say(place + " has no usable CA certificate", e);
            } catch (javax.net.ssl.SSLException e) {
                // Trust does not come by asking again, but a clock that is set by then may bring it.
                if (tell) {
                    journal.say("CA certificate not taken from " + place + ", since that host cannot be trusted", e);
                }
                again = true;
            } catch (IOException e) {
                if (tell) {
                    journal.say("CA certificate not fetched from " + place, e);
                }
                again = true;
            }
        }
        return again;
    }

    private void install(byte[] pem) throws CertificateException, IOException {
        // At least one, and nothing that is malformed.
        if (CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(pem)).isEmpty()) {
            throw new AgentException("the document holds no certificate");
        }
        Path home = directory.resolve(registry);
        Files.createDirectories(home);
        Path temporary = home.resolve("ca.crt.new");
        Files.write(temporary, pem);
        Files.move(temporary, home.resolve("ca.crt"), StandardCopyOption.ATOMIC_MOVE);
    }
}
