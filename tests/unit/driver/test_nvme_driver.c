/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/nvme.c on the host, with a controller that the test plays: it looks at
 * registers and doorbells whenever the driver asks for the time or waits, and
 * completes what the test says, on the queue that the test says. */
#include "io/nvme.h"

#include <criterion/criterion.h>
#include <string.h>

#include "lib/sys.h"
#include "lib/view.h"

#define MS 1000000ull

enum {
	CAP = 0x00,
	CC = 0x14,
	CSTS = 0x1c,
	ASQ = 0x28,
	ACQ = 0x30,
	DOORBELLS = 0x1000,
	QUEUES = 8,
	ENTRIES = 64,
};

static uint8_t window[3 * 4096] __attribute__((aligned(4096))); /* device */
static uint8_t *const registers = window + 4096;
static struct view view;
static uint64_t now_ns;

struct flight {
	unsigned queue;
	uint16_t id;
	uint8_t opcode;
	uint64_t lba;
};

static struct {
	bool enabled;
	unsigned enables, granted; /* how many times; how many pairs */
	bool refuses;              /* to make queues */
	struct {
		const uint8_t *sq;
		uint8_t *cq;
		unsigned head, tail, phase, vector, entries;
	} queue[QUEUES];
	struct flight flight[512]; /* fetched, not completed */
	unsigned flights;
	uint64_t submitted[QUEUES];
} ctl;

static uint32_t get(const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, 4);
	return v;
}

static uint64_t get64(const uint8_t *at)
{
	return get(at) | (uint64_t)get(at + 4) << 32;
}

static void set(uint8_t *at, uint32_t v)
{
	memcpy(at, &v, 4);
}

static void post(unsigned q, uint16_t id, unsigned status, uint32_t result)
{
	uint8_t *cqe = ctl.queue[q].cq + 16ul * ctl.queue[q].tail;

	set(cqe, result);
	set(cqe + 8, q << 16);
	set(cqe + 12, id | (status << 1 | ctl.queue[q].phase) << 16);
	if (++ctl.queue[q].tail == ctl.queue[q].entries) {
		ctl.queue[q].tail = 0;
		ctl.queue[q].phase ^= 1;
	}
}

static void identify(uint8_t *page, unsigned what)
{
	memset(page, 0, 4096);
	switch (what) {
	case 0: /* namespace: 10000 blocks of 4 KiB */
		set(page, 10000);
		set(page + 128, 12 << 16);
		break;
	case 1:
		page[525] = 1;
		break;
	default:
		set(page, 1);
		break;
	}
}

static void admin_command(const uint8_t *sqe)
{
	uint16_t id = (uint16_t)(get(sqe) >> 16);
	unsigned q = get(sqe + 40) & 0xffff, status = 0;
	uint32_t result = 0;

	switch (get(sqe) & 0xff) {
	case 0x06:
		identify((uint8_t *)get64(sqe + 24), get(sqe + 40));
		break;
	case 0x09:
		cr_assert_eq(get(sqe + 40), 7, "the feature of the queues");
		result = (ctl.granted - 1) << 16 | (ctl.granted - 1);
		break;
	case 0x05:
		cr_assert(q > 0 && q <= ctl.granted, "queue %u", q);
		if (ctl.refuses && q > 1) {
			status = 0x101;
			break;
		}
		ctl.queue[q].cq = (uint8_t *)get64(sqe + 24);
		ctl.queue[q].entries = (get(sqe + 40) >> 16) + 1;
		ctl.queue[q].vector = get(sqe + 44) >> 16;
		cr_assert_eq(get(sqe + 44) & 3, 3, "interrupts, one piece");
		ctl.queue[q].tail = 0;
		ctl.queue[q].phase = 1;
		break;
	case 0x01:
		cr_assert_eq(get(sqe + 44) >> 16, q, "its own completions");
		ctl.queue[q].sq = (const uint8_t *)get64(sqe + 24);
		ctl.queue[q].head = 0;
		break;
	default:
		status = 1;
		break;
	}
	post(0, id, status, result);
}

