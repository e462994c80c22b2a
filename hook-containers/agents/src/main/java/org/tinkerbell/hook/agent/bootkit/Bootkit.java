package org.tinkerbell.hook.agent.bootkit;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tinkerbell.hook.agent.AgentException;
import org.tinkerbell.hook.agent.Backoff;
import org.tinkerbell.hook.agent.BoundedFetch;
import org.tinkerbell.hook.agent.ImageReference;
import org.tinkerbell.hook.agent.Journal;
import org.tinkerbell.hook.agent.Json;
import org.tinkerbell.hook.agent.Redactor;
import org.tinkerbell.hook.agent.Ticker;

/** From what is known to a running worker, again and again until there is one. */
final class Bootkit {
    /** The worker's container. */
    static final String WORKER = "tink-worker";

    private static final long RETRY = 5_000;
    private static final long SETTLE = 3_000;
    private static final long PULL_SECONDS = 15 * 60;
    /** A pull tells its progress several times a second, but not while the engine waits for a slow registry. */
    private static final long PULL_IDLE = 120_000;
    /** With the image there already, nobody waits that long for a registry that may not exist. */
    private static final long PULL_IDLE_THERE = 45_000;
    private static final long METADATA = 3_000;
    private static final long TELL_AGAIN = 30;
    private static final int LOG_LINES = 20;

    private final DockerEngine engine;
    private final List<URI> metadata;
    private final Redactor redactor;
    private final Journal journal;
    private final Ticker ticker;
    private final String prefix;
    private BootkitConfig config;
    private boolean asked;

    /**
     * @param config what the command line says
     * @param metadata where the metadata may be, none if it is nowhere
     * @param engine the engine
     * @param redactor gets to know the secrets that the metadata bring
     * @param journal tells what happens
     * @param ticker the time
     * @param prefix what stands before the paths that the worker sees of the engine's file system: empty but for tests
     */
    Bootkit(BootkitConfig config, List<URI> metadata, DockerEngine engine, Redactor redactor, Journal journal, Ticker ticker,
            String prefix) {
        this.config = config;
        this.metadata = metadata;
        this.engine = engine;
        this.redactor = redactor;
        this.journal = journal;
        this.ticker = ticker;
        this.prefix = prefix;
    }

    /**
     * Works until a worker ran and ended well.
     *
     * @throws InterruptedException if the thread shall end
     */
    void run() throws InterruptedException {
        while (true) {
            try {
                String id = bootstrap();
                long status = follow(id);
                if (status == 0) {
                    // A worker that ends well since its engine is being stopped has not done its work: is the engine still there?
                    ticker.sleep(SETTLE);
                    engine.ping();
                    journal.say("worker " + WORKER + " has ended with status 0: nothing is left to do");
                    return;
                }
                tellLog(id);
                journal.say("worker " + WORKER + " ended with status " + status + "; it is started again in " + RETRY / 1000 + " s");
            } catch (IOException e) {
                journal.say("the Docker Engine failed", e);
                journal.say("next attempt in " + RETRY / 1000 + " s");
            } catch (AgentException e) {
                journal.say("no worker yet: " + e.getMessage());
                journal.say("next attempt in " + RETRY / 1000 + " s");
            }
            ticker.sleep(RETRY);
        }
    }

    /**
     * Brings a worker up.
     *
     * @return its container's id
     * @throws IOException if the engine fails
     * @throws AgentException if something else does
     * @throws InterruptedException if the thread shall end
     */
    String bootstrap() throws IOException, InterruptedException {
        learn();
        String name = config.image();
        ImageReference image = ImageReference.parse(name);
        awaitEngine();
        pull(name, image);
        if (engine.remove(WORKER)) {
            journal.say("an older worker was removed");
        }
        Map<String, String> binds = new LinkedHashMap<>();
        binds.put(prefix + "/worker", "/worker");
        binds.put(prefix + "/var/run/docker.sock", "/var/run/docker.sock");
        binds.put(prefix + "/dev", "/dev");
        binds.put(prefix + "/host_root/run", "/run");
        String id = engine.create(WORKER, name, config.environment(), binds);
        engine.start(id);
        journal.say("worker " + WORKER + " is started; it is looked after in " + SETTLE / 1000 + " s");
        ticker.sleep(SETTLE);
        DockerEngine.State state = engine.state(id);
        if (!state.running()) {
            tellLog(id);
            throw new AgentException("the worker does not run: "
                    + (state.error().isEmpty() ? "it ended with status " + state.exitCode() : state.error()));
        }
        String uptime = Ticker.uptime();
        journal.say("worker " + WORKER + " runs (image " + name + (uptime.isEmpty() ? ")" : ", " + uptime + ")"));
        return id;
    }

