/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/seen/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "sim/trace/trace.h"

#define FIRST_NS UINT64_C(1000000000)
#define AGAIN_NS UINT64_C(100000000)
/* Records between two looks at the clock; a power of two. */
#define SELDOM 4096

static uint64_t began, drawn;
static uint64_t calls;

static uint64_t host_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void progress(const char *what, unsigned permille)
{
	uint64_t now = host_ns();
	unsigned full = permille * PROGRESS_COLUMNS / 1000;

	if (!began)
		began = now;
	if (now - began < FIRST_NS || now - drawn < AGAIN_NS ||
	    !isatty(STDERR_FILENO))
		return;
	drawn = now;
	fprintf(stderr, "\r\033[K%s  [", what);
	for (unsigned i = 0; i < PROGRESS_COLUMNS; i++)
		fputc(i < full ? '#' : ' ', stderr);
	fprintf(stderr, "] %u %%", permille / 10);
}

void progress_end(void)
{
	if (drawn)
		fprintf(stderr, "\r\033[K");
	began = drawn = calls = 0;
}

void progress_trace(const char *what, const struct trace_reader *tr)
{
	if (calls++ % SELDOM == 0)
		progress(what, trace_permille(tr));
}
