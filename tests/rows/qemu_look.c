/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

const char *edited(const char *policy, const char *script)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/edited.policy", scratch());
	wants(shell("sed '%s' " ROWS "policy/%s.policy >%s", script, policy,
		    path),
	      0);
	return path;
}

void boot_work(unsigned cpus)
{
	qemu_boot(WORK, cpus);
	qemu_wait("records to 64 blocks", 2);
}

void work_ends(void)
{
	qemu_wait("stream 1: 1500 written", 1);
	qemu_wait("stream 2: 1500 written", 1);
	cr_assert(strstr(qemu_console(), ", 0 errors"));
}

void operator_says(const char *line, const char *answer, unsigned times)
{
	qemu_type(line);
	qemu_wait(answer, times);
}

static const char *look(const char *who, const char *what)
{
	char options[160];

	snprintf(options, sizeof(options), "--set who=%s --set %s", who, what);
	return qemu_look("look", options);
}

uint64_t where(const char *who, const char *what)
{
	return number_in(look(who, what), " at ");
}

const char *line_of(const char *looked, const char *who)
{
	static char line[300];
	char begin[40];
	const char *at;

	snprintf(begin, sizeof(begin), "partition %s ", who);
	at = strstr(looked, begin);
	cr_assert(at, "no %s in:\n%s", who, looked);
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	return line;
}

unsigned long long number_in(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	cr_assert(at, "no %s in %s", key, line);
	return strtoull(at + strlen(key), NULL, 0);
}

struct place function_of(const char *who, const char *name)
{
	char symbol[64];
	const char *looked;

	snprintf(symbol, sizeof(symbol), "symbol=%s", name);
	looked = look(who, symbol);
	return (struct place){
		.va = number_in(looked, " of va "),
		.pa = number_in(looked, " at "),
		.cr3 = number_in(line_of(looked, who), " cr3 "),
	};
}

uint64_t monitor_function(const char *name)
{
	struct output *o = shell("nm " BUILD_DIR "/hv/ultravisor.elf | "
				 "awk '$3 == \"%s\" { print \"0x\" $1 }'",
				 name);

	wants(o, 0);
	return number_in(o->text, "");
}

void plant(const char *who, const void *bytes, size_t count)
{
	uint64_t pa = where(who, "symbol=log_flush");

	qemu_write(pa, bytes, count);
	qemu_go();
}

void kill_partition(const char *who)
{
	plant(who, "\x06", 1);
}
