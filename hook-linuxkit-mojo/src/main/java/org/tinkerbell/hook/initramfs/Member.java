package org.tinkerbell.hook.initramfs;

import org.tinkerbell.hook.tree.Entry;

/**
 * An entry as it is in the archive.
 *
 * @param entry what it is made from
 * @param header header and name, padded
 * @param carriesData whether the bytes of the file follow; of several hard links only the first one's do
 */
record Member(Entry entry, byte[] header, boolean carriesData) {
    /** How many bytes it has in the archive. */
    long size() {
        return header.length + (carriesData ? CpioWriter.padded(entry.content().size()) : 0);
    }
}
