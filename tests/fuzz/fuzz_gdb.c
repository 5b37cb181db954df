/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/fuzz/fuzz_gdb.c - whatever bytes come over gdb's connection: the reader
 * keeps its bounds, each packet is answered within a frame's length.
 *
 * By libFuzzer over tests/unit/sim/fake_debug.c; tools/fuzz runs it.  Bytes are
 * taken as a stream; lines of it besides as packets' data, so that the fuzzer
 * needs no checksums.
 */
#include <string.h>

#include "sim/check.h"
#include "sim/debug/gdb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static struct gdb_state state, over; /* in mid-run; behind its end */

static void obey(const char *p, size_t bytes)
{
	struct packet_text out = {.data = NULL};

	gdb_packet(&state, NULL, p, bytes, &out);
	CHECK(out.bytes <= PACKET_MAX);
	out.bytes = 0;
	CHECK(state.general.tid || state.general.pid);
	gdb_packet_over(&over, 0, p, &out);
	CHECK(out.bytes <= PACKET_MAX);
	packet_text_free(&out);
}

static void as_stream(const uint8_t *data, size_t bytes)
{
	static struct packet_reader reader;

	memset(&reader, 0, sizeof(reader));
	for (size_t i = 0; i < bytes; i++) {
		enum packet_event e = packet_feed(&reader, data[i]);

		CHECK(reader.bytes <= PACKET_MAX);
		if (e == PACKET_WHOLE)
			obey(reader.data, reader.bytes);
	}
}

static void as_lines(const uint8_t *data, size_t bytes)
{
	static char line[PACKET_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i <= bytes; i++) {
		if (i < bytes && data[i] != '\n' && n < PACKET_MAX) {
			line[n++] = (char)data[i];
			continue;
		}
		line[n] = '\0';
		obey(line, n);
		n = 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	gdb_state_reset(&state);
	as_stream(data, bytes);
	gdb_state_reset(&state);
	gdb_state_reset(&over);
	as_lines(data, bytes);
	return 0;
}
