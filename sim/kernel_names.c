/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/kernel_names.c - see kernel_names.h.
 *
 * The table in RAM is several tables, each aligned to 8 bytes.  Up to 6.3:
 *
 *   offsets         32 bits for each symbol
 *   relative base   64 bits
 *   number          32 bits
 *   names           of each symbol: how many tokens (one byte, or two: 7 bits
 *                   each, the lower ones first and with bit 7 set), and these;
 *                   the first character that they come to is its type
 *   markers         32 bits: where the names of symbols 0, 256, 512... begin
 *   order           24 bits for each symbol: in 6.2, and in what has that from
 * it token table     256 strings token index     16 bits for each: where it
 * begins
 *
 * From 6.4 on offsets and relative base follow the index.  Tokens of the digits
 * stand for themselves and beside each other: by these the token table is
 * found, and everything else from there, back or on.  What is found has to
 * agree with itself: index with table, markers with the names' lengths.
 */
#include "sim/kernel_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/ramscan.h"

#define TOKENS     256
#define PER_MARKER 256
#define NAMES_MAX  4000000
#define LINE_BYTES 512
#define NAME_BYTES 256 /* longer ones are cut */
#define PAGE       4096
#define KERNEL_MAP UINT64_C(0xffffffff80000000) /* x86-64: its text */

struct entry {
	vaddr_t va;
	uint32_t name; /* offset in `text` */
	bool function;
};

struct kernel_names {
	size_t count, room;
	struct entry *entry;
	size_t bytes, text_room;
	char *text;
};

/* --- the list --- */

static void add(struct kernel_names *n, vaddr_t va, char type, const char *name)
{
	size_t bytes = strlen(name) + 1;

	if (n->count == n->room) {
		n->room = n->room ? 2 * n->room : 4096;
		n->entry = realloc(n->entry, n->room * sizeof(*n->entry));
		CHECK_MSG(n->entry, "out of memory for a kernel's names");
	}
	if (n->bytes + bytes > n->text_room) {
		n->text_room = 2 * n->text_room + 65536;
		n->text = realloc(n->text, n->text_room);
		CHECK_MSG(n->text, "out of memory for a kernel's names");
	}
	n->entry[n->count++] = (struct entry){
		.va = va,
		.name = (uint32_t)n->bytes,
		.function = strchr("tTwW", type) != NULL,
	};
	memcpy(n->text + n->bytes, name, bytes);
	n->bytes += bytes;
}

/* Of several at one address a function, then the one that the table has first.
 */
static int by_va(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->va != y->va)
		return x->va < y->va ? -1 : 1;
	if (x->function != y->function)
		return x->function ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static void sort(struct kernel_names *n)
{
	if (n->count)
		qsort(n->entry, n->count, sizeof(*n->entry), by_va);
}

const char *kernel_names_function(const struct kernel_names *n, vaddr_t va,
				  uint64_t *offset)
{
	size_t low = 0, high = n->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (n->entry[middle].va <= va)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	va -= n->entry[low - 1].va;
	while (low > 1 && n->entry[low - 2].va == n->entry[low - 1].va)
		low--;
	if (!n->entry[low - 1].function)
		return NULL;
	*offset = va;
	return n->text + n->entry[low - 1].name;
}

void kernel_names_free(struct kernel_names *n)
{
	if (!n)
		return;
	free(n->entry);
	free(n->text);
	free(n);
}

static struct kernel_names *create(void)
{
	struct kernel_names *n = calloc(1, sizeof(*n));

	CHECK_MSG(n, "out of memory for a kernel's names");
	return n;
}

/* --- from a text --- */

/* False: not a line of that kind.  nm's lines of undefined symbols have no
 * address. */
static bool take_line(struct kernel_names *n, char *line)
{
	char *at, *address = strtok_r(line, " \t\n", &at), *end;
	char *type = strtok_r(NULL, " \t\n", &at);
	char *name = strtok_r(NULL, " \t\n", &at);
	uint64_t va;

	if (!address || (type && !name && !strcmp(address, "U")))
		return true;
	va = strtoull(address, &end, 16);
	if (*end || !type || strlen(type) != 1 || !name)
		return false;
	add(n, va, *type, name);
	return true;
}

struct kernel_names *kernel_names_read(const char *path, struct error *err)
{
	struct kernel_names *n = create();
	char line[LINE_BYTES];
	FILE *f = fopen(path, "re");
	unsigned number = 0;
	bool good = f != NULL;

