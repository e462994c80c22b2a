/**
 * The Java that runs inside the booted system, on a runtime with {@code java.base} alone: what the three programs share.
 *
 * <p>Every byte here is held in the memory of a machine that boots without a disk. So: no library, no lambda on the path that every
 * start takes (each costs a generated class), no {@code String.format}, few threads with small stacks.
 */
package org.tinkerbell.hook.agent;
