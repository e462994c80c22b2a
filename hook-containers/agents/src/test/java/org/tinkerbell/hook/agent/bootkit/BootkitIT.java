package org.tinkerbell.hook.agent.bootkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.tinkerbell.hook.agent.Json;
import org.tinkerbell.hook.agent.Machine;

/** hook-docker and bootkit with a real Docker Engine and a real registry, on private places. */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class BootkitIT {
    /** bcrypt of "abc": the test vector of the algorithm's Java implementation (jBCrypt). */
    private static final String ABC = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i";

    /** CAP_SYS_RESOURCE may be missing where tests run in a container themselves; "privileged" asks for all there are. */
    private static final String RUNTIME = """
            #!/bin/sh
            previous=
            for argument; do
                [ "$previous" = --bundle ] && sed -i 's/"CAP_SYS_RESOURCE",//g' "$argument/config.json"
                previous=$argument
            done
            exec runc "$@"
            """;

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path root;
    private final List<Process> processes = new ArrayList<>();
    private int port;

    @BeforeEach
    void check() throws Exception {
        Machine.has(Files.createDirectories(root.resolve("scratch")), "dockerd", "docker", "docker-registry", "runc", "busybox");
        for (String directory : new String[] {"proc", "worker", "host_root/run", "var/run", "config", "sys/fs/cgroup"}) {
            Files.createDirectories(root.resolve(directory));
        }
        Files.createSymbolicLink(root.resolve("dev"), Path.of("/dev"));
        Files.createFile(root.resolve("sys/fs/cgroup/cgroup.controllers"));
        Path runtime = Files.writeString(root.resolve("runtime"), RUNTIME);
        assertTrue(runtime.toFile().setExecutable(true));
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
    }

    @AfterEach
    void stop() throws Exception {
        docker("rm", "-f", "tink-worker");
        for (int i = processes.size() - 1; i >= 0; i--) {
            processes.get(i).destroy();
            // hook-docker waits for its engine.
            if (!processes.get(i).waitFor(30, TimeUnit.SECONDS)) {
                processes.get(i).destroyForcibly();
            }
        }
        Files.deleteIfExists(root.resolve("dev"));
        for (String line : Machine.text(Path.of("/proc/self/mountinfo")).split("\n")) {
            String where = line.split(" ")[4];
            if (where.startsWith(root.toString())) {
                Machine.run("umount", "-l", where);
            }
        }
    }

    private Process start(String name, String... command) throws IOException {
        File log = root.resolve(name + ".log").toFile();
        Process process = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log)).start();
        processes.add(process);
        return process;
    }

    /** Starts the engine as the system does, through hook-docker. */
    private void engine(String line) throws IOException, InterruptedException {
        Files.writeString(root.resolve("proc/cmdline"), line + "\n");
        processes.add(Machine.agent(root, root.resolve("dockerd.log"), List.of("-Dhook.dockerd=dockerd --host=unix://" + root
                + "/var/run/docker.sock --data-root=" + root + "/data --exec-root=" + root + "/var/run/docker --pidfile=" + root
                + "/var/run/docker.pid --iptables=false --bridge=none --config-file=" + root + "/etc/docker/daemon.json --add-runtime=test="
                + root + "/runtime --default-runtime=test"), "docker"));
        Machine.await("the engine", () -> ok("version"));
    }

    private Process registry() throws IOException, InterruptedException {
        Files.writeString(root.resolve("htpasswd"), "me:" + ABC + "\n");
        Files.writeString(root.resolve("registry.yml"), "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: " + root
                + "/registry\nhttp:\n  addr: 127.0.0.1:" + port + "\nauth:\n  htpasswd:\n    realm: test\n    path: " + root + "/htpasswd\n");
        Process registry = start("registry", "docker-registry", "serve", root + "/registry.yml");
        Machine.await("the registry", () -> {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return socket.isConnected();
            } catch (IOException e) {
                return false;
            }
        });
        return registry;
    }

    private org.tinkerbell.hook.agent.Commands.Result docker(String... arguments) throws InterruptedException {
        List<String> command = new ArrayList<>(List.of("docker", "--config", root + "/config", "--host",
                "unix://" + root + "/var/run/docker.sock"));
        command.addAll(List.of(arguments));
        return Machine.run(command.toArray(new String[0]));
    }

    private boolean ok(String... arguments) {
        try {
            return docker(arguments).ok();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void must(String... arguments) throws InterruptedException {
        org.tinkerbell.hook.agent.Commands.Result result = docker(arguments);
        assertTrue(result.ok(), String.join(" ", arguments) + ": " + result.output());
    }

    private String said() {
        return Machine.text(root.resolve("bootkit.log"));
    }

    private Process bootkit(String line) throws IOException {
        Files.writeString(root.resolve("proc/cmdline"), line + "\n");
        Process process = Machine.agent(root, root.resolve("bootkit.log"), List.of(), "bootkit");
        processes.add(process);
        return process;
    }

    private void image(String name, String script) throws Exception {
        Path image = root.resolve("image");
        if (!Files.exists(image)) {
            Machine.busybox(image);
            assertTrue(Machine.run("tar", "-C", image.toString(), "-cf", root + "/image.tar", ".").ok());
        }
        must("import", "--change", "CMD [\"/bin/sh\",\"-c\",\"" + script + "\"]", root + "/image.tar", name);
    }

    @Test
    void aWorkerIsPulledWithCredentialsAndOutlivesTheEnginesTroubles() throws Exception {
        String name = "127.0.0.1:" + port + "/tink-worker:latest";
        String line = "docker_registry=127.0.0.1:" + port + " registry_username=me registry_password=abc "
                + "grpc_authority=t.example:42113 worker_id=02:00:00:00:00:01 tinkerbell_tls=false HTTP_PROXY= NO_PROXY=127.0.0.1 "
                + "insecure_registries=r.example:5000";
        engine(line);
        assertTrue(docker("info").output().contains("r.example:5000"), "daemon.json is read");
        Process registry = registry();
        image(name, "echo worker is up; exec sleep 1000");
        must("login", "-u", "me", "-p", "abc", "127.0.0.1:" + port);
        must("push", name);
        must("logout", "127.0.0.1:" + port);
        must("rmi", name);
        image("busybox-old", "exec sleep 1000");
        must("run", "-d", "--net=none", "--name", "tink-worker", "busybox-old");

        // No registry at first.
        registry.destroy();
        registry.waitFor();
        Process bootkit = bootkit(line);
        Machine.await("a failed pull", () -> said().contains("pulling failed, next attempt in"));
        registry();
        Machine.await("the worker", () -> said().contains("worker tink-worker runs (image " + name + ", "));
        assertTrue(said().contains("an older worker was removed"), said());

        Map<String, Object> container = Json.object(((List<?>) Json.read(docker("inspect", "tink-worker").output())).get(0), "container");
        Set<Object> environment = new LinkedHashSet<>(Json.array(Json.object(container.get("Config"), "Config").get("Env"), "Env"));
        assertTrue(environment.containsAll(List.of("DOCKER_REGISTRY=127.0.0.1:" + port, "REGISTRY_USERNAME=me", "REGISTRY_PASSWORD=abc",
                "TINKERBELL_GRPC_AUTHORITY=t.example:42113", "TINKERBELL_TLS=false", "TINKERBELL_INSECURE_TLS=",
                "WORKER_ID=02:00:00:00:00:01", "ID=02:00:00:00:00:01", "HTTP_PROXY=", "HTTPS_PROXY=", "NO_PROXY=127.0.0.1")),
                environment.toString());
        Map<String, Object> host = Json.object(container.get("HostConfig"), "HostConfig");
        assertEquals("host", host.get("NetworkMode"));
        assertEquals(Boolean.TRUE, host.get("Privileged"));
        Set<String> mounts = new LinkedHashSet<>();
        for (Object mount : Json.array(container.get("Mounts"), "Mounts")) {
            Map<String, Object> members = Json.object(mount, "mount");
            mounts.add(members.get("Source") + ":" + members.get("Destination") + ":" + members.get("RW"));
        }
        assertEquals(Set.of(root + "/worker:/worker:true", root + "/var/run/docker.sock:/var/run/docker.sock:true",
                root + "/dev:/dev:true", root + "/host_root/run:/run:true"), mounts);

        // daemon.json says debug, and then the engine logs what it is asked for.
        String log = Machine.text(root.resolve("dockerd.log"));
        assertTrue(log.contains("/containers/create"), "the engine logs in detail");
        assertFalse(log.contains("PASSWORD=abc"), "the password is in the engine's log");

        // The engine is killed, and with it goes the worker.
        String first = (String) container.get("Id");
        long pid = Long.parseLong(Machine.text(root.resolve("var/run/docker.pid")).trim());
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        Machine.await("the loss", () -> said().contains("the Docker Engine went away while the worker ran"));
        Machine.await("a new worker", () -> said().split("worker tink-worker runs \\(image").length == 3);
        String second = docker("inspect", "--format", "{{.Id}}", "tink-worker").output();
        assertFalse(second.equals(first));

        // Its own end with a failure brings another one, an end with status 0 does not.
        must("kill", "tink-worker");
        Machine.await("a third worker", () -> said().split("worker tink-worker runs \\(image").length == 4);
        assertTrue(said().contains("worker tink-worker ended with status 137"), said());
        assertTrue(bootkit.isAlive());
        bootkit.destroy();
        bootkit.waitFor();
        assertTrue(ok("inspect", "tink-worker"), "the end of bootkit is not the worker's");
        assertFalse(said().replaceAll("[0-9a-f]{12,}", "").contains("abc"), said());
    }

    @Test
    void anEmbeddedImageNeedsNoRegistryAndAWorkerThatIsDoneIsTheEnd() throws Exception {
        String name = "127.0.0.1:" + port + "/embedded/tink-worker:v1";
        Process bootkit = bootkit("tink_worker_image=" + name + " worker_id=x grpc_authority=y:1");
        Machine.await("waiting", () -> said().contains("waiting for the Docker Engine"));
        engine("quiet");
        // Between the engine's start and the import there may be attempts without the image.
        image(name, "echo last words; sleep 5");
        assertFalse(Machine.text(root.resolve("dockerd.log")).contains("no control groups"));
        Machine.await("the worker", () -> said().contains("worker tink-worker runs (image " + name));
        assertTrue(said().contains("the image that is there is used"), said());
        assertTrue(bootkit.waitFor(60, TimeUnit.SECONDS), said());
        assertEquals(0, bootkit.exitValue(), said());

        image(name, "echo cannot start; exit 4");
        Process again = bootkit("tink_worker_image=" + name + " worker_id=x grpc_authority=y:1");
        Machine.await("failures", () -> said().split("it ended with status 4").length > 2);
        assertTrue(said().contains("hook-bootkit:   cannot start\n"), said());
        assertTrue(again.isAlive());
    }
}
