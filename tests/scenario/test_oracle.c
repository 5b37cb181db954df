/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The same bytes under QEMU: each partition prints the same, and the disk holds
 * the same. */
#include <stdio.h>
#include <string.h>

#include "shell.h"

#define QEMU_RUN  SOURCE_DIR "/tests/oracle/qemu-run " BUILD_DIR "/hv "
#define NORMALISE SOURCE_DIR "/tests/oracle/console-normalise "

/* `filter`: what is left of the order of lines. */
static void same_under_qemu(const char *scenario, const char *policy,
			    const char *filter, unsigned cpus)
{
	char option[24] = "";

	struct output *o;

	if (cpus > 1)
		snprintf(option, sizeof(option), "--set cpus=%u", cpus);
	wants(shell(PARTERRE " run --quiet --out %s/ours %s " CASES "%s.lua",
		    scratch(), option, scenario),
	      0);
	o = shell(QEMU_RUN "%s %s/qemu '' %u", policy, scratch(), cpus);
	wants(o, 0);
	cr_assert_str_eq(o->text, "0\n");
	shell(NORMALISE "%s/ours/console.txt | %s >%s/a", scratch(), filter,
	      scratch());
	shell(NORMALISE "%s/qemu/serial.txt | %s >%s/b", scratch(), filter,
	      scratch());
	wants(shell("diff %s/a %s/b", scratch(), scratch()), 0);
	wants(shell("grep -q 'guest: stream 1' %s/a", scratch()), 0);
	/* What our guests were told, and what QEMU's disk holds. */
	o = shell(PARTERRE " oracle %s/qemu/disk.img %s/ours/trace", scratch(),
		  scratch());
	wants(o, 0);
	says(o, "lost 0, doubled 0, torn 0, out of order 0");
	wants(shell("cmp %s/qemu/disk.img %s/ours/disk.img", scratch(),
		    scratch()),
	      0);
}

Test(qemu, one_guest_line_for_line)
{
	same_under_qemu("one-guest",
			SOURCE_DIR "/scenarios/policy/quickstart.policy", "cat",
			1);
}

/* Which guest ends first is timing, and so is the order in which those who look
 * after both tell of it.  Everyone else's lines keep theirs. */
#define IN_ORDER                                                               \
	"awk '$1 !~ /command|operations|ultravisor/ "                          \
	"{ $1 = sprintf(\"%s %04d\", $1, ++n[$1]) } { print }' | LC_ALL=C "    \
	"sort"

Test(qemu, two_guests)
{
	same_under_qemu("two-guests",
			SOURCE_DIR "/tests/oracle/two-guests.policy", IN_ORDER,
			1);
}

Test(qemu, two_guests_on_two_cpus)
{
	same_under_qemu("two-guests",
			SOURCE_DIR "/tests/oracle/two-guests.policy", IN_ORDER,
			2);
}

Test(qemu, two_guests_on_four_cpus)
{
	same_under_qemu("two-guests",
			SOURCE_DIR "/tests/oracle/two-guests.policy", IN_ORDER,
			4);
}

/* A guest is saved and restored twice while it works, there too; what our
 * guests were told in a run of the same policy, QEMU's disk holds. */
Test(qemu, s56_saved_and_restored, .timeout = 200)
{
	wants(shell(PARTERRE " run --quiet --trace partition --out %s/ours "
			     "--set cpus=1 " SOURCE_DIR
			     "/scenarios/move-guest.lua",
		    scratch()),
	      0);
	for (unsigned cpus = 1; cpus <= 4; cpus *= 2) {
		struct output *o = shell(
			SOURCE_DIR
			"/tests/oracle/qemu-operator " BUILD_DIR
			"/hv " SOURCE_DIR "/tests/oracle/move.policy "
			"%s/qemu %u <" SOURCE_DIR "/tests/oracle/move.script",
			scratch(), cpus);

		wants(o, 0);
		cr_assert_str_eq(o->text, "0\n");
		/* How much is under way at the save goes by the host's time. */
		wants(shell("test $(grep -c '600 verified, [0-9]* replayed, "
			    "0 errors' %s/qemu/serial.txt) = 2 && "
			    "test $(grep -c 'guest1 restored' "
			    "%s/qemu/serial.txt) = 2",
			    scratch(), scratch()),
		      0);
		o = shell(PARTERRE " oracle %s/qemu/disk.img %s/ours/trace",
			  scratch(), scratch());
		wants(o, 0);
		says(o, "lost 0, doubled 0, torn 0, out of order 0");
	}
}

/* One line more in a console is seen. */
Test(qemu, negative_control_another_policy)
{
	wants(shell(PARTERRE " run --quiet --out %s/ours " CASES
			     "two-guests.lua",
		    scratch()),
	      0);
	wants(shell(QEMU_RUN SOURCE_DIR
		    "/scenarios/policy/quickstart.policy %s/qemu",
		    scratch()),
	      0);
	shell(NORMALISE "%s/ours/console.txt >%s/a", scratch(), scratch());
	shell(NORMALISE "%s/qemu/serial.txt >%s/b", scratch(), scratch());
	wants(shell("diff %s/a %s/b", scratch(), scratch()), 1);
	wants(shell(PARTERRE " oracle %s/qemu/disk.img %s/ours/trace",
		    scratch(), scratch()),
	      5);
}
