/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/packet.h - frames of gdb's remote serial protocol (the gdb manual,
 * appendix E.1): $data#cc, acknowledgements, the interrupt byte.
 *
 * Nothing is trusted: whatever the bytes are, the reader takes them one by one
 * and its buffer holds at most PACKET_MAX of data.
 *
 * Not modelled: run-length encoding, which gdb does not send.
 */
#ifndef PARTERRE_DEBUG_PACKET_H
#define PARTERRE_DEBUG_PACKET_H

#include "sim/base.h"
#include "sim/debug/debug.h"

#define PACKET_MAX 16384

enum packet_event {
	PACKET_NONE,      /* go on */
	PACKET_WHOLE,     /* reader.data holds one */
	PACKET_DAMAGED,   /* wrong checksum: ask for it again */
	PACKET_TOO_LONG,  /* whole, but it did not fit */
	PACKET_ACK,       /* + */
	PACKET_NAK,       /* -: send the last one again */
	PACKET_INTERRUPT, /* 03h outside a frame */
};

struct packet_reader {
	enum {
		PACKET_OUTSIDE,
		PACKET_DATA,
		PACKET_ESCAPED,
		PACKET_SUM_HIGH,
		PACKET_SUM_LOW,
	} state;
	uint8_t sum, told; /* as added up; as the frame says */
	bool bad_sum, too_long;
	size_t bytes;
	char data[PACKET_MAX + 1]; /* unescaped; NUL behind it */
};

enum packet_event packet_feed(struct packet_reader *r, uint8_t byte);

/* Text that grows. */
struct packet_text {
	char *data;
	size_t bytes, room;
};
void packet_put(struct packet_text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void packet_put_bytes(struct packet_text *t, const void *p, size_t bytes);
void packet_put_hex(struct packet_text *t, const void *p, size_t bytes);
/* With what may not stand in a frame escaped. */
void packet_put_escaped(struct packet_text *t, const void *p, size_t bytes);
void packet_put_id(struct packet_text *t, struct debug_id id);
void packet_text_free(struct packet_text *t);

/* From *p on, which moves behind it.  False: nothing of that kind is there;
 * *p has not moved. */
bool packet_number(const char **p, uint64_t *value); /* hexadecimal */
bool packet_char(const char **p, char c);
/* "p1.2", "p1.-1", "p1", "3", "-1": parts that are not said are 0, all is
 * PACKET_ALL. */
#define PACKET_ALL UINT32_MAX
bool packet_id(const char **p, struct debug_id *id);
/* Pairs of digits; returns how many bytes, at most max. */
size_t packet_hex(const char **p, void *to, size_t max);

#endif
