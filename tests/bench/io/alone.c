/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/bench/io/alone.c - an I/O partition that serves nobody: its own driver,
 * with so many commands under way at once as a client's channel may have, and
 * nothing else.  What it reaches is what there is to share out.
 *
 * The boot command line is the ultravisor's; so all is measured in turn: reads,
 * then writes, at depth 32. */
#include "abi/channel.h"
#include "io/nvme.h"
#include "lib/log.h"
#include "lib/sys.h"
#include "lib/view.h"

#define DEPTH    32
#define COMMANDS 8000
#define SPAN     1024
#define STRIDE   97 /* as hv/guest/load.c */

void partition_main(void);

static uint8_t data[DEPTH][BLOCK_BYTES] __attribute__((aligned(BLOCK_BYTES)));
static uint32_t free_pages = ~0u; /* a bit each */
static uint64_t ended, failed;

static void done(uint32_t page, enum nvme_end end)
{
	free_pages |= 1u << page;
	ended++;
	failed += end != NVME_OK;
}

static void measure(uint8_t opcode, const char *what)
{
	uint64_t made = 0, began = sys_time();

	ended = 0;
	failed = 0;
	logf_("load: begins");
	while (ended < COMMANDS) {
		while (made < COMMANDS && free_pages != 0) {
			uint32_t page = (uint32_t)__builtin_ctz(free_pages);

			if (!nvme_submit(0, opcode, made * STRIDE % SPAN,
					 view_frame((uintptr_t)data[page]),
					 false, page))
				break;
			free_pages &= ~(1u << page);
			nvme_tell();
			made++;
		}
		nvme_tell();
		if (!nvme_poll(sys_time(), done)) {
			logf_("load: the controller is lost");
			return;
		}
		if (ended < COMMANDS && nvme_outstanding() > 0)
			(void)sys_wait(~0ull, sys_time() + 1 * MS);
	}
	logf_("load: %u %s in %lu ns, %lu failed", COMMANDS, what,
	      sys_time() - began, failed);
}

void partition_main(void)
{
	unsigned index = 0;

	while (index < DEVICE_SLOTS &&
	       view_now()->device[index].class_code != NVME_CLASS)
		index++;
	if (index < DEVICE_SLOTS && nvme_open(index)) {
		measure(NVME_READ, "reads");
		measure(NVME_WRITE, "writes");
	}
	log_drain();
	for (;;)
		(void)sys_wait(~0ull, TIME_NEVER);
}
