/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/trace/writer.c - puts records into packets, hashes them, tells listeners.
 *
 * An event is encoded once, into the packet's buffer; hash and disk take the
 * buffer whole when it is full.  The hash covers the events alone, not the
 * packets around them: it says what happened, not how it was cut.
 */
#include "sim/trace/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/digest.h"
#include "sim/trace/deep.h"
#include "sim/trace/layout.h"

struct listener {
	void (*on)(void *owner, const struct trace_record *r);
	void *owner;
};

/* Of a class. */
struct selection {
	struct trace_select select;
	bool *partition; /* by index, if by names */
	size_t partitions;
	bool gap[CPU_COUNT_MAX]; /* an instruction was left out */
};

/* A partition, by its `partition` event. */
struct known {
	uint32_t index;
	char name[TRACE_NAME_BYTES];
};

struct trace {
	unsigned classes;
	int fd;     /* -1: nothing goes to disk */
	int failed; /* errno of the first write that failed */
	char *dir;
	uint8_t *packet;
	size_t used;      /* bytes of the packet, its prologue included */
	ps_t first, last; /* timestamps in the packet; last: of all */
	uint64_t count;
	struct digest *digest;
	struct deep_writer *deep; /* NULL: nothing of that class goes to disk */
	struct selection selection[TRACE_CLASSES];
	struct known *known;
	size_t known_count;
	struct listener listener[TRACE_LISTENERS_MAX];
	unsigned listener_count;
};

