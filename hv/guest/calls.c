/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/calls.c - the calls of processes (process_abi.h).
 *
 * One that cannot be done for want of room leaves the process in
 * PROCESS_RETRY and is done again later; one that waits has its answer when
 * what it waits for is there.  What a process passes is looked up in its own
 * space: nothing else can be named. */
#include "guest/guest.h"
#include "lib/log.h"
#include "lib/string.h"

#define LINE_MAX 128

void call_reply(struct process *p, int64_t result)
{
	p->frame.rax = (uint64_t)result;
	p->state = PROCESS_RUNNING;
}

/* Whose request it is: its place and, lest it be another's by then, its id. */
uint32_t call_cookie(unsigned n)
{
	return n | (uint32_t)(process[n].id & 0x7fff) << 16;
}

void call_done(uint32_t cookie, uint32_t status, const void *data)
{
	struct process *p = &process[cookie & 0xff];

	if (cookie & COOKIE_LOAD) {
		load_done(status);
		return;
	}
	if (cookie & COOKIE_FILES) {
		files_done(cookie, status, data);
		return;
	}
	if (cookie & COOKIE_RECORD) {
		if (status != BLOCK_OK)
			records_failed();
		return;
	}
	if (cookie != call_cookie(cookie & 0xff) ||
	    p->state != PROCESS_WAIT_DISK)
		return; /* it was killed meanwhile */
	if (data != NULL)
		memcpy(space_at(&p->space, p->frame.rsi, true), data,
		       BLOCK_BYTES);
	/* A read brings no data along when it failed; a flush never does. */
	if (p->frame.rax == PROC_FLUSH && records_flush_bad())
		status = BLOCK_EIO;
	call_reply(p, status == BLOCK_OK ? 0 : -PROC_EIO);
}

static void call_block(unsigned n, struct process *p, bool put)
{
	const uint8_t *page = p->frame.rsi % BLOCK_BYTES == 0
				      ? space_at(&p->space, p->frame.rsi, !put)
				      : NULL;
	bool room;

	if (page == NULL) {
		call_reply(p, -PROC_EINVAL);
		return;
	}
	room = put ? client_write(&client, p->frame.rdi, page, 0, 0, 0,
				  call_cookie(n))
		   : client_read(&client, p->frame.rdi, call_cookie(n));
	p->state = room ? PROCESS_WAIT_DISK : PROCESS_RETRY;
}

/* Text of at most `max` - 1 bytes; false: the process has its answer. */
static bool text_of(struct process *p, char *to, uint64_t max)
{
	uint64_t bytes = p->frame.rsi;

	if (bytes >= max ||
	    !space_copy_in(&p->space, to, p->frame.rdi, bytes)) {
		call_reply(p, -PROC_EINVAL);
		return false;
	}
	to[bytes] = '\0';
	return true;
}

static void call_log(struct process *p, bool plain)
{
	char text[LINE_MAX];

	if (!text_of(p, text, sizeof(text)))
		return;
	if (plain)
		logf_("%s", text);
	else
		logf_("guest: process %lu: %s", p->id, text);
	call_reply(p, 0);
}

static void call_spawn(struct process *p)
{
	struct process_args args = {.stream = records_stream};
	uint64_t id;

	if (!text_of(p, args.command, sizeof(args.command)))
		return;
	id = process_start(PROCESSES, &args);
	call_reply(p, id == 0 ? -PROC_ENOMEM : (int64_t)id);
}

static void call_kill(struct process *p)
{
	struct process *other = process_of(p->frame.rdi);

	if (other == NULL || other->state == PROCESS_ENDED) {
		call_reply(p, -PROC_ENOENT);
		return;
	}
	if (other != p)
		call_reply(p, 0);
	process_end(other, PROC_KILLED);
}

static uint64_t letter(const struct process *p)
{
	switch (p->state) {
	case PROCESS_RUNNING:
		return 'R';
	case PROCESS_SLEEPING:
		return 'S';
	case PROCESS_ENDED:
		return 'E';
	default:
		return 'W';
	}
}

