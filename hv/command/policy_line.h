/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/policy_line.h - one line of a policy, in words.
 *
 * What the files policy_*.c share.  A line is split into words once; each kind
 * of line has a function that takes the words and puts what they say into the
 * policy.  Whoever finds something wrong says so with line_fail(), once: its
 * text says what is wrong and what to write instead.
 *
 *   policy.c           the whole text; which word begins which line
 *   policy_names.c     the partitions that lines name
 *   policy_guest.c     guests, and what each is given
 *   policy_schedule.c  CPUs and their time
 *   policy_channel.c   channels and devices
 *   policy_rule.c      what is done when something fails
 *   policy_check.c     what no line alone can tell
 */
#ifndef PARTERRE_COMMAND_POLICY_LINE_H
#define PARTERRE_COMMAND_POLICY_LINE_H

#include "command/policy.h"

#define WORDS_MAX      (2 + 2 * POLICY_WINDOWS_MAX)
#define WORD_BYTES_MAX 71 /* what one TXN_PARTITION_ARGS takes */

/* I/O partitions beat twice in that: no use in a shorter period. */
#define BEAT_US 250

struct word {
	const char *at;
	size_t bytes;
};

struct line {
	struct word word[WORDS_MAX];
	unsigned words;
	bool more;        /* words than have room */
	const char *rest; /* after the second word, to the end of the line */
	size_t rest_bytes;
	unsigned number;
	struct policy_error *error;
};

/* Says what is wrong with it: a format with one %s, for `detail`.  False. */
bool line_fail(const struct line *l, const char *what, const char *detail);
/* The words of text[0..bytes-1], which holds no line end; l->number and
 * l->error are set already. */
bool line_split(struct line *l, const char *text, size_t bytes);

bool word_is(const struct word *w, const char *text);
/* Of a hexadecimal number in small letters; below 0: it is none. */
int hex_digit(char c);

/* Word n as a name, or as a number from low to high; false: it is none, and the
 * error says so. */
bool line_name(const struct line *l, unsigned n, char *name);
bool line_number(const struct line *l, unsigned n, uint64_t low, uint64_t high,
		 uint64_t *number);

/* ---- policy_names.c ----------------------------------------------------- */

/* NULL: no `guest` line has named it. */
struct policy_guest *find_guest(struct policy *p, const struct word *w);
bool is_guest(const struct policy *p, const char *name);
/* Is it there without a line of the policy? */
bool is_system(const struct word *w);
bool is_io(const struct word *w);
/* Does word n name a partition?  If not, the error says so. */
bool line_known(const struct line *l, struct policy *p, unsigned n);
/* What is said of the partition that word n names; NULL: there is none. */
struct policy_named *line_named(const struct line *l, struct policy *p,
				unsigned n);
/* False, and an error, if `before`. */
bool line_twice(const struct line *l, bool before, const char *what);

/* ---- one for each kind of line ------------------------------------------ */

typedef bool policy_line(const struct line *l, struct policy *p);

policy_line do_guest, do_args, do_disk, do_after;
policy_line do_schedule, do_weight, do_cap, do_cpu, do_frame;
policy_line do_channel, do_device;
policy_line do_restart, do_heartbeat, do_complaints, do_on, do_off;

/* ---- policy_check.c ----------------------------------------------------- */

/* All lines were good: are they together? */
bool policy_whole(const struct policy *p, struct policy_error *error);

#endif
