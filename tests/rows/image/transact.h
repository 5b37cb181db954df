/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/transact.h - a probe that may ask for transactions: it runs
 * as command and as operations, in their places (tests/rows/transact.lua), and
 * finds out by its kind which of them it is.
 */
#ifndef PARTERRE_ROWS_TRANSACT_H
#define PARTERRE_ROWS_TRANSACT_H

#include "abi/database.h"
#include "probe.h"

bool i_am(uint32_t kind); /* PART_* */

/* The next operation of the transaction that gathers, zeroed. */
struct control_message *op(uint32_t id);
struct control_message *op_create(const char *name, uint32_t kind,
				  uint32_t blocks);
void op_args(uint64_t number, const char *text);
void op_channel(uint64_t client, uint64_t server, uint32_t type,
		uint32_t pages);
/* One that names a partition, channel or device. */
struct control_message *op_on(uint32_t id, uint64_t target);
/* Sends what has gathered; its status.  last_answer is then the response. */
uint32_t commit(void);
extern struct control_message last_answer;
/* commit() has to give this status. */
uint64_t wants_status(uint32_t status, const char *what);

/* A row of a question; false: there are no more. */
bool query(uint64_t what, uint64_t index, uint64_t row[8]);
/* The first whose word `column` is `value`; false: none. */
bool find(uint64_t what, unsigned column, uint64_t value, uint64_t row[8]);
uint64_t find_partition(const char *name); /* 0: none */
uint64_t find_kind(uint32_t kind);
/* Of everything that questions tell and that stays as it is by itself. */
uint64_t fingerprint(void);

/* Answers events: serves and attaches what it is given, and lets go of it. */
void events(void);
/* The same, until then. */
void events_until(uint64_t ns);
/* The end of a channel by the database's id; NULL: not open. */
struct channel *channel_of(uint32_t id);
/* Waits until the channel is open at this end / is not in the database. */
struct channel *wait_open(uint32_t id);
void wait_gone(uint32_t id);

#endif
