/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/programs.c - see programs.h. */
#include "sim/programs.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"

#define KERNEL_HALF  UINT64_C(0xffff800000000000)
#define PROCESS_BASE UINT64_C(0x10000000) /* hv/guest/process/process.ld */
#define PROCESS_END  UINT64_C(0x20000000)

struct programs {
	struct symbols *symbols[PROGRAMS_MAX];
	struct symbols *process;
};

struct programs *programs_create(void)
{
	struct programs *p = calloc(1, sizeof(*p));

	CHECK(p);
	return p;
}

void programs_free(struct programs *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < PROGRAMS_MAX; i++)
		symbols_free(p->symbols[i]);
	symbols_free(p->process);
	free(p);
}

static struct symbols *quietly(const char *path)
{
	struct error ignored;

	return symbols_read(path, &ignored);
}

static void read_process(struct programs *p, const char *guest)
{
	char path[PATH_MAX];
	const char *slash = strrchr(guest, '/');

	if (p->process || !slash || strcmp(slash, "/guest.elf") != 0)
		return;
	if (snprintf(path, sizeof(path), "%.*s/process.elf",
		     (int)(slash - guest), guest) < (int)sizeof(path))
		p->process = quietly(path);
}

void programs_add(struct programs *p, uint32_t index, const char *path)
{
	if (index >= PROGRAMS_MAX || p->symbols[index])
		return;
	p->symbols[index] = quietly(path);
	read_process(p, path);
}

/* "INDEX NAME PATH" a line. */
void programs_read(struct programs *p, const char *path)
{
	char line[PATH_MAX + 64], file[PATH_MAX];
	unsigned index;
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%u %*s %4095[^\n]", &index, file) == 2)
			programs_add(p, index, file);
	}
	if (f)
		fclose(f);
}

bool programs_is_process(const struct programs *p, uint32_t index, vaddr_t va)
{
	return index && va >= PROCESS_BASE && va < PROCESS_END && p->process;
}

const struct symbols *programs_symbols(const struct programs *p, uint32_t index,
				       vaddr_t va)
{
	if (va >= KERNEL_HALF || !index || index >= PROGRAMS_MAX)
		return p->symbols[0];
	return programs_is_process(p, index, va) ? p->process
						 : p->symbols[index];
}
