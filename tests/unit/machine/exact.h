/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/machine/exact.h - machines that run the kernels of
 * tests/guest/exact, and how two runs are compared.
 */
#ifndef PARTERRE_TESTS_EXACT_H
#define PARTERRE_TESTS_EXACT_H

#include "sim/machine.h"

#define EXACT_END     (100 * PS_PER_MS)
#define EXACT_CONSOLE 512

/* A machine with its disk, which holds a function in each block. */
struct exact {
	struct machine *m;
	ps_t quantum; /* 0: the default */
	enum timing_model timing;
	uint64_t hz; /* 0: the default */
	char disk[64];
	char console[EXACT_CONSOLE];
};

/* What nearly every test of exactness is made with: on 1, 2 and 4 CPUs, with a
 * disk and without. */
struct exact_form {
	const char *kernel; /* a name in tests/guest/exact */
	unsigned cpus;
	bool disk;
};

#define EXACT_FORMS 3
extern const struct exact_form exact_forms[EXACT_FORMS];

/* All that must not depend on how a run was cut. */
struct exact_result {
	enum machine_stop stop;
	uint32_t code;
	ps_t end; /* of the CPU that ended it */
	uint64_t chain, digest, retired;
	char console[EXACT_CONSOLE];
};

/* `kernel`: a name in tests/guest/exact, "exact2". */
void exact_make(struct exact *e, const char *kernel, unsigned cpus, bool disk);
void exact_make_quantum(struct exact *e, const char *kernel, unsigned cpus,
			bool disk, ps_t quantum);
/* At 4 GHz: the kernel's timers come often, and with models their handler takes
 * longer. */
void exact_make_timing(struct exact *e, const char *kernel, unsigned cpus,
		       bool disk, enum timing_model timing);
/* The machine alone, with the disk that there is. */
void exact_start(struct exact *e, const char *kernel, unsigned cpus);
/* For machine_set_console(), when a struct exact was moved. */
void exact_console(void *owner, unsigned serial, ps_t when, uint8_t c);
void exact_drop(struct exact *e);
struct exact_result exact_result_of(struct exact *e, enum machine_stop stop);
/* To the end, in one go. */
struct exact_result exact_straight(const char *kernel, unsigned cpus,
				   bool disk);
bool exact_equal(const struct exact_result *a, const struct exact_result *b);
/* Fails the test unless they are equal. */
void exact_same(const struct exact_result *a, const struct exact_result *b,
		const char *how, uint64_t seed);
uint64_t exact_random(uint64_t *seed, uint64_t below);

#endif
