package org.tinkerbell.hook.debian;

import org.tinkerbell.hook.openpgp.Keyring;

/** The keys that sign Debian's archive. */
final class DebianKeys {
    private DebianKeys() {}

    /**
     * Those for Debian 12 and 13: the automatic, the security and the stable release keys, as the package
     * {@code debian-archive-keyring} has them.
     */
    static Keyring keyring() {
        return Keyring.ofResource(DebianKeys.class, "debian-archive-keys.asc");
    }
}
