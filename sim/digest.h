/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/digest.h - fingerprints of state and of what happened: XXH3, 64 bits
 * (xxHash; the algorithm is frozen since 0.8.0, so digests can be kept in
 * files and compared between hosts).
 *
 * Only for bytes that are the same on every host: little-endian integers
 * without holes.
 */
#ifndef PARTERRE_SIM_DIGEST_H
#define PARTERRE_SIM_DIGEST_H

#include "sim/base.h"

struct digest;

struct digest *digest_create(void);
void digest_destroy(struct digest *d); /* NULL is fine */
void digest_reset(struct digest *d);
/* As far as another one has come. */
void digest_copy(struct digest *to, const struct digest *from);
/* `to` is a struct digest: the shape that device_class.digest wants. */
void digest_feed(void *to, const void *p, size_t bytes);
uint64_t digest_value(const struct digest *d); /* of all fed so far */
/* The value if `bytes` at `p` were fed too. */
uint64_t digest_value_with(const struct digest *d, const void *p, size_t bytes);

/* One link of a chain: of what came before and of `bytes` at `p`. */
uint64_t digest_fold(uint64_t chain, const void *p, size_t bytes);

#endif
