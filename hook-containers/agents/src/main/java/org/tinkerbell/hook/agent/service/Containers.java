package org.tinkerbell.hook.agent.service;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Lists the containers of one kind. */
final class Containers {
    private Containers() {
    }

    /**
     * Lists a directory of containers.
     *
     * @param directory for example {@code /containers/onboot}
     * @return the containers' directories by name, which is the order in which they run; none if the directory is not there
     * @throws IOException if it cannot be listed
     */
    static List<Path> list(Path directory) throws IOException {
        List<Path> containers = new ArrayList<>();
        if (Files.isDirectory(directory)) {
            try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
                for (Path container : all) {
                    if (Files.isDirectory(container)) {
                        containers.add(container);
                    }
                }
            }
        }
        Collections.sort(containers);
        return containers;
    }
}
