/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/trace/deep.c - packets into the file `.deep` and out of it.
 *
 * Errors name the file and the offset in it, as the other reader's do.
 */
#include "sim/trace/deep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "sim/check.h"
#include "sim/trace/deep_code.h"
#include "sim/trace/layout.h"

#define DEEP_MAGIC UINT32_C(0x31505450) /* "PTP1" */
#define HEAD_BYTES (4 + 4 + 8 + 4 * DEEP_COLUMNS + 4)
#define RAW_BYTES  ((size_t)DEEP_COLUMNS * DEEP_COLUMN_BYTES)
#define LEVEL      1

ps_t deep_time(const struct deep_place *p)
{
	return p->base +
	       (ps_t)((unsigned __int128)(p->retired - p->base_retired) *
		      PS_PER_S / p->hz);
}

static char *path_of(const char *dir)
{
	char *path = NULL;

	CHECK_MSG(asprintf(&path, "%s/.deep", dir) >= 0, "out of memory");
	return path;
}

static struct deep_coder *coder_create(uint8_t **columns)
{
	struct deep_coder *d = calloc(1, sizeof(*d));

	*columns = malloc(RAW_BYTES);
	CHECK_MSG(d && *columns, "out of memory for the trace");
	for (unsigned i = 0; i < DEEP_COLUMNS; i++)
		d->column[i] = *columns + (size_t)i * DEEP_COLUMN_BYTES;
	return d;
}

/* --- writing --- */

struct deep_writer {
	FILE *file;
	char *path;
	int failed; /* errno of the first write that failed */
	struct deep_coder *coder;
	uint8_t *columns, *raw, *packed;
	size_t packed_bytes;
	ZSTD_CCtx *zstd;
	uint64_t count;
	uint32_t records; /* in the packet */
	uint64_t before;  /* of its first */
};

struct deep_writer *deep_create(const char *dir, struct error *err)
{
	struct deep_writer *w = calloc(1, sizeof(*w));

	CHECK_MSG(w, "out of memory for the trace");
	w->path = path_of(dir);
	w->file = fopen(w->path, "wbe");
	if (!w->file) {
		error_set(err, EXIT_HOST, "%s: cannot write: %s", w->path,
			  strerror(errno));
		free(w->path);
		free(w);
		return NULL;
	}
	w->coder = coder_create(&w->columns);
	w->packed_bytes = ZSTD_compressBound(RAW_BYTES);
	w->raw = malloc(RAW_BYTES);
	w->packed = malloc(w->packed_bytes);
	w->zstd = ZSTD_createCCtx();
	CHECK_MSG(w->raw && w->packed && w->zstd,
		  "out of memory for the trace");
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
	return w;
}

static void put_packet(struct deep_writer *w)
{
	const struct deep_coder *d = w->coder;
	uint8_t head[HEAD_BYTES], *p = head;
	size_t raw = 0, packed;

	for (unsigned i = 0; i < DEEP_COLUMNS; i++) {
		memcpy(w->raw + raw, d->column[i], d->used[i]);
		raw += d->used[i];
	}
	packed = ZSTD_compress2(w->zstd, w->packed, w->packed_bytes, w->raw,
				raw);
	CHECK_MSG(!ZSTD_isError(packed), "zstd: %s", ZSTD_getErrorName(packed));
	p = PUT(p, uint32_t, DEEP_MAGIC);
	p = PUT(p, uint32_t, w->records);
	p = PUT(p, uint64_t, w->before);
	for (unsigned i = 0; i < DEEP_COLUMNS; i++)
		p = PUT(p, uint32_t, d->used[i]);
	p = PUT(p, uint32_t, (uint32_t)packed);
	CHECK(p == head + sizeof(head));
	if (!w->failed &&
	    (fwrite(head, 1, sizeof(head), w->file) < sizeof(head) ||
	     fwrite(w->packed, 1, packed, w->file) < packed))
		w->failed = errno ? errno : EIO;
	w->records = 0;
}

static bool is_full(const struct deep_writer *w)
{
	if (w->records == DEEP_RECORDS)
		return true;
	for (unsigned i = 0; i < DEEP_COLUMNS; i++) {
		if (w->coder->used[i] > DEEP_COLUMN_BYTES - DEEP_RECORD_BYTES)
			return true;
	}
	return false;
}

void deep_write(struct deep_writer *w, struct deep_record *r)
{
	if (!w->records) {
		deep_begin(w->coder, r->before);
		w->before = r->before;
	}
	deep_code(w->coder, r);
	w->records++;
	w->count++;
	if (is_full(w))
		put_packet(w);
}

void deep_mark(struct deep_writer *w, struct deep_mark *mark)
{
	if (w->records)
		put_packet(w);
	*mark = (struct deep_mark){ftell(w->file), w->count};
}

void deep_back(struct deep_writer *w, const struct deep_mark *mark)
{
	errno = 0;
	if ((fflush(w->file) != 0 ||
	     ftruncate(fileno(w->file), mark->at) != 0 ||
	     fseek(w->file, mark->at, SEEK_SET) != 0) &&
	    !w->failed)
		w->failed = errno ? errno : EIO;
	w->records = 0;
	w->count = mark->count;
}

