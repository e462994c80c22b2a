/** hook-docker: configures the Docker Engine, starts it, starts it again, and reboots the machine when the worker asks for it. */
package org.tinkerbell.hook.agent.docker;
