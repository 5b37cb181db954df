/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/operations/operations.h - what the files of the operations partition
 * share.
 *
 *   main.c      start, channels, the loop; the policy that it keeps
 *   console.c   what the operator types: lines, words, which command
 *   ask.c       transactions and wishes on their way; the one that gathers
 *   show.c      commands that look
 *   change.c    commands that change something
 *   journal.c   the log, asked of diagnostics
 *   typed.c     lines that are typed for a guest
 *
 * One thing at a time: while an answer is awaited, what is typed waits.
 */
#ifndef PARTERRE_OPERATIONS_OPERATIONS_H
#define PARTERRE_OPERATIONS_OPERATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/control.h"
#include "abi/database.h"
#include "lib/channel.h"
#include "lib/control.h"

#define POLICY_BYTES_MAX (POLICY_TEXT_PAGES * ABI_PAGE_BYTES)
#define LINE_BYTES       160
#define WORDS_MAX        36

extern struct control control;

/* What was typed, as words; word[count] is "". */
struct words {
	unsigned count;
	const char *word[WORDS_MAX + 1];
};

/* ---- console.c ---------------------------------------------------------- */

bool console_serve(void); /* true: something was typed */
/* Typed lines go there until it says that it has enough. */
void console_divert(bool (*line)(const char *text));
extern const char *const console_help[];

/* ---- ask.c -------------------------------------------------------------- */

/* One row of TXN_QUERY; false: there is none. */
bool ask_row(uint64_t what, uint64_t index, uint64_t row[8]);
/* By name; false, and said: there is none.  Row as QUERY_PARTITION has it. */
bool ask_partition(const char *name, uint64_t row[8]);
/* By number, of the last look; "?" if there is none. */
const char *ask_name(uint64_t number);

/* Send, or gather, operations; the answer is told when it comes. */
void ask_do(struct control_message *ops, unsigned count, const char *what);
void ask_begin(const struct words *w);
void ask_commit(const struct words *w);
void ask_abort(const struct words *w);
bool ask_gathering(void);
/* To command, on the policy channel: words, or a policy. */
void ask_wish(const char *text);
void ask_load(const char *text, uint32_t bytes);
void ask_response(const struct control_message *m);
void ask_done(const struct policy_message *m, const char *text);
bool ask_waiting(void);
uint64_t ask_deadline(uint64_t now); /* gives up what was not answered */

/* ---- main.c ------------------------------------------------------------- */

/* To command; false: the channel isn't open or is full. */
bool policy_send(uint32_t type, uint64_t version, const char *bytes,
		 uint32_t count);
/* The text that this partition keeps. */
extern char policy_text[POLICY_BYTES_MAX];
extern uint32_t policy_bytes;

/* ---- show.c, change.c, journal.c ---------------------------------------- */

typedef void command(const struct words *w);
command show_list, show_one, show_schedule, show_devices, show_memory,
	show_scan;
command change_start, change_stop, change_restart, change_pause, change_resume,
	change_save, change_restore, change_destroy, change_move, change_frame,
	change_assign, change_release, change_policy, change_failover,
	change_off;
/* schedule NAME KEY N...; without words: show_schedule() */
command change_schedule;
command journal_log;
bool journal_attach(const struct control_message *event); /* false: not its */
bool journal_serve(void);
bool journal_sleep(void);
void journal_awake(void);
bool journal_waiting(void);

/* ---- typed.c ------------------------------------------------------------ */

command typed_type, typed_console;
/* A console channel of which this partition is the server; the status to
 * acknowledge it with. */
uint32_t typed_attach(const struct control_attachment *a);
void typed_detach(uint64_t handle); /* of no such channel: nothing */

/* A decimal number; false, and said: it isn't one up to `high`. */
bool number(const char *word, uint64_t high, uint64_t *value);

#endif
