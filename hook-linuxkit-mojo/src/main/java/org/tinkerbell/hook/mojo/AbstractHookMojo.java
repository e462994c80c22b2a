package org.tinkerbell.hook.mojo;

import java.nio.file.Path;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Parameter;
import org.tinkerbell.hook.io.Cache;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;

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

    /** The work of the goal; a {@link HookException} from it is the user's to mend. */
    protected abstract void run() throws Exception;

    @Override
    public final void execute() throws MojoExecutionException, MojoFailureException {
        try {
            run();
        } catch (HookException e) {
            throw new MojoFailureException(e.getMessage(), e);
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

    protected Progress progress() {
        return new MavenProgress(getLog());
    }
}
