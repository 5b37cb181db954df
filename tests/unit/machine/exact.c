/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exact.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct exact_form exact_forms[EXACT_FORMS] = {
	{"exact1", 1, true},
	{"exact2", 2, true},
	{"exact4", 4, false},
};

#define DISK_BLOCKS 128
#define BLOCK_BYTES 512

void exact_console(void *owner, unsigned serial, ps_t when, uint8_t c)
{
	struct exact *e = owner;
	size_t n = strlen(e->console);

	(void)serial, (void)when;
	if (n + 1 < sizeof(e->console))
		e->console[n] = (char)c;
}

/* Block n: mov $n * 01010101h, %eax; ret. */
static void make_disk(struct exact *e)
{
	uint8_t block[BLOCK_BYTES] = {[0] = 0xb8, [5] = 0xc3};
	int fd;

	strcpy(e->disk, "/tmp/parterre-exact-XXXXXX");
	fd = mkstemp(e->disk);
	cr_assert_geq(fd, 0);
	for (unsigned n = 0; n < DISK_BLOCKS; n++) {
		memset(block + 1, (int)n, 4);
		cr_assert_eq(write(fd, block, sizeof(block)),
			     (ssize_t)sizeof(block));
	}
	close(fd);
}

void exact_make(struct exact *e, const char *kernel, unsigned cpus, bool disk)
{
	exact_make_quantum(e, kernel, cpus, disk, 0);
}

void exact_make_quantum(struct exact *e, const char *kernel, unsigned cpus,
			bool disk, ps_t quantum)
{
	memset(e, 0, sizeof(*e));
	e->quantum = quantum;
	if (disk)
		make_disk(e);
	exact_start(e, kernel, cpus);
}

void exact_make_timing(struct exact *e, const char *kernel, unsigned cpus,
		       bool disk, enum timing_model timing)
{
	memset(e, 0, sizeof(*e));
	e->timing = timing;
	e->hz = UINT64_C(4000000000);
	if (disk)
		make_disk(e);
	exact_start(e, kernel, cpus);
}

void exact_start(struct exact *e, const char *kernel, unsigned cpus)
{
	struct machine_config c;
	struct error err;
	char path[512];

	machine_config_defaults(&c);
	c.ram_bytes = UINT64_C(16) << 20;
	c.cpu_count = cpus;
	c.controllers = 0;
	c.digest_interval = 10000;
	c.timing = e->timing;
	if (e->hz)
		c.cpu_hz = e->hz;
	if (e->quantum)
		c.quantum_ps = e->quantum;
	snprintf(path, sizeof(path), "%s/exact/%s.elf", GUEST_DIR, kernel);
	c.kernel = path;
	if (e->disk[0]) {
		c.disk_path = e->disk;
		c.controllers = 1;
	}
	e->m = machine_create(&c, NULL, &err);
	cr_assert(e->m, "%s", err.text);
	machine_set_console(e->m, exact_console, e);
}

void exact_drop(struct exact *e)
{
	machine_destroy(e->m);
	if (e->disk[0])
		unlink(e->disk);
}

struct exact_result exact_result_of(struct exact *e, enum machine_stop stop)
{
	struct exact_result r = {
		.stop = stop,
		.code = machine_off_code(e->m),
		.end = machine_cpu_now(e->m, machine_stopped_cpu(e->m)),
		.chain = machine_chain(e->m),
		.digest = machine_digest(e->m),
		.retired = machine_retired(e->m),
	};

	strcpy(r.console, e->console);
	return r;
}

struct exact_result exact_straight(const char *kernel, unsigned cpus, bool disk)
{
	struct exact e;
	struct exact_result r;

	exact_make(&e, kernel, cpus, disk);
	r = exact_result_of(&e, machine_run(e.m, EXACT_END));
	exact_drop(&e);
	return r;
}

bool exact_equal(const struct exact_result *a, const struct exact_result *b)
{
	return a->stop == b->stop && a->code == b->code && a->end == b->end &&
	       a->chain == b->chain && a->digest == b->digest &&
	       a->retired == b->retired && !strcmp(a->console, b->console);
}

void exact_same(const struct exact_result *a, const struct exact_result *b,
		const char *how, uint64_t seed)
{
	cr_assert(exact_equal(a, b),
		  "%s, seed %lu: end %lu %lu, retired %lu %lu, code %u %u, "
		  "chain %lx %lx, digest %lx %lx",
		  how, seed, a->end, b->end, a->retired, b->retired, a->code,
		  b->code, a->chain, b->chain, a->digest, b->digest);
}

uint64_t exact_random(uint64_t *seed, uint64_t below)
{
	*seed = *seed * UINT64_C(6364136223846793005) +
		UINT64_C(1442695040888963407);
	return (*seed >> 20) % below;
}
