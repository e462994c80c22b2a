/** Signatures of files and texts, by keys that are pinned. Speaks of keys, never of what is signed. */
package org.tinkerbell.hook.openpgp;
