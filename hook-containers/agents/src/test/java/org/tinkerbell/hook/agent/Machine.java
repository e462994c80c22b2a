package org.tinkerbell.hook.agent;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** What integration tests need of the machine they run on. */
public final class Machine {
    private static final Commands COMMANDS = new ProcessCommands();

    private Machine() {
    }

    /** Skips the test unless it runs as root, may mount, and has these programs. */
    public static void has(Path scratch, String... programs) throws InterruptedException {
        assumeTrue("0".equals(run("id", "-u").output()), "root is needed");
        for (String program : programs) {
            assumeTrue(run("sh", "-c", "command -v " + program).ok(), program + " is not installed");
        }
        boolean mounts = run("mount", "-t", "tmpfs", "none", scratch.toString()).ok();
        if (mounts) {
            run("umount", scratch.toString());
        }
        assumeTrue(mounts, "mounting is not allowed here");
    }

    public static Commands.Result run(String... command) throws InterruptedException {
        return COMMANDS.run(60_000, List.of(command));
    }

    /** Starts one of the agents as it is started in the system, with its output in a file. */
    public static Process agent(Path root, Path out, List<String> options, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java", "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-XX:StringTableSize=1024", "-Xms2m", "-Xmn1m", "-Xmx16m", "-Xss256k",
                "-Dhook.root=" + root));
        command.addAll(options);
        command.addAll(List.of("-cp", Path.of("target/classes").toAbsolutePath().toString(), Main.class.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(out.toFile())).start();
    }

    /** Waits until something is so. */
    public static void await(String what, BooleanSupplier so) throws InterruptedException {
        long until = System.nanoTime() + 60_000_000_000L;
        while (!so.getAsBoolean()) {
            if (System.nanoTime() > until) {
                throw new AssertionError("not within 60 s: " + what);
            }
            Thread.sleep(50);
        }
    }

    public static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }

    /** Makes a root file system of BusyBox alone. */
    public static void busybox(Path root) throws IOException, InterruptedException {
        for (String directory : new String[] {"bin", "proc", "sys", "dev", "tmp", "run", "worker", "var/run"}) {
            Files.createDirectories(root.resolve(directory));
        }
        Files.copy(Path.of(run("sh", "-c", "command -v busybox").output()), root.resolve("bin/busybox"));
        for (String applet : new String[] {"sh", "echo", "sleep", "touch", "ip", "cat", "env"}) {
            Files.createSymbolicLink(root.resolve("bin").resolve(applet), Path.of("busybox"));
        }
    }

    /** Writes a container as LinuxKit does. */
    public static void container(Path directory, String script, String runtime, Map<String, Object> annotations, boolean writable)
            throws IOException, InterruptedException {
        busybox(directory.resolve(writable ? "lower" : "rootfs"));
        Files.createDirectories(directory.resolve("rootfs"));
        Files.createDirectories(directory.resolve("tmp"));
        run("runc", "spec", "--bundle", directory.toString());
        Map<String, Object> spec = Json.readObject(Files.readString(directory.resolve("config.json")));
        Map<String, Object> process = Json.object(spec.get("process"), "process");
        process.put("terminal", Boolean.FALSE);
        process.put("args", List.of("/bin/sh", "-c", script));
        Json.object(spec.get("root"), "root").put("readonly", !writable);
        spec.put("annotations", annotations);
        Files.writeString(directory.resolve("config.json"), Json.write(spec));
        String overlay = !writable ? "" : "{\"destination\":\"D/tmp\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},"
                + "{\"destination\":\"D/tmp\",\"options\":[\"remount\",\"private\"]},"
                + "{\"destination\":\"D/rootfs\",\"type\":\"overlay\",\"source\":\"overlay\","
                + "\"options\":[\"lowerdir=D/lower\",\"upperdir=D/tmp/upper\",\"workdir=D/tmp/work\"]}";
        Files.writeString(directory.resolve("runtime.json"), "{" + ("\"mounts\":[" + overlay + "]").replace("D/", directory + "/")
                + (runtime.isEmpty() ? "" : "," + runtime) + "}");
    }
}
