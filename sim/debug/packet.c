/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/packet.c - see packet.h. */
#include "sim/debug/packet.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"

#define INTERRUPT 0x03
#define ESCAPE    '}'
#define ESCAPE_BY 0x20

static int digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* --- reading frames --- */

static enum packet_event outside(struct packet_reader *r, uint8_t byte)
{
	switch (byte) {
	case '$':
		*r = (struct packet_reader){.state = PACKET_DATA};
		return PACKET_NONE;
	case '+':
		return PACKET_ACK;
	case '-':
		return PACKET_NAK;
	case INTERRUPT:
		return PACKET_INTERRUPT;
	default:
		return PACKET_NONE;
	}
}

static void keep(struct packet_reader *r, uint8_t byte)
{
	if (r->bytes < PACKET_MAX)
		r->data[r->bytes++] = (char)byte;
	else
		r->too_long = true;
}

static enum packet_event ended(struct packet_reader *r)
{
	r->state = PACKET_OUTSIDE;
	r->data[r->bytes] = '\0';
	if (r->bad_sum || r->sum != r->told)
		return PACKET_DAMAGED;
	return r->too_long ? PACKET_TOO_LONG : PACKET_WHOLE;
}

static void sum_digit(struct packet_reader *r, uint8_t byte)
{
	int value = digit(byte);

	r->bad_sum = r->bad_sum || value < 0;
	r->told = (uint8_t)(r->told << 4 | (value & 15));
}

enum packet_event packet_feed(struct packet_reader *r, uint8_t byte)
{
	switch (r->state) {
	case PACKET_OUTSIDE:
		return outside(r, byte);
	case PACKET_DATA:
		if (byte == '#') {
			r->state = PACKET_SUM_HIGH;
			return PACKET_NONE;
		}
		if (byte == '$') /* the one before was broken off */
			return outside(r, byte);
		r->sum = (uint8_t)(r->sum + byte);
		if (byte == ESCAPE)
			r->state = PACKET_ESCAPED;
		else
			keep(r, byte);
		return PACKET_NONE;
	case PACKET_ESCAPED:
		r->sum = (uint8_t)(r->sum + byte);
		keep(r, byte ^ ESCAPE_BY);
		r->state = PACKET_DATA;
		return PACKET_NONE;
	case PACKET_SUM_HIGH:
		sum_digit(r, byte);
		r->state = PACKET_SUM_LOW;
		return PACKET_NONE;
	case PACKET_SUM_LOW:
		sum_digit(r, byte);
		return ended(r);
	}
	return PACKET_NONE;
}

/* --- text --- */

static void make_room(struct packet_text *t, size_t bytes)
{
	if (t->bytes + bytes + 1 <= t->room)
		return;
	t->room = 2 * (t->bytes + bytes) + 256;
	t->data = realloc(t->data, t->room);
	CHECK_MSG(t->data, "out of memory for a packet");
}

void packet_put_bytes(struct packet_text *t, const void *p, size_t bytes)
{
	make_room(t, bytes);
	if (bytes)
		memcpy(t->data + t->bytes, p, bytes);
	t->bytes += bytes;
	t->data[t->bytes] = '\0';
}

void packet_put(struct packet_text *t, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	CHECK(n >= 0 && n < (int)sizeof(line));
	packet_put_bytes(t, line, (size_t)n);
}

void packet_put_hex(struct packet_text *t, const void *p, size_t bytes)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;

	make_room(t, 2 * bytes);
	for (size_t i = 0; i < bytes; i++) {
		t->data[t->bytes++] = digits[b[i] >> 4];
		t->data[t->bytes++] = digits[b[i] & 15];
	}
	t->data[t->bytes] = '\0';
}

void packet_put_escaped(struct packet_text *t, const void *p, size_t bytes)
{
	const char *c = p;

	for (size_t i = 0; i < bytes; i++) {
		char pair[2] = {ESCAPE, (char)(c[i] ^ ESCAPE_BY)};

		if (c[i] && strchr("#$}*", c[i]))
			packet_put_bytes(t, pair, 2);
		else
			packet_put_bytes(t, &c[i], 1);
	}
}

void packet_put_id(struct packet_text *t, struct debug_id id)
{
	packet_put(t, "p%x.%x", id.pid, id.tid);
}

void packet_text_free(struct packet_text *t)
{
	free(t->data);
	*t = (struct packet_text){.data = NULL};
}

/* --- reading data --- */

bool packet_number(const char **p, uint64_t *value)
{
	const char *at = *p;
	uint64_t n = 0;

	for (; digit(*at) >= 0; at++) {
		if (n >> 60)
			return false;
		n = n << 4 | (uint64_t)digit(*at);
	}
	if (at == *p)
		return false;
	*p = at;
	*value = n;
	return true;
}

bool packet_char(const char **p, char c)
{
	if (**p != c)
		return false;
	++*p;
	return true;
}

static bool id_part(const char **p, uint32_t *part)
{
	const char *at = *p;
	uint64_t n;

	if (packet_char(&at, '-') && packet_char(&at, '1')) {
		*part = PACKET_ALL;
		*p = at;
		return true;
	}
	at = *p;
	if (!packet_number(&at, &n) || n >= PACKET_ALL)
		return false;
	*part = (uint32_t)n;
	*p = at;
	return true;
}

bool packet_id(const char **p, struct debug_id *id)
{
	const char *at = *p;
	struct debug_id read = {0, 0};
	bool whole = false;

	if (packet_char(&at, 'p')) {
		if (!id_part(&at, &read.pid))
			return false;
		read.tid = PACKET_ALL;
		whole = !packet_char(&at, '.');
	}
	if (!whole && !id_part(&at, &read.tid))
		return false;
	*p = at;
	*id = read;
	return true;
}

size_t packet_hex(const char **p, void *to, size_t max)
{
	uint8_t *out = to;
	size_t n = 0;

	for (; n < max && digit((*p)[0]) >= 0 && digit((*p)[1]) >= 0; *p += 2)
		out[n++] = (uint8_t)(digit((*p)[0]) << 4 | digit((*p)[1]));
	return n;
}
