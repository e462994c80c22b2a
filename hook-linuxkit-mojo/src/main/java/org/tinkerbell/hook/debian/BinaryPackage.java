package org.tinkerbell.hook.debian;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;

/**
 * A binary package that can be had, with its relations. Fields are kept as they were written and read when they are needed:
 * an archive has tens of thousands of packages, of which a build looks at a few hundred.
 */
final class BinaryPackage {
    private final Deb822.Stanza stanza;
    private final Suite suite;
    private final String component;
    private final Instant archiveTime;
    private final LockedPackage locked;
    private DebianVersion version;
    private List<Relation> dependencies;
    private List<Relation> conflicts;
    private List<Relation> provides;

    private BinaryPackage(Deb822.Stanza stanza, Suite suite, String component, Instant archiveTime, LockedPackage locked) {
        this.stanza = stanza;
        this.suite = suite;
        this.component = component;
        this.archiveTime = archiveTime;
        this.locked = locked;
    }

    /** A package of an archive's index. */
    static BinaryPackage ofIndex(Deb822.Stanza stanza, Suite suite, String component, Instant archiveTime) {
        return new BinaryPackage(stanza, suite, component, archiveTime, null);
    }

    /** A package that a lock names, with the relations from its own control file. */
    static BinaryPackage ofLock(LockedPackage locked, Deb822.Stanza control) {
        return new BinaryPackage(control, null, locked.component(), locked.archiveTime(), locked);
    }

    String name() {
        return stanza.require("Package");
    }

    String architecture() {
        return stanza.require("Architecture");
    }

    /** The suite that it is from; null if it is from a lock. */
    Suite suite() {
        return suite;
    }

    String suiteName() {
        return locked == null ? suite.codename() : locked.suite();
    }

    boolean onRequest() {
        return suite != null && suite.onRequest();
    }

    boolean isLocked() {
        return locked != null;
    }

    String priority() {
        return stanza.find("Priority").orElse("");
    }

    synchronized DebianVersion version() {
        if (version == null) {
            try {
                version = DebianVersion.of(stanza.require("Version"));
            } catch (IllegalArgumentException e) {
                throw new HookException(stanza.place("Version") + ": " + e.getMessage(), e);
            }
        }
        return version;
    }

    /** What has to be there for it: {@code Pre-Depends} and {@code Depends}. */
    synchronized List<Relation> dependencies() {
        if (dependencies == null) {
            dependencies = relations("Pre-Depends", "Depends");
        }
        return dependencies;
    }

    /** What must not be there beside it: {@code Conflicts} and {@code Breaks}. */
    synchronized List<Relation> conflicts() {
        if (conflicts == null) {
            conflicts = relations("Conflicts", "Breaks");
        }
        return conflicts;
    }

    /** The virtual packages that it stands for. */
    synchronized List<Relation> provides() {
        if (provides == null) {
            provides = relations("Provides");
        }
        return provides;
    }

    boolean hasProvides() {
        return stanza.get("Provides") != null;
    }

    private List<Relation> relations(String... fields) {
        List<Relation> all = new ArrayList<>();
        for (String field : fields) {
            try {
                all.addAll(Relation.parse(stanza.get(field)));
            } catch (IllegalArgumentException e) {
                throw new HookException(stanza.place(field) + ": " + name() + ": " + e.getMessage(), e);
            }
        }
        return List.copyOf(all);
    }

    /** Whether it meets an alternative by its own name or by what it provides. */
    boolean meets(Relation.Alternative wanted) {
        if (!wanted.qualifies(architecture().equals("all") ? wanted.qualifier() : architecture())) {
            return false;
        }
        if (name().equals(wanted.name())) {
            return wanted.accepts(version());
        }
        return providesIt(wanted);
    }

    /** Whether it meets an alternative by what it provides; one with a version only by a version (policy 7.5). */
    boolean providesIt(Relation.Alternative wanted) {
        if (!hasProvides()) {
            return false;
        }
        for (Relation relation : provides()) {
            Relation.Alternative provided = relation.alternatives().get(0);
            if (provided.name().equals(wanted.name())
                    && (wanted.operator() == null || provided.version() != null && wanted.accepts(provided.version()))) {
                return true;
            }
        }
        return false;
    }

    /** What a lock says about it. */
    LockedPackage locked() {
        if (locked != null) {
            return locked;
        }
        try {
            return new LockedPackage(
                    name(),
                    stanza.require("Version"),
                    architecture(),
                    suite.archive(),
                    suite.codename(),
                    component,
                    Long.parseLong(stanza.require("Size")),
                    Digest.parse(stanza.require("SHA256")),
                    stanza.require("Filename"),
                    archiveTime);
        } catch (IllegalArgumentException e) {
            throw new HookException(stanza.place("SHA256") + ": " + name() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public String toString() {
        return name() + " " + version();
    }
}
