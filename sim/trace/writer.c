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
#include "sim/trace/layout.h"

struct listener {
	void (*on)(void *owner, const struct trace_record *r);
	void *owner;
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

struct trace *trace_create(const char *dir, unsigned classes, struct error *err)
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
	t->classes = classes;
	t->fd = fd;
	t->dir = strdup(dir ? dir : "");
	t->packet = malloc(CTF_PACKET_BYTES);
	CHECK_MSG(t->dir && t->packet, "out of memory for the trace");
	t->used = CTF_PROLOGUE;
	t->digest = digest_create();
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

void trace_emit(struct trace *t, const struct trace_record *r)
{
	uint8_t *p;

	if (!trace_wants(t, r->kind->class))
		return;
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

	for (unsigned i = 0; i < t->listener_count; i++)
		t->listener[i].on(t->listener[i].owner, r);
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