	if (!f)
		error_set(err, EXIT_USAGE, "%s: %s", path, strerror(errno));
	while (good && n->count < NAMES_MAX && fgets(line, sizeof(line), f)) {
		number++;
		good = take_line(n, line) ||
		       error_set(err, EXIT_USAGE,
				 "%s:%u: not a line \"ADDRESS TYPE NAME\", as "
				 "nm, System.map and /proc/kallsyms have it",
				 path, number);
	}
	if (f)
		fclose(f);
	if (good && !n->count)
		good = error_set(err, EXIT_USAGE, "%s: no symbols in it", path);
	if (!good) {
		kernel_names_free(n);
		return NULL;
	}
	sort(n);
	return n;
}

/* --- from RAM --- */

/* A piece of RAM; places are offsets in it. */
struct look {
	const uint8_t *ram;
	uint64_t bytes;
	uint64_t token[TOKENS];
	uint64_t table, after; /* the token table; behind the token index */
	uint64_t names, names_end;
	uint32_t count;
};

static uint16_t get16(const struct look *l, uint64_t at)
{
	return (uint16_t)(l->ram[at] | l->ram[at + 1] << 8);
}

static uint32_t get32(const struct look *l, uint64_t at)
{
	return get16(l, at) | (uint32_t)get16(l, at + 2) << 16;
}

static uint64_t get64(const struct look *l, uint64_t at)
{
	return get32(l, at) | (uint64_t)get32(l, at + 4) << 32;
}

static uint64_t aligned(uint64_t at)
{
	return (at + 7) & ~UINT64_C(7);
}

/* Does a token table begin there?  Then the index behind it says the same. */
static bool is_table(struct look *l, uint64_t at)
{
	l->table = at;
	for (unsigned i = 0; i < TOKENS; i++) {
		l->token[i] = at;
		while (at < l->bytes && l->ram[at])
			at++;
		at++;
	}
	at = aligned(at);
	if (at + 2 * TOKENS > l->bytes)
		return false;
	for (unsigned i = 0; i < TOKENS; i++) {
		if (get16(l, at + UINT64_C(2) * i) != l->token[i] - l->table)
			return false;
	}
	l->after = aligned(at + 2 * TOKENS);
	return true;
}

/* `digits` is where token '0' begins.  Before the first token there may be
 * anything, but it is aligned. */
static bool find_tokens(struct look *l, uint64_t digits)
{
	uint64_t at = digits;

	for (unsigned i = '0'; i > 1; i--) {
		if (!at)
			return false;
		at--; /* the NUL of the one before */
		while (at && l->ram[at - 1])
			at--;
		if (digits - at > TOKENS * 64)
			return false;
	}
	for (unsigned i = 0; i < TOKENS / 8 && at > 8; i++) {
		at = (at - 1) & ~UINT64_C(7);
		if (is_table(l, at))
			return true;
	}
	return false;
}

/* The tokens of the name at *at, and how many; *at: the next name. */
static bool next_name(const struct look *l, uint64_t *at, uint64_t end,
		      uint64_t *first, unsigned *tokens)
{
	if (*at + 2 > end)
		return false;
	*tokens = l->ram[(*at)++];
	if (*tokens & 0x80)
		*tokens = (*tokens & 0x7f) | (unsigned)l->ram[(*at)++] << 7;
	*first = *at;
	*at += *tokens;
	return *tokens && *at <= end;
}

/* Do names of that number, from there on, agree with the markers? */
static bool names_agree(struct look *l, uint64_t names, uint32_t count,
			uint64_t markers)
{
	uint64_t at = names, first;
	unsigned tokens;

	for (uint32_t i = 0; i < count; i++) {
		if (i % PER_MARKER == 0 &&
		    get32(l, markers + i / PER_MARKER * 4) != at - names)
			return false;
		if (!next_name(l, &at, markers, &first, &tokens))
			return false;
	}
	if (aligned(at) != markers)
		return false;
	l->names = names;
	l->names_end = at;
	l->count = count;
	return true;
}

/* Markers that end at `end`: names are before them, their number before those.
 */
static bool names_before(struct look *l, uint64_t end)
{
	uint64_t first = end, last, low, high;
	uint32_t n = 0, count;

	while (first >= 4 && n < NAMES_MAX / PER_MARKER &&
	       (!n || get32(l, first - 4) < get32(l, first))) {
		first -= 4;
		n++;
		if (!get32(l, first))
			break;
	}
	if (n < 2 || get32(l, first) || first % 8)
		return false;
	last = get32(l, end - 4);
	high = first > last ? first - last : 0;
	/* Names are of at most 2 + 512 bytes, nearly all far below. */
	low = high > PER_MARKER * 514 ? high - PER_MARKER * 514 : 16;
	for (uint64_t at = high & ~UINT64_C(7); at > low; at -= 8) {
		count = get32(l, at - 8);
		if (count > (n - 1) * PER_MARKER && count <= n * PER_MARKER &&
		    names_agree(l, at, count, first))
			return true;
	}
	return false;
}

