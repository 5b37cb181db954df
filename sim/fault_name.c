/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/fault_name.c - faults by name: the table that docs/faults.md explains.
 *
 * A fault is words separated by blanks, its name first.  Numbers are decimal or
 * hexadecimal (0x...); an address in a partition may be a symbol of its
 * program.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/fault.h"

#define WORDS_MAX 6

struct words {
	unsigned count;
	char text[160], *word[WORDS_MAX];
};

static bool split(const char *text, struct words *w)
{
	char *rest = w->text, *word;

	w->count = 0;
	if ((size_t)snprintf(w->text, sizeof(w->text), "%s", text) >=
	    sizeof(w->text))
		return false;
	while ((word = strsep(&rest, " "))) {
		if (!*word)
			continue;
		if (w->count == WORDS_MAX)
			return false;
		w->word[w->count++] = word;
	}
	return w->count > 0;
}

static bool number_of(const struct words *w, unsigned n, uint64_t *value,
		      struct error *err)
{
	char *end = w->word[n];

	if (*end >= '0' && *end <= '9')
		*value = strtoull(w->word[n], &end, 0);
	return (end != w->word[n] && !*end) ||
	       error_set(err, EXIT_USAGE,
			 "fault '%s': '%s' is not a number (42, 0x2a)",
			 w->word[0], w->word[n]);
}

/* --- partitions --- */

static bool text_fault(struct partition_view *v, const struct words *w,
		       struct error *err)
{
	return fault_partition_text(v, w->word[1], w->word[0], err);
}

/* Where word 2 is in partition word 1; *bytes: of the symbol, or 0. */
static bool place(struct partition_view *v, const struct words *w, vaddr_t *va,
		  uint64_t *bytes, struct error *err)
{
	*bytes = 0;
	if (w->word[2][0] >= '0' && w->word[2][0] <= '9')
		return number_of(w, 2, va, err);
	return partition_view_symbol(v, w->word[1], w->word[2], va, bytes, err);
}

/* flip PARTITION WHERE BIT */
static bool flip(struct partition_view *v, const struct words *w,
		 struct error *err)
{
	uint64_t bit = 0, bytes;
	uint8_t byte;
	vaddr_t va = 0;

	if (!place(v, w, &va, &bytes, err) || !number_of(w, 3, &bit, err))
		return false;
	if (bytes && bit >= bytes * 8)
		return error_set(err, EXIT_USAGE,
				 "fault 'flip': '%s' of '%s' has %" PRIu64
				 " bits",
				 w->word[2], w->word[1], bytes * 8);
	va += bit / 8;
	if (!partition_view_read(v, w->word[1], va, &byte, 1, err))
		return false;
	byte ^= (uint8_t)(1u << bit % 8);
	return fault_partition_ram(v, w->word[1], va, &byte, 1, err);
}

/* word PARTITION WHERE VALUE */
static bool word(struct partition_view *v, const struct words *w,
		 struct error *err)
{
	uint64_t value = 0, bytes;
	vaddr_t va = 0;

	return place(v, w, &va, &bytes, err) && number_of(w, 3, &value, err) &&
	       fault_partition_ram(v, w->word[1], va, &value, sizeof(value),
				   err);
}

/* page PARTITION WHERE BYTE */
static bool page(struct partition_view *v, const struct words *w,
		 struct error *err)
{
	uint8_t all[PAGE_BYTES];
	uint64_t value = 0, bytes;
	vaddr_t va = 0;

	if (!place(v, w, &va, &bytes, err) || !number_of(w, 3, &value, err))
		return false;
	memset(all, (int)(value & 0xff), sizeof(all));
	return fault_partition_ram(v, w->word[1], va & ~(PAGE_BYTES - 1), all,
				   sizeof(all), err);
}

/* bytes PARTITION WHERE COUNT FROM TO: of so many bytes, those that are FROM
 * become TO. */
static bool bytes(struct partition_view *v, const struct words *w,
		  struct error *err)
{
	uint64_t of_symbol, count = 0, from = 0, to = 0, first;
	uint8_t all[PAGE_BYTES];
	vaddr_t va = 0;

	if (!place(v, w, &va, &of_symbol, err) ||
	    !number_of(w, 3, &count, err) || !number_of(w, 4, &from, err) ||
	    !number_of(w, 5, &to, err))
		return false;
	if (!count || count > sizeof(all) || (of_symbol && count > of_symbol))
		return error_set(err, EXIT_USAGE,
				 "fault 'bytes': 1 to %" PRIu64 " bytes of "
				 "'%s' of '%s' can be named, not %" PRIu64,
				 of_symbol ? of_symbol : PAGE_BYTES, w->word[2],
				 w->word[1], count);
	if (!partition_view_read(v, w->word[1], va, all, count, err))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		if (all[i] == (uint8_t)from)
			all[i] = (uint8_t)to;
	}
	first = PAGE_BYTES - va % PAGE_BYTES; /* of them, in its page */
	if (count <= first)
		return fault_partition_ram(v, w->word[1], va, all, count, err);
	return fault_partition_ram(v, w->word[1], va, all, first, err) &&
	       fault_partition_ram(v, w->word[1], va + first, all + first,
				   count - first, err);
}

