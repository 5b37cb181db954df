/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/records.c - the workload's records: observers hear of each before
 * the disk does, and that it is committed before anybody relies on it. */
#include "abi/record.h"
#include "guest/guest.h"
#include "lib/string.h"

/* Written but not yet committed. */
static struct {
	uint64_t record, block, check;
} uncommitted[UNCOMMITTED_MAX];
static unsigned uncommitted_count;
static unsigned write_errors; /* since the last flush */

uint64_t records_stream, records_committed;

void records_write(unsigned n, struct process *p, bool through)
{
	uint32_t cookie = call_cookie(n) | (through ? 0 : COOKIE_RECORD);
	const uint8_t *data = p->frame.rsi % BLOCK_BYTES == 0
				      ? space_at(&p->space, p->frame.rsi, false)
				      : NULL;
	struct record head;

	if (data == NULL || uncommitted_count == UNCOMMITTED_MAX) {
		call_reply(p, -PROC_EINVAL);
		return;
	}
	memcpy(&head, data, offsetof(struct record, payload));
	if (!p->issued)
		p->issued = diag_post(&diag, DIAG_ISSUED, head.stream,
				      head.record, p->frame.rdi, head.crc);
	if (!p->issued || !client_write(&client, p->frame.rdi, data,
					through ? BLOCK_FLAG_FUA : 0,
					head.stream, head.record, cookie)) {
		p->state = PROCESS_RETRY;
		return;
	}
	p->issued = false;
	uncommitted[uncommitted_count].record = head.record;
	uncommitted[uncommitted_count].block = p->frame.rdi;
	uncommitted[uncommitted_count].check = head.crc;
	uncommitted_count++;
	if (through)
		p->state = PROCESS_WAIT_DISK;
	else
		call_reply(p, 0);
}

void records_commit(struct process *p)
{
	unsigned posted = 0;

	while (posted < uncommitted_count &&
	       diag_post(&diag, DIAG_COMMITTED, records_stream,
			 uncommitted[posted].record, uncommitted[posted].block,
			 uncommitted[posted].check))
		posted++;
	records_committed += posted;
	uncommitted_count -= posted;
	memmove(uncommitted, uncommitted + posted,
		uncommitted_count * sizeof(uncommitted[0]));
	if (uncommitted_count > 0)
		p->state = PROCESS_RETRY;
	else
		call_reply(p, 0);
}

void records_failed(void)
{
	write_errors++;
}

bool records_flush_bad(void)
{
	bool bad = write_errors > 0;

	write_errors = 0;
	return bad;
}
