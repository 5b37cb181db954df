/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A real kernel on two CPUs that resets the platform by a triple fault or a
 * port (tests/guest/sim/reset.S): the run ends, or the machine boots again and
 * goes on to the end, the same in every run and in whatever pieces. */
#include <criterion/criterion.h>

#include "exact.h"
#include "sim/loader.h"

#define RUN_END (50 * PS_PER_MS)

static const struct way {
	const char *name;
	enum machine_stop stop; /* with MACHINE_RESET_ENDS */
	unsigned cpu;
} ways[] = {
	{"t", MACHINE_SHUTDOWN, 0}, {"T", MACHINE_SHUTDOWN, 1},
	{"c", MACHINE_RESET, 0},    {"k", MACHINE_RESET, 0},
	{"a", MACHINE_RESET, 0},
};

/* `seed` 0: in one go. */
static struct exact_result reset_by(const struct way *way,
				    enum machine_on_reset on_reset,
				    uint64_t seed, unsigned *cpu)
{
	struct machine_config c;
	struct exact e = {0};
	struct exact_result r = {.stop = MACHINE_UNTIL};
	struct error err;
	ps_t at = 0;

	machine_config_defaults(&c);
	c.ram_bytes = UINT64_C(16) << 20;
	c.cpu_count = 2;
	c.controllers = 0;
	c.kernel = GUEST_DIR "/reset.elf";
	c.cmdline = way->name;
	c.on_reset = on_reset;
	e.m = machine_create(&c, NULL, &err);
	cr_assert(e.m, "%s", err.text);
	cr_assert(loader_boot(e.m, &c, &err), "%s", err.text);
	machine_set_console(e.m, exact_console, &e);
	while (r.stop == MACHINE_UNTIL && at < RUN_END) {
		at = seed ? at + exact_random(&seed, 40 * PS_PER_US) : RUN_END;
		r.stop = machine_run(e.m, at);
	}
	r = exact_result_of(&e, r.stop);
	*cpu = machine_stopped_cpu(e.m);
	machine_destroy(e.m);
	return r;
}

Test(reset, ends_the_run)
{
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		unsigned cpu;
		struct exact_result r =
			reset_by(&ways[i], MACHINE_RESET_ENDS, 0, &cpu);

		cr_expect_eq(r.stop, ways[i].stop, "%s: stop %d, code %u",
			     ways[i].name, r.stop, r.code);
		cr_expect_eq(cpu, ways[i].cpu, "%s", ways[i].name);
		cr_expect_str_eq(r.console, "boot 1\n", "%s: %s", ways[i].name,
				 r.console);
	}
}

Test(reset, boots_again_and_goes_on_to_the_end)
{
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		unsigned cpu;
		struct exact_result first =
			reset_by(&ways[i], MACHINE_RESET_BOOTS, 0, &cpu);

		cr_expect_eq(first.stop, MACHINE_OFF, "%s: stop %d",
			     ways[i].name, first.stop);
		cr_expect_eq(first.code, 42, "%s: code %u", ways[i].name,
			     first.code);
		cr_expect_str_eq(first.console,
				 "boot 1\nboot 2\nboot 3\ndone\n", "%s: %s",
				 ways[i].name, first.console);
		for (uint64_t seed = 0; seed < 4; seed++) {
			struct exact_result again = reset_by(
				&ways[i], MACHINE_RESET_BOOTS, seed, &cpu);

			exact_same(&first, &again, ways[i].name, seed);
		}
	}
}
