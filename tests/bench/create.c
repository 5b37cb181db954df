/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/bench/create.c - how long it takes to create a machine, the first of
 * its process and then the median of N, and to destroy it: milliseconds, one
 * line.
 *
 * usage: create MIB CPUS N
 * The machine has the default board and no image.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/machine.h"

#define N_MAX 10000

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *ms, unsigned n)
{
	qsort(ms, n, sizeof(*ms), by_value);
	return ms[n / 2];
}

int main(int argc, char **argv)
{
	static double create[N_MAX], destroy[N_MAX];
	double first;
	struct machine_config c;
	struct machine *m;
	struct error err;
	uint64_t mib = argc == 4 ? strtoull(argv[1], NULL, 10) : 0;
	unsigned cpus = argc == 4 ? (unsigned)atoi(argv[2]) : 0;
	unsigned n = argc == 4 ? (unsigned)atoi(argv[3]) : 0;

	if (!mib || !cpus || !n || n > N_MAX) {
		fprintf(stderr, "usage: create MIB CPUS N\n");
		return 2;
	}
	machine_config_defaults(&c);
	c.ram_bytes = mib << 20;
	c.cpu_count = cpus;
	c.controllers = 0;
	for (unsigned i = 0; i < n; i++) {
		double began = now_ms(), made;

		m = machine_create(&c, NULL, &err);
		if (!m) {
			fprintf(stderr, "create: %s\n", err.text);
			return err.code;
		}
		made = now_ms();
		machine_destroy(m);
		create[i] = made - began;
		destroy[i] = now_ms() - made;
	}
	first = create[0];
	printf("%" PRIu64 " MiB, %u CPUs: the first machine in %.1f ms, median "
	       "%.1f ms; destroyed in %.1f ms\n",
	       mib, cpus, first, median(create, n), median(destroy, n));
	return 0;
}
