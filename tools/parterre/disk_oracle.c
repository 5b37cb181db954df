/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/disk_oracle.c - see disk_oracle.h.  Start with disk_oracle(),
 * at the end: the trace is read, the image is scanned, each stream is judged.
 */
#include "tools/parterre/disk_oracle.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hv/abi/record.h"
#include "sim/check.h"
#include "sim/seen/progress.h"
#include "sim/trace/trace.h"

#define PENDING_MAX 4096
#define NOT_FOUND   UINT64_MAX

/* --- growing arrays --- */

struct array {
	void *at;
	size_t count, room, bytes; /* bytes: of one element */
};

static void *array_add(struct array *a)
{
	if (a->count == a->room) {
		a->room = a->room ? 2 * a->room : 256;
		a->at = reallocarray(a->at, a->room, a->bytes);
		CHECK_MSG(a->at, "out of memory for the disk oracle");
	}
	return memset((uint8_t *)a->at + a->bytes * a->count++, 0, a->bytes);
}

static void array_sort(struct array *a,
		       int (*order)(const void *, const void *))
{
	if (a->count)
		qsort(a->at, a->count, a->bytes, order);
}

static void *array_find(const struct array *a, const void *key,
			int (*order)(const void *, const void *))
{
	return a->count ? bsearch(key, a->at, a->count, a->bytes, order) : NULL;
}

/* --- what is known --- */

/* A record that a process issued, or saw committed. */
struct told {
	uint64_t stream, record, block, check;
	bool again; /* issued: a request for it was sent more than once */
};

/* A block of the disk that has a record's magic number. */
struct found {
	uint64_t place; /* in RECORD_BYTES from the disk's start */
	uint64_t stream, record, block;
	uint32_t crc;
	bool whole;
};

struct pending {
	uint64_t channel, sequence;
};

struct oracle {
	struct oracle_report *report, so_far;
	struct array issued, committed; /* struct told */
	struct array replayed;          /* struct told: stream, record */
	struct array streams;           /* uint64_t */
	struct array disk;              /* struct found, by place */
	struct array pending;           /* struct pending */
	bool partition_events;
};

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_record(const void *a, const void *b)
{
	const struct told *x = a, *y = b;
	int c = compare(x->stream, y->stream);

	return c ? c : compare(x->record, y->record);
}

static int by_block(const void *a, const void *b)
{
	const struct told *x = a, *y = b;
	int c = compare(x->stream, y->stream);

	c = c ? c : compare(x->block, y->block);
	return c ? c : compare(x->record, y->record);
}

static int by_place(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return compare(x->place, y->place);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return compare(*x, *y);
}

/* Where the next note goes; what finds no room is dropped. */
static char *next_note(struct oracle *o)
{
	static char dropped[sizeof(o->report->note[0])];
	struct oracle_report *r = o->report;

	return r->notes < ORACLE_NOTES_MAX ? r->note[r->notes++] : dropped;
}

#define NOTE(o, ...)                                                           \
	snprintf(next_note(o), sizeof((o)->report->note[0]), __VA_ARGS__)

/* --- the trace --- */

static void add_stream(struct oracle *o, uint64_t stream)
{
	const uint64_t *s = o->streams.at;

	for (size_t i = 0; i < o->streams.count; i++) {
		if (s[i] == stream)
			return;
	}
	*(uint64_t *)array_add(&o->streams) = stream;
}

static void add_told(struct oracle *o, struct array *to,
		     const struct trace_record *r)
{
	struct told *t = array_add(to);

	t->stream = r->value[0].u;
	t->record = r->value[1].u;
	t->block = r->value[2].u;
	t->check = r->value[3].u;
	add_stream(o, t->stream);
}

static struct pending *find_pending(struct oracle *o, uint64_t channel,
				    uint64_t sequence)
{
	struct pending *p = o->pending.at;

	for (size_t i = 0; i < o->pending.count; i++) {
		if (p[i].channel == channel && p[i].sequence == sequence)
			return &p[i];
	}
	return NULL;
}

