/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/firmware.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/machine.h"

#define ROM_UNIT   UINT64_C(0x10000)
#define ROM_MAX    UINT64_C(0x1000000) /* 16 MiB, below it are APICs and HPET */
#define SHADOW     UINT64_C(0xE0000)
#define SHADOW_END UINT64_C(0x100000)

static bool read_rom(FILE *in, const char *path, uint8_t *data, size_t *bytes,
		     struct error *err)
{
	*bytes = fread(data, 1, ROM_MAX + 1, in);
	if (ferror(in))
		return error_set(err, EXIT_USAGE,
				 "%s: cannot read the firmware: %s; give a "
				 "regular file",
				 path, strerror(errno));
	if (!*bytes || *bytes % ROM_UNIT || *bytes > ROM_MAX)
		return error_set(err, EXIT_USAGE,
				 "%s: size = %#zx: a ROM is 64 KiB to 16 MiB, "
				 "in steps of 64 KiB; pad it at its beginning",
				 path, *bytes);
	return true;
}

bool firmware_add(struct bus *b, const char *path, struct error *err)
{
	FILE *in = fopen(path, "re");
	uint8_t *data;
	size_t bytes;
	bool ok;

	if (!in)
		return error_set(err, EXIT_USAGE,
				 "%s: cannot open the firmware: %s; correct "
				 "the path",
				 path, strerror(errno));
	data = malloc(ROM_MAX + 1);
	CHECK_MSG(data, "out of memory for %s", path);
	ok = read_rom(in, path, data, &bytes, err);
	fclose(in);
	if (ok)
		bus_add_rom(b, BUS_RAM_HIGH - bytes, data, bytes);
	free(data);
	return ok;
}

void firmware_start(struct machine *m)
{
	struct bus *b = machine_bus(m);
	struct cpu_ram region[BUS_RAM_REGIONS];
	size_t count = bus_ram_regions(b, region);
	uint64_t bytes = SHADOW_END - SHADOW;
	struct cpu_regs regs;

	for (size_t i = 0; i < count; i++) {
		if (!region[i].read_only)
			continue;
		if (bytes > region[i].bytes)
			bytes = region[i].bytes;
		CHECK(bus_poke(b, SHADOW_END - bytes,
			       region[i].host + region[i].bytes - bytes,
			       bytes));
	}
	/* The first CPU stands at the reset vector, and may go. */
	cpu_regs_get(machine_cpu(m, 0), &regs);
	regs.halted = 0;
	cpu_regs_set(machine_cpu(m, 0), &regs);
}
