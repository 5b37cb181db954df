/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/process.c - processes: made from the one image, run in slices, each
 * in its own address space, and ended by their own exit, by another's PROC_KILL
 * or by what they must not do.
 *
 * The heap is made of zero pages that come when they are touched. */
#include "guest/guest.h"
#include "lib/log.h"
#include "lib/string.h"

#define SLICE_NS (200 * US)

#define FCW_DEFAULT   0x37f
#define MXCSR_DEFAULT 0x1f80

#define VECTOR_PAGE_FAULT 14
#define FAULT_PRESENT     1

struct process process[PROCESSES];

static unsigned in_frame = PROCESSES; /* whose context the user frame holds */
static uint64_t last_id;

extern const uint8_t process_blob[], process_blob_end[];

struct process *process_of(uint64_t id)
{
	for (unsigned n = 0; n < PROCESSES; n++) {
		if (process[n].state != PROCESS_FREE && process[n].id == id)
			return &process[n];
	}
	return NULL;
}

bool process_any(enum process_state state)
{
	for (unsigned n = 0; n < PROCESSES; n++) {
		if (process[n].state == state)
			return true;
	}
	return false;
}

/* A place; of those that have ended, the first that nobody asked about. */
static unsigned free_place(void)
{
	for (unsigned n = READER + 1; n < PROCESSES; n++) {
		if (process[n].state == PROCESS_FREE)
			return n;
	}
	for (unsigned n = READER + 1; n < PROCESSES; n++) {
		if (process[n].state == PROCESS_ENDED)
			return n;
	}
	return PROCESSES;
}

static void first_frame(struct process *p, uint64_t entry, uint64_t at)
{
	memset(&p->frame, 0, sizeof(p->frame));
	p->frame.rip = entry;
	p->frame.rsp = at;
	p->frame.rdi = at;
	p->frame.fxsave[0] = FCW_DEFAULT & 0xff;
	p->frame.fxsave[1] = FCW_DEFAULT >> 8;
	p->frame.fxsave[24] = MXCSR_DEFAULT & 0xff;
	p->frame.fxsave[25] = MXCSR_DEFAULT >> 8;
}

uint64_t process_start(unsigned n, const struct process_args *args)
{
	uint64_t at = PROC_STACK_END - ((sizeof(*args) + 15) & ~15ull);
	struct process *p;
	uint64_t entry;

	n = n == PROCESSES ? free_place() : n;
	if (n == PROCESSES)
		return 0;
	p = &process[n];
	memset(p, 0, sizeof(*p));
	entry = space_load(&p->space, n + 1, process_blob,
			   (uint64_t)(process_blob_end - process_blob));
	if (entry == 0)
		return 0;
	p->id = ++last_id;
	memcpy(p->command, args->command, sizeof(p->command));
	(void)space_copy_out(&p->space, at, args, sizeof(*args));
	first_frame(p, entry, at);
	if (in_frame == n)
		in_frame = PROCESSES;
	p->state = PROCESS_RUNNING;
	return p->id;
}

void process_end(struct process *p, uint64_t code)
{
	net_close(p);
	files_close(p);
	space_drop(&p->space);
	p->code = code;
	p->state = PROCESS_ENDED;
}

/* A first touch of the heap is no fault. */
static bool touched(struct process *p)
{
	uint64_t page = (p->frame.cr2 - PROC_HEAP_VA) / ABI_PAGE_BYTES;

	if (p->frame.vector != VECTOR_PAGE_FAULT ||
	    (p->frame.error & FAULT_PRESENT) != 0 ||
	    p->frame.cr2 < PROC_HEAP_VA || page >= p->heap_pages)
		return false;
	if (space_grow(&p->space, p->frame.cr2))
		return true;
	logf_("guest: process %lu (%s): out of memory", p->id, p->command);
	return false;
}

