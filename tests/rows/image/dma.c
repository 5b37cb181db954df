/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/dma.c - row 81: an I/O partition that means to use its
 * controller against others.  It has what it learns of itself ("identify",
 * NVM Express 1.4, 5.15) written to its own memory, and then to frames that
 * are not its own: of the monitors, of its neighbours below and above, and the
 * headers of its channels.  Whether they were harmed is for others to say: each
 * is named on the console.
 */
#include "probe.h"

#include "lib/channel.h"

#define CC   0x14
#define CSTS 0x1c
#define AQA  0x24
#define ASQ  0x28
#define ACQ  0x30
#define BELL 0x1000 /* of the admin queue; its completions' next to it */

#define CC_ON      0x00460001u
#define RDY        1u
#define CFS        2u
#define ENTRIES    32
#define IDENTIFY   0x06
#define CONTROLLER 1
#define WAIT_NS    (50 * MS)
#define NVME_CLASS 0x010802
#define MONITORS   0x100 /* frame: the image lies at 1 MiB */

static uint32_t sq[1024] __attribute__((aligned(4096)));
static volatile uint32_t cq[1024] __attribute__((aligned(4096)));
volatile uint8_t identified[4096] __attribute__((aligned(4096)));
static volatile uint8_t *regs;
static unsigned done;

static uint32_t get(unsigned at)
{
	return *(volatile uint32_t *)(regs + at);
}

static void put(unsigned at, uint32_t value)
{
	*(volatile uint32_t *)(regs + at) = value;
}

static uint64_t at(const volatile void *p)
{
	return view_frame((uintptr_t)p) << ABI_PAGE_SHIFT;
}

static void until(uint32_t ready)
{
	uint64_t end = sys_time() + WAIT_NS;

	while ((get(CSTS) & RDY) != ready)
		want(sys_time() < end, "the controller gets ready");
}

static void open(void)
{
	unsigned index = 0;
	int64_t va;

	while (index < DEVICE_SLOTS &&
	       view_now()->device[index].class_code != NVME_CLASS)
		index++;
	want(index < DEVICE_SLOTS, "it has a controller");
	va = sys_device_map(index);
	want(va > 0, "its registers");
	regs = (volatile uint8_t *)(uintptr_t)va + ABI_PAGE_BYTES;
	put(CC, 0);
	until(0);
	put(AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	put(ASQ, (uint32_t)at(sq));
	put(ASQ + 4, (uint32_t)(at(sq) >> 32));
	put(ACQ, (uint32_t)at(cq));
	put(ACQ + 4, (uint32_t)(at(cq) >> 32));
	put(CC, CC_ON);
	until(RDY);
}

/* Answered in any way, before the first round of the queues is over. */
static void identify(uint64_t to)
{
	uint32_t *c = &sq[16 * done];
	volatile uint32_t *answer = &cq[4 * done];
	uint64_t end = sys_time() + WAIT_NS;

	want(done < ENTRIES - 1, "no room for another");
	c[0] = IDENTIFY | done << 16;
	c[6] = (uint32_t)to;
	c[7] = (uint32_t)(to >> 32);
	c[10] = CONTROLLER;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	put(BELL, ++done);
	while (!(answer[3] & 0x10000)) {
		want(sys_time() < end, "an answer");
		want(!(get(CSTS) & CFS), "the controller is sound");
	}
	put(BELL + 4, done);
}

static void try_frame(uint64_t pfn)
{
	identify(pfn << ABI_PAGE_SHIFT);
	logf_("tried %lx", pfn << ABI_PAGE_SHIFT);
	log_drain();
	(void)sys_wait(0, sys_time() + MS); /* few are recorded at once */
}

/* Diagnostics is there to hear of it: it has made its channel ready. */
static bool heard(void)
{
	for (unsigned i = 0; i < CHANNEL_SLOTS; i++) {
		const struct view_channel *c = &view_now()->channel[i];
		int64_t va;

		if (!c->id || c->type != CHANNEL_DIAG)
			continue;
		va = sys_channel_map(i);
		return va > 0 &&
		       ((const volatile struct channel_header *)va)
				       ->server_state == CHANNEL_SERVER_READY;
	}
	return false;
}

void row_81(void)
{
	uint64_t first = view_frame(PART_MEMORY_VA);

	while (!heard())
		(void)sys_wait(0, sys_time() + MS);
	open();
	identify(at(identified));
	want(identified[0] || identified[1], "its own memory can be written");
	logf_("own %lx", at(identified));
	log_drain();
	try_frame(MONITORS);
	try_frame(first - 1);
	try_frame(first + view_frames());
	for (unsigned i = 0; i < CHANNEL_SLOTS; i++) {
		const struct view_channel *c = &view_now()->channel[i];

		if (c->id)
			try_frame(c->pfn);
	}
}
