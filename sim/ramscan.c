/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/ramscan.c - see ramscan.h. */
#include "sim/ramscan.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/check.h"

#define ENTRY_PRESENT (UINT64_C(1) << 63)
#define ENTRY_SWAPPED (UINT64_C(1) << 62)

void ramscan_begin(struct ramscan *s, const struct cpu_ram *ram)
{
	s->ram = ram;
	s->at = 0;
	s->first = 0;
	s->entries = 0;
	/* Entries are for pages of the host; ours must be as large. */
	s->pagemap = sysconf(_SC_PAGESIZE) == PAGE_BYTES
			     ? open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)
			     : -1;
}

void ramscan_end(struct ramscan *s)
{
	ramscan_blind(s);
}

void ramscan_blind(struct ramscan *s)
{
	if (s->pagemap >= 0)
		close(s->pagemap);
	s->pagemap = -1;
}

/* Could the page at s->at be other than zero? */
static bool touched(struct ramscan *s)
{
	uint64_t page = s->at / PAGE_BYTES, left;
	ssize_t n;

	if (s->pagemap < 0)
		return true;
	if (page - s->first >= s->entries) {
		left = s->ram->bytes / PAGE_BYTES - page;
		if (left > RAMSCAN_ENTRIES)
			left = RAMSCAN_ENTRIES;
		n = pread(
			s->pagemap, s->entry, left * sizeof(uint64_t),
			(off_t)(((uintptr_t)s->ram->host / PAGE_BYTES + page) *
				sizeof(uint64_t)));
		if (n < (ssize_t)sizeof(uint64_t)) {
			ramscan_blind(s);
			return true;
		}
		s->first = page;
		s->entries = (uint64_t)n / sizeof(uint64_t);
	}
	return s->entry[page - s->first] & (ENTRY_PRESENT | ENTRY_SWAPPED);
}

static const uint8_t zero[PAGE_BYTES];

void ramscan_give_back(const struct cpu_ram *ram)
{
	struct ramscan s;
	uint64_t from = 0; /* of the pages before s.at that can go */

	ramscan_begin(&s, ram);
	for (; s.pagemap >= 0 && s.at <= ram->bytes; s.at += PAGE_BYTES) {
		const uint8_t *page = ram->host + s.at;

		if (s.at < ram->bytes && touched(&s) && s.pagemap >= 0 &&
		    memcmp(page, zero, PAGE_BYTES) == 0)
			continue;
		if (s.at > from)
			CHECK(madvise(ram->host + from, s.at - from,
				      MADV_DONTNEED) == 0);
		from = s.at + PAGE_BYTES;
	}
	ramscan_end(&s);
}

const uint8_t *ramscan_next(struct ramscan *s, paddr_t *pa)
{
	while (s->at < s->ram->bytes) {
		const uint8_t *page = s->ram->host + s->at;
		bool look = touched(s);

		*pa = s->ram->base + s->at;
		s->at += PAGE_BYTES;
		if (look && memcmp(page, zero, PAGE_BYTES) != 0)
			return page;
	}
	return NULL;
}
