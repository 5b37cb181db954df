/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/bench/timing/kernels.h - small pieces of work, the same bytes on the
 * host and in the machine.  Each is run `n` times over; what it costs is said
 * for one.
 */
#ifndef PARTERRE_BENCH_KERNELS_H
#define PARTERRE_BENCH_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AREA_BYTES (UINT64_C(64) << 20)
#define PAGE_BYTES UINT64_C(4096)

struct kernel {
	const char *name, *class;
	/* `area`: AREA_BYTES in large pages, or in pages of PAGE_BYTES; made by
	 * prepare() anew before the kernel. */
	uint64_t (*run)(uint64_t n, void *area);
	void (*prepare)(void *area); /* NULL: nothing */
	uint64_t n;
	bool pages; /* of PAGE_BYTES */
};
extern const struct kernel kernels[];
extern const size_t kernel_count;

/* A chain of additions, `n` times this many: a cycle each. */
#define REFERENCE_ADDS 100
uint64_t reference(uint64_t n, void *area);

#endif
