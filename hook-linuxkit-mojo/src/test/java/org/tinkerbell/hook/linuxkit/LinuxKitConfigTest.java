package org.tinkerbell.hook.linuxkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinkerbell.hook.io.HookException;

class LinuxKitConfigTest {
    private static LinuxKitConfig parse(String text) {
        return LinuxKitConfig.parse("x.yaml", text);
    }

    private static String problem(String text) {
        return assertThrows(HookException.class, () -> parse(text)).getMessage();
    }

    @Test
    void readsEverySection() {
        LinuxKitConfig config = parse("""
                kernel: {image: kernel:1, cmdline: a b}
                init: [init:1, b/runc:2]
                onboot: [{name: one, image: "one:1"}, {name: two, image: "localhost:5000/x/y:3"}]
                onshutdown: [{name: bye, image: "one:1"}]
                services: [{name: s, image: "ghcr.io/a/b@sha256:%s"}]
                volumes: [{name: v}, {name: w, image: w, format: oci, readonly: true, platforms: [linux/arm64]}]
                files: [{path: a, contents: b}]
                trust: {org: [x]}
                """.formatted("0".repeat(64)));
        assertEquals(List.of("docker.io/library/kernel:1", "docker.io/library/init:1", "docker.io/b/runc:2", "docker.io/library/w",
                        "docker.io/library/one:1", "localhost:5000/x/y:3", "ghcr.io/a/b@sha256:" + "0".repeat(64)),
                List.copyOf(config.images().keySet()));
        assertEquals(List.of("containers/onboot/000-one", "containers/onboot/001-two", "containers/onshutdown/000-bye", "containers/services/s"),
                config.containers().stream().map(LinuxKitConfig.Container::path).toList());
        assertEquals(Map.of("one", 100, "two", 101, "bye", 102, "s", 103), config.ids());
        assertEquals("kernel", config.kernel().orElseThrow().binary());
        assertEquals("kernel.tar", config.kernel().orElseThrow().tar());
        assertTrue(config.volumes().get(1).layout());
        assertTrue(config.hasTrust());
        assertEquals("x.yaml:3", config.source().at(config.containers().get(1).pointer()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "kernl: {}|x.yaml:1: kernl: there is no such key here; allowed: files, init, kernel, onboot, onshutdown, services, trust, volumes",
        "init: alpine|x.yaml:1: init: 'alpine' is not allowed; allowed: a list",
        "init: [a b]|x.yaml:1: init[0]: 'a b' is not the name of an image",
        "init: ['@pkg:./x']|x.yaml:1: init[0]: '@pkg:./x' is not the name of an image",
        "init: ['${HOOK_X}']|x.yaml:1: init[0]: '${HOOK_X}' is not the name of an image",
        "onboot: [{image: a}]|x.yaml:1: onboot[0]: the key 'name' is missing",
        "onboot: [{name: a/b, image: a}]|x.yaml:1: onboot[0].name: 'a/b' does not fit the pattern",
        "onboot: [{name: .., image: a}]|x.yaml:1: onboot[0].name: '..' does not fit the pattern",
        "services: [{name: a, image: b, readonly: 'yes'}]|x.yaml:1: services[0].readonly: 'yes' is not allowed; allowed: true or false",
        "services: [{name: a, image: b, runtime: {bindNs: {}}}]|x.yaml:1: services[0].runtime.bindNs: there is no such key here; allowed: bindNS",
        "services: [{name: a, image: b, resources: {memory: {limit: 1G}}}]|x.yaml:1: services[0].resources.memory.limit: '1G' is not allowed; allowed: a whole number",
        "services: [{name: a, image: b, sysctl: {a: 1}}]|x.yaml:1: services[0].sysctl.a: '1' is not allowed; allowed: a text",
        "services: [{name: a, image: b, uid: -1}]|x.yaml:1: services[0].uid: ",
        "volumes: [{image: a}]|x.yaml:1: volumes[0]: the key 'name' is missing",
        "files: [{path: a, mode: '0999'}]|x.yaml:1: files[0].mode: '0999' does not fit the pattern",
        "a: [|x.yaml:1: this is not valid YAML",
    })
    void namesFileLineAndKey(String text, String expected) {
        String message = problem(text);
        assertTrue(message.startsWith(expected), message);
    }

    @Test
    void tellsAllProblemsInTheOrderOfTheLines() {
        List<String> lines = problem("kernel:\n  imag: x\nservices:\n  - name: a\n    image: b\n    binds: /a:/b\n    colour: red\n").lines().toList();
        assertEquals(3, lines.size(), lines.toString());
        assertTrue(lines.get(0).startsWith("x.yaml:2: kernel.imag: "), lines.get(0));
        assertTrue(lines.get(1).startsWith("x.yaml:6: services[0].binds: "), lines.get(1));
        assertTrue(lines.get(2).startsWith("x.yaml:7: services[0].colour: "), lines.get(2));
    }
}
