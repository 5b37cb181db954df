/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/fat/name.c - long names, short names, and what lies between ("FAT Long
 * Directory Entries", "Name Limits and Character Sets"). */
#include "fat/internal.h"

#define CASES_BASE      0x08 /* the base is shown in lower case */
#define CASES_EXTENSION 0x10
#define SHORT_BASE      8
#define E5_INSTEAD      0x05 /* a first byte that would say "free" */

/* ---- UTF-8 and UTF-16 ---- */

/* One character; bytes it takes, 0: not UTF-8. */
static unsigned decode(const uint8_t *at, size_t left, uint32_t *out)
{
	unsigned more = at[0] < 0x80             ? 0
			: (at[0] & 0xe0) == 0xc0 ? 1
			: (at[0] & 0xf0) == 0xe0 ? 2
			: (at[0] & 0xf8) == 0xf0 ? 3
						 : 4;
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};

	if (more == 4 || more >= left)
		return 0;
	*out = more == 0 ? at[0] : at[0] & (0x3fu >> more);
	for (unsigned i = 1; i <= more; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		*out = *out << 6 | (at[i] & 0x3f);
	}
	if (*out < least[more] || *out > 0x10ffff ||
	    (*out >= 0xd800 && *out < 0xe000))
		return 0;
	return more + 1;
}

