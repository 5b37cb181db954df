/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/calibrate.h - small pieces of code that the host itself runs,
 * to say what its core is like.
 *
 * A probe repeats an instruction, or a few, `n` times over in a loop of
 * PROBE_TIMES copies.  None is one of tests/bench/timing's kernels.
 */
#ifndef PARTERRE_TOOLS_CALIBRATE_H
#define PARTERRE_TOOLS_CALIBRATE_H

#include <stddef.h>
#include <stdint.h>

#define PROBE_TIMES 32

struct probe {
	const char *name;
	void (*run)(uint64_t n, void *area);
	unsigned each; /* of what is measured in a copy */
};

enum probe_name {
	PROBE_ADD_CHAIN, /* the reference: a cycle each */
	PROBE_SMALL_CHAIN,
	PROBE_IMUL_CHAIN,
	PROBE_LEA_CHAIN,
	PROBE_POPCNT_CHAIN,
	PROBE_ADDSD_CHAIN,
	PROBE_MULSD_CHAIN,
	PROBE_PMULUDQ_CHAIN,
	PROBE_PSHUFD_CHAIN,
	PROBE_DIVSD_CHAIN,  /* and a multiplication */
	PROBE_SQRTSD_CHAIN, /* and an addition */
	PROBE_DIV_CHAIN,    /* and an OR */
	PROBE_DIV32_CHAIN,
	PROBE_TRANSFER_CHAIN, /* there and back */
	PROBE_CONVERT_CHAIN,  /* there and back */
	PROBE_FORWARD_CHAIN,  /* and an addition, as UPDATE */
	PROBE_FORWARD_VECTOR,
	PROBE_FORWARD_UPDATE,
	PROBE_WAIT_ADD, /* chains of PROBE_WAIT, which begin anew */
	PROBE_WAIT_LOAD,
	PROBE_NOP,
	PROBE_MOVE,
	PROBE_ADD,
	PROBE_SHIFT,
	PROBE_IMUL,
	PROBE_LOAD,
	PROBE_LOAD_VECTOR,
	PROBE_STORE,
	PROBE_STORE_WITH_LOADS,
	PROBE_PADDD,
	PROBE_PSHUFD,
	PROBE_PSLLD,
	PROBE_PMULUDQ,
	PROBE_ADDPS,
	PROBE_MULPS,
	PROBE_DIVSD,
	PROBE_SQRTSD,
	PROBE_DIV,
	PROBE_DIV32,
	PROBE_JUMP,
	PROBE_LOCK,
	PROBE_COUNT
};
extern const struct probe probes[PROBE_COUNT];
#define PROBE_WAIT 44

/* Where a level of memory was looked at. */
#define PROBE_AREA (UINT64_C(64) << 20)

/* Of bytes at `area`: branches by their lowest bits. */
void probe_branches(uint64_t n, const uint8_t *area);
/* Follows pointers; adds up words at random in `mask` + 1 bytes, and words a
 * line apart.  A round goes on where the one before ended (what the first two
 * return, `from`), so that it can be short and yet meet what it did not meet
 * lately. */
void *probe_chase(uint64_t n, void *at);
uint64_t probe_random(uint64_t n, const void *area, uint64_t x, uint64_t mask);
void probe_lines(uint64_t n, const void *area, uint64_t from, uint64_t mask);
/* A word in each page of 4 KiB, at random, of `pages`, a power of two; where in
 * the page, so that all sets of a cache are used. */
#define PROBE_PAGE(page) ((page)*4096 + (page) % 61 * 64)
uint64_t probe_pages(uint64_t n, const void *area, uint64_t x, uint64_t pages);
/* REP of so many bytes, of zeroes. */
enum probe_string {
	PROBE_MOVSB,
	PROBE_MOVSQ,
	PROBE_STOSB,
	PROBE_STOSQ,
	PROBE_CMPSB,
	PROBE_LODSQ,
	PROBE_STRINGS
};
void probe_string(enum probe_string kind, uint64_t n, void *area,
		  uint64_t bytes);

#endif
