/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/bench/timing/native.c - each kernel on the host: "class name cycles",
 * cycles of one time over, the least of several rounds.
 *
 * A cycle is what an addition of a chain takes, timed by RDTSC right before and
 * after each round; rounds in which these two differ by more than 2 %, or this
 * thread lost its CPU, were disturbed (another clock, another process) and
 * don't count.  No performance counter is asked.  The last line says how noisy
 * it was:
 * "# noise" and the middle of what rounds took beyond the least, in percent.
 * usage: native [ROUNDS]
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <x86intrin.h>

#include "kernels.h"

#define REFERENCES 300
#define ROUNDS_MAX 200

static double time_of(uint64_t (*run)(uint64_t, void *), uint64_t n, void *area)
{
	uint64_t before;

	_mm_lfence();
	before = __rdtsc();
	_mm_lfence();
	run(n, area);
	_mm_lfence();
	return (double)(__rdtsc() - before);
}

static double cycle(void *area)
{
	double least = 0;

	for (unsigned i = 0; i < 3; i++) {
		double t = time_of(reference, REFERENCES, area) /
			   (REFERENCES * (REFERENCE_ADDS + 1));

		if (i == 0 || t < least)
			least = t;
	}
	return least;
}

/* How often this thread lost its CPU. */
static long switched(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_nivcsw;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* AREA_BYTES, of large pages if the host has them to give, or of small ones. */
static void *area_of(bool large)
{
	void *area = mmap(NULL, 2 * AREA_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED) {
		perror("native: no memory for the kernels");
		exit(1);
	}
	area = (void *)(((uintptr_t)area + AREA_BYTES - 1) & ~(AREA_BYTES - 1));
	madvise(area, AREA_BYTES, large ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return area;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 25;
	static double noise[ROUNDS_MAX];
	void *areas[] = {area_of(true), area_of(false)};

	if (!rounds || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: native [ROUNDS], 1 to %d\n",
			ROUNDS_MAX);
		return 2;
	}
	for (size_t k = 0; k < kernel_count; k++) {
		const struct kernel *kernel = &kernels[k];
		double all[ROUNDS_MAX], least = 0;
		void *area = areas[kernel->pages];
		unsigned good = 0;

		for (uint64_t i = 0; i < AREA_BYTES / 8; i++)
			((uint64_t *)area)[i] = i;
		if (kernel->prepare)
			kernel->prepare(area);
		kernel->run(kernel->n, area);
		/* At most 20 times as many tries. */
		for (unsigned i = 0; good < rounds && i < 20 * rounds; i++) {
			long switches = switched();
			double before = cycle(area), t, after;

			t = time_of(kernel->run, kernel->n, area);
			after = cycle(area);
			if (before > 1.02 * after || after > 1.02 * before ||
			    switched() != switches)
				continue;
			t /= (before + after) / 2 * (double)kernel->n;
			all[good++] = t;
			if (good == 1 || t < least)
				least = t;
		}
		if (!good) {
			fprintf(stderr,
				"native: the host was busy in each round of %s "
				"%s\n",
				kernel->class, kernel->name);
			return 1;
		}
		qsort(all, good, sizeof(*all), ascending);
		noise[k] = all[good / 2] / least - 1;
		printf("%s %s %.3f\n", kernel->class, kernel->name, least);
		fflush(stdout);
	}
	qsort(noise, kernel_count, sizeof(*noise), ascending);
	printf("# noise %.1f\n", 100 * noise[kernel_count / 2]);
	return 0;
}