static unsigned encode(uint32_t c, uint8_t *to)
{
	if (c < 0x80) {
		to[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (uint8_t)(0xc0 | c >> 6);
		to[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (uint8_t)(0xe0 | c >> 12);
		to[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		to[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (uint8_t)(0xf0 | c >> 18);
	to[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	to[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	to[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

static bool allowed(uint32_t c)
{
	return c >= 0x20 && c != 0x7f &&
	       (c >= 0x80 || strchr("\"*/:<>?\\|", (int)c) == NULL);
}

bool name_from(struct name *n, const char *text, size_t bytes)
{
	const uint8_t *at = (const uint8_t *)text;

	while (bytes > 0 && (text[bytes - 1] == '.' || text[bytes - 1] == ' '))
		bytes--;
	n->units = 0;
	for (size_t i = 0; i < bytes;) {
		uint32_t c;
		unsigned taken = decode(at + i, bytes - i, &c);

		if (taken == 0 || !allowed(c) ||
		    n->units + (c >= 0x10000 ? 2 : 1) > NAME_UNITS)
			return false;
		i += taken;
		if (c >= 0x10000) {
			n->unit[n->units++] = (uint16_t)(0xd7c0 + (c >> 10));
			c = 0xdc00 | (c & 0x3ff);
		}
		n->unit[n->units++] = (uint16_t)c;
	}
	return n->units > 0;
}

bool name_text(const struct name *n, char *to, size_t bytes)
{
	size_t at = 0;

	for (unsigned i = 0; i < n->units; i++) {
		uint32_t c = n->unit[i];
		uint8_t out[4];
		unsigned count;

		if (c >= 0xd800 && c < 0xdc00 && i + 1 < n->units &&
		    (n->unit[i + 1] & 0xfc00) == 0xdc00)
			c = 0x10000 + ((c & 0x3ff) << 10) +
			    (n->unit[++i] & 0x3ff);
		else if (c >= 0xd800 && c < 0xe000)
			c = '_'; /* half of a character */
		count = encode(c, out);
		if (at + count >= bytes)
			return false;
		memcpy(to + at, out, count);
		at += count;
	}
	to[at] = '\0';
	return true;
}

static uint16_t fold(uint16_t c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 0xe0 && c <= 0xfe && c != 0xf7) ||
	    (c >= 0x3b1 && c <= 0x3c9 && c != 0x3c2) ||
	    (c >= 0x430 && c <= 0x44f))
		return (uint16_t)(c - 0x20);
	if (c >= 0x450 && c <= 0x45f)
		return (uint16_t)(c - 0x50);
	return c;
}

bool name_same(const struct name *a, const struct name *b)
{
	if (a->units != b->units)
		return false;
	for (unsigned i = 0; i < a->units; i++) {
		if (fold(a->unit[i]) != fold(b->unit[i]))
			return false;
	}
	return true;
}

/* ---- short names ---- */

/* Code page 850: what bytes from 80h on mean to those who name none. */
static const uint16_t page_850[128] = {
	0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea,
	0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6,
	0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, 0x00ff, 0x00d6, 0x00dc,
	0x00f8, 0x00a3, 0x00d8, 0x00d7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa,
	0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x00ae, 0x00ac, 0x00bd, 0x00bc,
	0x00a1, 0x00ab, 0x00bb, 0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x00c1,
	0x00c2, 0x00c0, 0x00a9, 0x2563, 0x2551, 0x2557, 0x255d, 0x00a2, 0x00a5,
	0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x00e3, 0x00c3,
	0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x00a4, 0x00f0,
	0x00d0, 0x00ca, 0x00cb, 0x00c8, 0x0131, 0x00cd, 0x00ce, 0x00cf, 0x2518,
	0x250c, 0x2588, 0x2584, 0x00a6, 0x00cc, 0x2580, 0x00d3, 0x00df, 0x00d4,
	0x00d2, 0x00f5, 0x00d5, 0x00b5, 0x00fe, 0x00de, 0x00da, 0x00db, 0x00d9,
	0x00fd, 0x00dd, 0x00af, 0x00b4, 0x00ad, 0x00b1, 0x2017, 0x00be, 0x00b6,
	0x00a7, 0x00f7, 0x00b8, 0x00b0, 0x00a8, 0x00b7, 0x00b9, 0x00b3, 0x00b2,
	0x25a0, 0x00a0,
};

static uint16_t shown(uint8_t c, bool lower)
{
	uint16_t u = c < 0x20 ? '_' : c < 0x80 ? c : page_850[c - 0x80];
	bool upper =
		(u >= 'A' && u <= 'Z') || (u >= 0xc0 && u <= 0xde && u != 0xd7);

	return lower && upper ? (uint16_t)(u + 0x20) : u;
}

void name_of_short(struct name *n, const uint8_t *bytes, uint8_t cases)
{
	unsigned base = SHORT_BASE, end = SHORT_BYTES;

	while (base > 0 && bytes[base - 1] == ' ')
		base--;
	while (end > SHORT_BASE && bytes[end - 1] == ' ')
		end--;
	n->units = 0;
	for (unsigned i = 0; i < base; i++)
		n->unit[n->units++] =
			shown(bytes[i], (cases & CASES_BASE) != 0);
	if (end > SHORT_BASE)
		n->unit[n->units++] = '.';
	for (unsigned i = SHORT_BASE; i < end; i++)
		n->unit[n->units++] =
			shown(bytes[i], (cases & CASES_EXTENSION) != 0);
}

/* As a short name has it; 0: it has none. */
static uint8_t short_byte(uint16_t c)
{
	if (c >= 'a' && c <= 'z')
		return (uint8_t)(c - 0x20);
	if (c <= 0x20 || c >= 0x7f || c == '.' ||
	    strchr("+,;=[]", (int)c) != NULL)
		return 0;
	return (uint8_t)c;
}

/* Base and extension, as far as they fit.  False: something was lost. */
static bool basis(const struct name *n, uint8_t *to, unsigned *base)
{
	unsigned point = n->units, i = 0, used = 0;
	bool whole = true;

	memset(to, ' ', SHORT_BYTES);
	while (point > 0 && n->unit[point - 1] != '.')
		point--;
	while (i < n->units && n->unit[i] == '.')
		i++; /* leading ones go */
	whole = i == 0;
	if (point <= i)
		point = n->units + 1; /* no extension */
	for (; i + 1 < point && i < n->units; i++) {
		uint8_t c = short_byte(n->unit[i]);

		whole = whole && c != 0;
		if (n->unit[i] == ' ' || n->unit[i] == '.')
			continue;
		if (used == SHORT_BASE) {
			whole = false;
			break;
		}
		to[used++] = c != 0 ? c : '_';
	}
	*base = used;
	used = SHORT_BASE;
	for (i = point; i < n->units; i++) {
		uint8_t c = short_byte(n->unit[i]);

		whole = whole && c != 0;
		if (n->unit[i] == ' ')
			continue;
		if (used == SHORT_BYTES) {
			whole = false;
			break;
		}
		to[used++] = c != 0 ? c : '_';
	}
	return whole && *base > 0;
}

bool name_short_lossy(const struct name *n)
{
	uint8_t to[SHORT_BYTES];
	unsigned base;

	return !basis(n, to, &base);
}

static uint32_t hash(const struct name *n, unsigned salt)
{
	uint32_t h = 2166136261u + salt;

	for (unsigned i = 0; i < n->units; i++)
		h = (h ^ fold(n->unit[i])) * 16777619u;
	return h ^ h >> 16;
}

bool name_short(const struct name *n, unsigned attempt, uint8_t *to)
{
	static const char hex[] = "0123456789ABCDEF";
	struct name back;
	unsigned base;

	(void)basis(n, to, &base);
	if (attempt >= 10) { /* two letters, four digits of a hash */
		uint32_t h = hash(n, attempt);

		base = base < 2 ? base : 2;
		for (unsigned i = 0; i < 4; i++)
			to[base++] = (uint8_t)hex[h >> 4 * i & 0xf];
		attempt = 1;
	}
	if (attempt > 0) {
		base = base < 6 ? base : 6;
		to[base] = '~';
		to[base + 1] = (uint8_t)('0' + attempt);
		memset(to + base + 2, ' ', SHORT_BASE - base - 2);
	}
	name_of_short(&back, to, 0);
	return back.units == n->units &&
	       memcmp(back.unit, n->unit, n->units * sizeof(n->unit[0])) == 0;
}

uint8_t name_checksum(const uint8_t *bytes)
{
	uint8_t sum = 0;

	for (unsigned i = 0; i < SHORT_BYTES; i++)
		sum = (uint8_t)(((sum & 1) << 7) + (sum >> 1) + bytes[i]);
	return sum;
}
