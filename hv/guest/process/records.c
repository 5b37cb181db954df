/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/process/records.c - a writer of records, and a reader that checks
 * what was committed.
 *
 * The writer fills records (abi/record.h), flushes after each `flush` of them,
 * and commits when the flush went well.  With `fua` each is written through and
 * committed at once.  With `early` it commits first: that
 * is wrong, and an oracle that doesn't notice it in a crash is no oracle.
 *
 * The reader waits for each record to be committed, reads its block back, and
 * wants a whole record of the stream there, that one or a younger one.
 */
#include "abi/record.h"
#include "guest/process/process.h"
#include "lib/crc.h"
#include "lib/format.h"

static struct record page __attribute__((aligned(4096)));

static void say(const char *what, uint64_t record)
{
	char line[96];
	int bytes = format(line, sizeof(line), "%s, record %lu", what, record);

	(void)call(PROC_LOG, (uint64_t)(uintptr_t)line, (uint64_t)bytes);
}

/* A pause of random length that takes instructions, not time. */
static void think(uint64_t *random, uint64_t longest)
{
	uint64_t turns;

	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	turns = longest == 0 ? 0 : *random % longest;
	while (turns-- > 0)
		__asm__ volatile("");
}

static void fill(const struct process_args *args, uint64_t n)
{
	page.magic = RECORD_MAGIC;
	page.version = RECORD_VERSION;
	page.bytes = RECORD_BYTES;
	page.stream = args->stream;
	page.record = n;
	page.block = n % args->slots;
	page.crc = 0;
	page.reserved = 0;
	for (uint64_t i = 0; i < RECORD_WORDS; i++)
		page.payload[i] = record_word(args->stream, n, i);
	page.crc = crc32c(0, &page, sizeof(page));
}

int program_writer(const struct words *w, const struct process_args *args)
{
	uint64_t random = args->seed * 2 + 1;

	(void)w;
	for (uint64_t n = 0; n < args->records; n++) {
		bool last = n + 1 == args->records;

		think(&random, args->think);
		fill(args, n);
		if (call(args->fua ? PROC_STORE : PROC_WRITE, page.block,
			 (uintptr_t)&page) < 0) {
			say("write refused", n);
			leave(1, n);
		}
		if (args->fua)
			(void)call(PROC_COMMIT, 0, 0);
		if (args->fua || ((n + 1) % args->flush != 0 && !last))
			continue;
		if (args->early)
			(void)call(PROC_COMMIT, 0, 0);
		if (call(PROC_FLUSH, 0, 0) < 0) {
			say("flush failed", n);
			leave(1, n);
		}
		if (!args->early)
			(void)call(PROC_COMMIT, 0, 0);
	}
	leave(0, args->records);
}

/* What is wrong with the record in `page`, which has to be number `n` of its
 * block or a younger one; NULL: nothing. */
static const char *wrong(const struct process_args *args, uint64_t n)
{
	uint32_t crc = page.crc;

	if (page.magic != RECORD_MAGIC || page.version != RECORD_VERSION ||
	    page.bytes != RECORD_BYTES)
		return "no record";
	page.crc = 0;
	if (crc32c(0, &page, sizeof(page)) != crc)
		return "torn record";
	if (page.stream != args->stream || page.block != n % args->slots ||
	    page.record % args->slots != page.block)
		return "misplaced record";
	if (page.record < n)
		return "stale record";
	return NULL;
}

int program_reader(const struct words *w, const struct process_args *args)
{
	uint64_t verified = 0;

	(void)w;
	for (uint64_t n = 0; args->read != 0 && n < args->records;
	     n += args->read) {
		const char *trouble = NULL;

		if ((uint64_t)call(PROC_AWAIT, n, 0) <= n)
			break; /* the writer ended before it */
		if (call(PROC_READ, n % args->slots, (uintptr_t)&page) < 0)
			trouble = "read failed";
		if (trouble == NULL)
			trouble = wrong(args, n);
		if (trouble != NULL) {
			say(trouble, n);
			leave(1, verified);
		}
		verified++;
	}
	leave(0, verified);
}
