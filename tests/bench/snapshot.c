/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/bench/snapshot.c - how long snapshots take, each figure beside a peer
 * in the same process: in memory, to take one and to go back, at so many
 * written pages, beside a copy of those pages and beside fork(); a machine's
 * file, beside zstd alone of the same RAM at the same level.  Medians of N.
 *
 * usage: snapshot [N]
 * A machine of 512 MiB with the default board, a quarter of its RAM in use:
 * half of each page is text that compresses, half does not.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <zstd.h>

#include "sim/bus.h"
#include "sim/check.h"
#include "sim/machine.h"
#include "sim/snapshot.h"
#include "sim/snapshot_memory.h"

#define RAM_MIB   512
#define USED_MIB  128
#define N_MAX     1000
#define PAGES_MAX 10000
#define BASE      (UINT64_C(16) << 20)

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Of a CPU, which a loaded host does not stretch. */
static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *us, unsigned n)
{
	qsort(us, n, sizeof(*us), by_value);
	return us[n / 2];
}

static void fill(struct machine *m)
{
	uint64_t random = 1, page[PAGE_BYTES / 8];

	for (uint64_t p = 0; p < USED_MIB << 8; p++) {
		for (size_t i = 0; i < ARRAY_LEN(page); i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			page[i] = i % 2 ? random : 0x6567617020796e61;
		}
		CHECK(bus_poke(machine_bus(m), BASE + p * PAGE_BYTES, page,
			       PAGE_BYTES));
	}
}

static void write_pages(struct machine *m, unsigned pages)
{
	static uint64_t value;

	for (uint64_t p = 0; p < pages; p++) {
		value++;
		CHECK(bus_poke(machine_bus(m), BASE + p * 3 * PAGE_BYTES,
			       &value, sizeof(value)));
	}
}

static double copy_us(const struct machine *m, unsigned pages)
{
	static uint8_t to[PAGES_MAX * PAGE_BYTES];
	const uint8_t *ram =
		bus_ram(machine_bus((struct machine *)(uintptr_t)m), BASE,
			(uint64_t)pages * 3 * PAGE_BYTES);
	double began = now_us();

	for (size_t p = 0; p < pages; p++)
		memcpy(to + p * PAGE_BYTES, ram + p * 3 * PAGE_BYTES,
		       PAGE_BYTES);
	return now_us() - began;
}

static double fork_us(void)
{
	double began = now_us(), took;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	CHECK(pid > 0);
	took = now_us() - began;
	waitpid(pid, NULL, 0);
	return took;
}

static void in_memory(struct machine *m, unsigned pages, unsigned n)
{
	static double take[N_MAX], first[N_MAX], back[N_MAX], copy[N_MAX],
		forked[N_MAX];
	struct error err;

	for (unsigned i = 0; i < n; i++) {
		struct memory_snapshot *a = machine_take(m, &err), *b;
		double began = now_us();

		CHECK_MSG(a, "%s", err.text);
		write_pages(m, pages);
		first[i] = now_us() - began;
		began = now_us();
		b = machine_take(m, &err);
		take[i] = now_us() - began;
		CHECK_MSG(b, "%s", err.text);
		machine_forget(b);
		began = now_us();
		CHECK_MSG(machine_restore(m, a, &err), "%s", err.text);
		back[i] = now_us() - began;
		machine_forget(a);
		copy[i] = copy_us(m, pages);
		forked[i] = fork_us();
	}
	printf("%5u pages: take %.0f us (fork %.0f us, ratio %.2f; goal %u), "
	       "first writes %.0f us, back %.0f us (their copy %.0f us, "
	       "ratio %.1f)\n",
	       pages, median(take, n), median(forked, n),
	       median(take, n) / median(forked, n), 1000 + pages,
	       median(first, n), median(back, n), median(copy, n),
	       median(back, n) / median(copy, n));
}

static void to_disk(struct machine *m, const char *path)
{
	size_t bytes = (size_t)USED_MIB << 20, room = ZSTD_compressBound(bytes),
	       packed;
	void *to = malloc(room);
	struct error err;
	double began, cpu_began, file, cpu, alone;

	CHECK(to);
	memset(to, 1, room);
	began = now_us();
	cpu_began = cpu_us();
	CHECK_MSG(machine_save_file(m, path, &err), "%s", err.text);
	file = now_us() - began;
	cpu = cpu_us() - cpu_began;
	began = cpu_us();
	packed = ZSTD_compress(to, room, bus_ram(machine_bus(m), BASE, bytes),
			       bytes, 1);
	alone = cpu_us() - began;
	CHECK(!ZSTD_isError(packed));
	printf("%u MiB, %u of them used, to a file: %.3f s (goal 0.5), of a "
	       "CPU "
	       "%.3f s (zstd alone %.3f s, ratio %.2f)\n",
	       RAM_MIB, USED_MIB, file / 1e6, cpu / 1e6, alone / 1e6,
	       cpu / alone);
	free(to);
	unlink(path);
}

int main(int argc, char **argv)
{
	static const unsigned pages[] = {1, 100, 1000, PAGES_MAX};
	unsigned n = argc == 2 ? (unsigned)atoi(argv[1]) : 51;
	char path[] = "/tmp/parterre-bench-XXXXXX";
	int fd = mkstemp(path);
	struct machine_config c;
	struct machine *m;
	struct error err;

	if (!n || n > N_MAX || argc > 2 || fd < 0) {
		fprintf(stderr, "usage: snapshot [N]\n");
		return 2;
	}
	close(fd);
	machine_config_defaults(&c);
	c.ram_bytes = (uint64_t)RAM_MIB << 20;
	c.controllers = 0;
	m = machine_create(&c, NULL, &err);
	CHECK_MSG(m, "%s", err.text);
	fill(m);
	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		in_memory(m, pages[i], n);
	to_disk(m, path);
	machine_destroy(m);
	return 0;
}
