package org.tinkerbell.hook.agent.service;

import java.nio.file.Path;
import java.util.Map;
import org.tinkerbell.hook.agent.AgentException;

/** What the supervisor asks containerd for. */
interface ContainerEngine {
    /**
     * Creates a container and starts its task.
     *
     * @param namespace containerd's namespace
     * @param id the container's name
     * @param config its OCI runtime specification
     * @return the task's process, as the host counts
     * @throws AgentException with containerd's own words, if that fails
     * @throws InterruptedException if the thread shall end
     */
    long start(String namespace, String id, Path config) throws InterruptedException;

    /**
     * Removes a container; its task is killed if it still runs.
     *
     * @param namespace containerd's namespace
     * @param id the container's name; one that is not there is fine
     * @return how the task ended, for people, for example {@code exit status 3}
     * @throws InterruptedException if the thread shall end
     */
    Ended remove(String namespace, String id) throws InterruptedException;

    /**
     * Lists the tasks that run.
     *
     * @param namespace containerd's namespace
     * @return container's name → process
     * @throws InterruptedException if the thread shall end
     */
    Map<String, Long> running(String namespace) throws InterruptedException;

    /**
     * How a task ended.
     *
     * @param status exit status; -1 if it is not known
     */
    record Ended(int status) {
        @Override
        public String toString() {
            if (status < 0) {
                return "ended";
            }
            return status > 128 && status < 160 ? "killed by signal " + (status - 128) : "exit status " + status;
        }
    }
}
