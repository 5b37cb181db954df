/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/export_pcap.c - `frame` events as a capture file
 * (draft-ietf-opsawg-pcap: magic of nanoseconds, link type Ethernet).
 *
 * The parts of a frame are joined; a frame of which the filter let only parts
 * through is left out.
 */
#include <inttypes.h>
#include <string.h>

#include "tools/parterre/trace_tool.h"

#define FRAME_MAX     65536
#define LINK_ETHERNET 1

static void put32(FILE *to, uint32_t v)
{
	fwrite(&v, sizeof(v), 1, to);
}

static int digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Appends; returns how many bytes there are now. */
static size_t join(uint8_t *frame, size_t have, const char *hex)
{
	for (; hex[0] && hex[1] && have < FRAME_MAX; hex += 2)
		frame[have++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
	return have;
}

static void put_frame(FILE *to, ps_t time, const uint8_t *frame, size_t bytes)
{
	put32(to, (uint32_t)(time / PS_PER_S));
	put32(to, (uint32_t)(time % PS_PER_S / PS_PER_NS));
	put32(to, (uint32_t)bytes);
	put32(to, (uint32_t)bytes);
	fwrite(frame, 1, bytes, to);
}

int export_pcap(struct source *s, FILE *to, struct error *err)
{
	static uint8_t frame[FRAME_MAX];
	struct trace_record r;
	size_t have = 0;
	int state;

	put32(to, 0xa1b23c4d);
	put32(to, 2 | 4 << 16); /* version */
	put32(to, 0);
	put32(to, 0);
	put32(to, FRAME_MAX);
	put32(to, LINK_ETHERNET);
	while ((state = source_next(s, &r, err)) == 1) {
		if (r.kind->number != TRACE_EV_FRAME)
			continue;
		if (record_field(&r, "offset") == 0)
			have = 0;
		else if (record_field(&r, "offset") != have)
			continue;
		have = join(frame, have, r.value[4].s);
		if (have == record_field(&r, "bytes"))
			put_frame(to, r.time, frame, have);
	}
	return state < 0 ? (int)err->code : EXIT_HELD;
}