static void fetch(unsigned q)
{
	unsigned tail = get(registers + DOORBELLS + 8ul * q);

	while (ctl.queue[q].sq != NULL && ctl.queue[q].head != tail) {
		const uint8_t *sqe = ctl.queue[q].sq + 64ul * ctl.queue[q].head;

		ctl.queue[q].head =
			(ctl.queue[q].head + 1) % ctl.queue[q].entries;
		if (q == 0) {
			admin_command(sqe);
			continue;
		}
		ctl.flight[ctl.flights++] =
			(struct flight){q, (uint16_t)(get(sqe) >> 16),
					(uint8_t)get(sqe), get(sqe + 40)};
		ctl.submitted[q]++;
	}
}

static void controller(void)
{
	bool on = get(registers + CC) & 1;

	if (on != ctl.enabled) {
		ctl.enabled = on;
		ctl.flights = 0;
		memset(ctl.queue, 0, sizeof(ctl.queue));
		memset(registers + DOORBELLS, 0, 4096);
		set(registers + CSTS, on);
		if (on) {
			ctl.enables++;
			ctl.queue[0].sq =
				(const uint8_t *)get64(registers + ASQ);
			ctl.queue[0].cq = (uint8_t *)get64(registers + ACQ);
			ctl.queue[0].entries = 32;
			ctl.queue[0].phase = 1;
		}
	}
	for (unsigned q = 0; on && q < QUEUES; q++)
		fetch(q);
}

/* ---- what the driver calls ---- */

int64_t sys_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c,
		 uint64_t d, uint64_t e)
{
	(void)a, (void)c, (void)d, (void)e;
	controller();
	switch (number) {
	case SYS_TIME:
		return (int64_t)now_ns;
	case SYS_WAIT:
		now_ns = b;
		return 0;
	case SYS_DEVICE_MAP:
		return (int64_t)(uintptr_t)window;
	default:
		return 0;
	}
}

void sys_exit(uint64_t code)
{
	(void)code;
}

const struct view *view_now(void)
{
	return &view;
}

uint64_t view_frame(uintptr_t va)
{
	return va >> 12;
}

/* ---- the test's side ---- */

static enum nvme_end ended[1024];
static bool has_ended[1024];
static unsigned ends;

static void done(uint32_t cookie, enum nvme_end end)
{
	cr_assert(!has_ended[cookie], "%u ends twice", cookie);
	has_ended[cookie] = true;
	ended[cookie] = end;
	ends++;
}

/* The oldest of that queue; false: there is none. */
static bool complete(unsigned q, unsigned status)
{
	controller();
	for (unsigned i = 0; i < ctl.flights; i++) {
		uint16_t id = ctl.flight[i].id;

		if (ctl.flight[i].queue != q)
			continue;
		memmove(ctl.flight + i, ctl.flight + i + 1,
			(--ctl.flights - i) * sizeof(ctl.flight[0]));
		post(q, id, status, 0);
		return true;
	}
	return false;
}

static void open_with(unsigned vectors, unsigned granted)
{
	memset(window, 0, sizeof(window));
	memset(&ctl, 0, sizeof(ctl));
	memset(&view, 0, sizeof(view));
	memset(has_ended, 0, sizeof(has_ended));
	ends = 0;
	now_ns = 1000;
	set(registers + CAP, 1023 | 1u << 24);
	ctl.granted = granted;
	view.device[0].id = 1;
	view.device[0].class_code = NVME_CLASS;
	view.device[0].bar_pages = 2;
	view.device[0].vectors = vectors;
	cr_assert(nvme_open(0));
}

static void submit(unsigned pair, unsigned first, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		cr_assert(nvme_submit(pair, NVME_WRITE, first + i, 77, false,
				      first + i),
			  "command %u", i);
	nvme_tell();
	controller();
}

Test(nvme_driver, as_many_pairs_as_all_allow)
{
	static const struct {
		unsigned vectors, granted, pairs;
	} cases[] = {{2, 7, 2}, {2, 1, 1}, {1, 7, 1},
		     {4, 3, 3}, {9, 7, 4}, {0, 7, 1}};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_with(cases[i].vectors, cases[i].granted);
		cr_assert_eq(nvme_pairs(), cases[i].pairs, "case %u", i);
		for (unsigned q = 1; q <= cases[i].pairs; q++) {
			cr_assert_not_null(ctl.queue[q].sq);
			cr_assert_eq(ctl.queue[q].vector, q - 1);
		}
		nvme_close();
	}
}

