package org.tinkerbell.hook.debian;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.tinkerbell.hook.io.HookException;

/**
 * Finds the packages that are needed for some others: the closure of {@code Pre-Depends} and {@code Depends} in which
 * nothing conflicts. What is only recommended stays out.
 *
 * <p>As in APT, a package's candidate is the newest version of the suites that count without being asked for; what leaves
 * no choice is taken first; of alternatives the first that can be had is taken unless another is there anyway; of the providers of a
 * virtual package that with the highest priority, then the first by name. The same index and requests give the same result.
 */
final class Resolver {
    private static final Pattern WISH = Pattern.compile("([a-z0-9][a-z0-9+.-]*)(?:/([a-z0-9-]+)|=([0-9A-Za-z.+~:-]+))?");
    private static final List<String> PRIORITIES = List.of("required", "important", "standard", "optional", "extra");

    private static final Comparator<BinaryPackage> VERSIONS = Comparator.comparing(BinaryPackage::isLocked).reversed()
            .thenComparing(BinaryPackage::onRequest)
            .thenComparing(BinaryPackage::version, Comparator.reverseOrder());
    private static final Comparator<BinaryPackage> PROVIDERS = Comparator.comparing(Resolver::rank)
            .thenComparing(BinaryPackage::name)
            .thenComparing(VERSIONS);

    private final PackageIndex index;
    private final String architecture;
    private final String where;

    /**
     * @param architecture Debian's name
     * @param where the suites, for messages: {@code "trixie, trixie-updates"}
     */
    Resolver(PackageIndex index, String architecture, String where) {
        this.index = index;
        this.architecture = architecture;
        this.where = where;
    }

    /** A package that somebody asks for: {@code name}, {@code name/suite} or {@code name=version}, as with apt-get. */
    private record Wish(String text, String name, String suite, String version) {
        static Wish of(String text) {
            Matcher matcher = WISH.matcher(text);
            if (!matcher.matches()) {
                throw new HookException("'" + text + "' is not a package: write name, name/suite or name=version");
            }
            return new Wish(text, matcher.group(1), matcher.group(2), matcher.group(3));
        }
    }

    /** A package that was chosen, what for, and whether there was another choice. */
    private record Chosen(BinaryPackage chosen, Chosen parent, Relation need, boolean wish, boolean free) {}

    private record Need(Chosen parent, Relation relation) {}

    /** A package that cannot be part of the result; another version of it may be tried instead, or not. */
    private record Exclusion(String reason, boolean tryOtherVersions) {}

    /** The exclusion with which to begin anew. */
    private static final class Restart extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final transient BinaryPackage excluded;
        private final transient Exclusion exclusion;

