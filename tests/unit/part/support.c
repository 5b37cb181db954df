/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See support.h. */
#include "support.h"

#include <string.h>

#include "lib/sys.h"
#include "lib/view.h"

uint64_t test_now_ns;
unsigned test_signals;
char test_log[65536];
bool test_log_full;
struct view test_view;
uint8_t test_channel[BLOCK_CHANNEL_PAGES * 4096] __attribute__((aligned(4096)));

void support_reset(void)
{
	test_now_ns = 1000;
	test_signals = 0;
	test_log[0] = '\0';
	test_log_full = false;
	memset(&test_view, 0, sizeof(test_view));
	memset(test_channel, 0, sizeof(test_channel));
}

int64_t sys_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c,
		 uint64_t d, uint64_t e)
{
	size_t used = strlen(test_log);

	(void)c, (void)d, (void)e;
	switch (number) {
	case SYS_TIME:
		return (int64_t)test_now_ns;
	case SYS_WAIT:
		test_now_ns = b;
		return 0;
	case SYS_SIGNAL:
		test_signals++;
		return 0;
	case SYS_LOG:
		if (test_log_full)
			return -SYS_EAGAIN;
		if (used + b + 2 < sizeof(test_log)) {
			memcpy(test_log + used, (const char *)a, b);
			memcpy(test_log + used + b, "\n", 2);
		}
		return 0;
	default:
		return -SYS_ENOSYS;
	}
}

void sys_exit(uint64_t code)
{
	(void)code;
}

const struct view *view_now(void)
{
	return &test_view;
}

uint64_t view_generation(void)
{
	return 1;
}

struct channel_identity test_identity(uint32_t generation, uint32_t pages)
{
	return (struct channel_identity){
		.id = 7,
		.generation = generation,
		.client = 0x1234,
		.server = 0x4321,
		.pages = pages,
	};
}

uint64_t test_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}
