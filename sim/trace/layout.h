/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/trace/layout.h - the bytes of the file `stream`, for writer and reader.
 *
 * All integers are little-endian and byte-aligned.
 *
 *   packet header    magic u32, uuid 16 bytes, stream id u32
 *   packet context   first and last timestamp u64, content and packet size in
 *                    bits u64, events discarded u64
 *   events           header: number u8, timestamp u64
 *                    context: behind u40, cpu u8, partition u16, retired u56
 *                    fields: u64, u8, or bytes up to a NUL
 *
 * The time that the stream costs is that of its bytes, so what an event has in
 * any case is as narrow as it can be: retired counts of two years at 1 GHz, 1.1
 * seconds behind.
 *
 * Content and packet size are equal: a packet is closed when it is full and
 * not padded.
 */
#ifndef PARTERRE_SIM_TRACE_LAYOUT_H
#define PARTERRE_SIM_TRACE_LAYOUT_H

#include <string.h>

#include "sim/trace/trace.h"

#define CTF_MAGIC        UINT32_C(0xC1FC1FC1)
#define CTF_STREAM_ID    UINT32_C(0)
#define CTF_HEADER_BYTES 24
#define CTF_PROLOGUE     64 /* header and context of a packet */
#define CTF_PACKET_BYTES ((size_t)256 * 1024)
#define CTF_EVENT_MIN    24 /* an event without fields */
#define CTF_BEHIND_BITS  40
#define CTF_RETIRED_BITS 56
#define CTF_EVENT_MAX    (CTF_EVENT_MIN + TRACE_FIELDS_MAX * TRACE_STRING_MAX)

/* Names the format and catalogue family, not a run: the same in every trace,
 * so that equal runs have equal bytes.  A version 8 (free form) UUID that
 * spells "parterre trace". */
#define CTF_UUID_BYTES                                                         \
	{                                                                      \
		0x70, 0x61, 0x72, 0x74, 0x65, 0x72, 0x82, 0x65, 0xa0, 0x74,    \
			0x72, 0x61, 0x63, 0x65, 0x00, 0x02                     \
	}
#define CTF_UUID_TEXT "70617274-6572-8265-a074-726163650002"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "the stream's integers are copied as they lie in memory");

static inline uint8_t *put_bytes(uint8_t *to, const void *from, size_t bytes)
{
	memcpy(to, from, bytes);
	return to + bytes;
}

#define PUT(to, type, value) put_bytes(to, &(type){value}, sizeof(type))
#define GET(from, type)                                                        \
	({                                                                     \
		type got_;                                                     \
		memcpy(&got_, from, sizeof(got_));                             \
		got_;                                                          \
	})

#endif
