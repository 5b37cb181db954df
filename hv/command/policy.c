/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/policy.c - see policy.h. */
#include "command/policy.h"

#include "lib/format.h"
#include "lib/string.h"

#define WORDS_MAX      12
#define WORD_BYTES_MAX 71 /* what one TXN_PARTITION_ARGS takes */
#define BLOCKS_MAX     64 /* of one partition, as the ultravisor has it */

#define BEAT_US                                                                \
	250 /* how often I/O partitions beat: no use looking more often */
#define HEARTBEAT_US BEAT_US
#define MISSES       2

struct word {
	const char *at;
	size_t bytes;
};

struct line {
	struct word word[WORDS_MAX];
	unsigned words;
	const char *rest; /* after the second word, to the end of the line */
	size_t rest_bytes;
	unsigned number;
	struct policy_error *error;
};

static bool fail(const struct line *l, const char *what, const char *detail)
{
	l->error->line = l->number;
	(void)format(l->error->text, sizeof(l->error->text), what, detail);
	return false;
}

static bool is(const struct word *w, const char *text)
{
	return strlen(text) == w->bytes && memcmp(w->at, text, w->bytes) == 0;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool get_name(const struct line *l, unsigned n, char *name)
{
	const struct word *w = &l->word[n];

	if (w->bytes >= POLICY_NAME_BYTES)
		return fail(l, "a name is too long: at most 15 characters%s",
			    "");
	memset(name, 0, POLICY_NAME_BYTES);
	memcpy(name, w->at, w->bytes);
	return true;
}

static bool get_number(const struct line *l, unsigned n, uint64_t low,
		       uint64_t high, uint64_t *number)
{
	const struct word *w = &l->word[n];
	char range[64];
	uint64_t value = 0;
	bool good = w->bytes > 0 && w->bytes <= 12;

	for (size_t i = 0; good && i < w->bytes; i++) {
		good = w->at[i] >= '0' && w->at[i] <= '9';
		value = value * 10 + (uint64_t)(w->at[i] - '0');
	}
	if (good && value >= low && value <= high) {
		*number = value;
		return true;
	}
	(void)format(range, sizeof(range),
		     "word %u: write a number, %lu to %lu", n + 1, low, high);
	return fail(l, "%s", range);
}

static struct policy_guest *find_guest(struct policy *p, const struct word *w)
{
	for (unsigned i = 0; i < p->guests; i++) {
		if (is(w, p->guest[i].name))
			return &p->guest[i];
	}
	return NULL;
}

/* guest NAME image MODULE blocks COUNT */
static bool do_guest(const struct line *l, struct policy *p)
{
	struct policy_guest *g = &p->guest[p->guests];
	uint64_t blocks;

	if (l->words != 6 || !is(&l->word[2], "image") ||
	    !is(&l->word[4], "blocks"))
		return fail(l, "write: guest NAME image MODULE blocks COUNT%s",
			    "");
	if (find_guest(p, &l->word[1]) != NULL)
		return fail(l,
			    "this guest is there already: choose another "
			    "name%s",
			    "");
	if (p->guests == POLICY_GUESTS_MAX)
		return fail(l, "too many guests: at most 8%s", "");
	if (!get_name(l, 1, g->name) || !get_name(l, 3, g->image) ||
	    !get_number(l, 5, 1, BLOCKS_MAX, &blocks))
		return false;
	g->blocks = (uint32_t)blocks;
	p->guests++;
	return true;
}

/* args NAME WORD... */
static bool do_args(const struct line *l, struct policy *p)
{
	struct policy_guest *g =
		l->words > 1 ? find_guest(p, &l->word[1]) : NULL;

	if (l->words < 3)
		return fail(l, "write: args NAME WORD...%s", "");
	if (g == NULL)
		return fail(l,
			    "no such guest: a `guest` line has to come "
			    "first%s",
			    "");
	if (g->args[0] != '\0')
		return fail(l,
			    "this guest has arguments already: put them in "
			    "one line%s",
			    "");
	if (l->rest_bytes >= sizeof(g->args))
		return fail(l, "too long: at most 127 characters%s", "");
	memcpy(g->args, l->rest, l->rest_bytes);
	return true;
}

static bool overlap(const struct policy_guest *a, const struct policy_guest *b)
{
	return a->extent_block < b->extent_block + b->extent_blocks &&
	       b->extent_block < a->extent_block + a->extent_blocks;
}

/* disk NAME prefer IO [fallback IO] extent FIRST COUNT */
static bool do_disk(const struct line *l, struct policy *p)
{
	struct policy_guest *g =
		l->words > 1 ? find_guest(p, &l->word[1]) : NULL;
	bool two = l->words == 9 && is(&l->word[4], "fallback");
	unsigned n = two ? 6 : 4;

	if (l->words != n + 3 || !is(&l->word[2], "prefer") ||
	    !is(&l->word[n], "extent"))
		return fail(l,
			    "write: disk NAME prefer IO [fallback IO] "
			    "extent FIRST COUNT%s",
			    "");
	if (g == NULL)
		return fail(l,
			    "no such guest: a `guest` line has to come "
			    "first%s",
			    "");
	if (g->disk)
		return fail(l, "this guest has a disk already%s", "");
	if (!get_name(l, 3, g->preferred) ||
	    (two && !get_name(l, 5, g->fallback)) ||
	    !get_number(l, n + 1, 0, 1ull << 36, &g->extent_block) ||
	    !get_number(l, n + 2, 1, 1ull << 36, &g->extent_blocks))
		return false;
	if (strcmp(g->preferred, g->fallback) == 0)
		return fail(l,
			    "preferred and fallback are the same: name two "
			    "I/O partitions%s",
			    "");
	for (unsigned i = 0; i < p->guests; i++) {
		if (&p->guest[i] != g && p->guest[i].disk &&
		    overlap(&p->guest[i], g))
			return fail(l,
				    "the extent overlaps that of %s: give "
				    "each guest its own blocks",
				    p->guest[i].name);
	}
	g->disk = true;
	return true;
}

/* schedule NAME quantum US weight N */
static bool do_schedule(const struct line *l, struct policy *p)
{
	struct policy_schedule *s = &p->schedule[p->schedules];
	uint64_t quantum, weight;

	if (l->words != 6 || !is(&l->word[2], "quantum") ||
	    !is(&l->word[4], "weight"))
		return fail(l, "write: schedule NAME quantum US weight N%s",
			    "");
	if (p->schedules == POLICY_SCHEDULES_MAX)
		return fail(l, "too many schedule lines: at most 16%s", "");
	if (!get_name(l, 1, s->name) ||
	    !get_number(l, 3, 10, 1000000, &quantum) ||
	    !get_number(l, 5, 1, 100, &weight))
		return false;
	for (unsigned i = 0; i < p->schedules; i++) {
		if (strcmp(p->schedule[i].name, s->name) == 0)
			return fail(l, "%s has a schedule already", s->name);
	}
	s->quantum_us = (uint32_t)quantum;
	s->weight = (uint32_t)weight;
	p->schedules++;
	return true;
}

/* heartbeat US misses N */
static bool do_heartbeat(const struct line *l, struct policy *p)
{
	uint64_t period, misses;

	if (l->words != 4 || !is(&l->word[2], "misses"))
		return fail(l, "write: heartbeat US misses N%s", "");
	if (!get_number(l, 1, BEAT_US, 1000000, &period) ||
	    !get_number(l, 3, 1, 100, &misses))
		return false;
	p->heartbeat_us = (uint32_t)period;
	p->misses = (uint32_t)misses;
	return true;
}

/* on io-failure [failover] [restart] [failback] */
static bool do_on(const struct line *l, struct policy *p)
{
	if (l->words < 3 || !is(&l->word[1], "io-failure"))
		return fail(l,
			    "write: on io-failure [failover] [restart] "
			    "[failback]%s",
			    "");
	for (unsigned i = 2; i < l->words; i++) {
		if (is(&l->word[i], "failover"))
			p->failover = true;
		else if (is(&l->word[i], "restart"))
			p->restart = true;
		else if (is(&l->word[i], "failback"))
			p->failback = true;
		else
			return fail(l,
				    "unknown rule: failover, restart or "
				    "failback%s",
				    "");
	}
	return true;
}

/* off when-guests-stop */
static bool do_off(const struct line *l, struct policy *p)
{
	if (l->words != 2 || !is(&l->word[1], "when-guests-stop"))
		return fail(l, "write: off when-guests-stop%s", "");
	p->off = true;
	return true;
}

static const struct {
	const char *word;
	bool (*parse)(const struct line *l, struct policy *p);
} kinds[] = {
	{"guest", do_guest},         {"args", do_args}, {"disk", do_disk},
	{"schedule", do_schedule},   {"on", do_on},     {"off", do_off},
	{"heartbeat", do_heartbeat},
};

static bool parse_line(const struct line *l, struct policy *p)
{
	if (l->words == 0)
		return true;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (is(&l->word[0], kinds[i].word))
			return kinds[i].parse(l, p);
	}
	return fail(l,
		    "unknown line: guest, args, disk, schedule, heartbeat, "
		    "on or off%s",
		    "");
}