/* Errors at depth on one queue; the other's commands go by. */
Test(nvme_driver, one_queue_fails_while_the_other_goes_on)
{
	unsigned going = 0;

	open_with(2, 7);
	submit(1, 0, NVME_OUTSTANDING);
	cr_assert(!nvme_submit(1, NVME_WRITE, 1, 77, false, 999), "it is full");
	submit(0, 100, 24);
	cr_assert_eq(ctl.submitted[2], NVME_OUTSTANDING);
	cr_assert_eq(ctl.submitted[1], 24);
	for (unsigned turn = 0; turn < 400; turn++) {
		complete(2, 0x281); /* media error, may be retried */
		if (turn % 4 == 0 && complete(1, 0))
			going++;
		cr_assert(nvme_poll(now_ns, done));
		if (turn % 4 == 0 && turn / 4 < 24)
			cr_assert(has_ended[100 + turn / 4] &&
					  ended[100 + turn / 4] == NVME_OK,
				  "the other queue goes on");
	}
	cr_assert_eq(going, 24);
	cr_assert_eq(ends, NVME_OUTSTANDING + 24);
	for (unsigned i = 0; i < NVME_OUTSTANDING; i++)
		cr_assert_eq(ended[i], NVME_EIO);
	cr_assert_eq(ctl.submitted[2], NVME_OUTSTANDING * 4, "tries");
	cr_assert_eq(ctl.submitted[1], 24);
	cr_assert_eq(ctl.enables, 1, "no reset for that");
	cr_assert_eq(nvme_outstanding(), 0);
}

/* Its errors are final where the controller says so. */
Test(nvme_driver, what_may_not_be_retried)
{
	open_with(2, 7);
	submit(1, 0, 2);
	complete(2, 0x4281);
	complete(2, 0x4080);
	cr_assert(nvme_poll(now_ns, done));
	cr_assert_eq(ctl.submitted[2], 2);
	cr_assert_eq(ended[0], NVME_EIO);
	cr_assert_eq(ended[1], NVME_ERANGE);
}

/* One queue's commands are lost: the other completes until the time is out;
 * then all queues are torn down and made anew, and each command comes again,
 * once, where it was. */
Test(nvme_driver, a_time_out_tears_down_all)
{
	open_with(2, 7);
	submit(0, 0, 20);
	submit(1, 100, 20);
	for (unsigned i = 0; i < 15; i++) {
		now_ns += MS;
		cr_assert(complete(2, 0));
		cr_assert(nvme_poll(now_ns, done));
	}
	cr_assert_eq(ends, 15);
	now_ns += 200 * MS;
	cr_assert(nvme_poll(now_ns, done));
	controller();
	cr_assert_eq(ctl.enables, 2);
	cr_assert_eq(ctl.flights, 25, "what has not ended, again");
	cr_assert_eq(ctl.submitted[1], 40);
	cr_assert_eq(ctl.submitted[2], 25);
	cr_assert_eq(ctl.queue[1].vector, 0);
	cr_assert_eq(ctl.queue[2].vector, 1);
	for (unsigned i = 0; i < ctl.flights; i++)
		cr_assert_eq(ctl.flight[i].queue,
			     ctl.flight[i].lba < 100 ? 1u : 2u);
	while (complete(1, 0) || complete(2, 0))
		cr_assert(nvme_poll(now_ns, done));
	cr_assert_eq(ends, 40);
}

/* Numbers of the turn before the reset, or of another queue's commands. */
Test(nvme_driver, completions_that_are_nobodys)
{
	uint16_t old;

	open_with(2, 7);
	submit(0, 0, 1);
	submit(1, 100, 1);
	post(2, ctl.flight[0].id, 0, 0);
	post(2, 0x2fff, 0, 0);
	cr_assert(nvme_poll(now_ns, done));
	cr_assert_eq(ends, 0, "a queue speaks of its own commands alone");
	old = ctl.flight[0].id;
	now_ns += 200 * MS;
	cr_assert(nvme_poll(now_ns, done));
	controller();
	post(1, old, 0, 0);
	cr_assert(nvme_poll(now_ns, done));
	cr_assert_eq(ends, 0, "it is of the time before the reset");
	cr_assert(complete(1, 0) && complete(2, 0));
	cr_assert(nvme_poll(now_ns, done));
	cr_assert_eq(ends, 2);
}

Test(nvme_driver, a_reset_that_gives_less_is_the_end)
{
	open_with(2, 7);
	submit(1, 0, 1);
	ctl.refuses = true;
	now_ns += 200 * MS;
	cr_assert(!nvme_poll(now_ns, done));
}