        Restart(BinaryPackage excluded, Exclusion exclusion) {
            super(null, null, false, false);
            this.excluded = excluded;
            this.exclusion = exclusion;
        }
    }

    /**
     * The packages that are needed, those that were asked for included, sorted by name.
     *
     * @param requested {@code name}, {@code name/suite} or {@code name=version}
     * @param without packages whose absence is all right: what depends on them goes without
     * @throws HookException if there is no such set; the message leads from the package that was asked for to what is missing
     */
    List<BinaryPackage> resolve(Collection<String> requested, Collection<String> without) {
        List<Wish> wishes = new TreeSet<>(requested).stream().map(Wish::of).toList();
        Map<BinaryPackage, Exclusion> excluded = new HashMap<>();
        while (true) {
            try {
                return new Attempt(wishes, Set.copyOf(without), excluded).run();
            } catch (Restart restart) {
                if (excluded.put(restart.excluded, restart.exclusion) != null) {
                    throw new IllegalStateException("excluded twice: " + restart.excluded);
                }
            }
        }
    }

    private static int rank(BinaryPackage candidate) {
        int rank = PRIORITIES.indexOf(candidate.priority());
        return rank < 0 ? PRIORITIES.size() : rank;
    }

    /** One try, with what earlier ones have found to be impossible. */
    private final class Attempt {
        private final List<Wish> wishes;
        private final Set<String> without;
        private final Set<String> requestedSuites = new LinkedHashSet<>();
        private final Map<BinaryPackage, Exclusion> excluded;
        private final Map<String, Chosen> chosen = new LinkedHashMap<>();
        private final Map<String, List<Chosen>> provided = new HashMap<>();
        private final Map<String, List<Chosen>> opponents = new HashMap<>();
        private final Deque<Need> needs = new ArrayDeque<>();
        private final Deque<Need> deferred = new ArrayDeque<>();

        Attempt(List<Wish> wishes, Set<String> without, Map<BinaryPackage, Exclusion> excluded) {
            this.wishes = wishes;
            this.without = without;
            this.excluded = excluded;
            wishes.stream().filter(wish -> wish.suite() != null).forEach(wish -> requestedSuites.add(wish.suite()));
        }

        List<BinaryPackage> run() {
            for (Wish wish : wishes) {
                BinaryPackage candidate = candidate(wish);
                Chosen same = chosen.get(candidate.name());
                if (same != null && same.chosen() != candidate) {
                    throw new HookException(candidate.name() + " is asked for in two versions: " + same.chosen().version() + " and "
                            + candidate.version());
                }
                Chosen opponent = opponent(candidate);
                if (opponent != null) {
                    throw new HookException(candidate + " and " + opponent.chosen()
                            + " are both asked for, but one conflicts with the other");
                }
                if (same == null) {
                    choose(new Chosen(candidate, null, null, true, false));
                }
            }
            while (true) {
                if (!needs.isEmpty()) {
                    meet(needs.poll(), true);
                } else if (!deferred.isEmpty()) {
                    meet(deferred.poll(), false);
                } else {
                    break;
                }
            }
            return chosen.values().stream().map(Chosen::chosen).sorted(Comparator.comparing(BinaryPackage::name)).toList();
        }

        private BinaryPackage candidate(Wish wish) {
            List<BinaryPackage> named = index.named(wish.name());
            if (named.isEmpty()) {
                List<String> providers =
                        index.providing(wish.name()).stream().map(BinaryPackage::name).distinct().sorted().limit(5).toList();
                throw new HookException("There is no package '" + wish.name() + "' for " + architecture + " in " + where
                        + (providers.isEmpty() ? similar(wish.name())
                                : "; it is a name that these provide, ask for one of them: " + String.join(", ", providers)));
            }
            List<BinaryPackage> fitting = named.stream()
                    .filter(p -> wish.suite() == null ? !p.onRequest() || wish.version() != null : p.suiteName().equals(wish.suite()))
                    .filter(p -> wish.version() == null || p.version().toString().equals(wish.version()))
                    .sorted(VERSIONS)
                    .toList();
            for (BinaryPackage candidate : fitting) {
                Exclusion exclusion = excluded.get(candidate);
                if (exclusion == null) {
                    return candidate;
                }
                if (!exclusion.tryOtherVersions()) {
                    throw new HookException(exclusion.reason());
                }
            }
            throw new HookException("There is no '" + wish.text() + "' for " + architecture + " in " + where + "; there is "
                    + named.stream().sorted(VERSIONS).map(p -> p + " (" + p.suiteName() + ")").collect(Collectors.joining(", ")));
        }

        private String similar(String name) {
            List<String> near = index.names().stream()
                    .filter(other -> Math.abs(other.length() - name.length()) <= 2 && distance(name, other) <= 2)
                    .sorted(Comparator.<String>comparingInt(other -> distance(name, other)).thenComparing(other -> other))
                    .limit(3)
                    .toList();
            return near.isEmpty() ? "" : "; did you mean " + String.join(" or ", near) + "?";
        }

        private void choose(Chosen choice) {
            BinaryPackage candidate = choice.chosen();
            chosen.put(candidate.name(), choice);
            candidate.provides().forEach(relation ->
                    provided.computeIfAbsent(relation.alternatives().get(0).name(), n -> new ArrayList<>()).add(choice));
            candidate.conflicts().forEach(relation -> relation.alternatives().forEach(alternative ->
                    opponents.computeIfAbsent(alternative.name(), n -> new ArrayList<>()).add(choice)));
            candidate.dependencies().forEach(relation -> needs.add(new Need(choice, relation)));
        }

        private void meet(Need need, boolean mayDefer) {
            List<Relation.Alternative> alternatives =
                    need.relation().alternatives().stream().filter(alternative -> alternative.isFor(architecture)).toList();
            if (alternatives.isEmpty() || alternatives.stream().anyMatch(this::isMet)) {
                return;
            }
            List<BinaryPackage> options = new ArrayList<>();
            for (Relation.Alternative alternative : alternatives) {
                for (BinaryPackage option : options(alternative)) {
                    if (!chosen.containsKey(option.name()) && opponent(option) == null && !options.contains(option)) {
                        options.add(option);
                    }
                }
            }
            if (options.isEmpty()) {
                throw failed(need, alternatives);
            }
            boolean free = options.stream().map(BinaryPackage::name).distinct().count() > 1;
            if (free && mayDefer) {
                deferred.add(need);
            } else {
                choose(new Chosen(options.get(0), need.parent(), need.relation(), false, free));
            }
        }

        private boolean isMet(Relation.Alternative alternative) {
            if (without.contains(alternative.name())) {
                return true;
            }
            Chosen same = chosen.get(alternative.name());
            return same != null && same.chosen().meets(alternative)
                    || provided.getOrDefault(alternative.name(), List.of()).stream().anyMatch(c -> c.chosen().meets(alternative));
        }

        /** What could meet an alternative, the preferred first: the package of that name, then those that provide it. */
        private List<BinaryPackage> options(Relation.Alternative alternative) {
            List<BinaryPackage> options = new ArrayList<>();
            first(index.named(alternative.name()).stream().filter(p -> p.meets(alternative)).sorted(VERSIONS).toList(), options);
            Map<String, List<BinaryPackage>> providers = index.providing(alternative.name()).stream()
                    .filter(p -> !p.name().equals(alternative.name()) && p.meets(alternative))
                    .sorted(PROVIDERS)
                    .collect(Collectors.groupingBy(BinaryPackage::name, LinkedHashMap::new, Collectors.toList()));
            for (Map.Entry<String, List<BinaryPackage>> provider : providers.entrySet()) {
                // An outdated version that provides something is no candidate once a newer one does not.
                List<BinaryPackage> usable = index.named(provider.getKey()).stream().filter(this::maybe).sorted(VERSIONS).toList();
                if (!usable.isEmpty() && usable.get(0).meets(alternative)) {
                    first(provider.getValue(), options);
                }
            }
            return options;
        }

        private boolean maybe(BinaryPackage candidate) {
            return !candidate.onRequest() || requestedSuites.contains(candidate.suiteName());
        }

        private void first(List<BinaryPackage> versions, List<BinaryPackage> options) {
            for (BinaryPackage version : versions) {
                if (!maybe(version)) {
                    continue;
                }
                Exclusion exclusion = excluded.get(version);
                if (exclusion == null) {
                    options.add(version);
                    return;
                }
                if (!exclusion.tryOtherVersions()) {
                    return;
                }
            }
        }

        /** A chosen package that cannot be beside a candidate, or null. */
        private Chosen opponent(BinaryPackage candidate) {
            for (Relation relation : candidate.conflicts()) {
                Relation.Alternative unwanted = relation.alternatives().get(0);
                Chosen same = chosen.get(unwanted.name());
                if (same != null && !same.chosen().name().equals(candidate.name()) && same.chosen().meets(unwanted)) {
                    return same;
                }
                for (Chosen provider : provided.getOrDefault(unwanted.name(), List.of())) {
                    if (!provider.chosen().name().equals(candidate.name()) && provider.chosen().providesIt(unwanted)) {
                        return provider;
                    }
                }
            }
            Set<String> names = new LinkedHashSet<>(List.of(candidate.name()));
            candidate.provides().forEach(relation -> names.add(relation.alternatives().get(0).name()));
            for (String name : names) {
                for (Chosen choice : opponents.getOrDefault(name, List.of())) {
                    if (!choice.chosen().name().equals(candidate.name()) && choice.chosen().conflicts().stream()
                            .anyMatch(relation -> candidate.meets(relation.alternatives().get(0)))) {
                        return choice;
                    }
                }
            }
            return null;
        }

        /** Finds whom to leave out in the next try, or ends it all if that would be a package that was asked for. */
        private RuntimeException failed(Need need, List<Relation.Alternative> alternatives) {
            for (Relation.Alternative alternative : alternatives) {
                for (BinaryPackage option : options(alternative)) {
                    Chosen same = chosen.get(option.name());
                    if (same != null && !same.wish()) {
                        return new Restart(same.chosen(),
                                new Exclusion(need.parent().chosen() + " needs " + need.relation(), true));
                    }
                    Chosen opponent = same == null ? opponent(option) : null;
                    if (opponent != null && !opponent.wish() && opponent.free()) {
                        return new Restart(opponent.chosen(), new Exclusion("it conflicts with " + option, false));
                    }
                }
            }
            String reason = need.parent().chosen() + " needs " + need.relation() + ": " + explanation(alternatives);
            if (need.parent().wish() && !need.parent().chosen().isLocked()) {
                return new HookException("The packages for " + architecture + " cannot be put together: " + reason);
            }
            return new Restart(need.parent().chosen(), new Exclusion(reason, need.parent().chosen().isLocked()));
        }

        private String explanation(List<Relation.Alternative> alternatives) {
            Set<String> reasons = new LinkedHashSet<>();
            for (Relation.Alternative alternative : alternatives) {
                List<BinaryPackage> named = index.named(alternative.name()).stream().filter(this::maybe).toList();
                List<BinaryPackage> fitting = new ArrayList<>(named.stream().filter(p -> p.meets(alternative)).toList());
                index.providing(alternative.name()).stream().filter(p -> maybe(p) && p.meets(alternative) && !fitting.contains(p))
                        .sorted(PROVIDERS).forEach(fitting::add);
                if (fitting.isEmpty()) {
                    reasons.add(named.isEmpty() ? "nothing provides " + alternative.name()
                            : "there is only " + named.stream().map(BinaryPackage::toString).collect(Collectors.joining(", ")));
                }
                for (BinaryPackage option : fitting) {
                    Exclusion exclusion = excluded.get(option);
                    Chosen same = chosen.get(option.name());
                    Chosen opponent = opponent(option);
                    if (exclusion != null) {
                        reasons.add(exclusion.reason());
                    } else if (same != null) {
                        reasons.add(same.chosen() + " was chosen" + becauseOf(same) + ", not " + option.version());
                    } else if (opponent != null) {
                        reasons.add(option + " conflicts with " + opponent.chosen() + becauseOf(opponent));
                    }
                }
            }
            return String.join("; ", reasons);
        }

        private String becauseOf(Chosen choice) {
            return choice.wish() ? ", which was asked for" : ", which " + choice.parent().chosen().name() + " needs";
        }
    }

    /** Levenshtein's distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                row[j] = Math.min(Math.min(row[j], row[j - 1]) + 1, diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
