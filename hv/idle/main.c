/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/idle/main.c - the idle partition: owner of the CPU time that nobody wants.
 *
 * SYS_HALT stops the CPU until an interrupt; the monitor then gives it to
 * whoever has something to do.
 */
#include "lib/sys.h"

void partition_main(void);

void partition_main(void)
{
	for (;;)
		(void)sys_halt();
}
