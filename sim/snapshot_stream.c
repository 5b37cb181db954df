/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/snapshot_stream.c - bytes into a zstd frame and out of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "sim/check.h"
#include "sim/digest.h"
#include "sim/snapshot_internal.h"

/* RAM is mostly like itself: more effort gains little and costs much time. */
#define LEVEL 1

struct snapshot_writer {
	FILE *to;
	struct digest *digest; /* of the file so far */
	ZSTD_CCtx *z;
	void *out;
	size_t out_bytes;
	bool failed;
	char why[300];
	/* In memory: */
	bool memory;
	uint8_t *taken;
	size_t taken_bytes, room;
};

struct snapshot_reader {
	FILE *from;
	ZSTD_DCtx *z;
	void *in;
	size_t in_bytes;
	ZSTD_inBuffer pending;
	bool ended; /* the frame is complete, its checksum right */
	bool failed;
	const uint8_t *taken; /* in memory, what is left of it; else NULL */
	size_t taken_bytes;
};

/* --- in memory --- */

#define TAKEN_BYTES ((size_t)256 << 10) /* at first */

struct snapshot_writer *snapshot_writer_memory(void)
{
	struct snapshot_writer *w = calloc(1, sizeof(*w));

	CHECK_MSG(w, "out of memory for a snapshot");
	w->memory = true;
	return w;
}

static void take(struct snapshot_writer *w, const void *p, size_t bytes)
{
	while (w->room - w->taken_bytes < bytes) {
		w->room = w->room ? 2 * w->room : TAKEN_BYTES;
		w->taken = realloc(w->taken, w->room);
		CHECK_MSG(w->taken, "out of memory for a snapshot");
	}
	memcpy(w->taken + w->taken_bytes, p, bytes);
	w->taken_bytes += bytes;
}

uint8_t *snapshot_writer_taken(struct snapshot_writer *w, size_t *bytes)
{
	uint8_t *taken = w->taken;

	*bytes = w->taken_bytes;
	free(w);
	return taken;
}

struct snapshot_reader *snapshot_reader_memory(const uint8_t *p, size_t bytes)
{
	struct snapshot_reader *r = calloc(1, sizeof(*r));

	CHECK_MSG(r, "out of memory for a snapshot");
	r->taken = p;
	r->taken_bytes = bytes;
	return r;
}

bool snapshot_keeps_memory(const struct snapshot_writer *w)
{
	return w->memory;
}

bool snapshot_restores_memory(const struct snapshot_reader *r)
{
	return r->taken;
}

/* --- in a file --- */

struct snapshot_writer *snapshot_writer_create(FILE *to)
{
	struct snapshot_writer *w = calloc(1, sizeof(*w));

	CHECK_MSG(w, "out of memory for a snapshot");
	w->to = to;
	w->digest = digest_create();
	w->z = ZSTD_createCCtx();
	w->out_bytes = ZSTD_CStreamOutSize();
	w->out = malloc(w->out_bytes);
	CHECK_MSG(w->z && w->out, "out of memory for a snapshot");
	ZSTD_CCtx_setParameter(w->z, ZSTD_c_compressionLevel, LEVEL);
	return w;
}

void snapshot_plain(struct snapshot_writer *w, const void *p, size_t bytes)
{
	digest_feed(w->digest, p, bytes);
	errno = 0;
	if (fwrite(p, 1, bytes, w->to) != bytes)
		snapshot_fail(w, strerror(errno));
}

static void compress(struct snapshot_writer *w, const void *p, size_t bytes,
		     ZSTD_EndDirective how)
{
	ZSTD_inBuffer in = {p, bytes, 0};
	size_t left;

	do {
		ZSTD_outBuffer out = {w->out, w->out_bytes, 0};

		left = ZSTD_compressStream2(w->z, &out, &in, how);
		CHECK_MSG(!ZSTD_isError(left), "zstd: %s",
			  ZSTD_getErrorName(left));
		snapshot_plain(w, out.dst, out.pos);
	} while (how == ZSTD_e_end ? left : in.pos < in.size);
}

void snapshot_fail(struct snapshot_writer *w, const char *why)
{
	if (!w->failed)
		snprintf(w->why, sizeof(w->why), "%s", why);
	w->failed = true;
}

