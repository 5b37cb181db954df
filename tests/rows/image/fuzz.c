/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/fuzz.c - row 43: calls at random (calls.h).
 *
 * Arguments: seed=, calls= (thousands; 0: for ever); `still`: a bystander, who
 * sleeps for ever and whose memory nobody may change.  Runs as a guest and in
 * the places of other kinds (s43-fuzz.lua; place/ has those that need more); as
 * command or operations, which no policy gives a bystander, it makes one.
 */
#include "calls.h"
#include "transact.h"

_Noreturn static void still(void)
{
	memset(page_at(free_page(0)), 0x43, 64 * ABI_PAGE_BYTES);
	logf_("is still");
	log_drain();
	for (;;)
		(void)sys_call(SYS_SURRENDER, 0, 0, 0, 0, 0);
}

static void make_still(void)
{
	(void)op_create("still", PART_GUEST, 1);
	op_args(TXN_RESULT(0), "row=43 still");
	(void)op_on(TXN_PARTITION_START, TXN_RESULT(0));
	(void)wants_status(CONTROL_OK, "a bystander");
	events_until(sys_time() + 20 * MS);
}

void row_43(void)
{
	static struct calls c;
	uint64_t thousands = view_arg("calls", 0);

	if (view_arg_word("still"))
		still();
	if (i_am(PART_COMMAND) || i_am(PART_OPERATIONS))
		make_still();
	/* io.a and io.b have the same arguments. */
	calls_begin(&c, view_arg("seed", 0) ^ view_now()->number << 32);
	do {
		calls_make(&c, 1000);
	} while (!thousands || c.done < thousands * 1000);
	logf_("calls: %lu", c.done);
	logf_("numbers that succeeded: %lx %lx", c.succeeded[0],
	      c.succeeded[1]);
}
