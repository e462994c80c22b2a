package org.tinkerbell.hook.media;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tinkerbell.hook.flavor.Arch;
import org.tinkerbell.hook.io.AtomicFile;
import org.tinkerbell.hook.io.Digest;
import org.tinkerbell.hook.io.Directories;
import org.tinkerbell.hook.io.HookException;
import org.tinkerbell.hook.io.Progress;
import org.tinkerbell.hook.toolbox.Tool;
import org.tinkerbell.hook.toolbox.ToolSet;
import org.tinkerbell.hook.toolbox.Toolbox;

/**
 * Makes an ISO that UEFI firmware boots, from a CD drive (a BMC's virtual one, mostly) or copied to a USB stick: LinuxKit's format
 * {@code iso-efi-initrd}. GRUB is in a FAT image, which is the boot image of El Torito and a partition of the GPT at once; kernel and
 * initramfs are files of the ISO. GRUB is Debian's for media, unsigned, so Secure Boot has to be off.
 *
 * <p>No root and no Docker is needed: xorriso and mtools come out of the toolbox, for whichever architecture the ISO is. The same inputs give
 * the same bytes.
 */
public final class EfiIso {
    /**
     * What stands at the end of the command line for Tinkerbell's server to overwrite while it hands the ISO out: it looks for these 1024
     * bytes in the file and puts the machine's parameters in their place (tinkerbell/tinkerbell, smee/internal/iso, {@code magicString};
     * upstream's LinuxKit template has them as the kernel's command line). To a kernel that is booted with it, it is a parameter that nobody
     * knows.
     */
    public static final String PLACEHOLDER = "464vn90e7rbj08xbwdjejmdf4it17c5zfzjyfhthbh19eij201hjgit021bmpdb9ctrc87x2ymc8e7icu4ffi15x1hah9iyaiz38ckyap8hwx2vt"
            + "5rm44ixv4hau8iw718q5yd019um5dt2xpqqa2rjtdypzr5v1gun8un110hhwp8cex7pqrh2ivh0ynpm4zkkwc8wcn367zyethzy7q8hzudyeyzx3"
            + "cgmxqbkh825gcak7kxzjbgjajwizryv7ec1xm2h0hh7pz29qmvtgfjj1vphpgq1zcbiiehv52wrjy9yq473d9t1rvryy6929nk435hfx55du3ih0"
            + "5kn5tju3vijreru1p6knc988d4gfdz28eragvryq5x8aibe5trxd0t6t7jwxkde34v6pj1khmp50k6qqj3nzgcfzabtgqkmeqhdedbvwf3byfdma"
            + "4nkv3rcxugaj2d0ru30pa2fqadjqrtjnv8bu52xzxv7irbhyvygygxu1nt5z4fh9w1vwbdcmagep26d298zknykf2e88kumt59ab7nq79d8amnhh"
            + "vbexgh48e8qc61vq2e9qkihzt1twk1ijfgw70nwizai15iqyted2dt9gfmf2gg7amzufre79hwqkddc1cd935ywacnkrnak6r7xzcz7zbmq3kt04"
            + "u2hg1iuupid8rt4nyrju51e6uejb2ruu36g9aibmz3hnmvazptu8x5tyxk820g2cdpxjdij766bt2n3djur7v623a2v44juyfgz80ekgfb9hkibp"
            + "xh3zgknw8a34t4jifhf116x15cei9hwch0fye3xyq0acuym8uhitu5evc4rag3ui0fny3qg4kju7zkfyy8hwh537urd5uixkzwu5bdvafz4jmv7i"
            + "mypj543xg5em8jk8cgk7c4504xdd5e4e71ihaumt6u5u2t1w7um92fepzae8p0vq93wdrd1756npu1pziiur1payc7kmdwyxg3hj5n4phxbc29x0"
            + "tcddamjrwt260b0w";

    /** Change it when the same inputs give another ISO. */
    private static final String FORMAT = "1";