bool snapshot_writer_end(struct snapshot_writer *w, const char *name,
			 struct error *err)
{
	uint64_t sum;
	bool good;

	compress(w, NULL, 0, ZSTD_e_end);
	sum = digest_value(w->digest);
	snapshot_plain(w, &sum, sizeof(sum));
	errno = 0;
	if (fflush(w->to) != 0 || ferror(w->to))
		snapshot_fail(w, errno ? strerror(errno) : "cannot be written");
	good = !w->failed ||
	       error_set(err, EXIT_HOST, "snapshot %s: %s", name, w->why);
	digest_destroy(w->digest);
	ZSTD_freeCCtx(w->z);
	free(w->out);
	free(w);
	return good;
}

void snapshot_put(struct snapshot_writer *w, const void *p, size_t bytes)
{
	if (w->memory && bytes)
		take(w, p, bytes);
	else if (!w->failed && bytes)
		compress(w, p, bytes, ZSTD_e_continue);
}

void snapshot_put_u64(struct snapshot_writer *w, uint64_t value)
{
	snapshot_put(w, &value, sizeof(value));
}

struct snapshot_reader *snapshot_reader_create(FILE *from)
{
	struct snapshot_reader *r = calloc(1, sizeof(*r));

	CHECK_MSG(r, "out of memory for a snapshot");
	r->from = from;
	r->z = ZSTD_createDCtx();
	r->in_bytes = ZSTD_DStreamInSize();
	r->in = malloc(r->in_bytes);
	CHECK_MSG(r->z && r->in, "out of memory for a snapshot");
	r->pending.src = r->in;
	return r;
}

void snapshot_reader_destroy(struct snapshot_reader *r)
{
	ZSTD_freeDCtx(r->z);
	free(r->in);
	free(r);
}

/* As much as there is, up to `bytes`. */
static size_t decompress(struct snapshot_reader *r, void *p, size_t bytes)
{
	ZSTD_outBuffer out = {p, bytes, 0};

	if (r->taken) {
		out.pos = bytes < r->taken_bytes ? bytes : r->taken_bytes;
		memcpy(p, r->taken, out.pos);
		r->taken += out.pos;
		r->taken_bytes -= out.pos;
	}
	while (!r->taken && out.pos < bytes && !r->ended && !r->failed) {
		size_t before = out.pos, left;

		if (r->pending.pos == r->pending.size) {
			r->pending.pos = 0;
			r->pending.size = fread(r->in, 1, r->in_bytes, r->from);
		}
		left = ZSTD_decompressStream(r->z, &out, &r->pending);
		if (left == 0)
			r->ended = true;
		else if (ZSTD_isError(left) || /* or the file ends early */
			 (!r->pending.size && out.pos == before))
			r->failed = true;
	}
	return out.pos;
}

void snapshot_get(struct snapshot_reader *r, void *p, size_t bytes)
{
	size_t got = decompress(r, p, bytes);

	if (got < bytes) {
		memset((char *)p + got, 0, bytes - got);
		r->failed = true;
	}
}

uint64_t snapshot_get_u64(struct snapshot_reader *r)
{
	uint64_t value;

	snapshot_get(r, &value, sizeof(value));
	return value;
}

bool snapshot_good(const struct snapshot_reader *r)
{
	return !r->failed;
}

bool snapshot_intact(FILE *from)
{
	struct digest *digest = digest_create();
	char buf[65536];
	uint64_t sum = 0;
	size_t kept = 0, n; /* the last bytes may be the sum */

	rewind(from);
	while ((n = fread(buf + kept, 1, sizeof(buf) - kept, from)) > 0) {
		kept += n;
		if (kept < sizeof(sum))
			continue;
		digest_feed(digest, buf, kept - sizeof(sum));
		memmove(buf, buf + kept - sizeof(sum), sizeof(sum));
		kept = sizeof(sum);
	}
	memcpy(&sum, buf, kept < sizeof(sum) ? kept : sizeof(sum));
	n = kept == sizeof(sum) && digest_value(digest) == sum;
	digest_destroy(digest);
	return n;
}