static void count_pending(struct oracle *o, uint64_t channel)
{
	const struct pending *p = o->pending.at;
	uint64_t n = 0;

	for (size_t i = 0; i < o->pending.count; i++)
		n += p[i].channel == channel;
	if (n > o->report->max_pending)
		o->report->max_pending = n;
}

static void on_request(struct oracle *o, const struct trace_record *r)
{
	uint64_t channel = r->value[0].u, sequence = r->value[1].u;
	struct pending *p;

	if (r->value[5].u) {
		struct told *t = array_add(&o->replayed);

		t->stream = r->value[6].u;
		t->record = r->value[7].u;
		o->report->replayed++;
	} else {
		o->report->requests++;
	}
	if (find_pending(o, channel, sequence) ||
	    o->pending.count == PENDING_MAX)
		return;
	p = array_add(&o->pending);
	p->channel = channel;
	p->sequence = sequence;
	count_pending(o, channel);
}

static void on_response(struct oracle *o, const struct trace_record *r)
{
	struct pending *p = find_pending(o, r->value[0].u, r->value[1].u);

	if (p)
		*p = ((struct pending *)o->pending.at)[--o->pending.count];
}

void oracle_note(struct oracle *o, const struct trace_record *r)
{
	o->partition_events |= r->kind->class == TRACE_CLASS_PARTITION;
	switch (r->kind->number) {
	case TRACE_EV_ISSUED:
		o->report->issued++;
		add_told(o, &o->issued, r);
		break;
	case TRACE_EV_COMMITTED:
		o->report->acknowledged++;
		add_told(o, &o->committed, r);
		break;
	case TRACE_EV_DONE:
		o->report->streams_done++;
		break;
	case TRACE_EV_BLOCK_REQUEST:
		on_request(o, r);
		break;
	case TRACE_EV_BLOCK_RESPONSE:
		on_response(o, r);
		break;
	default:
		break;
	}
}

static bool read_trace(struct oracle *o, const char *dir, struct error *err)
{
	struct trace_reader *tr = trace_open(dir, err);
	struct trace_record r;
	int more;

	if (!tr)
		return false;
	trace_plain(tr);
	while ((more = trace_next(tr, &r, err)) == 1) {
		progress_trace("what was acknowledged", tr);
		oracle_note(o, &r);
	}
	progress_end();
	trace_reader_close(tr);
	if (more < 0)
		return false;
	if (!o->partition_events)
		return error_set(err, EXIT_USAGE,
				 "%s: no event of class partition in it; "
				 "record the run with that class",
				 dir);
	return true;
}

/* --- the image --- */

/* CRC-32C (RFC 3720, appendix B.4): reflected polynomial 82F63B78h. */
static uint32_t crc32c(const uint8_t *p, size_t bytes)
{
	static uint32_t table[256];
	uint32_t crc = UINT32_MAX;

	for (uint32_t i = 0; !table[255] && i < 256; i++) {
		uint32_t x = i;

		for (unsigned bit = 0; bit < 8; bit++)
			x = x >> 1 ^ (x & 1 ? UINT32_C(0x82f63b78) : 0);
		table[i] = x;
	}
	while (bytes--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 255];
	return ~crc;
}

static bool is_whole(const struct record *r)
{
	static struct record copy;

	copy = *r;
	copy.crc = 0;
	return r->version == RECORD_VERSION && r->bytes == RECORD_BYTES &&
	       crc32c((const uint8_t *)&copy, sizeof(copy)) == r->crc;
}

static void take_block(struct oracle *o, uint64_t place, const struct record *r)
{
	struct found *f;

	if (r->magic != RECORD_MAGIC)
		return;
	f = array_add(&o->disk);
	*f = (struct found){
		.place = place,
		.stream = r->stream,
		.record = r->record,
		.block = r->block,
		.crc = r->crc,
		.whole = is_whole(r),
	};
}

#define BLOCKS_AT_ONCE 16

