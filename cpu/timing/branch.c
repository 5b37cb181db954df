/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/timing/branch.c - see branch.h. */
#include "cpu/timing/branch.h"

#include <string.h>

#define WEAKLY_NOT 1u

void branch_predictor_reset(struct branch_predictor *p)
{
	memset(p, 0, sizeof(*p));
	for (size_t i = 0; i < BRANCH_COUNTERS; i++)
		p->known[i].own = WEAKLY_NOT | WEAKLY_NOT << 2;
	memset(p->by_path, WEAKLY_NOT, sizeof(p->by_path));
}

/* `i`: bits 0 to 3 of `own`, 4 and 5 of the path's; `t`: was it taken. */
#define UP(c)         ((c) < 3 ? (c) + 1 : 3)
#define DOWN(c)       ((c) > 0 ? (c)-1 : 0)
#define TO(c, up)     ((up) ? UP(c) : DOWN(c))
#define OWN(i)        ((i)&3)
#define CHOICE(i)     ((i) >> 2 & 3)
#define PATH(i)       ((i) >> 4 & 3)
#define BY_OWN(t, i)  ((OWN(i) >> 1) == (t))
#define BY_PATH(t, i) ((PATH(i) >> 1) == (t))
#define CHOSEN(t, i)                                                           \
	(BY_OWN(t, i) == BY_PATH(t, i) ? CHOICE(i)                             \
				       : TO(CHOICE(i), BY_PATH(t, i)))
#define RIGHT(t, i) (CHOICE(i) >= 2 ? BY_PATH(t, i) : BY_OWN(t, i))
#define NEXT(t, i)                                                             \
	(TO(OWN(i), t) | CHOSEN(t, i) << 2 | TO(PATH(i), t) << 8 |             \
	 !RIGHT(t, i) << 16)

#define GOES_ON(t, i) ((i) >> 7 == (t))
#define SAME(t, i)                                                             \
	((t) << 7 |                                                            \
	 (GOES_ON(t, i) && ((i)&BRANCH_SURE) < BRANCH_SURE                     \
		  ? ((i)&BRANCH_SURE) + 1                                      \
		  : 0) |                                                       \
	 (GOES_ON(t, i) && ((i)&BRANCH_SURE) >= BRANCH_RUN) << 8 |             \
	 (!GOES_ON(t, i) && ((i)&BRANCH_SURE) == BRANCH_SURE) << 9)

#define ALL4(f, t, i) f(t, i), f(t, (i) + 1), f(t, (i) + 2), f(t, (i) + 3)
#define ALL16(f, t, i)                                                         \
	ALL4(f, t, i), ALL4(f, t, (i) + 4), ALL4(f, t, (i) + 8),               \
		ALL4(f, t, (i) + 12)
#define ALL64(f, t, i)                                                         \
	ALL16(f, t, i), ALL16(f, t, (i) + 16), ALL16(f, t, (i) + 32),          \
		ALL16(f, t, (i) + 48)

const uint32_t branch_next[2][64] = {{ALL64(NEXT, 0, 0)}, {ALL64(NEXT, 1, 0)}};
const uint16_t branch_same[2][256] = {
	{ALL64(SAME, 0, 0), ALL64(SAME, 0, 64), ALL64(SAME, 0, 128),
	 ALL64(SAME, 0, 192)},
	{ALL64(SAME, 1, 0), ALL64(SAME, 1, 64), ALL64(SAME, 1, 128),
	 ALL64(SAME, 1, 192)},
};

const uint8_t branch_choice[4][4] = {
	{0, 1, 2, 3}, {1, 2, 3, 3}, {0, 0, 1, 2}, {0, 1, 2, 3}};

bool branch_foreseen(struct branch_predictor *p, const struct branch *b,
		     uint64_t to)
{
	uint32_t hash = branch_hash(b->pc);

	switch (b->kind) {
	case BRANCH_CONDITIONAL:
		return !branch_surprise(p, branch_known(p, hash), hash,
					to != b->next);
	case BRANCH_INDIRECT:
		return branch_indirect(p, hash, to);
	case BRANCH_CALL:
		branch_call(p, b->next);
		return true;
	case BRANCH_INDIRECT_CALL:
		branch_call(p, b->next);
		return branch_indirect(p, hash, to);
	case BRANCH_RETURN:
		return branch_return(p, to);
	case BRANCH_NONE:
	case BRANCH_REPEAT:
		break;
	}
	return true;
}
