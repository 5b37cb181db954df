/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disk oracle on made-up runs: each verdict. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/record.h"
#include "lib/crc.h"
#include "sim/check.h"
#include "sim/trace/trace.h"
#include "tools/parterre/disk_oracle.h"

#define SLOTS  8
#define STREAM 3
#define START  5 /* of the extent, in blocks */

struct run {
	char dir[64], image[80], trace[80];
	FILE *disk;
	struct trace *t;
	uint64_t sequence;
};

static struct run *run_begin(void)
{
	struct run *r = calloc(1, sizeof(*r));
	struct error err;

	CHECK(r);
	strcpy(r->dir, "/tmp/parterre-oracle-XXXXXX");
	CHECK(mkdtemp(r->dir));
	snprintf(r->image, sizeof(r->image), "%s/disk.img", r->dir);
	snprintf(r->trace, sizeof(r->trace), "%s/trace", r->dir);
	r->disk = fopen(r->image, "w+b");
	CHECK(r->disk && !ftruncate(fileno(r->disk), 64 * RECORD_BYTES));
	r->t = trace_create(r->trace, TRACE_CLASS_PARTITION, &err);
	CHECK_MSG(r->t, "%s", err.text);
	return r;
}

static void emit(struct run *r, uint16_t number, const uint64_t value[8])
{
	struct trace_record e = {.kind = trace_kind_find(number)};

	for (unsigned i = 0; i < e.kind->field_count; i++)
		e.value[i].u = value[i];
	trace_emit(r->t, &e);
}

static struct record make(uint64_t record)
{
	struct record b = {
		.magic = RECORD_MAGIC,
		.version = RECORD_VERSION,
		.bytes = RECORD_BYTES,
		.stream = STREAM,
		.record = record,
		.block = record % SLOTS,
	};

	for (uint64_t i = 0; i < RECORD_WORDS; i++)
		b.payload[i] = record_word(STREAM, record, i);
	/* The guests' own function: two implementations must agree. */
	b.crc = crc32c(0, &b, sizeof(b));
	return b;
}

static void put(struct run *r, uint64_t place, const struct record *b)
{
	CHECK(!fseek(r->disk, (long)(place * RECORD_BYTES), SEEK_SET));
	CHECK(fwrite(b, sizeof(*b), 1, r->disk) == 1);
}

static void write_record(struct run *r, uint64_t record)
{
	struct record b = make(record);

	put(r, START + record % SLOTS, &b);
}

static void request(struct run *r, uint64_t record, uint64_t replay)
{
	if (!replay)
		r->sequence++;
	emit(r, TRACE_EV_BLOCK_REQUEST,
	     (uint64_t[8]){1, r->sequence, 2, record % SLOTS, 0, replay, STREAM,
			   record});
}

static void answer(struct run *r)
{
	emit(r, TRACE_EV_BLOCK_RESPONSE, (uint64_t[8]){1, r->sequence, 0});
}

static void issue(struct run *r, uint64_t record)
{
	emit(r, TRACE_EV_ISSUED,
	     (uint64_t[8]){STREAM, record, record % SLOTS, make(record).crc});
	request(r, record, 0);
}

static void commit(struct run *r, uint64_t record)
{
	emit(r, TRACE_EV_COMMITTED,
	     (uint64_t[8]){STREAM, record, record % SLOTS, make(record).crc});
}

/* Records first to last: issued, written, answered, committed. */
static void go(struct run *r, uint64_t first, uint64_t last)
{
	for (uint64_t n = first; n <= last; n++) {
		issue(r, n);
		write_record(r, n);
		answer(r);
		commit(r, n);
	}
}

static void run_end(struct run *r)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", r->dir);
	CHECK(!system(command));
	free(r);
}

static struct oracle_report judge(struct run *r)
{
	struct oracle_report report;
	struct error err;

	CHECK(!fclose(r->disk));
	CHECK(trace_close(r->t, &err));
	cr_assert(disk_oracle(r->image, r->trace, &report, &err), "%s",
		  err.text);
	run_end(r);
	return report;
}

