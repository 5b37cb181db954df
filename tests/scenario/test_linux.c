/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debian's own kernels (tools/fetch-linux), on one CPU and on several. */
#include <stdio.h>
#include <string.h>

#include "shell.h"

#define LINUX    SCENARIOS "linux.lua"
#define RUN      PARTERRE " run --quiet --trace none --out %s/out "
#define EXPECTED SOURCE_DIR "/docs/linux.md"
#define KERNELS  SOURCE_DIR "/build/linux/"

/* Whoever runs this alone is told what to do first. */
static void needs_kernels(void)
{
	wants(shell("test -e " KERNELS "made-amd64 || "
		    "{ echo 'tools/fetch-linux first'; false; }"),
	      0);
}

static void boots(const char *flavour, unsigned cpus)
{
	struct output *o;

	needs_kernels();
	o = shell(RUN "--set flavour=%s --set cpus=%u " LINUX, scratch(),
		  flavour, cpus);
	wants(o, 0);
	wants(shell("grep -q '^init: %u processors' %s/out/console.txt", cpus,
		    scratch()),
	      0);

	/* It says what it says in QEMU, but for what is explained.  Some of it,
	 * about the TSC, comes a second later: QEMU's clock is the host's. */
	wants(shell("qemu-system-x86_64 -machine q35 -smp %u -m 512 "
		    "-cpu Nehalem,family=6,model=54,stepping=1 "
		    "-nic none -vga std -nographic -no-reboot "
		    "-drive file=%s/out/disk.img,format=raw,if=none,id=d "
		    "-device nvme,drive=d,serial=1 "
		    "-kernel " KERNELS "vmlinuz-%s "
		    "-initrd " KERNELS "initramfs-%s.img "
		    "-append 'console=ttyS0,115200 "
		    "run=\"sleep 3; poweroff -f\"' "
		    "</dev/null >%s/qemu.txt",
		    cpus, scratch(), flavour, flavour, scratch()),
	      0);
	wants(shell(CASES "linux-log.sh " EXPECTED
			  " %s/out/console.txt %s/qemu.txt",
		    scratch(), scratch()),
	      0);
}

Test(debian, cloud_1)
{
	boots("cloud-amd64", 1);
}

Test(debian, amd64_2)
{
	boots("amd64", 2);
}

/* Straight on, in random pieces, built by another compiler. */
Test(debian, cloud_4_is_the_same_however_it_is_run)
{
	static const char *const with[][2] = {
		{PARTERRE, "--pieces 1"},
		{SOURCE_DIR "/build/fast-clang/tools/parterre", ""},
	};
	struct fingerprint a, b;

	needs_kernels();
	a = run_fingerprint(PARTERRE, "--trace none --set cpus=4", LINUX);
	for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
		char options[80];

		snprintf(options, sizeof(options),
			 "--trace none --set cpus=4 %s", with[i][1]);
		b = run_fingerprint(with[i][0], options, LINUX);
		same_fingerprint(&a, &b);
	}
}

/* Its functions have names although its file has none, wherever it put itself:
 * the cycles of some are those that they have by what the guest itself says of
 * its symbols. */
Test(debian, cycles_by_function)
{
	static const char boot[] =
		RUN "--cycles --set symbols=%s --set \"run=grep -A4 -E "
		    "' [tT] (vsnprintf|format_decode|__d_lookup_rcu)\\$' "
		    "/proc/kallsyms; poweroff -f\" " LINUX;

	needs_kernels();
	for (unsigned i = 0; i < 2; i++) {
		char told[128] = "";

		if (i)
			snprintf(told, sizeof(told), "%s/told", scratch());
		wants(shell(boot, scratch(), told), 0);
		wants(shell("cd %s && grep -E '^stack machine kernel "
			    "(vsnprintf|format_decode|__d_lookup_rcu) ' "
			    "out/cycles.txt >stacks%u && "
			    "test $(wc -l <stacks%u) = 3 && "
			    "grep ^digest out/result >digest%u",
			    scratch(), i, i, i),
		      0);
		if (i)
			break;
		/* Most of the kernel's cycles have a name. */
		wants(shell("awk '/^stack machine kernel/ { for (i = 5; "
			    "i <= NF; i++) { s[$4 ~ /^0x/] += $i } } "
			    "END { print s[0] / (s[0] + s[1]); "
			    "exit s[0] < 9 * s[1] }' %s/out/cycles.txt",
			    scratch()),
		      0);
		wants(shell("tr -d '\\r' <%s/out/console.txt | "
			    "grep -E '^[0-9a-f]{16} [A-Za-z] [^ ]+$' >%s/told "
			    "&& "
			    "grep -q ' vsnprintf$' %s/told",
			    scratch(), scratch(), scratch()),
		      0);
	}
	wants(shell("cd %s && cmp stacks0 stacks1 && cmp digest0 digest1",
		    scratch()),
	      0);
}

/* Its time by ring is the report's, under the same name; programs have some. */
Test(debian, time_by_ring)
{
	needs_kernels();
	wants(shell(PARTERRE " run --quiet --out %s/out " LINUX " && " PARTERRE
			     " report %s/out",
		    scratch(), scratch()),
	      0);
	wants(shell(PARTERRE
		    " trace stat --json %s/out/trace | jq -r '.time[] | "
		    "\"\\(.ring3_us) \\(.ring0_us) \\(.partition)\"' | { "
		    "read -r us zero name && test $us -gt 0 && "
		    "test \"$name\" = machine && ! read -r more && "
		    "grep -E \"span>machine</td><td class=.n.>$us\\."
		    "[0-9]+</td><td class=.n.>$zero\\.\" "
		    "%s/out/report.html; }",
		    scratch(), scratch()),
	      0);
}

