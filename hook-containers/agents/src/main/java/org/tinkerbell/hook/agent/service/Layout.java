package org.tinkerbell.hook.agent.service;

import java.nio.file.Path;

/**
 * Where everything lies.
 *
 * @param root what holds the containers and the runner's own files: {@code /}, elsewhere in tests
 * @param host what the absolute paths in {@code runtime.json} are taken relative to: {@code /} but for unit tests
 */
record Layout(Path root, Path host) {
    Path onboot() {
        return root.resolve("containers/onboot");
    }

    Path onshutdown() {
        return root.resolve("containers/onshutdown");
    }

    Path services() {
        return root.resolve("containers/services");
    }

    /** @return directory of this program's own files, gone with the boot */
    Path run() {
        return root.resolve("run/hook");
    }

    /** @return the socket on which the supervisor listens */
    Path control() {
        return run().resolve("service.sock");
    }

    /** @return the file that tells the services' states */
    Path status() {
        return run().resolve("services");
    }

    /** @return the file that names what ran once and failed */
    Path failures() {
        return run().resolve("failed");
    }

    Path containerd() {
        return root.resolve("run/containerd/containerd.sock");
    }

    Path log() {
        return root.resolve("var/log");
    }
}
