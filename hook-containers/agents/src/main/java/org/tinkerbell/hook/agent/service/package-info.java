/**
 * The service runner: what LinuxKit's {@code service} program does. Its contract is that of {@code pkg/init} of LinuxKit 1.8: the
 * containers lie under {@code /containers}, each with {@code config.json} (OCI runtime specification) and {@code runtime.json}.
 */
package org.tinkerbell.hook.agent.service;
