package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.inject.Inject;
import org.apache.maven.execution.MavenExecutionRequest;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.settings.crypto.SettingsDecrypter;
import org.tinkerbell.hook.debian.LockMode;
import org.tinkerbell.hook.debian.Mirrors;
import org.tinkerbell.hook.debian.PackageSource;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.Downloader;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.linuxkit.StoreImages;
import org.tinkerbell.hook.oci.ImageStore;
import org.tinkerbell.hook.oci.Registry;
import org.tinkerbell.hook.oci.RegistrySettings;
import org.tinkerbell.hook.toolbox.Toolbox;

/** What every goal has: the cache, the progress on the terminal, and errors in the form that Maven shows. */
abstract class AbstractHookMojo extends AbstractMojo {
    @Parameter(defaultValue = "${session}", readonly = true, required = true)
    protected MavenSession session;

    /**
     * The directory for everything that is fetched or made once and used often; builds that run at the same time may
     * share it. Default: the environment's {@code CACHE_DIR}, else {@code hook} in the user's cache directory.
     */
    @Parameter(property = "hook.cacheDir")
    private String cacheDir;

    /**
     * Addresses of mirrors of Debian's archive, parted by commas; they are tried in that order. Default: what the host's APT
     * uses, then Debian's own servers.
     */
    @Parameter(property = "hook.debian.mirror")
    private String debianMirror;

    /** The same for Debian's security archive. */
    @Parameter(property = "hook.debian.securityMirror")
    private String debianSecurityMirror;

    /** Address of a snapshot service as Debian's is, which has files that mirrors no longer have. */
    @Parameter(property = "hook.debian.snapshot")
    private String debianSnapshot;

    /** Debian release that packages are taken from, by its code name. */
    @Parameter(property = "hook.debian.release", defaultValue = "trixie")
    private String debianRelease;

    /**
     * What happens where the package lock does not lead to the files any more: {@code lenient} resolves those packages
     * anew with a warning, {@code strict} stops the build.
     */
    @Parameter(property = "hook.lock", defaultValue = "lenient")
    private String lockMode;

    /** Mirrors that are asked before a registry when images are pulled: {@code docker.io=mirror.example.org}, parted by commas. */
    @Parameter(property = "hook.registry.mirrors")
    private String registryMirrors;

    /** Registries that are asked over plain HTTP, parted by commas; those of this machine's loopback are anyhow. */
    @Parameter(property = "hook.registry.insecure")
    private String registryInsecure;

    @Inject
    private SettingsDecrypter settingsDecrypter;

    private Progress progress;

    /** The work of the goal; a {@link HookException} from it is the user's to mend. */
    protected abstract void run() throws Exception;

    @Override
    public final void execute() throws MojoExecutionException, MojoFailureException {
        try {
            run();
        } catch (HookException e) {
            // Maven appends what the causes say to the message, which is complete.
            throw session.getRequest().isShowErrors() || getLog().isDebugEnabled()
                    ? new MojoFailureException(e.getMessage(), e) : new MojoFailureException(e.getMessage());
        } catch (MojoFailureException | MojoExecutionException e) {
            throw e;
        } catch (Exception e) {
            throw new MojoExecutionException(e.getMessage() == null ? e.toString() : e.getMessage(), e);
        }
    }

    protected Cache cache() {
        if (cacheDir != null && !cacheDir.isBlank()) {
            return new Cache(Path.of(cacheDir));
        }
        return new Cache(CacheLocation.of(System.getProperties(), System.getenv()));
    }

    /** Where work says how far it is; one for the whole goal. */
    protected final Progress progress() {
        if (progress == null) {
            MavenExecutionRequest request = session.getRequest();
            boolean live = request.isInteractiveMode() && request.getDegreeOfConcurrency() <= 1 && System.console() != null
                    && !"dumb".equals(System.getenv("TERM"));
            progress = new MavenProgress(getLog(), live ? System.out : null, System::nanoTime);
        }
        return progress;
    }

    /** The network as Maven's settings and command line say: proxies and {@code -o}. */
    protected final NetworkSettings networkSettings() {
        return MavenNetwork.of(session, settingsDecrypter, progress());
    }

    /** Fetches files into the cache or anywhere else. */
    protected final Downloader downloader() {
        return new Downloader(cache(), networkSettings(), progress());
    }

    /**
     * Debian's packages.
     *
     * @param lockDirectory where the package locks of the caller's module are
     */
    protected final PackageSource packageSource(Path lockDirectory) throws IOException {
        Mirrors mirrors = Mirrors.of(debianMirror, debianSecurityMirror, debianSnapshot, Path.of("/etc/apt"));
        return new PackageSource(cache(), downloader(), mirrors, debianRelease, lockDirectory, LockMode.of(lockMode), progress());
    }

    /** What happens where a lock, or the lack of one, does not lead to exactly one file. */
    protected final LockMode lockMode() {
        return LockMode.of(lockMode);
    }

    /** Host tools out of Debian's packages; what they are unpacked from is locked by the plugin itself. */
    protected final Toolbox toolbox() {
        return new Toolbox(cache(), this::packageSource, progress());
    }

    /** The images of a store; those that it lacks come from their registries. */
    protected final StoreImages images(ImageStore store) {
        Registry registry = registry(store);
        return new StoreImages(store, registry::pull);
    }

    /** The registries, with Docker's credentials. */
    protected final Registry registry(ImageStore store) {
        return registry(store, networkSettings());
    }

    /** The same for a question that can do without an answer. */
    protected final Registry impatientRegistry(ImageStore store) {
        return registry(store, networkSettings().withRetries(1, Duration.ofMillis(100), Duration.ofSeconds(1), Duration.ofSeconds(5)));
    }

    private Registry registry(ImageStore store, NetworkSettings network) {
        RegistrySettings settings = RegistrySettings.of(network, System.getenv())
                .withMirrors(mirrors(registryMirrors))
                .withInsecure(registryInsecure == null ? Set.of() : Set.of(registryInsecure.trim().split("\\s*,\\s*")));
        return new Registry(store, settings, progress());
    }

    /** {@code docker.io=mirror.example.org,ghcr.io=mirror.example.org}; several mirrors of a registry are asked in that order. */
    static Map<String, List<String>> mirrors(String text) {
        Map<String, List<String>> mirrors = new LinkedHashMap<>();
        if (text == null || text.isBlank()) {
            return mirrors;
        }
        for (String item : text.trim().split("\\s*,\\s*")) {
            String[] pair = item.split("=", 2);
            if (pair.length != 2 || pair[0].isBlank() || pair[1].isBlank()) {
                throw new HookException("hook.registry.mirrors is '" + text + "'; allowed: registry=mirror pairs parted by commas, such as "
                        + "docker.io=mirror.example.org");
            }
            mirrors.computeIfAbsent(pair[0].trim(), host -> new ArrayList<>()).add(pair[1].trim());
        }
        return mirrors;
    }
}