/* From block `at` on: the first that may hold anything, and in *until the first
 * behind it that does not; `blocks`: none.  The host reads a hole as slowly as
 * data, and a disk is mostly holes. */
static uint64_t next_data(int fd, uint64_t at, uint64_t blocks, uint64_t *until)
{
	off_t data = lseek(fd, (off_t)(at * RECORD_BYTES), SEEK_DATA);
	off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);

	*until = blocks;
	if (data < 0)
		return errno == ENXIO ? blocks : at; /* or it knows of none */
	if (hole >= 0 && (uint64_t)hole / RECORD_BYTES < blocks)
		*until = ((uint64_t)hole + RECORD_BYTES - 1) / RECORD_BYTES;
	return (uint64_t)data / RECORD_BYTES;
}

static bool read_blocks(struct oracle *o, int fd, uint64_t at, uint64_t until)
{
	static struct record block[BLOCKS_AT_ONCE];

	while (at < until) {
		size_t n = until - at < BLOCKS_AT_ONCE ? until - at
						       : BLOCKS_AT_ONCE;
		size_t bytes = n * RECORD_BYTES;

		if (pread(fd, block, bytes, (off_t)(at * RECORD_BYTES)) !=
		    (ssize_t)bytes)
			return false;
		for (size_t i = 0; i < n; i++)
			take_block(o, at++, &block[i]);
	}
	return true;
}

static bool read_image(struct oracle *o, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t blocks = 0, at = 0, until;
	struct stat is;
	bool good = true;

	if (fd < 0)
		return error_set(err, EXIT_USAGE,
				 "disk image %s: %s; name the image that the "
				 "run wrote to",
				 path, strerror(errno));
	errno = 0;
	if (fstat(fd, &is) == 0 && S_ISREG(is.st_mode))
		blocks = (uint64_t)is.st_size / RECORD_BYTES;
	while (good && (at = next_data(fd, at, blocks, &until)) < blocks) {
		good = read_blocks(o, fd, at, until);
		at = until;
	}
	close(fd);
	if (!good)
		return error_set(err, EXIT_HOST,
				 "disk image %s: %s while reading; check the "
				 "host's disk",
				 path, strerror(errno));
	if (!blocks)
		return error_set(err, EXIT_USAGE,
				 "disk image %s: not one block of %u bytes; "
				 "name the image that the run wrote to",
				 path, RECORD_BYTES);
	return true;
}

/* --- judgement --- */

/* Where the stream's block 0 lies: what most of its whole records say; of
 * equals the lowest. */
static uint64_t extent_start(const struct oracle *o, uint64_t stream)
{
	struct array votes = {.bytes = sizeof(uint64_t)};
	const struct found *f = o->disk.at;
	uint64_t best = NOT_FOUND, *vote;
	size_t best_votes = 0, run = 0;

	for (size_t i = 0; i < o->disk.count; i++) {
		if (f[i].whole && f[i].stream == stream &&
		    f[i].place >= f[i].block)
			*(uint64_t *)array_add(&votes) =
				f[i].place - f[i].block;
	}
	array_sort(&votes, by_value);
	vote = votes.at;
	for (size_t i = 0; i < votes.count; i++) {
		run = i && vote[i] == vote[i - 1] ? run + 1 : 1;
		if (run > best_votes) {
			best_votes = run;
			best = vote[i];
		}
	}
	free(votes.at);
	return best;
}

static const struct told *issue_of(const struct oracle *o, uint64_t stream,
				   uint64_t record)
{
	struct told key = {.stream = stream, .record = record};

	return array_find(&o->issued, &key, by_record);
}

static const struct found *disk_at(const struct oracle *o, uint64_t place)
{
	struct found key = {.place = place};

	return array_find(&o->disk, &key, by_place);
}

#define STREAM "stream %" PRIu64 ", record %" PRIu64 ", block %" PRIu64

