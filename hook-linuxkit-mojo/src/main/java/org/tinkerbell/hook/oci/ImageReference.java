package org.tinkerbell.hook.oci;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.HookException;

/**
 * The name of an image, complete: {@code alpine} is {@code docker.io/library/alpine:latest}.
 *
 * <p>Grammar and defaults are those of Docker, <a href="https://github.com/distribution/reference">distribution/reference</a>
 * ({@code reference.go}, {@code normalize.go}).
 *
 * @param registry host with its port if it has one, such as {@code docker.io} or {@code localhost:5000}
 * @param repository path in the registry, such as {@code library/alpine}
 * @param tag such as {@code latest}; empty only where there is a digest
 * @param digest of the manifest or index, where the name is bound to one
 */
public record ImageReference(String registry, String repository, Optional<String> tag, Optional<Digest> digest) {
    /** The registry of names that give none. */
    public static final String DOCKER_HUB = "docker.io";

    private static final String DEFAULT_TAG = "latest";
    private static final int MAX_NAME = 255;
    private static final Pattern HOST = Pattern.compile(
            "(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|"
                    + "\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?");
    private static final String COMPONENT = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
    private static final Pattern REPOSITORY = Pattern.compile(COMPONENT + "(?:/" + COMPONENT + ")*");
    private static final Pattern TAG = Pattern.compile("\\w[\\w.-]{0,127}");
    private static final Pattern WHOLE = Pattern.compile("(?<name>[^@]+?)(?::(?<tag>[^/:@]+))?(?:@(?<digest>.+))?");

    /**
     * The reference that a text writes.
     *
     * @throws HookException if it is none, saying what is wrong with it
     */
    public static ImageReference parse(String text) {
        Matcher whole = WHOLE.matcher(text);
        if (!whole.matches()) {
            throw wrong(text, "it should look like registry/repository:tag");
        }
        String name = whole.group("name");
        int slash = name.indexOf('/');
        String first = slash < 0 ? "" : name.substring(0, slash);
        boolean host = first.contains(".") || first.contains(":") || first.equals("localhost")
                || !first.equals(first.toLowerCase(Locale.ROOT));
        String registry = host ? first : DOCKER_HUB;
        String repository = host ? name.substring(slash + 1) : name;
        if (registry.equals("index.docker.io")) {
            registry = DOCKER_HUB;
        }
        if (registry.equals(DOCKER_HUB) && repository.indexOf('/') < 0) {
            repository = "library/" + repository;
        }
        if (!HOST.matcher(registry).matches()) {
            throw wrong(text, "'" + registry + "' is no name of a registry");
        }
        if (!REPOSITORY.matcher(repository).matches()) {
            throw wrong(text, "the repository '" + repository + "' may have lower-case letters, digits and single . _ - / between them");
        }
        if (registry.length() + 1 + repository.length() > MAX_NAME) {
            throw wrong(text, "it is longer than " + MAX_NAME + " characters");
        }
        String tag = whole.group("tag");
        String digest = whole.group("digest");
        if (tag != null && !TAG.matcher(tag).matches()) {
            throw wrong(text, "the tag '" + tag + "' may have at most 128 letters, digits, and _ . - which do not come first");
        }
        if (tag == null && digest == null) {
            tag = DEFAULT_TAG;
        }
        return new ImageReference(registry, repository, Optional.ofNullable(tag), Optional.ofNullable(digest).map(d -> digest(text, d)));
    }

    private static Digest digest(String text, String digest) {
        if (!digest.startsWith("sha256:")) {
            throw wrong(text, "only sha256 digests are known");
        }
        try {
            return Digest.parse(digest);
        } catch (IllegalArgumentException e) {
            throw wrong(text, "its digest is not sha256: and 64 hexadecimal digits");
        }
    }

    private static HookException wrong(String text, String why) {
        return new HookException("'" + text + "' is not the name of an image: " + why);
    }

    /** Registry and repository, without tag and digest. */
    public String name() {
        return registry + "/" + repository;
    }

    /** The same repository with another tag, bound to no digest. */
    public ImageReference withTag(String newTag) {
        return parse(name() + ":" + newTag);
    }

    /** The complete name. */
    @Override
    public String toString() {
        return name() + tag.map(t -> ":" + t).orElse("") + digest.map(d -> "@" + d).orElse("");
    }
}
