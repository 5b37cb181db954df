/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine that sleeps gives back the memory of what it translated while it
 * was busy, and nobody in it notices (tests/guest/exact/churn.S). */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "exact.h"

#define BUSY_UNTIL (10 * PS_PER_MS)
#define SLEEPS     (2900 * PS_PER_MS)
#define OFF_BY     (4 * PS_PER_S)

/* KiB of this process's memory that holds code and can be written. */
static unsigned long translations(void)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long sum = 0, kib;
	char line[512], rights[8];
	bool code = false;

	cr_assert(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*x-%*x %7s", rights) == 1)
			code = !strcmp(rights, "rwxp");
		else if (code && sscanf(line, "Rss: %lu", &kib) == 1)
			sum += kib;
	}
	fclose(f);
	return sum;
}

/* Of RAM, which no guest uses there. */
static uint8_t *page_from_end(struct exact *e, unsigned n)
{
	struct cpu_ram ram[BUS_RAM_REGIONS];
	size_t count = bus_ram_regions(machine_bus(e->m), ram), most = 0;

	for (size_t i = 0; i < count; i++) {
		if (ram[i].bytes > ram[most].bytes)
			most = i;
	}
	return ram[most].host + ram[most].bytes - n * PAGE_BYTES;
}

static bool is_resident(uint8_t *page)
{
	unsigned char in_core = 0;

	cr_assert_eq(mincore(page, PAGE_BYTES, &in_core), 0);
	return in_core & 1;
}

static struct exact_result straight(void)
{
	struct exact e;
	struct exact_result r;

	exact_make(&e, "churn", 1, false);
	r = exact_result_of(&e, machine_run(e.m, OFF_BY));
	exact_drop(&e);
	return r;
}

/* So many translations that there is no room for all of them, in one go and
 * with two looks at the memory. */
Test(trim, sleep_gives_back_what_work_took)
{
	struct exact_result whole = straight(), looked;
	struct exact e;
	unsigned long busy, asleep;
	uint8_t *kept, *zeroed;

	cr_assert_eq(whole.stop, MACHINE_OFF, "stop %d", whole.stop);
	cr_assert_eq(whole.code, 7, "code %u", whole.code);
	exact_make(&e, "churn", 1, false);
	cr_assert_eq(machine_run(e.m, BUSY_UNTIL), MACHINE_UNTIL);
	busy = translations();
	zeroed = page_from_end(&e, 2);
	kept = page_from_end(&e, 1);
	zeroed[7] = kept[7] = 1;
	zeroed[7] = 0;
	cr_expect(is_resident(zeroed) && is_resident(kept));
	cr_assert_eq(machine_run(e.m, SLEEPS), MACHINE_UNTIL);
	asleep = translations();
	cr_expect(!is_resident(zeroed));
	cr_expect(is_resident(kept) && kept[7] == 1 && zeroed[7] == 0);
	kept[7] = 0;
	cr_expect_gt(busy, 8192, "%lu KiB", busy);
	cr_expect_lt(asleep, 4096, "%lu KiB, from %lu", asleep, busy);
	looked = exact_result_of(&e, machine_run(e.m, OFF_BY));
	exact_same(&whole, &looked, "looked at", 0);
	exact_drop(&e);
}
