/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/seen/seen_look.c - looking things up in what is seen: for those who draw
 * it, who have no machine. */
#include "sim/seen/seen.h"

#include "sim/seen/palette.h"

const struct seen_partition *seen_partition(const struct seen *s,
					    uint32_t index)
{
	for (uint32_t i = 0; i < s->partitions; i++) {
		if (s->partition[i].index == index)
			return &s->partition[i];
	}
	return NULL;
}

const char *seen_name(const struct seen *s, uint32_t who)
{
	const struct seen_partition *p = seen_partition(s, who);

	if (!who)
		return palette_nobody(!s->opaque);
	return p ? p->name : "gone";
}

const char *seen_writer(const struct seen *s, uint32_t who)
{
	return who || s->opaque ? seen_name(s, who) : "monitor";
}

const char *seen_machine_name(const struct seen *s, uint32_t machine)
{
	return s->machine_name[machine][0] ? s->machine_name[machine] : "first";
}

const char *seen_on(const struct seen_partition *p, char text[SEEN_CPUS + 1])
{
	size_t n = 0;

	for (unsigned i = 0; i < SEEN_CPUS; i++) {
		if (p->on >> i & 1)
			text[n++] = (char)('0' + i);
	}
	text[n] = '\0';
	return text;
}

uint32_t seen_block_of(const struct seen *s, uint64_t pfn)
{
	uint32_t i = 0;

	while (i < s->blocks && (pfn < s->block[i].pfn ||
				 pfn >= s->block[i].pfn + s->block[i].frames))
		i++;
	return i;
}