/* A file system made here is written there, and is clean afterwards. */
Test(debian, disk)
{
	needs_kernels();
	wants(shell("mkdir %s/files && echo 'from the host' >%s/files/a && "
		    "/sbin/mkfs.ext4 -q -d %s/files %s/ext4.img 64M",
		    scratch(), scratch(), scratch(), scratch()),
	      0);
	wants(shell(RUN "--set cpus=2 --set disk=%s/ext4.img --set run='"
			"mount /dev/nvme0n1 /mnt && cat /mnt/a && "
			"cp -r /bin /mnt && umount /mnt && "
			"mount /dev/nvme0n1 /mnt && "
			"cd /mnt/bin && sha256sum busybox >../sum && "
			"cd / && umount /mnt && poweroff -f' " LINUX,
		    scratch(), scratch()),
	      0);
	wants(shell("grep -q '^from the host' %s/out/console.txt", scratch()),
	      0);
	wants(shell("/sbin/fsck.ext4 -fn %s/out/disk.img", scratch()), 0);
	wants(shell("cd %s && for f in sum bin/busybox; do "
		    "/sbin/debugfs -R \"dump $f ${f#bin/}\" out/disk.img; "
		    "done 2>log && sha256sum -c sum",
		    scratch()),
	      0);
}

/* Its DMA goes by tables that it keeps itself; none is refused. */
Test(debian, behind_an_iommu)
{
	needs_kernels();
	wants(shell("/sbin/mke2fs -qF -t ext4 %s/ext4.img 64M", scratch()), 0);
	wants(shell(PARTERRE
		    " run --quiet --out %s/out --set iommu=true "
		    "--set words=intel_iommu=on --set disk=%s/ext4.img "
		    "--set run='mount /dev/nvme0n1 /mnt && cp -r /bin /mnt && "
		    "umount /mnt && dmesg && poweroff -f' " LINUX,
		    scratch(), scratch()),
	      0);
	wants(shell("grep -q 'dmar0: Using Queued invalidation' "
		    "%s/out/console.txt && "
		    "grep -q '00:02.0: Adding to iommu group' "
		    "%s/out/console.txt",
		    scratch(), scratch()),
	      0);
	wants(shell("/sbin/fsck.ext4 -fn %s/out/disk.img", scratch()), 0);
	wants(shell(PARTERRE " trace --count %s/out/trace | grep dma_fault",
		    scratch()),
	      1);
}

/* The same, with a virtio disk; and bytes from the entropy device. */
Test(debian, virtio)
{
	needs_kernels();
	wants(shell(RUN CASES "linux-virtio.lua", scratch()), 0);
	wants(shell("grep -q '^virtio_rng.0' %s/out/console.txt && "
		    "grep -q '^ *2 [0-9a-f]*' %s/out/console.txt && "
		    "! grep 'rror' %s/out/console.txt",
		    scratch(), scratch(), scratch()),
	      0);
	wants(shell("/sbin/fsck.ext4 -fn %s/out/virtio.img", scratch()), 0);
}

/* Two machines on a switch; what they sent, read by another program; and in
 * random pieces it is the same. */
Test(debian, ping)
{
	struct fingerprint a, b;

	needs_kernels();
	a = run_fingerprint(PARTERRE, "--trace machine",
			    SCENARIOS "linux-ping.lua");
	wants(shell("tcpdump -r %s/run/network.pcap icmp 2>/dev/null | "
		    "awk '/echo (request|reply)/ { n++ } END { exit n != 12 }'",
		    scratch()),
	      0);
	/* Each machine's trace has them as well. */
	wants(shell(PARTERRE " trace export --pcap -o %s/pcap %s/run/trace && "
			     "tcpdump -r %s/pcap icmp 2>/dev/null | "
			     "awk '/echo (request|reply)/ { n++ } "
			     "END { exit n != 12 }'",
		    scratch(), scratch(), scratch()),
	      0);
	b = run_fingerprint(PARTERRE, "--trace machine --pieces 3",
			    SCENARIOS "linux-ping.lua");
	same_fingerprint(&a, &b);
}

/* --- the options that came with them --- */

/* MOV AL, n; OUT F4h, AL at the reset vector. */
static void make_rom(unsigned n)
{
	wants(shell("{ head -c 65520 /dev/zero; "
		    "printf '\\260\\%03o\\346\\364\\364'; "
		    "head -c 11 /dev/zero; } >%s/rom",
		    n, scratch()),
	      0);
}

Test(options, parameters)
{
	struct output *o;

	make_rom(0);
	o = shell(RUN "--set cpu=2 --firmware %s/rom " LINUX, scratch(),
		  scratch());
	wants(o, 2);
	says(o, "--set cpu=2: ");
	says(o, "has no such parameter");
	o = shell(RUN "--set cpus=two " LINUX, scratch());
	wants(o, 2);
	says(o, "--set cpus=two: give a number");
	wants(shell(RUN "--set cpus " LINUX, scratch()), 2);
}

Test(options, firmware)
{
	struct output *o;

	make_rom(3);
	o = shell(PARTERRE " record --trace none --out %s/out -o %s/rec "
			   "--firmware %s/rom " LINUX,
		  scratch(), scratch(), scratch());
	wants(o, 1);
	says(o, "expected the code at the end to be 0, it is 3");
	wants(shell(PARTERRE " replay --out %s/out %s/rec", scratch(),
		    scratch()),
	      0);
	wants(shell("sh %s/out/command --quiet", scratch()), 1);
	wants(shell("printf x >>%s/rom", scratch()), 0);
	wants(shell(PARTERRE " replay --out %s/out %s/rec", scratch(),
		    scratch()),
	      2);
}