static void faulted(struct process *p)
{
	if (touched(p))
		return;
	logf_("guest: process %lu fault %lu error %lx at %lx, address %lx",
	      p->id, p->frame.vector, p->frame.error, p->frame.rip,
	      p->frame.cr2);
	process_end(p, PROC_FAULTED);
}

/* Why it ended. */
static int64_t run(unsigned n, uint64_t mask, uint64_t slice_ns)
{
	struct user_frame *frame = (struct user_frame *)PART_FRAME_VA;
	struct process *p = &process[n];
	uint64_t start = sys_time(), until = process_next_wake();
	int64_t why;

	/* The frame keeps the context of who ran last; only RAX changes while
	 * it is away. */
	if (in_frame != n) {
		memcpy(frame, &p->frame, sizeof(*frame));
		in_frame = n;
	} else {
		frame->rax = p->frame.rax;
	}
	until = until < start + slice_ns ? until : start + slice_ns;
	why = sys_user_run(p->space.as, until, mask);
	memcpy(&p->frame, frame, sizeof(*frame));
	p->run_ns += sys_time() - start;
	switch (why) {
	case USER_EXIT_SYSCALL:
		call_do(n);
		break;
	case USER_EXIT_EVENT:
	case USER_EXIT_DEADLINE:
		break;
	case USER_EXIT_FAULT:
		faulted(p);
		break;
	default:
		logf_("guest: process %lu can't run, error %ld", p->id, -why);
		process_end(p, PROC_FAULTED);
		break;
	}
	return why;
}

void process_run(unsigned n, uint64_t mask)
{
	(void)run(n, mask, SLICE_NS);
}

bool process_goes_on(unsigned n, uint64_t ns)
{
	return run(n, ~0ull, ns) == USER_EXIT_SYSCALL;
}

static void take_line(struct process *p)
{
	char line[128];
	uint64_t bytes = p->frame.rsi;

	if (bytes == 0 || bytes > sizeof(line))
		call_reply(p, -PROC_EINVAL);
	else if (ends_line(line, bytes))
		call_reply(p, space_copy_out(&p->space, p->frame.rdi, line,
					     strnlen(line, bytes - 1) + 1)
				      ? (int64_t)strnlen(line, bytes)
				      : -PROC_EINVAL);
}

static void take_code(struct process *p)
{
	struct process *child = process_of(p->await);

	if (child == NULL) {
		call_reply(p, -PROC_ENOENT);
	} else if (child->state == PROCESS_ENDED) {
		call_reply(p, (int64_t)child->code);
		if (child > &process[READER])
			child->state = PROCESS_FREE;
	}
}

bool process_wake(uint64_t now)
{
	bool any = false;

	for (unsigned n = 0; n < PROCESSES; n++) {
		struct process *p = &process[n];

		switch (p->state) {
		case PROCESS_RETRY:
			call_do(n);
			break;
		case PROCESS_WAIT_COMMIT:
			if (records_committed > p->await ||
			    process[WRITER].state == PROCESS_ENDED)
				call_reply(p, (int64_t)records_committed);
			break;
		case PROCESS_WAIT_LINE:
			take_line(p);
			break;
		case PROCESS_WAIT_CHILD:
			take_code(p);
			break;
		case PROCESS_WAIT_NET:
			if (net_news(p->await) || p->until <= now)
				net_call(p);
			break;
		case PROCESS_SLEEPING:
			if (p->until <= now)
				call_reply(p, 0);
			break;
		default:
			continue;
		}
		any |= p->state == PROCESS_RUNNING;
	}
	return any;
}

uint64_t process_next_wake(void)
{
	uint64_t next = TIME_NEVER;

	for (unsigned n = 0; n < PROCESSES; n++) {
		if ((process[n].state == PROCESS_SLEEPING ||
		     process[n].state == PROCESS_WAIT_NET) &&
		    process[n].until < next)
			next = process[n].until;
	}
	return next;
}
