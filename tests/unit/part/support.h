/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine small enough for the programs' parts: a clock that the test sets,
 * a log that it reads, signals that are counted, one view. */
#ifndef PARTERRE_TEST_PART_SUPPORT_H
#define PARTERRE_TEST_PART_SUPPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/channel.h"
#include "abi/view.h"
#include "lib/channel.h"

extern uint64_t test_now_ns;
extern unsigned test_signals;
extern char test_log[65536]; /* lines, one after the other */
extern bool test_log_full;   /* SYS_LOG answers EAGAIN */
extern struct view test_view;

/* The largest channel, page-aligned; its frame number is its address. */
extern uint8_t test_channel[BLOCK_CHANNEL_PAGES * 4096];

void support_reset(void);

/* Who the test channel is. */
struct channel_identity test_identity(uint32_t generation, uint32_t pages);

/* xorshift; never 0. */
uint64_t test_random(uint64_t *state);

#endif
