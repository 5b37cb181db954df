/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/trace/reader.c - reads back what writer.c wrote, and trusts no byte.
 *
 * The metadata must be ours to the letter: a trace of another catalogue is
 * refused, with the first line that differs, rather than misread.  Every
 * error names the file and the offset in it.
 */
#include "sim/trace/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/check.h"
#include "sim/trace/deep.h"
#include "sim/trace/layout.h"

struct trace_reader {
	FILE *file;
	char *path;
	uint8_t *packet;
	uint64_t offset; /* of the packet in the file */
	uint64_t size;   /* of the file */
	size_t bytes;    /* of the packet */
	size_t at;       /* in the packet */
	ps_t last, packet_last;
	uint64_t count; /* events of `stream` so far */
	/* `.deep`; NULL: there is none.  Its next record, and how much of it
	 * was given. */
	struct deep_reader *deep;
	int deep_state; /* deep_next()'s */
	bool deep_due;  /* it is to be asked */
	struct deep_record record;
	uint32_t given;
};

static bool bad(struct trace_reader *tr, struct error *err, uint64_t offset,
		const char *what, uint64_t value)
{
	return error_set(err, EXIT_USAGE,
			 "%s: offset %" PRIu64 ": %s (%#" PRIx64
			 "); the trace is damaged, record it again",
			 tr->path, offset, what, value);
}

/* --- metadata --- */