    /** Stays with the worker: an engine that restarts takes its containers along, and then the machine would wait for ever. */
    private long follow(String id) throws IOException, InterruptedException {
        while (true) {
            try {
                return engine.await(id);
            } catch (IOException e) {
                journal.say("the Docker Engine went away while the worker ran", e);
                awaitEngine();
                if (!engine.state(id).running()) {
                    throw new AgentException("the worker ended with the engine");
                }
                journal.say("worker " + WORKER + " still runs");
            }
        }
    }

    private void tellLog(String id) {
        try {
            for (String line : engine.log(id, LOG_LINES)) {
                journal.say("  " + line);
            }
        } catch (IOException | AgentException e) {
            journal.say("the worker's log cannot be read", e);
        }
    }

    /** Asks the metadata service where it can help: until it has answered if something essential is missing, else once. */
    private void learn() throws InterruptedException {
        if (metadata.isEmpty() || !(config.lacks() || config.mayLearn() && !asked)) {
            return;
        }
        asked = true;
        for (URI place : metadata) {
            try {
                BoundedFetch.Answer answer = BoundedFetch.get(place, METADATA);
                if (answer.status() == 200) {
                    BootkitConfig filled = config.with(new String(answer.body(), StandardCharsets.UTF_8));
                    redactor.hide(filled.get("registry_password"));
                    config = filled;
                    journal.say("metadata taken from " + place + "; worker id " + config.get("worker_id"));
                    return;
                }
                journal.say("metadata: " + place + " answers " + answer.status());
            } catch (IOException | Json.Malformed e) {
                journal.say("metadata: " + place + " does not help", e);
            }
        }
    }

    private void awaitEngine() throws InterruptedException {
        long start = ticker.nanos();
        long told = -TELL_AGAIN;
        long pause = 100;
        while (true) {
            try {
                engine.ping();
                String uptime = Ticker.uptime();
                journal.say("the Docker Engine answers" + (uptime.isEmpty() ? "" : " (" + uptime + ")"));
                return;
            } catch (IOException | AgentException e) {
                long waited = (ticker.nanos() - start) / 1_000_000_000;
                if (waited - told >= TELL_AGAIN) {
                    told = waited;
                    journal.say("waiting for the Docker Engine", e);
                }
                ticker.sleep(pause);
                pause = Math.min(1000, pause * 5 / 4);
            }
        }
    }

    private void pull(String name, ImageReference image) throws IOException, InterruptedException {
        String username = config.get("registry_username");
        String password = config.get("registry_password");
        String auth = "";
        if (!username.isEmpty() || !password.isEmpty()) {
            if (Credentials.belong(name, config.get("docker_registry"))) {
                auth = Credentials.header(username, password);
                redactor.hide(auth);
            } else {
                journal.say("credentials are not sent to " + image.registry() + ", which is not exactly docker_registry");
            }
        }
        Backoff backoff = new Backoff(500, 30_000);
        long start = ticker.nanos();
        while (true) {
            boolean there = engine.hasImage(name);
            try {
                journal.say("pulling " + name + (auth.isEmpty() ? "" : " as " + username));
                engine.pull(image, auth, there ? PULL_IDLE_THERE : PULL_IDLE);
                String uptime = Ticker.uptime();
                journal.say("pulled " + name + (uptime.isEmpty() ? "" : " (" + uptime + ")"));
                return;
            } catch (java.net.SocketTimeoutException e) {
                if (!there) {
                    throw e;
                }
                journal.say("pulling takes too long, the image that is there is used", e);
                return;
            } catch (AgentException e) {
                if (there) {
                    journal.say("pulling failed, the image that is there is used: " + e.getMessage());
                    return;
                }
                long pause = backoff.next();
                if ((ticker.nanos() - start) / 1_000_000_000 >= PULL_SECONDS) {
                    throw new AgentException("pulling " + name + " failed for " + PULL_SECONDS / 60 + " minutes: " + e.getMessage());
                }
                journal.say("pulling failed, next attempt in " + pause / 1000 + "." + pause % 1000 / 100 + " s: " + e.getMessage());
                ticker.sleep(pause);
            }
        }
    }
}
