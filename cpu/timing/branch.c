/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/timing/branch.c - see branch.h. */
#include "cpu/timing/branch.h"

#include <string.h>

#define WEAKLY_NOT   1
#define PATH_HISTORY 40 /* branches; loops of so many rounds are seen */

void branch_predictor_reset(struct branch_predictor *p)
{
	memset(p, 0, sizeof(*p));
	memset(p->counter, WEAKLY_NOT, sizeof(p->counter));
	memset(p->choice, WEAKLY_NOT, sizeof(p->choice));
	memset(p->path, WEAKLY_NOT, sizeof(p->path));
}

static uint64_t mix(uint64_t pc)
{
	return (pc * UINT64_C(0x9E3779B97F4A7C15)) >> 40;
}

static void count(uint8_t *counter, bool up)
{
	if (up && *counter < 3)
		++*counter;
	else if (!up && *counter)
		--*counter;
}

static bool conditional(struct branch_predictor *p, uint64_t pc, bool taken)
{
	uint64_t hash = mix(pc);
	uint64_t recent = mix(p->history & ((UINT64_C(1) << PATH_HISTORY) - 1));
	uint8_t *plain = &p->counter[hash % BRANCH_COUNTERS];
	uint8_t *choice = &p->choice[hash % BRANCH_COUNTERS];
	uint8_t *path = &p->path[(hash ^ recent) % BRANCH_PATHS];
	bool by_plain = (*plain >= 2) == taken;
	bool by_path = (*path >= 2) == taken;
	bool right = *choice >= 2 ? by_path : by_plain;

	if (by_plain != by_path)
		count(choice, by_path);
	count(plain, taken);
	count(path, taken);
	p->history = p->history << 1 | taken;
	return right;
}

static bool indirect(struct branch_predictor *p, uint64_t pc, uint64_t to)
{
	uint64_t *target = &p->target[mix(pc) % BRANCH_TARGETS];
	bool right = *target == to;

	*target = to;
	return right;
}

bool branch_foreseen(struct branch_predictor *p, const struct branch *b,
		     uint64_t to)
{
	switch (b->kind) {
	case BRANCH_CONDITIONAL:
		return conditional(p, b->pc, to != b->next);
	case BRANCH_INDIRECT:
		return indirect(p, b->pc, to);
	case BRANCH_CALL:
		p->returns[p->top++ % BRANCH_RETURNS] = b->next;
		return true;
	case BRANCH_INDIRECT_CALL:
		p->returns[p->top++ % BRANCH_RETURNS] = b->next;
		return indirect(p, b->pc, to);
	case BRANCH_RETURN:
		return p->returns[--p->top % BRANCH_RETURNS] == to;
	case BRANCH_NONE:
	case BRANCH_REPEAT:
		break;
	}
	return true;
}
