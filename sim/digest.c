/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/digest.h"

#include <stdlib.h>

#include <xxhash.h>

#include "sim/check.h"

struct digest {
	XXH3_state_t *state, *scratch;
};

struct digest *digest_create(void)
{
	struct digest *d = calloc(1, sizeof(*d));

	CHECK_MSG(d, "out of memory for a digest");
	d->state = XXH3_createState();
	d->scratch = XXH3_createState();
	CHECK_MSG(d->state && d->scratch, "out of memory for a digest");
	digest_reset(d);
	return d;
}

void digest_destroy(struct digest *d)
{
	if (!d)
		return;
	XXH3_freeState(d->state);
	XXH3_freeState(d->scratch);
	free(d);
}

void digest_reset(struct digest *d)
{
	CHECK(XXH3_64bits_reset(d->state) == XXH_OK);
}

void digest_copy(struct digest *to, const struct digest *from)
{
	XXH3_copyState(to->state, from->state);
}

void digest_feed(void *to, const void *p, size_t bytes)
{
	struct digest *d = to;

	CHECK(XXH3_64bits_update(d->state, p, bytes) == XXH_OK);
}

uint64_t digest_value(const struct digest *d)
{
	return XXH3_64bits_digest(d->state);
}

uint64_t digest_value_with(const struct digest *d, const void *p, size_t bytes)
{
	XXH3_copyState(d->scratch, d->state);
	CHECK(XXH3_64bits_update(d->scratch, p, bytes) == XXH_OK);
	return XXH3_64bits_digest(d->scratch);
}

uint64_t digest_fold(uint64_t chain, const void *p, size_t bytes)
{
	return XXH3_64bits_withSeed(p, bytes, chain);
}