/* With an order of that many symbols before the token table. */
static bool names_before_order(struct look *l, uint32_t count)
{
	uint32_t n = (count + PER_MARKER - 1) / PER_MARKER;
	uint64_t bytes =
		aligned(UINT64_C(3) * count) + aligned(UINT64_C(4) * n);
	uint64_t markers = l->table - bytes;

	return !get32(l, markers) &&
	       get32(l, markers + 4) - 2 * PER_MARKER < 512 * PER_MARKER &&
	       names_before(l, markers + UINT64_C(4) * n) && l->count == count;
}

/* The markers end where the token table or the order begins; an odd number of
 * them has a gap behind it. */
static bool find_names(struct look *l)
{
	if (l->table < 16)
		return false;
	if (names_before(l, l->table) || names_before(l, l->table - 4))
		return true;
	for (uint32_t n = PER_MARKER + 1;
	     n < NAMES_MAX && l->table > UINT64_C(4) * n + 64; n++) {
		if (names_before_order(l, n))
			return true;
	}
	return false;
}

static bool is_base(uint64_t va)
{
	return va >= KERNEL_MAP && va % PAGE == 0;
}

/* Offsets before `number` or behind the token index, and what they count from.
 */
static bool find_offsets(const struct look *l, uint64_t *offsets,
			 uint64_t *base)
{
	uint64_t bytes = aligned(UINT64_C(4) * l->count);

	if (l->names >= 16 + bytes) {
		*offsets = l->names - 16 - bytes;
		*base = get64(l, l->names - 16);
		if (is_base(*base))
			return true;
	}
	if (l->after + bytes + 8 > l->bytes)
		return false;
	*offsets = l->after;
	*base = get64(l, l->after + bytes);
	return is_base(*base);
}

/* Offsets that are negative count from the base, downwards and from -1; then
 * those that are not are of a CPU's own data, and absolute. */
static vaddr_t address_of(uint64_t base, uint32_t offset, bool negative)
{
	if (!negative)
		return base + offset;
	return offset >> 31 ? base + (uint64_t)(-(int64_t)(int32_t)offset - 1)
			    : offset;
}

static struct kernel_names *take_names(const struct look *l)
{
	struct kernel_names *n = NULL;
	uint64_t offsets, base, at = l->names, first;
	bool negative = false;
	unsigned tokens;

	if (!find_offsets(l, &offsets, &base))
		return NULL;
	n = create();
	for (uint32_t i = 0; i < l->count; i++)
		negative |= get32(l, offsets + UINT64_C(4) * i) >> 31;
	for (uint32_t i = 0; i < l->count; i++) {
		char name[NAME_BYTES];
		size_t length = 0;

		if (!next_name(l, &at, l->names_end, &first, &tokens))
			break;
		for (unsigned k = 0; k < tokens; k++) {
			const uint8_t *c = l->ram + l->token[l->ram[first + k]];

			while (*c && length < sizeof(name) - 1)
				name[length++] = (char)*c++;
		}
		name[length] = '\0';
		if (length > 1)
			add(n,
			    address_of(base,
				       get32(l, offsets + UINT64_C(4) * i),
				       negative),
			    name[0], name + 1);
	}
	sort(n);
	return n;
}

struct kernel_names *kernel_names_look(const struct cpu_ram *ram)
{
	static const char digits[] = "0\0001\0002\0003\0004\0005\0006\0007\0008"
				     "\0009";
	struct look l = {.ram = ram->host, .bytes = ram->bytes};
	struct kernel_names *n = NULL;
	struct ramscan scan;
	paddr_t pa;

	ramscan_begin(&scan, ram);
	while (!n && ramscan_next(&scan, &pa)) {
		uint64_t at = pa - ram->base;
		uint64_t end = at + PAGE + sizeof(digits) - 1;
		const uint8_t *hit;

		if (end > l.bytes)
			end = l.bytes;
		while (!n && (hit = memmem(l.ram + at, end - at, digits,
					   sizeof(digits)))) {
			at = (uint64_t)(hit - l.ram);
			if (find_tokens(&l, at) && find_names(&l))
				n = take_names(&l);
			at++;
		}
	}
	ramscan_end(&scan);
	return n;
}
