/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/timing/block.c - what a block costs: the largest of
 *
 *   issue       its slots of dispatch, by the width;
 *   units       for each kind, what is asked of it, by how many there are;
 *   waiting     chains that do not go on from one time to the next overlap with
 *               their neighbours, as far as there is room to wait: of
 *               instructions in the schedulers, of loads in theirs, of all in
 *               the window;
 *   recurrence  how much later its results come each time when it runs again
 *               and again: chains through registers and through memory operands
 *               that are written alike;
 *
 * and what serialises on top.  A block that branches to itself is a loop, and
 * its chain begins when the loop does: then what recurrence makes of it more
 * than the rest is charged as far as the loop goes on (struct branch: again).
 *
 * Loads hit the first cache; what branches cost that are not foreseen comes on
 * top, each time (branch.h).  Sources: R. Tomasulo, IBM J. R&D 1967, for what
 * waits for what; J. D. C. Little, Operations Research 1961, for room to wait:
 * what waits at once is how often it comes by how long it stays.  The other
 * bounds are those of any introduction to pipelines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/timing/insn.h"
#include "sim/check.h"

#define ROUNDS     8
#define PLACES     16
#define CYCLE      TIMING_TICKS_PER_CYCLE
#define LOADS_SEEN 64

struct timing {
	struct profile profile;
	struct insn_decoder *decoder;
	int load_port, load_vector_port, store_port;
	/* The block at hand. */
	struct insn insn[TIMING_BLOCK_MAX];
	uint64_t before[TIMING_BLOCK_MAX]; /* of recurrence() */
};

/* --- chains --- */

struct chains {
	uint64_t ready[INSN_REGISTERS];
	uint64_t last; /* the latest of all */
	/* Of the instruction at hand: when its address is known, and all that
	 * it waits for is there. */
	uint64_t addressed, ready_to_go;
	struct {
		uint32_t place; /* 0: none */
		uint64_t registers, ready;
	} stored[PLACES];
	unsigned next;
};

static uint64_t latest(const struct chains *c, uint64_t set)
{
	uint64_t t = 0;

	for (; set; set &= set - 1) {
		uint64_t r = c->ready[__builtin_ctzll(set)];

		if (r > t)
			t = r;
	}
	return t;
}

static uint64_t stored_at(const struct chains *c, uint32_t place)
{
	for (unsigned i = 0; i < PLACES; i++) {
		if (c->stored[i].place == place)
			return c->stored[i].ready;
	}
	return 0;
}

static void store_at(struct chains *c, const struct insn *in, uint64_t when)
{
	unsigned i = 0;

	while (i < PLACES && c->stored[i].place != in->place)
		i++;
	if (i == PLACES)
		i = c->next++ % PLACES;
	c->stored[i].place = in->place;
	c->stored[i].registers = in->address;
	c->stored[i].ready = when;
}

/* `loads`: with what they take. */
static void chain(struct chains *c, const struct insn *in, bool loads)
{
	uint64_t when = latest(c, in->source);

	c->addressed = latest(c, in->address);
	if (in->loads) {
		uint64_t loaded = c->addressed + (loads ? in->load : 0);
		uint64_t stored = in->place ? stored_at(c, in->place) : 0;

		if (stored)
			loaded = stored + in->forward;
		if (loaded > when)
			when = loaded;
	}
	c->ready_to_go = when;
	when += in->class->latency;
	if (when > c->last)
		c->last = when;
	for (uint64_t set = in->result; set; set &= set - 1)
		c->ready[__builtin_ctzll(set)] = when;
	/* An operand with a register that changed is another place. */
	for (unsigned i = 0; i < PLACES; i++) {
		if (c->stored[i].registers & in->result)
			c->stored[i].place = 0;
	}
	if (in->stores && in->place && !(in->address & in->result))
		store_at(c, in, when);
}

/* What the chains add each time.  *waiters: how many instructions come later
 * each time by more than `most`. */
static uint64_t recurrence(struct timing *t, unsigned count, bool loads,
			   uint64_t most, unsigned *waiters)
{
	struct chains c = {0};
	uint64_t half = 0;

	*waiters = 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < count; i++) {
			chain(&c, &t->insn[i], loads);
			if (round == ROUNDS - 1 && t->insn[i].class->latency &&
			    c.ready_to_go - t->before[i] > most)
				++*waiters;
			t->before[i] = c.ready_to_go;
		}
		if (round == ROUNDS / 2 - 1)
			half = c.last;
	}
	return (c.last - half) / (ROUNDS / 2);
}