    /** {@code COMMAND_LINE_SIZE} of x86 and arm64, with its closing zero byte. */
    private static final int MOST = 2048;

    /** FAT knows no time before 1980. */
    private static final long FIRST_TIME = 315_532_800;

    private static final int SECTOR = 512;
    // What FAT's own tables, the directories and GRUB's growth between two releases may take.
    private static final int SPARE_SECTORS = 512;

    private final Toolbox toolbox;
    private final Progress progress;

    /** A maker that takes its tools, and GRUB, from a toolbox. */
    public EfiIso(Toolbox toolbox, Progress progress) {
        this.toolbox = toolbox;
        this.progress = progress;
    }

    /**
     * What is on an ISO.
     *
     * @param arch architecture of the machines that boot it
     * @param title what GRUB's menu says
     * @param kernel the kernel
     * @param initramfs its initramfs
     * @param commandLine the kernel's parameters before {@link #PLACEHOLDER}
     * @param mtime time of everything on it, in seconds since 1970
     */
    public record Content(Arch arch, String title, Path kernel, Path initramfs, String commandLine, long mtime) {}

    /** Parameters that show the boot on the screen and on the first serial port. */
    public static String consoles(Arch arch) {
        return "console=tty0 console=" + (arch == Arch.AARCH64 ? "ttyAMA0" : "ttyS0") + ",115200";
    }

    /**
     * Writes the ISO, unless it is there from the same inputs.
     *
     * @return whether it was made now
     * @throws HookException if the command line cannot be handed on, or the host cannot run the tools
     */
    public boolean write(Content content, Path target) throws IOException, InterruptedException {
        String configuration = configuration(content);
        Path grub = grub(content.arch());
        Tool xorriso = toolbox.tool(ToolSet.IMAGES, "usr/bin/xorriso");
        String inputs = String.join("\n", FORMAT, content.arch().kernelName(), Digest.of(configuration).hex(), Digest.of(grub).hex(),
                xorriso.root().getFileName().toString(), Digest.of(content.kernel()).hex(), Digest.of(content.initramfs()).hex(),
                Long.toString(content.mtime())) + "\n";
        Path record = target.resolveSibling("." + target.getFileName() + ".inputs");
        if (Files.isRegularFile(target) && Files.exists(record) && Files.readString(record).equals(inputs + Digest.of(target).hex())) {
            return false;
        }
        Files.deleteIfExists(record);
        Files.createDirectories(target.toAbsolutePath().getParent());
        Path work = Files.createTempDirectory(target.toAbsolutePath().getParent(), ".iso");
        try (Progress.Task task = progress.start("Making " + target.getFileName(), -1, Progress.Unit.ITEMS)) {
            // https://reproducible-builds.org/specs/source-date-epoch/: both tools keep to it, xorriso for all but the times of files.
            String time = Long.toString(Math.max(content.mtime(), FIRST_TIME));
            Path fat = work.resolve("efi.img");
            writeFat(content.arch(), grub, time, fat);
            Path menu = Files.writeString(work.resolve("grub.cfg"), configuration);
            Path info = Files.writeString(work.resolve("info"), content.title() + "\n");
            Path iso = work.resolve("iso");
            List<String> arguments = new ArrayList<>(List.of("-as", "mkisofs", "-quiet", "-r", "-V", "HOOK", "-o", iso.toString(),
                    "--set_all_file_dates", "=" + time));
            // The one FAT image for CD drives and for sticks; GPT calls it an EFI system partition.
            arguments.addAll(List.of("-append_partition", "2", "0xef", fat.toString(), "-appended_part_as_gpt", "-partition_offset", "16",
                    "-e", "--interval:appended_partition_2:all::", "-no-emul-boot", "-graft-points"));
            // GRUB finds the medium by .disk/info.
            arguments.add("/.disk/info=" + info);
            arguments.add("/boot/grub/grub.cfg=" + menu);
            arguments.add("/boot/vmlinuz=" + content.kernel().toAbsolutePath());
            arguments.add("/boot/initramfs=" + content.initramfs().toAbsolutePath());
            xorriso.with("SOURCE_DATE_EPOCH", time).with("TZ", "UTC").run(arguments);
            task.advance(1);
            AtomicFile.make(target, temporary -> Files.move(iso, temporary));
            AtomicFile.write(record, inputs + Digest.of(target).hex());
            return true;
        } finally {
            Directories.delete(work);
        }
    }