static void judge_old(struct oracle *o, const struct told *c,
		      const struct found *f, const struct told *issue)
{
	if (issue->again)
		o->report->doubled++;
	else
		o->report->lost++;
	NOTE(o,
	     "%s: " STREAM ": the disk has record %" PRIu64
	     " at block %" PRIu64,
	     issue->again ? "doubled" : "lost", c->stream, c->record, c->block,
	     f->record, f->place);
}

/* `c` is the youngest record committed for its block. */
static void judge_block(struct oracle *o, const struct told *c, uint64_t start)
{
	const struct found *f =
		start == NOT_FOUND ? NULL : disk_at(o, start + c->block);
	const struct told *issue;

	if (!f) {
		o->report->lost++;
		NOTE(o, "lost: " STREAM ": the disk has no record there",
		     c->stream, c->record, c->block);
		return;
	}
	if (!f->whole) {
		o->report->torn++;
		NOTE(o,
		     "torn: " STREAM ": wrong checksum at block %" PRIu64
		     " of the disk",
		     c->stream, c->record, c->block, f->place);
		return;
	}
	issue = f->stream == c->stream ? issue_of(o, f->stream, f->record)
				       : NULL;
	if (!issue || f->block != c->block || issue->block != c->block ||
	    issue->check != f->crc) {
		o->report->lost++;
		NOTE(o,
		     "lost: " STREAM ": the disk has stream %" PRIu64
		     ", record %" PRIu64,
		     c->stream, c->record, c->block, f->stream, f->record);
		return;
	}
	if (f->record < c->record)
		judge_old(o, c, f, issue);
	else
		o->report->good++;
}

/* In the order in which they were told. */
static void judge_order(struct oracle *o, uint64_t stream)
{
	const struct told *c = o->committed.at;
	uint64_t next = 0;

	for (size_t i = 0; i < o->committed.count; i++) {
		const struct told *issue;

		if (c[i].stream != stream)
			continue;
		issue = issue_of(o, stream, c[i].record);
		if (c[i].record != next) {
			o->report->misordered++;
			NOTE(o,
			     "out of order: " STREAM ": committed when %" PRIu64
			     " was next",
			     stream, c[i].record, c[i].block, next);
		} else if (!issue || issue->block != c[i].block ||
			   issue->check != c[i].check) {
			o->report->misordered++;
			NOTE(o, "out of order: " STREAM ": committed %s",
			     stream, c[i].record, c[i].block,
			     issue ? "as another than was issued"
				   : "and never issued");
		}
		next = c[i].record + 1;
	}
}

static uint64_t extent_blocks(const struct oracle *o, uint64_t stream)
{
	const struct told *t = o->issued.at;
	uint64_t blocks = 0;

	for (size_t i = 0; i < o->issued.count; i++) {
		if (t[i].stream == stream && t[i].block >= blocks)
			blocks = t[i].block + 1;
	}
	return blocks;
}

static bool is_committed_block(const struct oracle *o, uint64_t stream,
			       uint64_t block)
{
	const struct told *c = o->committed.at;

	for (size_t i = 0; i < o->committed.count; i++) {
		if (c[i].stream == stream && c[i].block == block)
			return true;
	}
	return false;
}

/* What lies in the extent, whatever was committed. */
static void judge_places(struct oracle *o, uint64_t stream, uint64_t start)
{
	uint64_t blocks = extent_blocks(o, stream);
	const struct found *f = o->disk.at;

	for (size_t i = 0; i < o->disk.count && start != NOT_FOUND; i++) {
		uint64_t block = f[i].place - start;
		const struct told *issue;

		if (block >= blocks)
			continue;
		if (!f[i].whole) {
			if (!is_committed_block(o, stream, block))
				o->report->unsettled++;
			continue;
		}
		if (f[i].stream != stream)
			continue;
		issue = issue_of(o, stream, f[i].record);
		if (issue && issue->block == block && f[i].block == block)
			continue;
		o->report->misordered++;
		NOTE(o, "out of order: " STREAM ": lies at block %" PRIu64,
		     stream, f[i].record, f[i].block, block);
	}
}

