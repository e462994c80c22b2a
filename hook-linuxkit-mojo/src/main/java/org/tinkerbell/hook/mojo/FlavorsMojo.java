package org.tinkerbell.hook.mojo;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.tinkerbell.hook.flavor.Flavor;
import org.tinkerbell.hook.flavor.Kernel;
import org.tinkerbell.hook.io.HookException;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Prints the inventory of flavors: a table, or JSON for release pipelines. */
@Mojo(name = "flavors", aggregator = true, threadSafe = true)
public final class FlavorsMojo extends AbstractFlavorMojo {
    /** {@code table} or {@code json}. */
    @Parameter(property = "hook.output", defaultValue = "table")
    private String output;

    @Override
    protected void run() throws IOException {
        List<Flavor> flavors = inventory().flavors();
        switch (output.toLowerCase(Locale.ROOT)) {
            // Straight to the standard output: with mvn -q nothing else is there, and a pipeline can read it.
            case "json" -> System.out.println(json(flavors));
            case "table" -> System.out.print(table(flavors));
            default -> throw new HookException("hook.output is '" + output + "'; allowed: table, json");
        }
    }

    static String table(List<Flavor> flavors) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("FLAVOR", "ARCH", "KERNEL", "TEMPLATE", "TAGS", "ISO", "FILES", "DESCRIPTION"));
        for (Flavor f : flavors) {
            rows.add(List.of(f.id(), f.arch().kernelName(), kernel(f.kernel()), f.template(), String.join(" ", f.tags()), f.iso() ? "yes" : "",
                    "hook_" + f.outputId() + ".tar.gz", f.description()));
        }
        int columns = rows.get(0).size();
        int[] widths = new int[columns];
        rows.forEach(row -> {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        });
        StringBuilder text = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < columns; i++) {
                line.append(String.format(Locale.ROOT, "%-" + (widths[i] + 2) + "s", row.get(i)));
            }
            text.append(line.toString().stripTrailing()).append(System.lineSeparator());
        }
        return text.toString();
    }

    static String json(List<Flavor> flavors) {
        List<Map<String, Object>> list = new ArrayList<>();
        for (Flavor f : flavors) {
            Map<String, Object> kernel = new LinkedHashMap<>();
            kernel.put("method", f.kernel().method().id());
            f.kernel().of().ifPresent(v -> kernel.put("of", v));
            f.kernel().source().ifPresent(v -> kernel.put("source", v));
            f.kernel().series().ifPresent(v -> kernel.put("series", v));
            f.kernel().pointRelease().ifPresent(v -> kernel.put("pointRelease", v));
            f.kernel().config().ifPresent(v -> kernel.put("config", v));
            f.kernel().artifact().ifPresent(v -> kernel.put("artifact", v));
            f.kernel().version().ifPresent(v -> kernel.put("version", v));
            f.kernel().packageName().ifPresent(v -> kernel.put("package", v));
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("id", f.id());
            map.put("description", f.description());
            map.put("arch", f.arch().kernelName());
            map.put("dockerArch", f.arch().ociName());
            map.put("aliases", f.aliases());
            map.put("kernel", kernel);
            map.put("type", f.type());
            map.put("template", f.template());
            map.put("tags", f.tags());
            map.put("iso", f.iso());
            map.put("outputId", f.outputId());
            list.add(map);
        }
        return JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build().writeValueAsString(Map.of("flavors", list));
    }

    private static String kernel(Kernel kernel) {
        String source = kernel.of()
                .map(of -> "of " + of)
                .or(() -> kernel.series().map(series -> series + " " + kernel.config().orElse("")))
                .or(kernel::artifact)
                .or(kernel::packageName)
                .orElse("");
        return kernel.method().id() + ": " + source;
    }
}
