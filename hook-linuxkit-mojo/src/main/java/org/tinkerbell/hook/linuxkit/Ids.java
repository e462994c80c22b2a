package org.tinkerbell.hook.linuxkit;

import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;

/** Users and groups as the YAML writes them: a number, {@code root}, or the name of a container for the id that it was given. */
final class Ids {
    private Ids() {}

    /**
     * The number of a user or group; 0 where nothing is written.
     *
     * @param ids names that are known
     * @return empty if the name is not known
     */
    static Optional<Long> number(JsonNode written, Map<String, Integer> ids) {
        if (written.isNumber()) {
            return Optional.of(written.asLong());
        }
        String name = written.asString("");
        return name.isEmpty() || name.equals("root") ? Optional.of(0L) : Optional.ofNullable(ids.get(name)).map(Integer::longValue);
    }

    /** What to say when there is none. */
    static String problem(JsonNode written, Map<String, Integer> ids) {
        return "'" + written.asString() + "' is not allowed; allowed: a whole number (without quotes), root"
                + (ids.isEmpty() ? "" : ", or a container's name: " + String.join(", ", new TreeSet<>(ids.keySet())));
    }
}