uint64_t deep_count(const struct deep_writer *w)
{
	return w ? w->count : 0;
}

bool deep_close(struct deep_writer *w, struct error *err)
{
	bool ok;

	if (!w)
		return true;
	if (w->records)
		put_packet(w);
	if (fclose(w->file) != 0 && !w->failed)
		w->failed = errno;
	ok = !w->failed ||
	     error_set(err, EXIT_HOST,
		       "%s: cannot write: %s; free space or choose another "
		       "directory, and run again",
		       w->path, strerror(w->failed));
	ZSTD_freeCCtx(w->zstd);
	free(w->packed);
	free(w->raw);
	free(w->columns);
	free(w->coder);
	free(w->path);
	free(w);
	return ok;
}

/* --- reading --- */

struct deep_reader {
	FILE *file;
	char *path;
	struct deep_coder *coder;
	uint8_t *columns, *raw, *packed;
	uint64_t offset;  /* of the packet */
	uint64_t next;    /* of the one behind it */
	uint32_t records; /* left in it */
};

bool deep_open(struct deep_reader **reader, const char *dir, struct error *err)
{
	struct deep_reader *d;
	char *path = path_of(dir);
	FILE *f = fopen(path, "rbe");

	*reader = NULL;
	if (!f) {
		bool none = errno == ENOENT;

		if (!none)
			error_set(err, EXIT_USAGE, "%s: %s", path,
				  strerror(errno));
		free(path);
		return none;
	}
	d = calloc(1, sizeof(*d));
	CHECK_MSG(d, "out of memory for the trace reader");
	d->file = f;
	d->path = path;
	d->coder = coder_create(&d->columns);
	d->coder->reading = true;
	d->raw = malloc(RAW_BYTES);
	d->packed = malloc(ZSTD_compressBound(RAW_BYTES));
	CHECK_MSG(d->raw && d->packed, "out of memory for the trace reader");
	*reader = d;
	return true;
}

void deep_reader_close(struct deep_reader *d)
{
	if (!d)
		return;
	fclose(d->file);
	free(d->packed);
	free(d->raw);
	free(d->columns);
	free(d->coder);
	free(d->path);
	free(d);
}

static int damaged(const struct deep_reader *d, struct error *err,
		   const char *what)
{
	error_set(err, EXIT_USAGE,
		  "%s: offset %" PRIu64 ": %s; the trace is damaged, record "
		  "it again",
		  d->path, d->offset, what);
	return -1;
}

/* The frame's bytes into the columns. */
static int unpack(struct deep_reader *d, size_t packed, struct error *err)
{
	struct deep_coder *c = d->coder;
	size_t raw = 0, at = 0;

	for (unsigned i = 0; i < DEEP_COLUMNS; i++) {
		if (c->bytes[i] > DEEP_COLUMN_BYTES)
			return damaged(d, err, "a column is too long");
		raw += c->bytes[i];
	}
	if (packed > ZSTD_compressBound(RAW_BYTES))
		return damaged(d, err, "the frame is too long");
	if (fread(d->packed, 1, packed, d->file) < packed)
		return damaged(d, err, "the file ends within a packet");
	if (ZSTD_decompress(d->raw, RAW_BYTES, d->packed, packed) != raw)
		return damaged(d, err, "the frame does not unpack");
	for (unsigned i = 0; i < DEEP_COLUMNS; i++) {
		memcpy(c->column[i], d->raw + at, c->bytes[i]);
		at += c->bytes[i];
	}
	return 1;
}

static int next_packet(struct deep_reader *d, struct error *err)
{
	struct deep_coder *c = d->coder;
	uint8_t head[HEAD_BYTES];
	size_t got = fread(head, 1, sizeof(head), d->file), packed;

	d->offset = d->next;
	if (!got && !ferror(d->file))
		return 0;
	if (got < sizeof(head))
		return damaged(d, err, "the file ends in a packet's header");
	if (GET(head, uint32_t) != DEEP_MAGIC)
		return damaged(d, err, "packet magic is wrong");
	d->records = GET(head + 4, uint32_t);
	for (unsigned i = 0; i < DEEP_COLUMNS; i++)
		c->bytes[i] = GET(head + 16 + 4 * (size_t)i, uint32_t);
	packed = GET(head + HEAD_BYTES - 4, uint32_t);
	if (!d->records || d->records > DEEP_RECORDS)
		return damaged(d, err, "its count is impossible");
	d->next += HEAD_BYTES + packed;
	deep_begin(c, GET(head + 8, uint64_t));
	return unpack(d, packed, err);
}

int deep_next(struct deep_reader *d, struct deep_record *r, struct error *err)
{
	if (!d->records) {
		int got = next_packet(d, err);

		if (got <= 0)
			return got;
	}
	memset(r, 0, sizeof(*r));
	deep_code(d->coder, r);
	if (d->coder->bad) {
		d->records = 0;
		return damaged(d, err, "its columns are none of such a packet");
	}
	d->records--;
	return 1;
}
