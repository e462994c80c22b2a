package org.tinkerbell.hook.mojo;

import java.util.Map;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.model.Plugin;
import org.apache.maven.plugin.BuildPluginManager;
import org.apache.maven.plugin.MojoExecution;
import org.apache.maven.plugin.descriptor.MojoDescriptor;
import org.apache.maven.project.MavenProject;
import org.codehaus.plexus.util.xml.Xpp3Dom;
import org.tinkerbell.hook.io.HookException;

/** fabric8's docker-maven-plugin, whose goals are run from within ours, with the Docker engine that it finds. */
final class DockerPlugin {
    static final String NAME = "io.fabric8:docker-maven-plugin";

    private final MavenSession session;
    private final MavenProject project;
    private final BuildPluginManager plugins;

    /**
     * The plugin.
     *
     * @param project whose plugin management has the plugin's version
     */
    DockerPlugin(MavenSession session, MavenProject project, BuildPluginManager plugins) {
        this.session = session;
        this.project = project;
        this.plugins = plugins;
    }

    /** A goal that failed; the message is that of the first cause. */
    static final class Failure extends Exception {
        private static final long serialVersionUID = 1;

        private Failure(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * Runs a goal.
     *
     * @param goal such as {@code build}
     * @param wanted its configuration; what the goal has no parameter for is left out, and what is not given has its defaults
     * @throws Failure if it fails
     */
    void run(String goal, Xpp3Dom wanted) throws Failure {
        Plugin managed = project.getPluginManagement().getPluginsAsMap().get(NAME);
        if (managed == null) {
            throw new HookException("The project's pluginManagement has no " + NAME + ", by which Hook speaks to a Docker engine.");
        }
        // Without the project's own configuration and executions of it.
        Plugin plugin = new Plugin();
        plugin.setGroupId(managed.getGroupId());
        plugin.setArtifactId(managed.getArtifactId());
        plugin.setVersion(managed.getVersion());
        try {
            MojoDescriptor mojo = plugins.getMojoDescriptor(plugin, goal, project.getRemotePluginRepositories(), session.getRepositorySession());
            Xpp3Dom known = new Xpp3Dom("configuration");
            for (Xpp3Dom each : wanted.getChildren()) {
                if (mojo.getParameterMap().containsKey(each.getName())) {
                    known.addChild(each);
                }
            }
            plugins.executeMojo(session, new MojoExecution(mojo, Xpp3Dom.mergeXpp3Dom(known, defaults(mojo))));
        } catch (HookException e) {
            throw e;
        } catch (Exception e) {
            Throwable cause = e;
            while (cause.getCause() != null && cause.getCause() != cause) {
                cause = cause.getCause();
            }
            throw new Failure("docker:" + goal + " failed: " + cause.getMessage(), e);
        }
    }

    /** The configuration of goals that work on one image. */
    static Xpp3Dom configuration() {
        return new Xpp3Dom("configuration");
    }

    /** Adds an element. */
    static Xpp3Dom child(Xpp3Dom parent, String name) {
        Xpp3Dom child = new Xpp3Dom(name);
        parent.addChild(child);
        return child;
    }

    /** Adds an element with a text. */
    static void child(Xpp3Dom parent, String name, String text) {
        child(parent, name).setValue(text);
    }

    /** Adds an element with one below it for each entry. */
    static void children(Xpp3Dom parent, String name, Map<String, String> entries) {
        Xpp3Dom child = child(parent, name);
        entries.forEach((key, value) -> child(child, key, value));
    }

    private static Xpp3Dom defaults(MojoDescriptor mojo) {
        Xpp3Dom defaults = new Xpp3Dom("configuration");
        for (var each : mojo.getMojoConfiguration().getChildren()) {
            Xpp3Dom copy = child(defaults, each.getName());
            copy.setValue(each.getValue(null));
            for (String attribute : each.getAttributeNames()) {
                copy.setAttribute(attribute, each.getAttribute(attribute, null));
            }
        }
        return defaults;
    }
}