    /** GRUB as Debian builds it for its own installation media: what it needs is in it, and it finds its menu on the medium. */
    private Path grub(Arch arch) throws IOException {
        boolean arm = arch == Arch.AARCH64;
        String path = "usr/lib/grub/" + (arm ? "arm64-efi/monolithic/gcdaa64.efi" : "x86_64-efi/monolithic/gcdx64.efi");
        Path file = toolbox.root(ToolSet.grub(arch)).resolve(path);
        if (!Files.isRegularFile(file)) {
            throw new HookException("GRUB's package has no " + path + " any more (looked for at " + file + ").");
        }
        return file;
    }

    /** The EFI system partition: {@code /EFI/BOOT/BOOTX64.EFI} or {@code BOOTAA64.EFI} (UEFI 2.10, 3.5.1.1). */
    private void writeFat(Arch arch, Path grub, String time, Path image) throws IOException, InterruptedException {
        Tool mtools = toolbox.tool(ToolSet.IMAGES, "usr/bin/mtools").with("SOURCE_DATE_EPOCH", time).with("TZ", "UTC")
                .with("MTOOLSRC", "/dev/null");
        // Whole tracks of the geometry that mformat assumes.
        long sectors = (Files.size(grub) / SECTOR + SPARE_SECTORS + 63) / 64 * 64;
        mtools.run("-c", "mformat", "-i", image.toString(), "-C", "-T", Long.toString(sectors), "-h", "2", "-s", "32", "-N", "484f4f4b",
                "-v", "HOOK-EFI", "::");
        mtools.run("-c", "mmd", "-i", image.toString(), "::/EFI", "::/EFI/BOOT");
        mtools.run("-c", "mcopy", "-i", image.toString(), grub.toString(),
                "::/EFI/BOOT/" + (arch == Arch.AARCH64 ? "BOOTAA64.EFI" : "BOOTX64.EFI"));
    }

    /** GRUB's menu, of one entry that is booted at once; Escape shows it, and e edits the command line. */
    static String configuration(Content content) {
        String commandLine = (content.commandLine().strip() + " " + PLACEHOLDER).strip();
        if (commandLine.length() >= MOST) {
            throw new HookException("The command line on the ISO is " + commandLine.length() + " bytes long with the " + PLACEHOLDER.length()
                    + " that Tinkerbell's server overwrites, and a kernel reads " + (MOST - 1) + ": shorten hook.iso.cmdline.");
        }
        return "set timeout=0\n"
                + "set gfxpayload=text\n"
                + "menuentry '" + content.title().replace("'", "") + "' {\n"
                + "    linux /boot/vmlinuz " + escaped(commandLine) + "\n"
                + "    initrd /boot/initramfs\n"
                + "}\n";
    }

    /** A command line in GRUB's language (GRUB manual, "Writing full configuration files directly", quoting). */
    private static String escaped(String commandLine) {
        StringBuilder escaped = new StringBuilder();
        for (char c : commandLine.toCharArray()) {
            if (c == '"' || c == '\'' || c == '\\' || c < ' ' || c > '~') {
                throw new HookException("hook.iso.cmdline has the character " + (c < ' ' || c > '~' ? String.format("U+%04X", (int) c) : "" + c)
                        + ", which GRUB does not hand on to the kernel as it is; printable ASCII without quotes and backslashes is good.");
            }
            if (!Character.isLetterOrDigit(c) && " _=.,:/@%+-".indexOf(c) < 0) {
                escaped.append('\\');
            }
            escaped.append(c);
        }
        return escaped.toString();
    }
}