/* instance PARTITION FRAME BYTE */
static bool instance(struct partition_view *v, const struct words *w,
		     struct error *err)
{
	uint64_t frame = 0, value = 0;

	return number_of(w, 2, &frame, err) && number_of(w, 3, &value, err) &&
	       fault_partition_instance(v, w->word[1], frame,
					(uint8_t)(value & 0xff), err);
}

/* --- the machine --- */

/* check CPU ADDRESS corrected|uncorrected|fatal */
static bool check(struct partition_view *v, const struct words *w,
		  struct error *err)
{
	static const char *const how[] = {"corrected", "uncorrected", "fatal"};
	uint64_t cpu = 0, pa = 0;

	if (!number_of(w, 1, &cpu, err) || !number_of(w, 2, &pa, err))
		return false;
	for (unsigned i = 0; i < ARRAY_LEN(how); i++) {
		if (strcmp(how[i], w->word[3]) == 0)
			return fault_machine_check(partition_view_machine(v),
						   (unsigned)cpu, pa,
						   (enum fault_check)i, err);
	}
	return error_set(err, EXIT_USAGE,
			 "fault 'check': '%s' is none of corrected, "
			 "uncorrected, fatal",
			 w->word[3]);
}

/* stall CPU NANOSECONDS */
static bool stall(struct partition_view *v, const struct words *w,
		  struct error *err)
{
	uint64_t cpu = 0, ns = 0;

	return number_of(w, 1, &cpu, err) && number_of(w, 2, &ns, err) &&
	       fault_stall(partition_view_machine(v), (unsigned)cpu,
			   ns * PS_PER_NS, err);
}

/* power [N]: whoever runs the machine ends the run now (fault_ends()). */
static bool power(struct partition_view *v, const struct words *w,
		  struct error *err)
{
	uint64_t bytes = 0;

	if (w->count == 1)
		return true;
	return number_of(w, 1, &bytes, err) &&
	       fault_device(partition_view_machine(v), "disk0", "torn", bytes,
			    err);
}

/* device DEVICE FAULT [N] */
static bool device(struct partition_view *v, const struct words *w,
		   struct error *err)
{
	uint64_t argument = 0;

	if (w->count > 3 && !number_of(w, 3, &argument, err))
		return false;
	return fault_device(partition_view_machine(v), w->word[1], w->word[2],
			    argument, err);
}

/* --- the table --- */

static const struct row {
	const char *name, *words; /* those behind it; [ ]: need not be */
	unsigned least, most;     /* words, the name among them */
	bool (*inject)(struct partition_view *v, const struct words *w,
		       struct error *err);
} rows[] = {
	{"crash", "PARTITION", 2, 2, text_fault},
	{"hang", "PARTITION", 2, 2, text_fault},
	{"livelock", "PARTITION", 2, 2, text_fault},
	{"flip", "PARTITION WHERE BIT", 4, 4, flip},
	{"word", "PARTITION WHERE VALUE", 4, 4, word},
	{"page", "PARTITION WHERE BYTE", 4, 4, page},
	{"bytes", "PARTITION WHERE COUNT FROM TO", 6, 6, bytes},
	{"instance", "PARTITION FRAME BYTE", 4, 4, instance},
	{"check", "CPU ADDRESS corrected|uncorrected|fatal", 4, 4, check},
	{"stall", "CPU NANOSECONDS", 3, 3, stall},
	{"power", "[N]", 1, 2, power},
	{"device", "DEVICE FAULT [N]", 3, 4, device},
};

static const struct row *row_of(const char *text, struct words *w,
				struct error *err)
{
	char names[400];
	size_t n = 0;

	if (split(text, w)) {
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct row *r = &rows[i];

			if (strcmp(r->name, w->word[0]) != 0)
				continue;
			if (w->count >= r->least && w->count <= r->most)
				return r;
			error_set(err, EXIT_USAGE,
				  "fault '%s': has to be %s %s", text, r->name,
				  r->words);
			return NULL;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(rows) && n < sizeof(names); i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s",
				      i ? ", " : "", rows[i].name);
	error_set(err, EXIT_USAGE, "fault '%s': no such kind; there are %s",
		  text, names);
	return NULL;
}

bool fault_known(const char *text, struct error *err)
{
	struct words w;

	return row_of(text, &w, err) != NULL;
}

bool fault_ends(const char *text)
{
	struct words w;

	return split(text, &w) && strcmp(w.word[0], "power") == 0;
}

bool fault_inject(struct partition_view *v, const char *text, struct error *err)
{
	struct words w;
	const struct row *r = row_of(text, &w, err);

	return r && r->inject(v, &w, err);
}