static bool write_all(int fd, const void *data, size_t bytes)
{
	const char *p = data;

	while (bytes) {
		ssize_t n = write(fd, p, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		bytes -= (size_t)n;
	}
	return true;
}

static bool write_metadata(const char *dir, struct error *err)
{
	char *path = NULL, *text = trace_metadata();
	bool ok;
	int fd;

	CHECK_MSG(asprintf(&path, "%s/metadata", dir) >= 0, "out of memory");
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	ok = fd >= 0 && write_all(fd, text, strlen(text));
	if (fd >= 0 && close(fd))
		ok = false;
	if (!ok)
		error_set(err, EXIT_HOST, "%s: cannot write: %s", path,
			  strerror(errno));
	free(text);
	free(path);
	return ok;
}

static int open_stream(const char *dir, struct error *err)
{
	char *path = NULL;
	int fd;

	if (mkdir(dir, 0777) && errno != EEXIST) {
		error_set(err, EXIT_USAGE,
			  "%s: cannot make the trace's directory: %s; its "
			  "parent must exist and be writable",
			  dir, strerror(errno));
		return -1;
	}
	if (!write_metadata(dir, err))
		return -1;
	CHECK_MSG(asprintf(&path, "%s/stream", dir) >= 0, "out of memory");
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		error_set(err, EXIT_HOST, "%s: cannot write: %s", path,
			  strerror(errno));
	free(path);
	return fd;
}

struct trace *trace_create_plain(const char *dir, struct error *err)
{
	struct trace *t;
	int fd = -1;

	if (dir) {
		fd = open_stream(dir, err);
		if (fd < 0)
			return NULL;
	}
	t = calloc(1, sizeof(*t));
	CHECK_MSG(t, "out of memory for the trace");
	t->classes = TRACE_PLAIN | TRACE_DEEP;
	for (unsigned i = 0; i < TRACE_CLASSES; i++)
		trace_select_all(&t->selection[i].select);
	t->fd = fd;
	t->dir = strdup(dir ? dir : "");
	t->packet = malloc(CTF_PACKET_BYTES);
	CHECK_MSG(t->dir && t->packet, "out of memory for the trace");
	t->used = CTF_PROLOGUE;
	t->digest = digest_create();
	return t;
}

struct trace *trace_create(const char *dir, unsigned classes, struct error *err)
{
	struct trace *t = trace_create_plain(dir, err);

	if (!t)
		return NULL;
	t->classes = dir ? classes : classes & TRACE_PLAIN;
	if (!(t->classes & TRACE_DEEP))
		return t;
	t->deep = deep_create(dir, err);
	if (!t->deep) {
		struct error ignored;

		(void)trace_close(t, &ignored);
		return NULL;
	}
	return t;
}

static void fill_prologue(struct trace *t)
{
	static const uint8_t uuid[16] = CTF_UUID_BYTES;
	uint8_t *p = t->packet;
	uint64_t bits = (uint64_t)t->used * 8;

	p = PUT(p, uint32_t, CTF_MAGIC);
	p = put_bytes(p, uuid, sizeof(uuid));
	p = PUT(p, uint32_t, CTF_STREAM_ID);
	p = PUT(p, uint64_t, t->first);
	p = PUT(p, uint64_t, t->last);
	p = PUT(p, uint64_t, bits);
	p = PUT(p, uint64_t, bits);
	p = PUT(p, uint64_t, 0);
	CHECK(p == t->packet + CTF_PROLOGUE);
}

static void flush(struct trace *t)
{
	digest_feed(t->digest, t->packet + CTF_PROLOGUE,
		    t->used - CTF_PROLOGUE);
	if (t->fd >= 0 && !t->failed) {
		fill_prologue(t);
		if (!write_all(t->fd, t->packet, t->used))
			t->failed = errno;
	}
	t->used = CTF_PROLOGUE;
}

bool trace_close(struct trace *t, struct error *err)
{
	bool ok;

	if (!t)
		return true;
	/* A trace in which nothing happened still has one packet: readers
	 * take an empty file for a broken one. */
	if (t->used > CTF_PROLOGUE || !t->count)
		flush(t);
	if (t->fd >= 0 && close(t->fd) && !t->failed)
		t->failed = errno;
	ok = !t->failed;
	if (!ok)
		error_set(err, EXIT_HOST,
			  "%s/stream: cannot write: %s; free space or choose "
			  "another directory, and run again",
			  t->dir, strerror(t->failed));
	if (!deep_close(t->deep, ok ? err : &(struct error){0}))
		ok = false;
	for (unsigned i = 0; i < TRACE_CLASSES; i++)
		free(t->selection[i].partition);
	free(t->known);
	digest_destroy(t->digest);
	free(t->packet);
	free(t->dir);
	free(t);
	return ok;
}

bool trace_wants(const struct trace *t, enum trace_class class)
{
	return t && (t->classes & class);
}

/* --- what is written --- */

static unsigned class_index(enum trace_class class)
{
	return (unsigned)__builtin_ctz((unsigned)class);
}

void trace_select_all(struct trace_select *s)
{
	*s = (struct trace_select){
		.to = PS_NEVER,
		.retired_to = UINT64_MAX,
		.high = UINT64_MAX,
	};
}

/* Is the partition one of the names? */
static void know(struct selection *s, const struct known *k)
{
	bool named = false;

	for (unsigned i = 0; i < s->select.names; i++)
		named = named || !strcmp(s->select.name[i], k->name);
	if (k->index >= s->partitions) {
		size_t more = k->index + 1;

		s->partition = reallocarray(s->partition, more, sizeof(bool));
		CHECK_MSG(s->partition, "out of memory for the trace");
		memset(s->partition + s->partitions, 0, more - s->partitions);
		s->partitions = more;
	}
	s->partition[k->index] = named;
}

static void learn(struct trace *t, const struct trace_record *r)
{
	struct known *k;

	t->known = reallocarray(t->known, t->known_count + 1, sizeof(*k));
	CHECK_MSG(t->known, "out of memory for the trace");
	k = &t->known[t->known_count++];
	k->index = (uint32_t)r->value[0].u & 0xffff;
	snprintf(k->name, sizeof(k->name), "%s", r->value[2].s);
	for (unsigned i = 0; i < TRACE_CLASSES; i++)
		know(&t->selection[i], k);
}

bool trace_knows(const struct trace *t, const char *name)
{
	for (size_t i = 0; i < t->known_count; i++) {
		if (strcmp(t->known[i].name, name) == 0)
			return true;
	}
	return false;
}

const char *trace_known(const struct trace *t, size_t i)
{
	return i < t->known_count ? t->known[i].name : NULL;
}

void trace_select(struct trace *t, enum trace_class class,
		  const struct trace_select *s)
{
	struct selection *to = &t->selection[class_index(class)];

	CHECK(class != TRACE_CLASS_PARTITION);
	to->select = *s;
	for (size_t i = 0; i < t->known_count; i++)
		know(to, &t->known[i]);
}

const struct trace_select *trace_selected(const struct trace *t,
					  enum trace_class class)
{
	return &t->selection[class_index(class)].select;
}

/* --- back --- */

struct trace_mark {
	off_t at;
	uint8_t *packet;
	size_t used;
	ps_t first, last;
	uint64_t count;
	struct digest *digest;
	struct deep_mark deep;
	struct trace_select select[TRACE_CLASSES];
	bool gap[TRACE_CLASSES][CPU_COUNT_MAX];
	size_t known_count;
};

struct trace_mark *trace_mark(struct trace *t)
{
	struct trace_mark *k = calloc(1, sizeof(*k));

	CHECK_MSG(k, "out of memory for the trace");
	if (t->deep)
		deep_mark(t->deep, &k->deep);
	k->at = t->fd >= 0 ? lseek(t->fd, 0, SEEK_CUR) : 0;
	k->used = t->used;
	k->packet = malloc(t->used);
	CHECK_MSG(k->packet, "out of memory for the trace");
	memcpy(k->packet, t->packet, t->used);
	k->first = t->first;
	k->last = t->last;
	k->count = t->count;
	k->digest = digest_create();
	digest_copy(k->digest, t->digest);
	for (unsigned i = 0; i < TRACE_CLASSES; i++) {
		k->select[i] = t->selection[i].select;
		memcpy(k->gap[i], t->selection[i].gap, sizeof(k->gap[i]));
	}
	k->known_count = t->known_count;
	return k;
}

void trace_back(struct trace *t, const struct trace_mark *k)
{
	errno = 0;
	if (t->fd >= 0 &&
	    (ftruncate(t->fd, k->at) != 0 ||
	     lseek(t->fd, k->at, SEEK_SET) != k->at) &&
	    !t->failed)
		t->failed = errno;
	if (t->deep)
		deep_back(t->deep, &k->deep);
	memcpy(t->packet, k->packet, k->used);
	t->used = k->used;
	t->first = k->first;
	t->last = k->last;
	t->count = k->count;
	digest_copy(t->digest, k->digest);
	t->known_count = k->known_count;
	for (unsigned i = 0; i < TRACE_CLASSES; i++) {
		struct selection *s = &t->selection[i];

		s->select = k->select[i];
		memcpy(s->gap, k->gap[i], sizeof(s->gap));
		free(s->partition);
		s->partition = NULL;
		s->partitions = 0;
		for (size_t p = 0; p < t->known_count; p++)
			know(s, &t->known[p]);
	}
}

void trace_mark_free(struct trace_mark *k)
{
	if (!k)
		return;
	digest_destroy(k->digest);
	free(k->packet);
	free(k);
}

/* --- whether it is written --- */

static bool in_window(const struct trace_select *x, ps_t time, uint64_t retired)
{
	return time >= x->from && time <= x->to && retired >= x->retired_from &&
	       retired <= x->retired_to;
}

static bool selects(const struct selection *s, uint32_t cpu, uint32_t partition)
{
	const struct trace_select *x = &s->select;

	return !x->off && (!x->by_cpu || (cpu < 32 && (x->cpus >> cpu & 1))) &&
	       (!x->names ||
		(partition < s->partitions && s->partition[partition]));
}

static bool in_range(const struct selection *s, vaddr_t low, vaddr_t end)
{
	return !s->select.by_range ||
	       (low <= s->select.high && end > s->select.low);
}

/* A machine's events are in a range by their rip, if they have one. */
static bool written(const struct trace *t, const struct trace_record *r)
{
	const struct selection *s = &t->selection[class_index(r->kind->class)];

	if (r->kind->class == TRACE_CLASS_PARTITION)
		return true;
	if (!selects(s, r->cpu, r->partition) ||
	    (s->select.by_window &&
	     !in_window(&s->select, r->time, r->retired)))
		return false;
	for (unsigned i = 0; s->select.by_range && i < r->kind->field_count;
	     i++) {
		if (strcmp(r->kind->field[i].name, "rip") == 0)
			return in_range(s, r->value[i].u, r->value[i].u + 1);
	}
	return true;
}

static bool place_selected(const struct selection *s,
			   const struct deep_place *at)
{
	return selects(s, at->cpu, at->partition) &&
	       (!s->select.by_window ||
		in_window(&s->select, deep_time(at), at->retired));
}

void trace_flow(struct trace *t, const struct deep_place *at, vaddr_t pc,
		vaddr_t end, uint64_t count)
{
	const struct selection *s =
		&t->selection[class_index(TRACE_CLASS_FLOW)];
	struct deep_record r = {
		.kind = DEEP_FLOW,
		.at = *at,
		.before = t->count,
		.pc = pc,
		.bytes = end - pc,
		.count = count,
	};

	if (t->deep && place_selected(s, at) && in_range(s, pc, end))
		deep_write(t->deep, &r);
}

void trace_instruction(struct trace *t, const struct deep_place *at,
		       const struct cpu_instruction *i)
{
	struct selection *s = &t->selection[class_index(TRACE_CLASS_FULL)];
	struct deep_record r = {
		.kind = (enum deep_kind)i->step,
		.at = *at,
		.before = t->count,
		.pc = i->pc,
		.bytes = i->bytes,
		.changed = i->changed,
		.was = i->gpr,
		.then = i->then,
		.accesses = (uint32_t)i->accesses,
		.access = i->access,
	};

	if (!t->deep)
		return;
	if (!place_selected(s, at) || !in_range(s, i->pc, i->pc + 1) ||
	    i->step == CPU_STEP_BEGIN) {
		s->gap[at->cpu] = true;
		return;
	}
	if (s->gap[at->cpu]) {
		struct deep_record b = r;

		b.kind = DEEP_BEGIN;
		b.then = i->gpr;
		b.changed = CPU_STEP_ALL;
		b.bytes = 0;
		b.accesses = 0;
		deep_write(t->deep, &b);
	}
	s->gap[at->cpu] = false;
	deep_write(t->deep, &r);
}

uint64_t trace_deep_count(const struct trace *t)
{
	return t ? deep_count(t->deep) : 0;
}

/* Narrow numbers by whole words: what is above one is overwritten by the next.
 */
static uint8_t *put_head(uint8_t *p, const struct trace_record *r, ps_t stamp)
{
	uint64_t behind = stamp - r->time;

	CHECK(!(behind >> CTF_BEHIND_BITS) && r->cpu <= UINT8_MAX &&
	      r->partition <= UINT16_MAX && !(r->retired >> CTF_RETIRED_BITS));
	*p++ = (uint8_t)r->kind->number;
	p = PUT(p, uint64_t, stamp);
	p = PUT(p, uint64_t,
		behind | (uint64_t)r->cpu << CTF_BEHIND_BITS |
			(uint64_t)r->partition << (CTF_BEHIND_BITS + 8));
	p = PUT(p, uint64_t, r->retired);
	return p - 1;
}

static uint8_t *put_fields(uint8_t *p, const struct trace_record *r)
{
	for (unsigned i = 0; i < r->kind->field_count; i++) {
		const char *s;

		switch (r->kind->field[i].kind) {
		case TRACE_U64:
		case TRACE_X64:
			p = PUT(p, uint64_t, r->value[i].u);
			break;
		case TRACE_U8:
			CHECK(r->value[i].u <= UINT8_MAX);
			*p++ = (uint8_t)r->value[i].u;
			break;
		case TRACE_STR:
			s = r->value[i].s ? r->value[i].s : "";
			p = put_bytes(p, s, strnlen(s, TRACE_STRING_MAX - 1));
			*p++ = '\0';
			break;
		}
	}
	return p;
}

static void tell(struct trace *t, const struct trace_record *r)
{
	for (unsigned i = 0; i < t->listener_count; i++)
		t->listener[i].on(t->listener[i].owner, r);
}

void trace_emit(struct trace *t, const struct trace_record *r)
{
	uint8_t *p;

	if (!trace_wants(t, r->kind->class))
		return;
	if (r->kind->number == TRACE_EV_PARTITION)
		learn(t, r);
	if (!written(t, r)) {
		tell(t, r);
		return;
	}
	if (t->used + CTF_EVENT_MAX > CTF_PACKET_BYTES)
		flush(t);
	if (r->time > t->last)
		t->last = r->time;
	if (t->used == CTF_PROLOGUE)
		t->first = t->last;

	p = put_head(t->packet + t->used, r, t->last);
	p = put_fields(p, r);
	t->used = (size_t)(p - t->packet);
	t->count++;
	tell(t, r);
}

uint64_t trace_digest(const struct trace *t)
{
	if (!t)
		return 0;
	return digest_value_with(t->digest, t->packet + CTF_PROLOGUE,
				 t->used - CTF_PROLOGUE);
}

uint64_t trace_count(const struct trace *t)
{
	return t ? t->count : 0;
}

void trace_listen(struct trace *t,
		  void (*on)(void *owner, const struct trace_record *r),
		  void *owner)
{
	CHECK(t->listener_count < TRACE_LISTENERS_MAX);
	t->listener[t->listener_count++] = (struct listener){on, owner};
}