#define EXPECT(r, l, d, t, m)                                                  \
	do {                                                                   \
		cr_assert_eq((r).lost, l, "lost %" PRIu64, (r).lost);          \
		cr_assert_eq((r).doubled, d, "doubled %" PRIu64, (r).doubled); \
		cr_assert_eq((r).torn, t, "torn %" PRIu64, (r).torn);          \
		cr_assert_eq((r).misordered, m, "out of order %" PRIu64,       \
			     (r).misordered);                                  \
		cr_assert_eq(oracle_holds(&(r)),                               \
			     !(l) && !(d) && !(t) && !(m));                    \
	} while (0)

Test(oracle, a_good_run)
{
	struct run *r = run_begin();
	struct oracle_report o;

	go(r, 0, 3 * SLOTS + 2);
	emit(r, TRACE_EV_DONE, (uint64_t[8]){STREAM, 3 * SLOTS + 3});
	o = judge(r);
	EXPECT(o, 0, 0, 0, 0);
	cr_assert_eq(o.streams, 1);
	cr_assert_eq(o.streams_done, 1);
	cr_assert_eq(o.issued, 27);
	cr_assert_eq(o.acknowledged, 27);
	cr_assert_eq(o.requests, 27);
	cr_assert_eq(o.good, SLOTS);
	cr_assert_eq(o.max_pending, 1);
	cr_assert_eq(o.notes, 0);
}

Test(oracle, the_extent_is_where_most_records_say)
{
	struct run *r = run_begin();
	struct record b = make(1);
	struct oracle_report o;

	put(r, 2, &b); /* left by somebody else */
	go(r, 0, SLOTS);
	o = judge(r);
	EXPECT(o, 0, 0, 0, 0);
	cr_assert_eq(o.good, SLOTS);
}

Test(oracle, what_is_under_way_is_nobodys_loss)
{
	struct run *r = run_begin();
	struct oracle_report o;

	go(r, 0, 9);
	issue(r, 10); /* it came to the disk, but nobody was told */
	write_record(r, 10);
	issue(r, 11); /* it did not */
	o = judge(r);
	EXPECT(o, 0, 0, 0, 0);
	cr_assert_eq(o.max_pending, 2);
}

Test(oracle, a_replay_is_counted_and_is_no_fault)
{
	struct run *r = run_begin();
	struct oracle_report o;

	go(r, 0, 9);
	issue(r, 10);
	request(r, 10, 1);
	write_record(r, 10);
	answer(r);
	commit(r, 10);
	o = judge(r);
	EXPECT(o, 0, 0, 0, 0);
	cr_assert_eq(o.requests, 11);
	cr_assert_eq(o.replayed, 1);
	cr_assert_eq(o.max_pending, 1);
}

Test(oracle, lost_the_older_one_is_there)
{
	struct run *r = run_begin();
	struct oracle_report o;

	go(r, 0, 10);
	issue(r, 11);
	commit(r, 11);
	o = judge(r);
	EXPECT(o, 1, 0, 0, 0);
	cr_assert(strstr(o.note[0], "lost: stream 3, record 11, block 3") &&
			  strstr(o.note[0], "record 3 at block 8"),
		  "%s", o.note[0]);
}

Test(oracle, lost_nothing_is_there)
{
	struct run *r = run_begin();
	struct oracle_report o;

	go(r, 0, 3);
	issue(r, 4);
	commit(r, 4);
	o = judge(r);
	EXPECT(o, 1, 0, 0, 0);
	cr_assert_eq(o.good, 4);
}

Test(oracle, lost_all)
{
	struct run *r = run_begin();
	struct oracle_report o;

	issue(r, 0);
	commit(r, 0);
	o = judge(r);
	EXPECT(o, 1, 0, 0, 0);
}

