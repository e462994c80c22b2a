package org.tinkerbell.hook.agent;

import java.io.File;
import java.util.ArrayList;
import java.util.List;
import org.tinkerbell.hook.agent.bootkit.BootkitProgram;
import org.tinkerbell.hook.agent.docker.DockerProgram;
import org.tinkerbell.hook.agent.service.ServiceProgram;

/** The one entry: the first argument names the program. */
public final class Main {
    private static final int MISUSED = 2;

    private Main() {
    }

    /**
     * @param arguments the program's name, then its arguments
     * @throws InterruptedException never: nobody interrupts the main thread
     */
    public static void main(String[] arguments) throws InterruptedException {
        List<String> rest = new ArrayList<>(List.of(arguments));
        String program = rest.isEmpty() ? "" : rest.remove(0);
        int status;
        switch (program) {
            case "service":
                status = ServiceProgram.run(rest, callback());
                break;
            case "docker":
                status = DockerProgram.run(rest);
                break;
            case "bootkit":
                status = BootkitProgram.run(rest);
                break;
            default:
                System.err.println("usage: hook-agents.jar service … | docker | bootkit");
                status = MISUSED;
                break;
        }
        System.exit(status);
    }

    /** How the same program can be called from a hook of runc: the same runtime, within the same bounds. */
    private static List<String> callback() {
        String java = System.getProperty("java.home") + "/bin/java";
        String jar = new File(System.getProperty("java.class.path")).getAbsolutePath();
        return List.of(java, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xmx16m", "-Xss256k", "-cp", jar, Main.class.getName());
    }
}
