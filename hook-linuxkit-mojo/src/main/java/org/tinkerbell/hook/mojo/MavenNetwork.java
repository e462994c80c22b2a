package org.tinkerbell.hook.mojo;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.settings.Proxy;
import org.apache.maven.settings.building.SettingsProblem;
import org.apache.maven.settings.crypto.DefaultSettingsDecryptionRequest;
import org.apache.maven.settings.crypto.SettingsDecrypter;
import org.apache.maven.settings.crypto.SettingsDecryptionResult;
import org.tinkerbell.hook.io.NetworkSettings;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.io.ProxySettings;

/** The network as Maven is told to use it. */
final class MavenNetwork {
    private MavenNetwork() {}

    /** The active proxies of the settings, with their passwords decrypted, and whether Maven is offline. */
    static NetworkSettings of(MavenSession session, SettingsDecrypter decrypter, Progress progress) {
        List<ProxySettings> proxies = new ArrayList<>();
        for (Proxy proxy : session.getSettings().getProxies()) {
            if (proxy.isActive() && proxy.getHost() != null) {
                SettingsDecryptionResult result = decrypter.decrypt(new DefaultSettingsDecryptionRequest(proxy));
                for (SettingsProblem problem : result.getProblems()) {
                    progress.warn("The password of the proxy " + proxy.getHost() + " cannot be decrypted: " + problem.getMessage());
                }
                proxies.add(of(result.getProxy()));
            }
        }
        return NetworkSettings.defaults().withProxies(proxies).withOffline(session.isOffline());
    }

    /** A proxy of the settings; hosts that it is not for are parted by {@code |}, in old settings by commas. */
    static ProxySettings of(Proxy proxy) {
        String excluded = proxy.getNonProxyHosts() == null ? "" : proxy.getNonProxyHosts();
        String user = proxy.getUsername() == null || proxy.getUsername().isBlank() ? null : proxy.getUsername();
        return new ProxySettings(proxy.getProtocol(), proxy.getHost(), proxy.getPort(), user, proxy.getPassword(),
                Arrays.stream(excluded.split("[|,]")).map(String::trim).filter(pattern -> !pattern.isEmpty()).toList());
    }
}
