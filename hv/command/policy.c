/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/policy.c - see policy.h. */
#include "command/policy.h"

#include "lib/format.h"
#include "lib/string.h"

#define WORDS_MAX      (2 + 2 * POLICY_WINDOWS_MAX)
#define WORD_BYTES_MAX 71 /* what one TXN_PARTITION_ARGS takes */
#define BLOCKS_MAX     64 /* of one partition, as the ultravisor has it */
#define STANDING_MAX   89 /* below the ultravisor's */
#define WEIGHT_MAX     10000

/* I/O partitions beat twice in that: no use in a shorter period. */
#define BEAT_US      250
#define HEARTBEAT_US BEAT_US
#define MISSES       1

/* Complaints of guests: so long, by so many, so often each. */
#define COMPLAINT_US 1000000
#define COMPLAINERS  2
#define COMPLAINTS   4

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

static bool is_guest(const struct policy *p, const char *name)
{
	for (unsigned i = 0; i < p->guests; i++) {
		if (strcmp(p->guest[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Partitions that are there without a line of the policy. */
static const char *const system_names[] = {"io.a", "io.b", "command",
					   "operations", "diagnostics"};

static bool is_system(const struct word *w)
{
	for (size_t i = 0; i < sizeof(system_names) / sizeof(char *); i++) {
		if (is(w, system_names[i]))
			return true;
	}
	return false;
}

static bool is_io(const struct word *w)
{
	return is(w, "io.a") || is(w, "io.b");
}

static bool known(const struct line *l, struct policy *p, unsigned n)
{
	if (n < l->words &&
	    (is_system(&l->word[n]) || find_guest(p, &l->word[n]) != NULL))
		return true;
	(void)format(l->error->text, sizeof(l->error->text),
		     "word %u: no such partition: a `guest` line has to come "
		     "first, or io.a io.b command operations diagnostics",
		     n + 1);
	l->error->line = l->number;
	return false;
}

/* What is said of the partition that word n names; NULL: there is none. */
static struct policy_named *named(const struct line *l, struct policy *p,
				  unsigned n)
{
	struct policy_named *at;

	if (!known(l, p, n))
		return NULL;
	for (unsigned i = 0; i < p->nameds; i++) {
		if (is(&l->word[n], p->named[i].name))
			return &p->named[i];
	}
	/* There are no more names than that. */
	at = &p->named[p->nameds++];
	(void)get_name(l, n, at->name);
	return at;
}
_Static_assert(POLICY_NAMED_MAX >= POLICY_GUESTS_MAX + sizeof(system_names) /
							       sizeof(char *),
	       "room for every name");

static bool twice(const struct line *l, bool before, const char *what)
{
	return !before ||
	       fail(l, "%s has been said of this partition already", what);
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
	if (find_guest(p, &l->word[1]) != NULL || is_system(&l->word[1]))
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

/* schedule NAME quantum US weight N; that weight is the standing */
static bool do_schedule(const struct line *l, struct policy *p)
{
	struct policy_named *s;
	uint64_t quantum, standing;

	if (l->words != 6 || !is(&l->word[2], "quantum") ||
	    !is(&l->word[4], "weight"))
		return fail(l, "write: schedule NAME quantum US weight N%s",
			    "");
	s = named(l, p, 1);
	if (s == NULL || !get_number(l, 3, 10, 1000000, &quantum) ||
	    !get_number(l, 5, 1, STANDING_MAX, &standing) ||
	    !twice(l, s->quantum_us != 0, "a schedule"))
		return false;
	s->quantum_us = (uint32_t)quantum;
	s->standing = (uint32_t)standing;
	return true;
}

/* weight NAME N */
static bool do_weight(const struct line *l, struct policy *p)
{
	struct policy_named *s;
	uint64_t weight;

	if (l->words != 3)
		return fail(l, "write: weight NAME N%s", "");
	s = named(l, p, 1);
	if (s == NULL || !get_number(l, 2, 1, WEIGHT_MAX, &weight) ||
	    !twice(l, s->weight != 0, "a weight"))
		return false;
	s->weight = (uint32_t)weight;
	return true;
}

/* cap NAME PERMILLE */
static bool do_cap(const struct line *l, struct policy *p)
{
	struct policy_named *s;
	uint64_t cap;

	if (l->words != 3)
		return fail(l, "write: cap NAME N, in 1/1000 of its CPU%s", "");
	s = named(l, p, 1);
	if (s == NULL || !get_number(l, 2, 1, 1000, &cap) ||
	    !twice(l, s->cap != 0, "a cap"))
		return false;
	if (!is_guest(p, s->name))
		return fail(l,
			    "only guests have caps: others would miss what "
			    "they are there for%s",
			    "");
	s->cap = (uint32_t)cap;
	return true;
}

/* cpu NAME N [dedicated] */
static bool do_cpu(const struct line *l, struct policy *p)
{
	struct policy_named *s;
	uint64_t cpu;

	if (l->words < 3 || l->words > 4 ||
	    (l->words == 4 && !is(&l->word[3], "dedicated")))
		return fail(l, "write: cpu NAME N [dedicated]%s", "");
	s = named(l, p, 1);
	if (s == NULL || !get_number(l, 2, 0, POLICY_CPUS_MAX - 1, &cpu) ||
	    !twice(l, s->cpu != 0, "a CPU"))
		return false;
	s->cpu = (uint32_t)cpu + 1;
	s->dedicated = l->words == 4;
	s->cpu_line = l->number;
	for (unsigned i = 0; i < p->nameds; i++) {
		const struct policy_named *o = &p->named[i];

		if (o != s && o->cpu == s->cpu &&
		    (o->dedicated || s->dedicated))
			return fail(l,
				    "this CPU is dedicated, and %s has it "
				    "too: take another one",
				    o->name);
	}
	return true;
}

/* frame CPU NAME US..., NAME may be `shared` */
static bool do_frame(const struct line *l, struct policy *p)
{
	struct policy_frame *f;
	uint64_t cpu, us;

	if (l->words < 4 || l->words % 2 != 0)
		return fail(l, "write: frame CPU NAME US [NAME US]...%s", "");
	if (l->more)
		return fail(l, "too many windows: at most 16%s", "");
	if (!get_number(l, 1, 0, POLICY_CPUS_MAX - 1, &cpu))
		return false;
	f = &p->frame[cpu];
	if (f->windows != 0)
		return fail(l,
			    "this CPU has a frame: put all windows in one "
			    "line%s",
			    "");
	f->line = l->number;
	for (unsigned i = 2; i < l->words; i += 2) {
		bool shared = is(&l->word[i], "shared");

		if ((!shared &&
		     (!known(l, p, i) ||
		      !get_name(l, i, f->window[f->windows].name))) ||
		    !get_number(l, i + 1, 10, 1000000, &us))
			return false;
		f->window[f->windows++].length_us = (uint32_t)us;
	}
	return true;
}

/* restart NAME N times */
static bool do_restart(const struct line *l, struct policy *p)
{
	struct policy_named *s;
	uint64_t times;

	if (l->words != 4 || !is(&l->word[3], "times"))
		return fail(l, "write: restart NAME N times%s", "");
	s = named(l, p, 1);
	if (s == NULL || !get_number(l, 2, 0, 1000000, &times) ||
	    !twice(l, s->bounded, "a number of restarts"))
		return false;
	if (is(&l->word[1], "command"))
		return fail(l,
			    "command is restarted by the ultravisor, always: "
			    "remove this line%s",
			    "");
	s->bounded = true;
	s->restarts = (uint32_t)times;
	return true;
}

/* after NAME OTHER... */
static bool do_after(const struct line *l, struct policy *p)
{
	struct policy_named *s;

	if (l->words < 3)
		return fail(l, "write: after NAME OTHER...%s", "");
	if (find_guest(p, &l->word[1]) == NULL)
		return fail(l,
			    "only guests are started by the policy: a "
			    "`guest` line has to come first%s",
			    "");
	s = named(l, p, 1);
	for (unsigned i = 2; s != NULL && i < l->words; i++) {
		if (!known(l, p, i))
			return false;
		if (s->afters == POLICY_AFTER_MAX)
			return fail(l, "too many: after at most 4 others%s",
				    "");
		if (is(&l->word[i], s->name))
			return fail(l, "%s cannot start after itself", s->name);
		(void)get_name(l, i, s->after[s->afters++]);
	}
	return s != NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* XX:XX:XX:XX:XX:XX; not a group's address */
static bool get_mac(const struct word *w, uint64_t *mac)
{
	*mac = 0;
	if (w->bytes != 17)
		return false;
	for (unsigned i = 0; i < 17; i++) {
		int digit = hex_digit(w->at[i]);

		if (i % 3 == 2) {
			if (w->at[i] != ':')
				return false;
			continue;
		}
		if (digit < 0)
			return false;
		*mac = *mac << 4 | (unsigned)digit;
	}
	return *mac != 0 && !(*mac >> 40 & 1);
}

/* What comes after channel GUEST network IO. */
static bool network_rest(const struct line *l, struct policy_channel *c)
{
	unsigned at = 4;

	if (!is_io(&l->word[3]))
		return fail(l, "networks are served by io.a and io.b%s", "");
	if (at + 1 < l->words && is(&l->word[at], "fallback")) {
		if (!is_io(&l->word[at + 1]))
			return fail(l, "the fallback is io.a or io.b%s", "");
		(void)get_name(l, at + 1, c->fallback);
		at += 2;
	}
	if (at + 1 < l->words && is(&l->word[at], "mac")) {
		if (!get_mac(&l->word[at + 1], &c->mac))
			return fail(l,
				    "write a card's address, in small letters, "
				    "as mac 02:50:00:00:00:01%s",
				    "");
		at += 2;
	}
	return at == l->words ||
	       fail(l,
		    "write: channel GUEST network IO [fallback IO] "
		    "[mac ADDRESS]%s",
		    "");
}

static bool channel_twice(const struct policy *p,
			  const struct policy_channel *c)
{
	for (unsigned i = 0; i < p->channels; i++) {
		const struct policy_channel *o = &p->channel[i];

		if (strcmp(o->client, c->client) == 0 &&
		    strcmp(o->type, c->type) == 0 &&
		    (strcmp(o->server, c->server) == 0 ||
		     strcmp(c->type, "network") == 0))
			return true;
	}
	return false;
}

/* channel CLIENT TYPE SERVER... */
static bool do_channel(const struct line *l, struct policy *p)
{
	struct policy_channel *c = &p->channel[p->channels];

	if (l->words < 4 || (l->words > 4 && !is(&l->word[2], "network")))
		return fail(l,
			    "write: channel GUEST console|network|diagnostics "
			    "SERVER%s",
			    "");
	if (find_guest(p, &l->word[1]) == NULL)
		return fail(l,
			    "no such guest: a `guest` line has to come "
			    "first%s",
			    "");
	if (!is(&l->word[2], "console") && !is(&l->word[2], "network") &&
	    !is(&l->word[2], "diagnostics"))
		return fail(l,
			    "no such type: console, network or diagnostics; "
			    "disks have `disk` lines%s",
			    "");
	if (is(&l->word[2], "console") && !is(&l->word[3], "operations"))
		return fail(l, "consoles are served by operations%s", "");
	if (is(&l->word[2], "diagnostics") && !is(&l->word[3], "diagnostics"))
		return fail(l,
			    "diagnostics channels are served by "
			    "diagnostics%s",
			    "");
	if (p->channels == POLICY_CHANNELS_MAX)
		return fail(l, "too many channels: at most 16%s", "");
	memset(c, 0, sizeof(*c));
	(void)get_name(l, 1, c->client);
	(void)get_name(l, 2, c->type);
	(void)get_name(l, 3, c->server);
	if (is(&l->word[2], "network") && !network_rest(l, c))
		return false;
	if (channel_twice(p, c))
		return fail(l, "%s has this channel already", c->client);
	p->channels++;
	return true;
}

/* BB:DD.F, as lspci has it */
static bool get_bdf(const struct word *w, uint32_t *bdf)
{
	int d[7];

	if (w->bytes != 7 || w->at[2] != ':' || w->at[5] != '.')
		return false;
	for (unsigned i = 0; i < 7; i++)
		d[i] = hex_digit(w->at[i]);
	if (d[0] < 0 || d[1] < 0 || d[3] < 0 || d[3] > 1 || d[4] < 0 ||
	    d[6] < 0 || d[6] > 7)
		return false;
	*bdf = (uint32_t)(d[0] << 12 | d[1] << 8 | (d[3] << 4 | d[4]) << 3 |
			  d[6]);
	return true;
}

/* device NAME BB:DD.F */
static bool do_device(const struct line *l, struct policy *p)
{
	struct policy_device *d = &p->device[p->devices];

	if (l->words != 3)
		return fail(l, "write: device NAME BB:DD.F%s", "");
	if (!is_io(&l->word[1]))
		return fail(l,
			    "only io.a and io.b have devices: guests reach "
			    "them by channels%s",
			    "");
	if (p->devices == POLICY_DEVICES_MAX)
		return fail(l, "too many devices: at most 8%s", "");
	if (!get_bdf(&l->word[2], &d->bdf))
		return fail(l,
			    "word 3: write bus, device and function, in "
			    "hexadecimal: 00:04.0%s",
			    "");
	for (unsigned i = 0; i < p->devices; i++) {
		if (p->device[i].bdf == d->bdf)
			return fail(l, "this device is %s's already",
				    p->device[i].name);
	}
	(void)get_name(l, 1, d->name);
	p->devices++;
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

/* complaints US guests N times M */
static bool do_complaints(const struct line *l, struct policy *p)
{
	uint64_t us, guests, times;

	if (l->words != 6 || !is(&l->word[2], "guests") ||
	    !is(&l->word[4], "times"))
		return fail(l, "write: complaints US guests N times M%s", "");
	if (!get_number(l, 1, 1000, 60000000, &us) ||
	    !get_number(l, 3, 1, POLICY_GUESTS_MAX, &guests) ||
	    !get_number(l, 5, 1, 1000, &times))
		return false;
	if (p->complaint_line != 0)
		return fail(l, "complaints have a line already: leave one%s",
			    "");
	p->complaint_us = (uint32_t)us;
	p->complainers = (uint32_t)guests;
	p->complaints = (uint32_t)times;
	p->complaint_line = l->number;
	return true;
}

/* What word 2 names, if I/O partitions are what it is about; else NULL. */
static struct policy_rule *io_rule(const struct word *w, struct policy *p)
{
	if (is(w, "io-failure"))
		return &p->on_failure;
	if (is(w, "guest-complaint"))
		return &p->on_complaint;
	return is(w, "dma-fault") ? &p->on_dma_fault : NULL;
}

/* on io-failure|guest-complaint|dma-fault [failover] [restart|stop]; and
 * [failback] of the first */
static bool do_io_rule(const struct line *l, struct policy *p,
		       struct policy_rule *rule)
{
	bool first = rule == &p->on_failure;

	for (unsigned i = 2; i < l->words; i++) {
		if (is(&l->word[i], "failover"))
			rule->failover = true;
		else if (is(&l->word[i], "restart"))
			rule->restart = true;
		else if (is(&l->word[i], "stop"))
			rule->stop = true;
		else if (first && is(&l->word[i], "failback"))
			p->failback = true;
		else
			return fail(l, "unknown rule: %s or stop",
				    first ? "failover, restart, failback"
					  : "failover, restart");
	}
	return !(rule->restart && rule->stop) ||
	       fail(l, "restart and stop: leave one of them%s", "");
}

/* on io-failure ..., on guest-failure restart, ... */
static bool do_on(const struct line *l, struct policy *p)
{
	const struct word *w = &l->word[1];
	struct policy_rule *io = l->words < 2 ? NULL : io_rule(w, p);
	bool *rule = NULL;

	if (l->words >= 3 && io != NULL)
		return do_io_rule(l, p, io);
	if (l->words < 2 || io != NULL)
		return fail(l,
			    "write: on io-failure [failover] [restart|stop] "
			    "[failback], or: on guest-failure restart%s",
			    "");
	if (is(w, "guest-failure"))
		rule = &p->restart_guests;
	else if (is(w, "operations-failure"))
		rule = &p->restart_operations;
	else
		return fail(l,
			    "word 2: io-failure, guest-failure, "
			    "guest-complaint, dma-fault or "
			    "operations-failure%s",
			    "");
	if (l->words != 3 || !is(&l->word[2], "restart"))
		return fail(l, "unknown rule: write restart%s", "");
	*rule = true;
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
	{"guest", do_guest},   {"args", do_args},
	{"disk", do_disk},     {"channel", do_channel},
	{"device", do_device}, {"cpu", do_cpu},
	{"weight", do_weight}, {"cap", do_cap},
	{"frame", do_frame},   {"schedule", do_schedule},
	{"after", do_after},   {"heartbeat", do_heartbeat},
	{"on", do_on},         {"complaints", do_complaints},
	{"off", do_off},       {"restart", do_restart},
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
		    "unknown line: guest, args, disk, channel, device, cpu, "
		    "weight, cap, frame, schedule, after, heartbeat, on, "
		    "complaints...%s",
		    "");
}

/* The words of text[0..bytes-1], which holds no line end. */
static bool split(struct line *l, const char *text, size_t bytes)
{
	size_t at = 0, end = bytes;

	l->words = 0;
	l->more = false;
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
		} else {
			l->more = true;
		}
	}
}

/* ---- what no line alone can tell ---------------------------------------- */

const struct policy_named *policy_named(const struct policy *p,
					const char *name)
{
	for (unsigned i = 0; i < p->nameds; i++) {
		if (strcmp(p->named[i].name, name) == 0)
			return &p->named[i];
	}
	return NULL;
}

/* Follow the lines: who comes back to where it began waits for itself. */
static bool waits_for(const struct policy *p, const struct policy_named *who,
		      const char *name, unsigned depth)
{
	for (unsigned i = 0; depth > 0 && i < who->afters; i++) {
		const struct policy_named *o = policy_named(p, who->after[i]);

		if (strcmp(who->after[i], name) == 0 ||
		    (o != NULL && waits_for(p, o, name, depth - 1)))
			return true;
	}
	return false;
}

/* A frame gives its CPU's time to those that are there. */
static bool check_frame(const struct policy *p, uint32_t cpu, struct line *l)
{
	const struct policy_frame *f = &p->frame[cpu];

	l->number = f->line;
	for (unsigned i = 0; i < f->windows; i++) {
		const char *name = f->window[i].name;
		const struct policy_named *n = policy_named(p, name);

		if (name[0] == '\0')
			continue;
		if (n == NULL || n->cpu != cpu + 1)
			return fail(l,
				    "%s is not on this CPU: add a `cpu` line "
				    "that puts it there",
				    name);
	}
	return true;
}

bool policy_acts(const struct policy_rule *rule)
{
	return rule->failover || rule->restart || rule->stop;
}

static unsigned disks(const struct policy *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->guests; i++)
		n += p->guest[i].disk;
	return n;
}

/* Those that no event could ever make come true. */
static bool check_complaints(const struct policy *p, struct line *l)
{
	const struct policy_rule *rule = &p->on_complaint;

	l->number = p->complaint_line;
	if (l->number != 0 && !policy_acts(rule))
		return fail(l,
			    "nothing follows from complaints: add an `on "
			    "guest-complaint` line%s",
			    "");
	if (policy_acts(rule) && !rule->failover && disks(p) < p->complainers)
		return fail(l,
			    "fewer guests have disks than have to complain: "
			    "write `complaints US guests 1 times M`, or add "
			    "failover%s",
			    "");
	return true;
}

static bool check_whole(const struct policy *p, struct policy_error *error)
{
	struct line l = {.error = error};

	if (p->failback && !p->on_failure.restart)
		return fail(&l,
			    "failback without restart: add restart to the "
			    "`on io-failure` line%s",
			    "");
	if (!check_complaints(p, &l))
		return false;
	l.number = 0;
	for (unsigned i = 0; i < p->nameds; i++) {
		if (waits_for(p, &p->named[i], p->named[i].name,
			      POLICY_GUESTS_MAX))
			return fail(&l,
				    "%s would start after itself: look at "
				    "the `after` lines",
				    p->named[i].name);
	}
	for (uint32_t cpu = 0; cpu < POLICY_CPUS_MAX; cpu++) {
		if (!check_frame(p, cpu, &l))
			return false;
	}
	return true;
}

static uint32_t dedicated(const struct policy *p)
{
	uint32_t cpus = 0;

	for (unsigned i = 0; i < p->nameds; i++) {
		if (p->named[i].dedicated)
			cpus |= 1u << (p->named[i].cpu - 1);
	}
	return cpus;
}

bool policy_fits(const struct policy *p, unsigned cpus,
		 struct policy_error *error)
{
	struct line l = {.error = error};
	char text[64];

	memset(error, 0, sizeof(*error));
	for (unsigned i = 0; i < p->nameds; i++) {
		if (p->named[i].cpu <= cpus)
			continue;
		l.number = p->named[i].cpu_line;
		(void)format(text, sizeof(text),
			     "CPU %u: this machine has 0 to %u",
			     p->named[i].cpu - 1, cpus - 1);
		return fail(&l, "%s", text);
	}
	for (uint32_t cpu = cpus; cpu < POLICY_CPUS_MAX; cpu++) {
		l.number = p->frame[cpu].line;
		if (p->frame[cpu].windows != 0)
			return fail(&l,
				    "a frame of a CPU that this machine "
				    "does not have: remove it%s",
				    "");
	}
	if ((dedicated(p) | ~0u << cpus) == ~0u)
		return fail(&l,
			    "every CPU is dedicated: leave one for the "
			    "others%s",
			    "");
	return true;
}

unsigned policy_cpu(const struct policy *p, const char *name, unsigned turn,
		    unsigned cpus)
{
	const struct policy_named *n = policy_named(p, name);
	uint32_t taken = dedicated(p);
	unsigned at = turn % cpus;

	if (n != NULL && n->cpu != 0)
		return n->cpu - 1;
	for (unsigned i = 0; i < cpus && (taken >> at & 1) != 0; i++)
		at = (at + 1) % cpus;
	return at;
}

/* ---- the whole text ----------------------------------------------------- */

bool policy_parse(const char *text, size_t bytes, struct policy *policy,
		  struct policy_error *error)
{
	struct line l = {.error = error};
	size_t at = 0;

	memset(policy, 0, sizeof(*policy));
	memset(error, 0, sizeof(*error));
	policy->heartbeat_us = HEARTBEAT_US;
	policy->misses = MISSES;
	policy->complaint_us = COMPLAINT_US;
	policy->complainers = COMPLAINERS;
	policy->complaints = COMPLAINTS;
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