static void call_list(struct process *p)
{
	uint64_t count = 0;

	for (unsigned n = 0; n < PROCESSES; n++) {
		const struct process *q = &process[n];
		struct process_row row = {.id = q->id,
					  .state = letter(q),
					  .pages = q->space.pages,
					  .code = q->code,
					  .run_ns = q->run_ns};

		if (q->state == PROCESS_FREE)
			continue;
		memcpy(row.command, q->command, sizeof(row.command));
		if (count < p->frame.rsi &&
		    !space_copy_out(&p->space,
				    p->frame.rdi + count * sizeof(row), &row,
				    sizeof(row))) {
			call_reply(p, -PROC_EINVAL);
			return;
		}
		count++;
	}
	call_reply(p, (int64_t)count);
}

extern uint8_t image_end[]; /* partition.ld */

static int64_t give(struct process *p, const void *from, uint64_t bytes)
{
	return space_copy_out(&p->space, p->frame.rdi, from, bytes)
		       ? 0
		       : -PROC_EINVAL;
}

static int64_t call_memory(struct process *p)
{
	struct process_memory m = {
		.kernel = ((uintptr_t)image_end - PART_MEMORY_VA) /
			  ABI_PAGE_BYTES,
		.free = space_free_pages(),
	};

	m.total = m.kernel + space_all_pages();
	return give(p, &m, sizeof(m));
}

static int64_t call_vtime(struct process *p)
{
	struct vcpu_time t;

	(void)sys_vtime(&t);
	return give(p, &t, sizeof(t));
}

static void call_heap(struct process *p)
{
	if (p->frame.rdi > PROC_HEAP_PAGES) {
		call_reply(p, -PROC_EINVAL);
		return;
	}
	if (p->frame.rdi > p->heap_pages)
		p->heap_pages = p->frame.rdi;
	call_reply(p, 0);
}

static void wait(struct process *p, enum process_state state)
{
	p->await = p->frame.rdi;
	p->state = state;
}

void call_do(unsigned n)
{
	struct process *p = &process[n];

	switch (p->frame.rax) {
	case PROC_WRITE:
	case PROC_STORE:
		records_write(n, p, p->frame.rax == PROC_STORE);
		break;
	case PROC_READ:
	case PROC_PUT:
		call_block(n, p, p->frame.rax == PROC_PUT);
		break;
	case PROC_FLUSH:
		p->state = client_flush(&client, call_cookie(n))
				   ? PROCESS_WAIT_DISK
				   : PROCESS_RETRY;
		break;
	case PROC_COMMIT:
		records_commit(p);
		break;
	case PROC_AWAIT:
		wait(p, PROCESS_WAIT_COMMIT);
		break;
	case PROC_LOG:
	case PROC_PRINT:
		call_log(p, p->frame.rax == PROC_PRINT);
		break;
	case PROC_TIME:
		call_reply(p, (int64_t)sys_time());
		break;
	case PROC_YIELD:
		call_reply(p, 0);
		break;
	case PROC_EXIT:
		p->count = p->frame.rsi;
		process_end(p, p->frame.rdi);
		break;
	case PROC_READ_LINE:
		wait(p, PROCESS_WAIT_LINE);
		break;
	case PROC_SPAWN:
		call_spawn(p);
		break;
	case PROC_WAIT:
		wait(p, PROCESS_WAIT_CHILD);
		break;
	case PROC_KILL:
		call_kill(p);
		break;
	case PROC_SLEEP:
		p->until = sys_time() + p->frame.rdi;
		p->state = PROCESS_SLEEPING;
		break;
	case PROC_SELF:
		call_reply(p, (int64_t)p->id);
		break;
	case PROC_HEAP:
		call_heap(p);
		break;
	case PROC_LIST:
		call_list(p);
		break;
	case PROC_MEMORY:
		call_reply(p, call_memory(p));
		break;
	case PROC_VTIME:
		call_reply(p, call_vtime(p));
		break;
	default:
		if (p->frame.rax >= PROC_SOCKET && p->frame.rax <= PROC_NETWORK)
			net_call(p);
		else if (p->frame.rax >= PROC_OPEN &&
			 p->frame.rax <= PROC_VOLUME)
			files_call(p);
		else
			call_reply(p, -PROC_EINVAL);
		break;
	}
}
