/** hook-bootkit: gets the worker's image and runs the worker, through the Docker Engine's HTTP API on its Unix socket. */
package org.tinkerbell.hook.agent.bootkit;