/* The words of text[0..bytes-1], which holds no line end. */
static bool split(struct line *l, const char *text, size_t bytes)
{
	size_t at = 0, end = bytes;

	l->words = 0;
	l->rest = NULL;
	l->rest_bytes = 0;
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] == '#') {
			end = i;
			break;
		}
		if (!blank(text[i]) && (text[i] < ' ' || text[i] > '~'))
			return fail(l,
				    "not a printable character: policies "
				    "are plain ASCII%s",
				    "");
	}
	while (end > 0 && blank(text[end - 1]))
		end--;
	for (;;) {
		size_t start;

		while (at < end && blank(text[at]))
			at++;
		if (at == end)
			return true;
		start = at;
		while (at < end && !blank(text[at]))
			at++;
		if (l->words == 2) {
			l->rest = text + start;
			l->rest_bytes = end - start;
		}
		if (at - start > WORD_BYTES_MAX)
			return fail(l,
				    "a word is too long: at most 71 "
				    "characters%s",
				    "");
		/* `args` lines may have more; they use the rest as a whole. */
		if (l->words < WORDS_MAX) {
			l->word[l->words].at = text + start;
			l->word[l->words].bytes = at - start;
			l->words++;
		}
	}
}

/* What no line alone can tell. */
static bool check_whole(const struct policy *p, struct policy_error *error)
{
	struct line l = {.error = error};

	if (p->failback && !p->restart)
		return fail(&l,
			    "failback without restart: add restart to the "
			    "`on io-failure` line%s",
			    "");
	for (unsigned i = 0; i < p->guests; i++) {
		if (!p->guest[i].disk)
			return fail(&l,
				    "guest %s has no disk: add a `disk` "
				    "line",
				    p->guest[i].name);
	}
	return true;
}

bool policy_parse(const char *text, size_t bytes, struct policy *policy,
		  struct policy_error *error)
{
	struct line l = {.error = error};
	size_t at = 0;

	memset(policy, 0, sizeof(*policy));
	memset(error, 0, sizeof(*error));
	policy->heartbeat_us = HEARTBEAT_US;
	policy->misses = MISSES;
	while (at < bytes) {
		size_t end = at;

		while (end < bytes && text[end] != '\n')
			end++;
		l.number++;
		if (!split(&l, text + at, end - at) || !parse_line(&l, policy))
			return false;
		at = end + 1;
	}
	return check_whole(policy, error);
}
