/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/verbs.h - commands as their own files know them: verbs.c (the
 * table, where to stop), verbs_code.c (programs, registers, memory),
 * verbs_who.c (which machine, who has its CPUs).
 */
#ifndef PARTERRE_DEBUG_VERBS_H
#define PARTERRE_DEBUG_VERBS_H

#include "sim/debug/debug_internal.h"
#include "sim/debug/places.h"

struct verb_call {
	struct debug *d;
	struct debug_id id;
	int argc; /* words behind the command */
	char **argv;
	FILE *out;
	bool refused; /* what was said is why */
};

/* False: usage is to be shown. */
typedef bool verb_fn(struct verb_call *c);

struct verb {
	const char *name, *arguments, *help;
	verb_fn *fn;
};

static inline struct partition_view *verb_view(const struct verb_call *c)
{
	return c->d->s->view;
}

/* Says why not, without a line feed. */
void verb_refuse(struct verb_call *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool verb_number(const char *text, uint64_t *n);
/* False after a message. */
bool verb_place(struct verb_call *c, const char *text, struct debug_at *at);
/* "b"; "first" for the one without a name. */
const char *verb_machine_name(const struct session *s);
/* The process's name. */
const char *verb_process(const struct verb_call *c, uint32_t pid);
/* The thread through which memory of that process is seen. */
struct debug_id verb_reader(const struct verb_call *c, uint32_t pid);

verb_fn verb_backtrace, verb_disassemble, verb_list, verb_machine, verb_memory,
	verb_registers, verb_symbol, verb_threads, verb_who;

#endif