static void judge_stream(struct oracle *o, const struct array *blocks,
			 uint64_t stream)
{
	uint64_t start = extent_start(o, stream);
	const struct told *c = blocks->at;

	judge_order(o, stream);
	for (size_t i = 0; i < blocks->count; i++) {
		bool last = i + 1 == blocks->count ||
			    c[i + 1].stream != c[i].stream ||
			    c[i + 1].block != c[i].block;

		if (last && c[i].stream == stream)
			judge_block(o, &c[i], start);
	}
	judge_places(o, stream, start);
}

static void mark_replayed(struct oracle *o)
{
	struct told *t = o->issued.at;

	array_sort(&o->replayed, by_record);
	for (size_t i = 0; i < o->issued.count; i++)
		t[i].again = array_find(&o->replayed, &t[i], by_record);
}

static void judge(struct oracle *o)
{
	struct array blocks = {.bytes = sizeof(struct told)};
	const struct told *c = o->committed.at;
	const uint64_t *stream = o->streams.at;

	array_sort(&o->issued, by_record);
	mark_replayed(o);
	for (size_t i = 0; i < o->committed.count; i++)
		*(struct told *)array_add(&blocks) = c[i];
	array_sort(&blocks, by_block);
	o->report->streams = o->streams.count;
	for (size_t i = 0; i < o->streams.count; i++)
		judge_stream(o, &blocks, stream[i]);
	free(blocks.at);
}

struct oracle *oracle_begin(void)
{
	struct oracle *o = calloc(1, sizeof(*o));

	CHECK_MSG(o, "out of memory for the disk oracle");
	*o = (struct oracle){
		.report = &o->so_far,
		.issued = {.bytes = sizeof(struct told)},
		.committed = {.bytes = sizeof(struct told)},
		.replayed = {.bytes = sizeof(struct told)},
		.streams = {.bytes = sizeof(uint64_t)},
		.disk = {.bytes = sizeof(struct found)},
		.pending = {.bytes = sizeof(struct pending)},
	};
	return o;
}

static void oracle_end(struct oracle *o, struct oracle_report *report)
{
	*report = o->so_far;
	free(o->issued.at);
	free(o->committed.at);
	free(o->replayed.at);
	free(o->streams.at);
	free(o->disk.at);
	free(o->pending.at);
	free(o);
}

void oracle_judge(struct oracle *o, const void *medium, uint64_t bytes,
		  struct oracle_report *report)
{
	const uint8_t *at = medium;

	for (uint64_t n = 0; n < bytes / RECORD_BYTES; n++)
		take_block(o, n,
			   (const struct record *)(at + n * RECORD_BYTES));
	judge(o);
	oracle_end(o, report);
}

bool disk_oracle(const char *image, const char *trace_dir,
		 struct oracle_report *report, struct error *err)
{
	struct oracle *o = oracle_begin();
	bool good = read_trace(o, trace_dir, err) && read_image(o, image, err);

	if (good)
		judge(o);
	oracle_end(o, report);
	return good;
}

bool oracle_holds(const struct oracle_report *r)
{
	return !r->lost && !r->doubled && !r->torn && !r->misordered;
}

void oracle_print(const struct oracle_report *r, FILE *to)
{
	fprintf(to,
		"%" PRIu64 " streams: %" PRIu64 " records issued, %" PRIu64
		" acknowledged; %" PRIu64 " requests, %" PRIu64
		" replayed, at most %" PRIu64 " pending\n",
		r->streams, r->issued, r->acknowledged, r->requests,
		r->replayed, r->max_pending);
	fprintf(to,
		"%" PRIu64 " blocks good: lost %" PRIu64 ", doubled %" PRIu64
		", torn %" PRIu64 ", out of order %" PRIu64 "\n",
		r->good, r->lost, r->doubled, r->torn, r->misordered);
	for (size_t i = 0; i < r->notes; i++)
		fprintf(to, "  %s\n", r->note[i]);
}
