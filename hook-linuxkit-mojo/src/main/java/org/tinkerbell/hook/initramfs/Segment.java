package org.tinkerbell.hook.initramfs;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;

/**
 * A stretch of the archive that is compressed by itself. The kernel unpacks compressed streams one after another into one
 * file system and keeps what it knows of hard links from one to the next until it meets the trailer (init/initramfs.c), so
 * only the last segment has a trailer.
 *
 * <p>The large files, most of them programs written in Go, have much in common with each other but far apart, and they change seldom:
 * they are one segment, compressed with a long window, which saves a fifteenth of the whole. All else is cut small, so that after a change
 * only a little is compressed anew.
 *
 * @param members what is in it, in the archive's order
 * @param large whether it is the one of the large files
 * @param last whether the archive ends with it
 */
record Segment(List<Member> members, boolean large, boolean last) {
    /** From here on a segment ends at the next good place. */
    static final long LEAST = 8L << 20;

    /** Here it ends wherever it is. */
    static final long MOST = 32L << 20;

    /** Changes whenever the same members would be written otherwise. */
    private static final String FORMAT = "newc-2";

    private static final long STRETCH = 8L << 20;
    private static final int BUFFER = 1 << 16;
    private static final Pattern GROUP = Pattern.compile("(containers/[^/]+/[^/]+|(?:usr/)?lib/(?:modules|firmware))/.*");

    Segment {
        members = List.copyOf(members);
    }

    /**
     * Cuts an archive. Where it is cut depends on the names and sizes around that place alone, so a change in one file moves
     * no cut far away from it: by preference where a container, the modules or the firmware begin, else at a name whose
     * digest says so, the likelier the larger the file before it.
     *
     * @param large which members, all of them at the end, are the large files
     */
    static List<Segment> cut(List<Member> archive, Predicate<Member> large) {
        List<Segment> segments = new ArrayList<>();
        List<Member> members = new ArrayList<>();
        long size = 0;
        Member before = null;
        for (Member member : archive) {
            if (large.test(member)) {
                break;
            }
            if (before != null && size > 0 && (size + member.size() > MOST || size >= LEAST && isGoodPlace(before, member))) {
                segments.add(new Segment(members, false, false));
                members = new ArrayList<>();
                size = 0;
            }
            members.add(member);
            size += member.size();
            before = member;
        }
        List<Member> rest = archive.stream().filter(large).toList();
        segments.add(new Segment(members, false, rest.isEmpty()));
        if (!rest.isEmpty()) {
            segments.add(new Segment(rest, true, true));
        }
        return segments;
    }

    private static boolean isGoodPlace(Member before, Member after) {
        if (!group(before.entry().path()).equals(group(after.entry().path()))) {
            return true;
        }
        long point = Long.parseLong(Digest.of(after.entry().path()).abbreviated(8), 16);
        return point < (double) before.size() / STRETCH * (1L << 32);
    }

    private static String group(String path) {
        Matcher matcher = GROUP.matcher(path);
        return matcher.matches() ? matcher.group(1) : "";
    }

    /** Bytes before compression. */
    long size() {
        return members.stream().mapToLong(Member::size).sum() + (last ? CpioWriter.trailer().length : 0);
    }

    /** The digest of everything that its compressed bytes depend on; no content is read for it. */
    Digest key(Compression compression) throws IOException {
        MessageDigest digest = Digest.algorithm();
        digest.update((FORMAT + "\n" + compression.identity() + "\n" + large + "\n" + last + "\n").getBytes(StandardCharsets.UTF_8));
        for (Member member : members) {
            digest.update(member.header());
            if (member.carriesData()) {
                digest.update(member.entry().content().digest().hex().getBytes(StandardCharsets.US_ASCII));
            }
        }
        return Digest.of(digest);
    }

    /**
     * Writes the segment, uncompressed.
     *
     * @throws HookException if the bytes of a file are not those which its digest was taken of
     */
    void writeTo(OutputStream out, Progress.Task task) throws IOException {
        CpioWriter cpio = new CpioWriter(out);
        byte[] buffer = new byte[BUFFER];
        for (Member member : members) {
            cpio.write(member.header());
            if (member.carriesData()) {
                MessageDigest digest = Digest.algorithm();
                long size = 0;
                try (InputStream in = member.entry().content().open()) {
                    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                        cpio.write(buffer, n);
                        digest.update(buffer, 0, n);
                        size += n;
                    }
                }
                if (size != member.entry().content().size() || !Digest.of(digest).equals(member.entry().content().digest())) {
                    throw new HookException("The bytes of /" + member.entry().path() + " changed after they had been verified ("
                            + member.entry().content() + "): delete that file or the whole cache, and build again.");
                }
                cpio.pad();
            }
            task.advance(member.size());
        }
        if (last) {
            cpio.write(CpioWriter.trailer());
        }
    }
}