/* Slots that the instruction takes; a jump that fuses takes none. */
static uint32_t slots(const struct timing *t, unsigned i)
{
	if (i && t->insn[i].jcc && t->insn[i - 1].fuses)
		return 0;
	return t->insn[i].ops;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t beyond(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* What a single time makes wait, from dispatch on: instructions for operands,
 * loads for addresses, slots for what stands before them in the window; each
 * the sum over all of how long, by the room that there is. */
static uint64_t waiting(const struct timing *t, unsigned count, bool with_loads)
{
	const uint32_t *key = t->profile.key;
	uint64_t scheduler = 0, loads = 0, window = 0, dispatched = 0, end = 0;
	struct chains c = {0};

	for (unsigned i = 0; i < count; i++) {
		const struct insn *in = &t->insn[i];
		uint64_t at = dispatched * CYCLE / key[PROFILE_WIDTH], wait;

		chain(&c, in, with_loads);
		if (in->loads && with_loads)
			loads += beyond(c.addressed, at);
		/* What is renamed alone waits nowhere. */
		wait = in->class->latency ? beyond(c.ready_to_go, at) : 0;
		scheduler += wait;
		end = max(end, c.ready_to_go + in->class->latency);
		window += beyond(end, at) * slots(t, i) / CYCLE;
		dispatched += slots(t, i);
	}
	return max(scheduler * CYCLE / key[PROFILE_SCHEDULER],
		   max(loads * CYCLE / key[PROFILE_LOADS],
		       window * CYCLE / key[PROFILE_WINDOW]));
}

/* --- units --- */

static uint64_t busiest_port(const struct timing *t, unsigned count)
{
	uint64_t use[PROFILE_PORTS] = {0}, most = 0, loads = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct insn *in = &t->insn[i];

		for (unsigned p = 0; p < t->profile.port_count; p++)
			use[p] += in->class->use[p];
		if (in->loads && t->load_port >= 0)
			use[t->load_port] += CYCLE;
		if (in->vector && t->load_vector_port >= 0)
			use[t->load_vector_port] += CYCLE;
		loads += in->loads;
		if (in->stores && t->store_port >= 0)
			use[t->store_port] += CYCLE;
	}
	if (loads && t->store_port >= 0)
		use[t->store_port] = use[t->store_port] *
				     t->profile.key[PROFILE_STORE_WITH_LOADS] /
				     CYCLE;
	for (unsigned p = 0; p < t->profile.port_count; p++) {
		uint64_t each = use[p] / t->profile.port[p].count;

		if (each > most)
			most = each;
	}
	return most;
}

/* Which loads of a block lead to the address of their own next time: follows
 * what is loaded through the registers, for two rounds. */
static void loads_that_wait(const struct timing *t, unsigned count, bool *waits)
{
	uint64_t from[INSN_REGISTERS] = {0}; /* loads that it comes from */

	memset(waits, 0, count * sizeof(*waits));
	for (unsigned round = 0; round < 2; round++) {
		unsigned load = 0;

		for (unsigned i = 0; i < count; i++) {
			const struct insn *in = &t->insn[i];
			uint64_t comes = 0, address = 0, set;

			for (set = in->source; set; set &= set - 1)
				comes |= from[__builtin_ctzll(set)];
			if (in->loads && load < LOADS_SEEN) {
				uint64_t own = UINT64_C(1) << load++;

				for (set = in->address; set; set &= set - 1)
					address |= from[__builtin_ctzll(set)];
				waits[i] = round && (address & own);
				comes |= address | own;
			}
			for (set = in->result; set; set &= set - 1)
				from[__builtin_ctzll(set)] = comes;
		}
	}
}

/* The bound at hand is the largest so far by this much. */
static void raise(uint64_t *most, uint64_t bound, uint32_t *part)
{
	if (bound <= *most)
		return;
	if (part)
		*part += (uint32_t)(bound - *most);
	*most = bound;
}

/* `loops`: what the chains add each time is left to the loop. */
static uint64_t bound_by_chains(struct timing *t, unsigned count, bool loops,
				bool loads)
{
	uint64_t most = waiting(t, count, loads);
	unsigned unused;

	return loops ? most
		     : max(most, recurrence(t, count, loads, 0, &unused));
}

/* What a loop's recurrence costs more than `most`: see branch.h.  The k-th time
 * around, the chain is k times that late, and by so much all that waits for it
 * waits longer: there is room for that until the schedulers or the window are
 * full. */
static void loop(struct timing *t, unsigned count, uint64_t most, uint64_t all,
		 struct branch *branch)
{
	const uint32_t *key = t->profile.key;
	unsigned waiters, unused;
	uint64_t late =
		beyond(recurrence(t, count, true, most, &waiters), most);

	branch->again = (uint32_t)late;
	branch->ramp =
		(uint32_t)max(late * waiters * CYCLE / key[PROFILE_SCHEDULER],
			      late * all / key[PROFILE_WINDOW]);
	branch->by_loads =
		late && recurrence(t, count, false, most, &unused) <= most;
}

/* Without what serialises.  `part`: by cause, in the order of the bounds: what
 * each asks for beyond those before it; NULL: nobody asks. */
static uint64_t cost(struct timing *t, const struct timing_code *c,
		     uint64_t all, struct branch *branch, uint32_t *part)
{
	const uint32_t *key = t->profile.key;
	const struct insn *last = &t->insn[c->count - 1];
	bool loops = last->jcc &&
		     branch->pc + (uint64_t)(int64_t)last->jump == c->pc;
	uint64_t most = 0, chains;

#define PART(cause) (part ? &part[cause] : NULL)
	/* To the nearest tick: an iteration of a REP is few. */
	raise(&most,
	      max((all * CYCLE + key[PROFILE_WIDTH] / 2) / key[PROFILE_WIDTH],
		  c->count),
	      PART(TIMING_BASE));
	if (last->leaves)
		raise(&most, key[PROFILE_TAKEN], PART(TIMING_FRONT_END));
	raise(&most, busiest_port(t, c->count), PART(TIMING_UNITS));
	chains = bound_by_chains(t, c->count, loops, true);
	/* Chains without loads are no longer than those with them. */
	if (part)
		raise(&most,
		      min(chains, bound_by_chains(t, c->count, loops, false)),
		      PART(TIMING_DEPENDENCY));
	raise(&most, chains, PART(TIMING_L1));
#undef PART
	if (loops)
		loop(t, c->count, max(most, key[PROFILE_TAKEN]), all, branch);
	if (last->jcc)
		branch->taken = (uint32_t)beyond(key[PROFILE_TAKEN], most);
	return most;
}

static void ends_in(const struct timing *t, const struct timing_code *c,
		    const struct insn *last, struct branch *branch)
{
	*branch = (struct branch){
		.kind = last->branch,
		.pc = c->pc + c->offset[c->count - 1],
		.next = c->pc + c->bytes,
		.cost = last->branch == BRANCH_REPEAT
				? last->class->start
				: t->profile.key[PROFILE_MISPREDICT],
	};
}

static void split_serial(const struct timing *t, uint32_t count,
			 struct timing_split *split)
{
	uint32_t privileged = 0, locked = 0;

	for (uint32_t i = 0; i < count; i++) {
		locked += t->insn[i].locked;
		privileged += t->insn[i].serial - t->insn[i].locked;
		split->locked[i] = locked;
		split->privileged[i] = privileged;
	}
}

void timing_block(struct timing *t, const struct timing_code *c,
		  uint32_t *until, bool *waits, struct branch *branch,
		  struct timing_split *split)
{
	uint64_t all = 0, total, at = 0, done = 0;

	CHECK(c->count && c->count <= TIMING_BLOCK_MAX);
	for (uint32_t i = 0; i < c->count; i++) {
		uint32_t end = i + 1 < c->count ? c->offset[i + 1] : c->bytes;

		t->insn[i] = *insn_look(t->decoder, c->code + c->offset[i],
					end - c->offset[i], c->bits);
		all += slots(t, i);
	}
	if (split)
		memset(split->part, 0, sizeof(split->part));
	ends_in(t, c, &t->insn[c->count - 1], branch);
	total = cost(t, c, all, branch, split ? split->part : NULL) - c->count;
	/* Handed out by slots; a tick for each beside. */
	for (uint32_t i = 0; i < c->count; i++) {
		done += slots(t, i);
		at += t->insn[i].serial + 1;
		until[i] = (uint32_t)(at + (all ? total * done / all : 0));
	}
	if (!all)
		until[c->count - 1] += (uint32_t)total;
	if (waits)
		loads_that_wait(t, c->count, waits);
	if (split)
		split_serial(t, c->count, split);
}

/* --- by cause --- */

/* What cost() divides a block's ticks into, in its order. */
static const enum timing_cause split_cause[] = {
	TIMING_BASE,       TIMING_FRONT_END, TIMING_UNITS,
	TIMING_DEPENDENCY, TIMING_L1,
};
#define SPLIT_PARTS ARRAY_LEN(split_cause)

/* Of the ticks of the first `n` instructions. */
static void split_until(const struct timing_split *s, const uint32_t *until,
			uint32_t count, uint32_t n, int64_t ticks[SPLIT_PARTS])
{
	uint64_t own, all, sum = 0, below = 0;

	memset(ticks, 0, SPLIT_PARTS * sizeof(*ticks));
	if (!n)
		return;
	own = until[n - 1] - s->privileged[n - 1] - s->locked[n - 1];
	all = until[count - 1] - s->privileged[count - 1] -
	      s->locked[count - 1];
	for (unsigned i = 0; i < SPLIT_PARTS; i++) {
		uint64_t up = below;

		if (s->part[split_cause[i]]) {
			sum += s->part[split_cause[i]];
			up = n == count ? sum : own * sum / all;
		}
		ticks[i] = (int64_t)(up - below);
		below = up;
	}
}

static void add(int64_t *to, int64_t ticks, bool take)
{
	*to += take ? -ticks : ticks;
}

void timing_split_each(const struct timing_split *s, const uint32_t *until,
		       uint32_t count, uint32_t from, uint32_t to, bool take,
		       int64_t *(*at)(void *owner, uint32_t i), void *owner)
{
	int64_t part[2][SPLIT_PARTS];

	split_until(s, until, count, from, part[from & 1]);
	for (uint32_t i = from; i < to; i++) {
		const int64_t *low = part[i & 1], *high = part[~i & 1];
		uint32_t privileged = s->privileged[i], locked = s->locked[i];
		int64_t *ticks = at(owner, i);

		split_until(s, until, count, i + 1, part[~i & 1]);
		for (unsigned k = 0; k < SPLIT_PARTS; k++)
			add(&ticks[split_cause[k]], high[k] - low[k], take);
		if (i) {
			privileged -= s->privileged[i - 1];
			locked -= s->locked[i - 1];
		}
		add(&ticks[TIMING_PRIVILEGED], privileged, take);
		add(&ticks[TIMING_L1], locked, take);
	}
}

void timing_block_branch(struct timing *t, const struct timing_code *c,
			 struct branch *branch)
{
	uint32_t last = c->offset[c->count - 1];

	ends_in(t, c,
		insn_look(t->decoder, c->code + last, c->bytes - last, c->bits),
		branch);
}

uint32_t timing_event(const struct timing *t, enum timing_event event)
{
	return t->profile.event[event];
}

/* --- making one --- */

static char *read_file(const char *path, size_t *bytes, struct error *err)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t n, space = 0;

	*bytes = 0;
	if (!f) {
		error_set(err, EXIT_USAGE, "CPU profile %s cannot be read",
			  path);
		return NULL;
	}
	do {
		if (*bytes == space) {
			space = space ? 2 * space : 1 << 16;
			text = realloc(text, space);
			CHECK(text);
		}
		n = fread(text + *bytes, 1, space - *bytes, f);
		*bytes += n;
	} while (n);
	fclose(f);
	return text;
}

struct timing *timing_create(const char *profile, struct error *err)
{
	struct timing *t = calloc(1, sizeof(*t));
	const char *text = timing_generic_profile;
	size_t bytes = (size_t)(timing_generic_profile_end - text);
	char *own = NULL;
	bool good = true;

	CHECK(t);
	if (profile) {
		own = read_file(profile, &bytes, err);
		text = own;
		good = own != NULL;
	}
	good = good &&
	       profile_read(&t->profile, profile ? profile : "generic.profile",
			    text, bytes, err);
	free(own);
	if (!good) {
		free(t);
		return NULL;
	}
	t->decoder = insn_decoder_create(&t->profile);
	t->load_port = profile_find_port(&t->profile, "load");
	t->load_vector_port = profile_find_port(&t->profile, "load_vector");
	t->store_port = profile_find_port(&t->profile, "store");
	return t;
}

void timing_destroy(struct timing *t)
{
	if (!t)
		return;
	insn_decoder_destroy(t->decoder);
	profile_free(&t->profile);
	free(t);
}

const struct profile *timing_profile(const struct timing *t)
{
	return &t->profile;
}

uint64_t timing_profile_hash(const struct timing *t)
{
	return t->profile.hash;
}