static char *read_text(const char *path, struct error *err)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (!f) {
		error_set(err, EXIT_USAGE,
			  "%s: %s; a trace is the folder `trace` in what a "
			  "run left (parterre run --out)",
			  path, strerror(errno));
		return NULL;
	}
	if (getdelim(&text, &room, '\0', f) < 0) {
		error_set(err, EXIT_USAGE,
			  "%s: offset 0: the file is empty; the trace is "
			  "damaged, record it again",
			  path);
		free(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

static bool metadata_matches(const char *path, const char *got,
			     struct error *err)
{
	char *want = trace_metadata();
	unsigned line = 1;
	size_t i = 0;
	bool equal;

	while (want[i] && got[i] == want[i])
		line += want[i++] == '\n';
	equal = got[i] == want[i];
	free(want);
	if (equal)
		return true;
	return error_set(err, EXIT_USAGE,
			 "%s: offset %zu, line %u: not the catalogue of this "
			 "version; read the trace with the parterre that wrote "
			 "it, or record it again",
			 path, i, line);
}

static bool check_metadata(const char *dir, struct error *err)
{
	char *path = NULL, *text;
	bool ok;

	CHECK_MSG(asprintf(&path, "%s/metadata", dir) >= 0, "out of memory");
	text = read_text(path, err);
	ok = text && metadata_matches(path, text, err);
	free(text);
	free(path);
	return ok;
}

struct trace_reader *trace_open(const char *dir, struct error *err)
{
	struct trace_reader *tr;
	struct stat st;

	if (!check_metadata(dir, err))
		return NULL;
	tr = calloc(1, sizeof(*tr));
	CHECK_MSG(tr, "out of memory for the trace reader");
	CHECK_MSG(asprintf(&tr->path, "%s/stream", dir) >= 0, "out of memory");
	tr->packet = malloc(CTF_PACKET_BYTES);
	CHECK_MSG(tr->packet, "out of memory for the trace reader");
	tr->file = fopen(tr->path, "re");
	if (!tr->file) {
		error_set(err, EXIT_USAGE,
			  "%s: %s; the trace is incomplete, "
			  "record it again",
			  tr->path, strerror(errno));
		trace_reader_close(tr);
		return NULL;
	}
	if (fstat(fileno(tr->file), &st) == 0)
		tr->size = (uint64_t)st.st_size;
	if (!deep_open(&tr->deep, dir, err)) {
		trace_reader_close(tr);
		return NULL;
	}
	tr->deep_due = tr->deep != NULL;
	return tr;
}

unsigned trace_permille(const struct trace_reader *tr)
{
	uint64_t at = tr->offset + tr->at;

	if (at > tr->size)
		return 0; /* a pipe, or it grows */
	return (unsigned)(at / (tr->size / 1000 + 1));
}

void trace_plain(struct trace_reader *tr)
{
	tr->deep_due = false;
}

void trace_reader_close(struct trace_reader *tr)
{
	if (!tr)
		return;
	if (tr->file)
		fclose(tr->file);
	deep_reader_close(tr->deep);
	free(tr->packet);
	free(tr->path);
	free(tr);
}

/* --- packets --- */

static bool check_prologue(struct trace_reader *tr, struct error *err)
{
	static const uint8_t uuid[16] = CTF_UUID_BYTES;
	const uint8_t *p = tr->packet;
	const uint8_t *c = p + CTF_HEADER_BYTES;
	uint64_t content = GET(c + 16, uint64_t);
	uint64_t size = GET(c + 24, uint64_t);

	if (GET(p, uint32_t) != CTF_MAGIC)
		return bad(tr, err, tr->offset, "packet magic is wrong",
			   GET(p, uint32_t));
	if (memcmp(p + 4, uuid, sizeof(uuid)))
		return bad(tr, err, tr->offset + 4,
			   "packet UUID is not a parterre trace's",
			   GET(p + 4, uint64_t));
	if (GET(p + 20, uint32_t) != CTF_STREAM_ID)
		return bad(tr, err, tr->offset + 20, "no such stream",
			   GET(p + 20, uint32_t));
	if (GET(c, uint64_t) < tr->last)
		return bad(tr, err, tr->offset + 24,
			   "packet begins before the last one ended",
			   GET(c, uint64_t));
	if (GET(c + 8, uint64_t) < GET(c, uint64_t))
		return bad(tr, err, tr->offset + 32,
			   "packet ends before it begins",
			   GET(c + 8, uint64_t));
	if (size % 8 || size / 8 < CTF_PROLOGUE || size / 8 > CTF_PACKET_BYTES)
		return bad(tr, err, tr->offset + 48,
			   "packet size is impossible", size);
	if (content != size)
		return bad(tr, err, tr->offset + 40,
			   "content size is not the packet's", content);
	if (GET(c + 32, uint64_t))
		return bad(tr, err, tr->offset + 56,
			   "events were discarded, which never happens",
			   GET(c + 32, uint64_t));
	tr->packet_last = GET(c + 8, uint64_t);
	tr->bytes = size / 8;
	return true;
}

/* 1: a packet is there; 0: end of file; -1: *err set. */
static int next_packet(struct trace_reader *tr, struct error *err)
{
	size_t got, want;

	tr->offset += tr->bytes;
	tr->at = tr->bytes = 0;
	got = fread(tr->packet, 1, CTF_PROLOGUE, tr->file);
	if (!got && !ferror(tr->file) && tr->offset)
		return 0;
	if (got < CTF_PROLOGUE) {
		bad(tr, err, tr->offset + got,
		    "the file ends in a packet's "
		    "header",
		    got);
		return -1;
	}
	if (!check_prologue(tr, err))
		return -1;
	want = tr->bytes - CTF_PROLOGUE;
	got = fread(tr->packet + CTF_PROLOGUE, 1, want, tr->file);
	if (got < want) {
		bad(tr, err, tr->offset + CTF_PROLOGUE + got,
		    "the file ends within a packet", tr->bytes);
		tr->bytes = 0;
		return -1;
	}
	tr->at = CTF_PROLOGUE;
	return 1;
}

/* --- events --- */

static bool take_string(struct trace_reader *tr, const char **s,
			struct error *err)
{
	size_t left = tr->bytes - tr->at;
	size_t room = left < TRACE_STRING_MAX ? left : TRACE_STRING_MAX;
	const char *p = (const char *)tr->packet + tr->at;
	size_t length = strnlen(p, room);

	if (length == room)
		return bad(
			tr, err, tr->offset + tr->at,
			left < TRACE_STRING_MAX
				? "a string passes the packet's end"
				: "a string is longer than any that is written",
			room);
	*s = p;
	tr->at += length + 1;
	return true;
}

static bool take_field(struct trace_reader *tr, enum trace_field_kind kind,
		       union trace_value *value, struct error *err)
{
	size_t bytes;

	if (kind == TRACE_STR)
		return take_string(tr, &value->s, err);
	bytes = kind == TRACE_U8 ? 1 : sizeof(uint64_t);
	if (tr->bytes - tr->at < bytes)
		return bad(tr, err, tr->offset + tr->at,
			   "a field passes the packet's end", tr->bytes);
	value->u = kind == TRACE_U8 ? tr->packet[tr->at]
				    : GET(tr->packet + tr->at, uint64_t);
	tr->at += bytes;
	return true;
}

static bool take_header(struct trace_reader *tr, struct trace_record *r,
			struct error *err)
{
	const uint8_t *p = tr->packet + tr->at;
	uint64_t where = tr->offset + tr->at;
	ps_t stamp;
	uint64_t behind;

	if (tr->bytes - tr->at < CTF_EVENT_MIN)
		return bad(tr, err, where, "an event passes the packet's end",
			   tr->bytes);
	r->kind = trace_kind_find(p[0]);
	if (!r->kind)
		return bad(tr, err, where, "unknown event number", p[0]);
	stamp = GET(p + 1, uint64_t);
	if (stamp < tr->last || stamp > tr->packet_last)
		return bad(tr, err, where + 1,
			   "timestamp steps back or leaves its packet", stamp);
	behind = GET(p + 9, uint64_t) & (UINT64_MAX >> (64 - CTF_BEHIND_BITS));
	if (behind > stamp)
		return bad(tr, err, where + 9, "a time before power-on",
			   behind);
	tr->last = stamp;
	r->time = stamp - behind;
	r->cpu = p[14];
	r->partition = GET(p + 15, uint16_t);
	/* The byte before it goes out again. */
	r->retired = GET(p + 16, uint64_t) >> (64 - CTF_RETIRED_BITS);
	tr->at += CTF_EVENT_MIN;
	return true;
}

/* 1: an event of `stream`; 0: its end; -1: *err. */
static int next_plain(struct trace_reader *tr, struct trace_record *r,
		      struct error *err)
{
	while (tr->at == tr->bytes) {
		int got = next_packet(tr, err);

		if (got <= 0)
			return got;
	}
	if (!take_header(tr, r, err))
		return -1;
	for (unsigned i = 0; i < r->kind->field_count; i++) {
		if (!take_field(tr, r->kind->field[i].kind, &r->value[i], err))
			return -1;
	}
	tr->count++;
	return 1;
}

/* --- `.deep` --- */

static const char *const register_names[] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",   "r8",
	"r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rflags"};

/* The first event of a packed record. */
static void give_head(const struct deep_record *d, struct trace_record *r)
{
	static const uint8_t number[DEEP_KINDS] = {
		[DEEP_INSTRUCTION] = TRACE_EV_INSTRUCTION,
		[DEEP_DELIVERY] = TRACE_EV_DELIVERY,
		[DEEP_BEGIN] = TRACE_EV_BEGIN,
		[DEEP_FLOW] = TRACE_EV_FLOW,
	};

	r->kind = trace_kind_find(number[d->kind]);
	r->value[0].u = d->pc;
	r->value[1].u =
		d->kind == DEEP_FLOW ? d->pc + d->bytes : (uint8_t)d->bytes;
	r->value[2].u = d->count;
}

static void give_access(const struct cpu_access *a, struct trace_record *r)
{
	r->kind = trace_kind_find(a->write ? TRACE_EV_STORE : TRACE_EV_LOAD);
	r->value[0].u = a->va;
	r->value[1].u = a->bytes;
	r->value[2].u = a->value;
}

/* Of the registers that are left, the first. */
static void give_register(struct deep_record *d, struct trace_record *r)
{
	uint32_t i = (uint32_t)__builtin_ctz(d->changed);

	d->changed &= d->changed - 1;
	r->kind = trace_kind_find(TRACE_EV_REGISTER);
	r->value[0].s = register_names[i];
	r->value[1].u = d->then[i];
}

/* A packed record is one event, then one for each access, then for each
 * register. */
static int next_deep(struct trace_reader *tr, struct trace_record *r)
{
	struct deep_record *d = &tr->record;

	r->time = deep_time(&d->at);
	r->cpu = d->at.cpu;
	r->partition = d->at.partition;
	r->retired = d->at.retired;
	if (!tr->given)
		give_head(d, r);
	else if (tr->given <= d->accesses)
		give_access(&d->access[tr->given - 1], r);
	else
		give_register(d, r);
	tr->given++;
	if (tr->given > d->accesses && !d->changed) {
		tr->given = 0;
		tr->deep_due = true;
	}
	return 1;
}

int trace_next(struct trace_reader *tr, struct trace_record *r,
	       struct error *err)
{
	int state;

	if (tr->deep_due)
		tr->deep_state = deep_next(tr->deep, &tr->record, err);
	if (tr->deep_state < 0)
		return -1;
	tr->deep_due = false;
	if (tr->deep_state && (tr->given || tr->record.before <= tr->count))
		return next_deep(tr, r);
	state = next_plain(tr, r, err);
	if (state == 0 && tr->deep_state)
		return next_deep(tr, r);
	return state;
}
