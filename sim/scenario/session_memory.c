/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_memory.c - a machine whose RAM is that of another host.
 *
 * The file holds all of the RAM from address 0 on, as a machine that stands
 * left it (QEMU: `stop`, then `pmemsave 0 SIZE FILE`).  The partition view
 * knows a hypervisor by its RAM and its image's note, so whatever looks and
 * does not run works on it, the containment lens included.  There are no
 * registers: such a machine cannot run.
 *
 * Not modelled: RAM above 4 GiB, which such a file would have behind a hole.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/scenario/session_internal.h"

/* Pages of zeroes are there already. */
static bool fill(struct session *s, FILE *f)
{
	static const uint8_t zeroes[PAGE_BYTES];
	struct bus *bus = machine_bus(s->machine);
	uint8_t page[PAGE_BYTES];

	for (paddr_t pa = 0; fread(page, sizeof(page), 1, f) == 1;
	     pa += sizeof(page)) {
		/* What is no RAM (the screen's) nobody looks at. */
		if (memcmp(page, zeroes, sizeof(page)) != 0)
			(void)bus_poke(bus, pa, page, sizeof(page));
	}
	return !ferror(f);
}

bool session_memory(struct session *s, const char *path, struct error *err)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	bool good;

	if (!f || fstat(fileno(f), &st) != 0) {
		error_set(err, EXIT_USAGE, "%s: cannot be read: %s", path,
			  strerror(errno));
		if (f)
			fclose(f);
		return false;
	}
	if ((uint64_t)st.st_size != s->config.ram_bytes) {
		fclose(f);
		return error_set(err, EXIT_USAGE,
				 "%s: has %" PRIu64 " bytes, the machine's RAM "
				 "%" PRIu64 "; give ram the size that it has",
				 path, (uint64_t)st.st_size,
				 s->config.ram_bytes);
	}
	good = fill(s, f);
	fclose(f);
	if (!good)
		return error_set(err, EXIT_HOST, "%s: cannot be read: %s", path,
				 strerror(errno));
	s->stands = true;
	partition_view_look(s->view);
	partition_view_check_all(s->view);
	return true;
}
