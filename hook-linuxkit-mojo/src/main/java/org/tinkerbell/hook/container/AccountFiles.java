package org.tinkerbell.hook.container;

import java.util.List;
import java.util.stream.Collectors;
import org.tinkerbell.hook.container.ImageDefinition.Accounts;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;

/** The files in which a system knows its users and groups. */
final class AccountFiles {
    private AccountFiles() {}

    /** {@code /etc/passwd}, {@code /etc/group} and {@code /etc/shadow}. */
    static List<Entry> of(Accounts accounts) {
        // passwd(5): name:x:uid:gid:comment:home:shell
        String passwd = accounts.users().stream()
                .map(u -> u.name() + ":x:" + u.uid() + ":" + u.gid() + ":" + u.comment() + ":" + u.home() + ":" + u.shell() + "\n")
                .collect(Collectors.joining());
        // group(5): name:x:gid:member,member
        String group = accounts.groups().stream()
                .map(g -> g.name() + ":x:" + g.gid() + ":" + String.join(",", g.members()) + "\n")
                .collect(Collectors.joining());
        // shadow(5): without the day of the last change a password does not age, and the file does not depend on the day.
        String shadow = accounts.users().stream().map(u -> u.name() + ":" + u.password() + ":::::::\n").collect(Collectors.joining());
        return List.of(
                Entry.file("etc/passwd", 0644, Content.of(passwd)),
                Entry.file("etc/group", 0644, Content.of(group)),
                Entry.file("etc/shadow", 0600, Content.of(shadow)));
    }
}
