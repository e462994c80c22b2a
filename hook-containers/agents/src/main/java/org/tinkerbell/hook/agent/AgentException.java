package org.tinkerbell.hook.agent;

/** Something that this program tells people about: the message is a sentence for them. */
public final class AgentException extends RuntimeException {
    /** @param message what went wrong, and with what */
    public AgentException(String message) {
        super(message);
    }
}
