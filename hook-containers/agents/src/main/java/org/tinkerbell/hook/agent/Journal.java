package org.tinkerbell.hook.agent;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Where a program tells what it does: one line a step, {@code name: what}, with secrets taken out and control characters (an engine's
 * answers are passed on) made visible.
 */
public final class Journal {
    private final String name;
    private final PrintStream out;
    private final Redactor redactor;

    /**
     * @param name the program's name, the start of each line
     * @param out where the lines go
     * @param redactor takes the secrets out
     */
    public Journal(String name, PrintStream out, Redactor redactor) {
        this.name = name;
        this.out = out;
        this.redactor = redactor;
    }

    /**
     * The journal of a program on its standard output.
     *
     * @param name the program's name
     * @param redactor takes the secrets out
     * @return the journal
     */
    public static Journal standard(String name, Redactor redactor) {
        // Set here, since the C locale of a container would make question marks of everything that is not ASCII.
        return new Journal(name, new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true,
                StandardCharsets.UTF_8), redactor);
    }

    /**
     * Writes a line.
     *
     * @param what what happened
     */
    public void say(String what) {
        String clean = redactor.clean(what);
        StringBuilder line = new StringBuilder(name.length() + clean.length() + 3).append(name).append(": ");
        for (int i = 0; i < clean.length(); i++) {
            char c = clean.charAt(i);
            line.append(c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 ? ' ' : c);
        }
        line.append('\n');
        synchronized (out) {
            // One write a line, so that lines of several programs on one console do not mix.
            out.print(line);
            out.flush();
        }
    }

    /**
     * Writes a line about something that failed: the message, the reasons behind it, no stack.
     *
     * @param what what failed
     * @param reason why
     */
    public void say(String what, Throwable reason) {
        say(what + ": " + reason(reason));
    }

    /**
     * Tells a reason in one line.
     *
     * @param reason an exception
     * @return its message, or its kind if it has none (an {@code IOException} of the JDK often says just a host's name)
     */
    public static String reason(Throwable reason) {
        String message = reason.getMessage();
        String kind = reason.getClass().getSimpleName();
        if (reason instanceof AgentException || reason instanceof Json.Malformed) {
            return message;
        }
        return message == null || message.isEmpty() ? kind : kind + ": " + message;
    }
}
