/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/place/boot.c - row 43 in the place of boot: its program
 * (hv/boot/part) starts all others, then this one makes calls at random, when
 * it is told to.  Then it retires, as that would.
 */
#include "calls.h"

void partition_main(void);
void boot_main(void); /* partition_main() of hv/boot/part/main.c */

void partition_main(void)
{
	static struct calls c;

	boot_main();
	while (!CALLS_ORDER->calls)
		(void)sys_wait(0, sys_time() + 100 * US);
	calls_begin(&c, CALLS_ORDER->seed);
	calls_make(&c, CALLS_ORDER->calls);
	CALLS_ORDER->made = c.done;
	logf_("calls: %lu", c.done);
	logf_("numbers that succeeded: %lx %lx", c.succeeded[0],
	      c.succeeded[1]);
	end("PASS", "");
}