Test(oracle, doubled_the_older_one_came_again)
{
	struct run *r = run_begin();
	struct oracle_report o;

	go(r, 0, 4);
	request(r, 4, 1);
	go(r, 5, 13); /* 12 is in 4's place */
	write_record(r, 4);
	o = judge(r);
	EXPECT(o, 0, 1, 0, 0);
	cr_assert(strstr(o.note[0], "doubled: stream 3, record 12"), "%s",
		  o.note[0]);
}

Test(oracle, torn)
{
	struct run *r = run_begin();
	struct record b = make(6);
	struct oracle_report o;

	go(r, 0, 9);
	memset((uint8_t *)&b + 2048, 0, 2048); /* half of it */
	put(r, START + 6, &b);
	o = judge(r);
	EXPECT(o, 0, 0, 1, 0);
	cr_assert_eq(o.unsettled, 0, "counted once");
}

Test(oracle, torn_with_nothing_committed_is_unsettled)
{
	struct run *r = run_begin();
	struct record b = make(6);
	struct oracle_report o;

	go(r, 0, 5);
	issue(r, 6);
	b.payload[9]++;
	put(r, START + 6, &b);
	o = judge(r);
	EXPECT(o, 0, 0, 0, 0);
	cr_assert_eq(o.unsettled, 1);
}

Test(oracle, out_of_order_commits)
{
	struct run *r = run_begin();
	struct oracle_report o;

	go(r, 0, 1);
	issue(r, 2);
	issue(r, 3);
	write_record(r, 2);
	write_record(r, 3);
	commit(r, 3);
	commit(r, 2);
	o = judge(r);
	EXPECT(o, 0, 0, 0, 2);
}

Test(oracle, out_of_order_never_issued)
{
	struct run *r = run_begin();
	struct oracle_report o;

	go(r, 0, 1);
	commit(r, 2);
	write_record(r, 2);
	o = judge(r);
	/* On the disk lies what nobody issued. */
	EXPECT(o, 1, 0, 0, 1);
}

Test(oracle, misplaced)
{
	struct run *r = run_begin();
	struct record b;
	struct oracle_report o;

	go(r, 0, 6);
	b = make(2);
	put(r, START + 3, &b); /* over record 3 */
	o = judge(r);
	EXPECT(o, 1, 0, 0, 1);
}

Test(oracle, another_record_with_a_right_checksum)
{
	struct run *r = run_begin();
	struct record b = make(2);
	struct oracle_report o;

	go(r, 0, 6);
	b.payload[0]++;
	b.crc = 0;
	b.crc = crc32c(0, &b, sizeof(b));
	put(r, START + 2, &b);
	o = judge(r);
	EXPECT(o, 1, 0, 0, 0);
}

Test(oracle, errors_say_what_to_do)
{
	struct run *r = run_begin();
	struct oracle_report o;
	struct error err;
	char empty[90];
	FILE *f;

	go(r, 0, 2);
	CHECK(!fclose(r->disk));
	CHECK(trace_close(r->t, &err));
	cr_assert_not(disk_oracle("/nowhere/disk.img", r->trace, &o, &err));
	cr_assert_eq(err.code, EXIT_USAGE);
	cr_assert(strstr(err.text, "/nowhere/disk.img"), "%s", err.text);
	cr_assert_not(disk_oracle(r->image, "/nowhere", &o, &err));
	cr_assert(strstr(err.text, "/nowhere"), "%s", err.text);
	snprintf(empty, sizeof(empty), "%s/empty", r->dir);
	f = fopen(empty, "wb");
	CHECK(f && !fclose(f));
	cr_assert_not(disk_oracle(empty, r->trace, &o, &err));
	cr_assert(strstr(err.text, "not one block"), "%s", err.text);
	/* A trace with a piece of an event at its end. */
	snprintf(empty, sizeof(empty), "%s/stream", r->trace);
	CHECK(!truncate(empty, 300));
	cr_assert_not(disk_oracle(r->image, r->trace, &o, &err));
	cr_assert(strstr(err.text, "stream"), "%s", err.text);
	run_end(r);
}
