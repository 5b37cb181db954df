/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scenarios/files.lua: the volume is made by mkfs.vfat, looked through by
 * fsck.vfat, and read by mtools. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shell.h"

#define COUNT   40 /* as the scenario says */
#define LONGEST 9000

/* As hv/guest/process/filework.c says. */
static uint8_t byte_of(unsigned n, unsigned at)
{
	return (uint8_t)(n * 31 + at * 7 + at / 256);
}

static void wants_pattern(const char *path, unsigned n)
{
	uint8_t bytes[LONGEST + 1];
	unsigned size = n * 977 % LONGEST + 1;
	int fd = open(path, O_RDONLY);

	cr_assert(fd >= 0, "%s is not there", path);
	cr_assert_eq(read(fd, bytes, sizeof(bytes)), (ssize_t)size, "%s", path);
	close(fd);
	for (unsigned at = 0; at < size; at++)
		cr_assert_eq(bytes[at], byte_of(n, at), "%s: byte %u", path,
			     at);
}

static const char *run(unsigned cpus, unsigned cut)
{
	const char *dir = scratch();

	wants(shell("cd %s && rm -rf * && mkfs.vfat -F 32 -C volume.img 34816 "
		    "&& "
		    "printf 'written by the host\n' >readme && "
		    "mcopy -i volume.img readme ::README.TXT",
		    dir),
	      0);
	wants(shell("%s run --out %s/run --set image=%s/volume.img "
		    "--set cpus=%u --set cut=%u %sfiles.lua",
		    PARTERRE, dir, dir, cpus, cut, SCENARIOS),
	      0);
	return dir;
}

/* What the workload made. */
static void wants_files(const char *dir)
{
	char path[512];

	for (unsigned n = 0; n < COUNT; n++) {
		snprintf(path, sizeof(path), "%s/made/a file of number %u", dir,
			 n);
		if (n % 3 == 0)
			cr_assert(access(path, F_OK) != 0, "%s was removed",
				  path);
		else
			wants_pattern(path, n);
		snprintf(path, sizeof(path),
			 n % 4 == 0 ? "%s/moved/%u.bin" : "%s/copy/%u", dir, n);
		wants_pattern(path, n);
	}
}

/* ... before anything else happened, and what was typed. */
static void wants_all_files(const char *dir)
{
	wants(shell("cd %s && mcopy -s -n -i run/disk.img ::made ::copy "
		    "::moved "
		    "::notes .",
		    dir),
	      0);
	wants_files(dir);
	says(shell("cat %s/notes/first-note.txt; ls %s/notes | wc -l", dir,
		   dir),
	     "the first note\nand one more line\n1\n");
}

static void outside(unsigned cpus)
{
	const char *dir = run(cpus, 0);
	struct output *o = shell("fsck.vfat -n -v %s/run/disk.img", dir);

	wants(o, 0);
	cr_assert(!strstr(o->text, "Dirty bit") && !strstr(o->text, "wrong") &&
			  !strstr(o->text, "differ"),
		  "%s", o->text);
	wants_all_files(dir);
	says(shell("mdir -b -i %s/run/disk.img ::", dir), "::/late/\n");
	says(shell("mdir -i %s/run/disk.img ::made", dir),
	     "2024-01-31   0:00  a file of number 1\n");
}

Test(files, s72_s74_what_the_host_finds)
{
	outside(1);
}

Test(files, s72_s74_what_the_host_finds_on_two_cpus)
{
	outside(2);
}

/* A guest is saved and restored elsewhere while it copies files and another one
 * sends it a stream: the host finds its files whole. */
Test(files, s56_while_it_copies_files_and_another_talks_to_it)
{
	const char *dir = scratch();

	wants(shell("cd %s && rm -rf * && mkfs.vfat -F 32 -C volume.img 34816",
		    dir),
	      0);
	wants(shell("%s run --quiet --trace partition --out %s/run "
		    "--set image=%s/volume.img --set cpus=2 %s",
		    PARTERRE, dir, dir, SOURCE_DIR "/tests/rows/s56-files.lua"),
	      0);
	wants(shell("fsck.vfat -n %s/run/disk.img && cd %s && "
		    "mcopy -s -n -i run/disk.img ::made ::copy ::moved .",
		    dir, dir),
	      0);
	wants_files(dir);
}

/* In the middle of more work: nothing that was synced is harmed, and a check
 * puts the rest right without a loss. */
Test(files, s79_after_a_power_cut)
{
	static const unsigned cuts[] = {90, 241};

	for (unsigned i = 0; i < 2; i++) {
		const char *dir = run(1, cuts[i]);
		struct output *o = shell("fsck.vfat -n %s/run/disk.img", dir);

		cr_assert(strstr(o->text, "Dirty bit") &&
				  !strstr(o->text, "share") &&
				  !strstr(o->text, "ontains a free") &&
				  !strstr(o->text, "tarts with") &&
				  !strstr(o->text, "Bad"),
			  "%s", o->text);
		wants_all_files(dir);
	}
}
