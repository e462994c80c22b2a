package org.tinkerbell.hook.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.tree.Content;
import org.tinkerbell.hook.tree.Entry;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

class ModuleSelectionTest {
    // A module with a .modinfo and nothing else (elf(5)).
    private static byte[] elf(String depends) {
        byte[] names = "\0.modinfo\0.shstrtab\0".getBytes(StandardCharsets.US_ASCII);
        byte[] info = ("license=GPL\0\0\0depends=" + depends + "\0name=x\0").getBytes(StandardCharsets.US_ASCII);
        ByteBuffer file = ByteBuffer.allocate(64 + names.length + info.length + 3 * 64).order(ByteOrder.LITTLE_ENDIAN);
        int sections = 64 + names.length + info.length;
        file.putInt(0, 0x464c457f).put(4, (byte) 2).put(5, (byte) 1);
        file.putLong(40, sections).putShort(58, (short) 64).putShort(60, (short) 3).putShort(62, (short) 2);
        file.put(64, names).put(64 + names.length, info);
        file.putInt(sections + 64, 1).putLong(sections + 64 + 24, 64 + names.length).putLong(sections + 64 + 32, info.length);
        file.putInt(sections + 128, 10).putLong(sections + 128 + 24, 64).putLong(sections + 128 + 32, names.length);
        return file.array();
    }

    private static Entry module(String path, String depends) throws IOException {
        byte[] bytes = elf(depends);
        if (path.endsWith(".xz")) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            try (XZOutputStream xz = new XZOutputStream(out, new LZMA2Options(0))) {
                xz.write(bytes);
            }
            bytes = out.toByteArray();
        }
        return Entry.file("kernel/" + path, 0644, Content.of(bytes));
    }

    private static List<Entry> kernel() throws IOException {
        return List.of(
                module("sound/snd.ko.xz", ""),
                module("drivers/gnss/gnss.ko.xz", ""),
                module("drivers/net/ice.ko.xz", "gnss,net-core"),
                module("drivers/net/net_core.ko", ""),
                module("drivers/hid/hid-piano.ko", "snd"),
                module("drivers/hid/hid-grand-piano.ko", "hid_piano"),
                Entry.file("modules.order", 0644, Content.of("kernel/sound/snd.ko\n")));
    }

    private static Set<String> kept(ModuleSelection selection) {
        return new TreeSet<>(selection.kept().stream().map(Entry::name).toList());
    }

    @Test
    void leavesOutWhatIsNamedAndWhatNeedsIt() throws IOException {
        ModuleSelection selection = ModuleSelection.of(kernel(), List.of("sound/**", "nothing/**"), List.of());
        assertEquals(Set.of("gnss.ko.xz", "ice.ko.xz", "net_core.ko", "modules.order"), kept(selection));
        assertEquals("hid_piano", selection.dependents().get("drivers/hid/hid-grand-piano.ko"));
        assertEquals(List.of("nothing/**"), selection.idle());
    }

    @Test
    void keepsWithAllThatIsNeeded() throws IOException {
        ModuleSelection selection = ModuleSelection.of(kernel(), List.of("**"), List.of("drivers/net/ice*"));
        assertEquals(Set.of("gnss.ko.xz", "ice.ko.xz", "net_core.ko", "modules.order"), kept(selection));
        assertTrue(kept(ModuleSelection.of(kernel(), List.of("drivers/gnss/**"), List.of())).stream().noneMatch("ice.ko.xz"::equals),
                "what is not to be kept goes with what it needs");
    }

    @Test
    void leavesNothingThatCannotBeLoaded() throws IOException {
        for (String glob : List.of("sound/**", "drivers/gnss/**", "drivers/net/net_core*", "drivers/hid/hid-piano*")) {
            ModuleSelection selection = ModuleSelection.of(kernel(), List.of(glob), List.of());
            Set<String> names = new HashSet<>();
            List<Entry> modules = selection.kept().stream().filter(e -> ModuleInfo.isModule(e.path())).toList();
            modules.forEach(e -> names.add(ModuleInfo.name(e.path())));
            for (Entry entry : modules) {
                assertTrue(names.containsAll(ModuleInfo.read(entry).depends()), entry.path());
            }
        }
    }

    @Test
    void saysWhichModuleIsDamaged() throws IOException {
        Entry cut = Entry.file("kernel/a.ko", 0644, Content.of(Arrays.copyOf(elf(""), 100)));
        assertTrue(assertThrows(IOException.class, () -> ModuleSelection.of(List.of(cut), List.of(),
                List.of())).getMessage().contains("kernel/a.ko"));
        Entry text = Entry.file("kernel/b.ko.xz", 0644, Content.of("no xz"));
        assertTrue(assertThrows(IOException.class, () -> ModuleInfo.read(text)).getMessage().contains("kernel/b.ko.xz"));
        assertTrue(assertThrows(HookException.class, () -> ModuleSelection.of(kernel(), List.of("a{b"),
                List.of())).getMessage().contains("a{b"));
    }
}
