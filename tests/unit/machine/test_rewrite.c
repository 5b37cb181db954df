/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code that another CPU or a device writes is never run stale, whatever the
 * quantum and in whatever pieces: tests/guest/exact/rewrite.S says what it
 * tries, and ends with another code than 7 if it found any. */
#include <criterion/criterion.h>

#include "exact.h"

static const ps_t quantum[] = {30 * PS_PER_US, 10 * PS_PER_US, PS_PER_US,
			       77 * PS_PER_NS, PS_PER_NS};

/* `seed` 0: in one go. */
static struct exact_result rewritten(ps_t turn, uint64_t seed, ps_t piece)
{
	struct exact e;
	struct exact_result r;
	enum machine_stop stop = MACHINE_UNTIL;
	ps_t at = 0;

	exact_make_quantum(&e, "rewrite", 2, true, turn);
	while (stop == MACHINE_UNTIL && at < EXACT_END) {
		at = seed ? at + exact_random(&seed, piece) : EXACT_END;
		stop = machine_run(e.m, at);
	}
	r = exact_result_of(&e, stop);
	exact_drop(&e);
	cr_assert_eq(r.stop, MACHINE_OFF, "quantum %lu: stop %d at %lu ps",
		     turn, r.stop, r.end);
	cr_assert_eq(r.code, 7, "quantum %lu: code %u", turn, r.code);
	return r;
}

Test(rewrite, never_stale_whatever_the_quantum)
{
	for (size_t i = 0; i < ARRAY_LEN(quantum); i++) {
		struct exact_result a = rewritten(quantum[i], 0, 0);
		struct exact_result b = rewritten(quantum[i], 0, 0);

		exact_same(&a, &b, "again", quantum[i]);
	}
}

Test(rewrite, the_same_in_pieces)
{
	static const ps_t piece[] = {20 * PS_PER_US, PS_PER_US, 90 * PS_PER_NS};

	for (size_t i = 0; i < ARRAY_LEN(quantum); i++) {
		struct exact_result whole = rewritten(quantum[i], 0, 0);

		for (uint64_t seed = 1; seed <= 3; seed++) {
			struct exact_result r =
				rewritten(quantum[i], seed, piece[seed % 3]);

			exact_same(&whole, &r, "pieces", seed);
		}
	}
}
