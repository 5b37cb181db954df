/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/timed.c - see timed.h. */
#include <string.h>

#include "cpu/unicorn/account.h"
#include "cpu/unicorn/engine.h"
#include "sim/check.h"

_Static_assert(TIMING_BLOCK_MAX >= BLOCK_MAX, "room for any block");

void engine_ticks_set(struct cpu *cpu, uint64_t ticks)
{
	uint64_t left =
		cpu->tick_deadline > ticks ? cpu->tick_deadline - ticks : 0;
	int32_t room = left < ROOM_MAX ? (int32_t)left : ROOM_MAX - 1;

	AT(cpu->env, int32_t, ENV_TICK_ROOM) = room;
	cpu->tick_goal = ticks + (uint64_t)room;
}

#define HF_CS32 (1u << 4)

unsigned timed_bits(const struct cpu *cpu)
{
	uint32_t hflags = AT(cpu->env, uint32_t, ENV_HFLAGS);

	return hflags & HF_CS64 ? 64 : hflags & HF_CS32 ? 32 : 16;
}

static struct timing_split *split_new(struct cpu *cpu, uint32_t count)
{
	struct timing_split *s;

	if (!cpu->account)
		return NULL;
	s = block_alloc(cpu, sizeof(*s));
	s->privileged = block_alloc(cpu, count * sizeof(*s->privileged));
	s->locked = block_alloc(cpu, count * sizeof(*s->locked));
	return s;
}

void timed_block_new(struct cpu *cpu, struct block *b, uint32_t bytes,
		     bool limited)
{
	struct timed_block *t;
	struct timing_code c = {
		.pc = b->pc,
		.offset = b->offset,
		.count = b->count,
		.bytes = bytes,
		.bits = timed_bits(cpu),
	};

	if (!cpu->complex->timing)
		return;
	t = block_alloc(cpu, sizeof(*t));
	t->bytes = bytes;
	t->limited = limited;
	t->code = block_alloc(cpu, bytes);
	t->until = NULL;
	t->split = NULL;
	t->ticks = 0;
	b->timed = t;
	cpu_block_code(cpu, b->pc, t->code, bytes);
	c.code = t->code;
	if (limited) {
		timing_block_branch(cpu->complex->timing, &c, &t->branch);
		return;
	}
	t->until = block_alloc(cpu, b->count * sizeof(*t->until));
	t->waits = block_alloc(cpu, b->count * sizeof(*t->waits));
	t->fetched = block_alloc(cpu, sizeof(*t->fetched));
	*t->fetched = 0;
	t->split = split_new(cpu, b->count);
	timing_block(cpu->complex->timing, &c, t->until, t->waits, &t->branch,
		     t->split);
	t->ticks = t->until[b->count - 1];
}

/* --- branches --- */

uint32_t timed_exit_taken(const struct timed_exit *x)
{
	return x->branch.taken +
	       x->branch.cost *
		       branch_surprise(x->predictor, x->known, x->hash, true);
}

/* Of the whole block. */
static const struct branch *branch_of(const struct timed_exit *x)
{
	if (!x->limited)
		return &x->branch;
	CHECK(x->cpu->way.on);
	return &x->cpu->way.branch;
}

uint32_t timed_exit_again(const struct timed_exit *x)
{
	const struct branch *b = branch_of(x);
	uint32_t same = x->known->same;

	return b->taken + branch_again(b, same) +
	       b->cost * branch_surprise(x->predictor, x->known, x->hash, true);
}

uint32_t timed_exit_not_taken(const struct timed_exit *x)
{
	return x->branch.cost *
	       branch_surprise(x->predictor, x->known, x->hash, false);
}

uint32_t timed_exit_repeat(const struct timed_exit *x)
{
	return x->branch.cost;
}

uint32_t timed_exit_call(const struct timed_exit *x)
{
	branch_call(x->predictor, x->branch.next);
	return 0;
}

/* Where the instruction pointer leads to. */
static uint64_t target(const struct cpu *cpu)
{
	return AT(cpu->env, uint64_t, ENV_EIP) +
	       AT(cpu->env, struct env_segment, ENV_SEGS + 24 * CPU_CS).base;
}

uint32_t timed_exit_return(const struct timed_exit *x)
{
	return branch_return(x->predictor, target(x->cpu)) ? 0 : x->branch.cost;
}

uint32_t timed_exit_indirect(const struct timed_exit *x)
{
	return branch_indirect(x->predictor, x->hash, target(x->cpu))
		       ? 0
		       : x->branch.cost;
}

uint32_t timed_exit_indirect_call(const struct timed_exit *x)
{
	branch_call(x->predictor, x->branch.next);
	return timed_exit_indirect(x);
}

uint32_t timed_exit_anywhere(const struct timed_exit *x)
{
	const struct branch *b = &x->branch;
	uint64_t to = target(x->cpu);

	switch (b->kind) {
	case BRANCH_CONDITIONAL:
		return to == b->next ? timed_exit_not_taken(x)
				     : timed_exit_again(x);
	case BRANCH_REPEAT:
		return to == b->pc ? 0 : b->cost;
	default:
		return branch_foreseen(x->predictor, b, to) ? 0 : b->cost;
	}
}

static uint32_t told_as(const struct timed_exit *x, enum timing_cause cause,
			uint32_t cost)
{
	if (cost)
		account_add(x->cpu, x->branch.pc, cause, cost);
	return cost;
}

static uint32_t told(const struct timed_exit *x, uint32_t cost)
{
	return told_as(x,
		       x->branch.kind == BRANCH_REPEAT ? TIMING_FRONT_END
						       : TIMING_BRANCH,
		       cost);
}

static uint32_t told_again(const struct timed_exit *x)
{
	const struct branch *b = branch_of(x);
	uint32_t late = branch_again(b, x->known->same);

	return told_as(x, TIMING_FRONT_END, b->taken) +
	       told_as(x, b->by_loads ? TIMING_L1 : TIMING_DEPENDENCY, late) +
	       told(x, b->cost * branch_surprise(x->predictor, x->known,
						 x->hash, true));
}

static uint32_t told_not_taken(const struct timed_exit *x)
{
	return told(x, timed_exit_not_taken(x));
}

static uint32_t told_repeat(const struct timed_exit *x)
{
	return told(x, timed_exit_repeat(x));
}

static uint32_t told_back(const struct timed_exit *x)
{
	return told(x, timed_exit_return(x));
}

static uint32_t told_indirect(const struct timed_exit *x)
{
	return told(x, timed_exit_indirect(x));
}

static uint32_t told_indirect_call(const struct timed_exit *x)
{
	return told(x, timed_exit_indirect_call(x));
}

static uint32_t told_anywhere(const struct timed_exit *x)
{
	if (x->branch.kind == BRANCH_CONDITIONAL &&
	    target(x->cpu) != x->branch.next)
		return told_again(x);
	return told(x, timed_exit_anywhere(x));
}

const struct timed_calls timed_calls = {
	.taken = timed_exit_taken,
	.again = timed_exit_again,
	.not_taken = timed_exit_not_taken,
	.repeat = timed_exit_repeat,
	.back = timed_exit_return,
	.indirect = timed_exit_indirect,
	.indirect_call = timed_exit_indirect_call,
	.anywhere = timed_exit_anywhere,
};
const struct timed_calls timed_calls_accounted = {
	.taken = told_again,
	.again = told_again,
	.not_taken = told_not_taken,
	.repeat = told_repeat,
	.back = told_back,
	.indirect = told_indirect,
	.indirect_call = told_indirect_call,
	.anywhere = told_anywhere,
};

const struct timed_exit *timed_exit_new(struct cpu *cpu, const struct block *b)
{
	struct timed_exit *x = block_alloc(cpu, sizeof(*x));

	x->cpu = cpu;
	x->branch = b->timed->branch;
	x->predictor = &cpu->predictor;
	x->hash = branch_hash(x->branch.pc);
	x->known = branch_known(x->predictor, x->hash);
	x->limited = b->timed->limited;
	return x;
}

void timed_event(struct cpu *cpu, enum timing_event event)
{
	uint32_t ticks;

	if (!cpu->complex->timing)
		return;
	timed_leave(cpu);
	timed_charge_pending(cpu);
	ticks = timing_event(cpu->complex->timing, event);
	engine_ticks_set(cpu, engine_ticks(cpu) + ticks);
	if (cpu->account)
		account_add(cpu, account_rip(cpu), TIMING_CAUSE_INTERRUPT,
			    ticks);
}

/* --- the block under way --- */

/* Ticks from the block's start to the beginning of instruction i. */
static uint32_t begins(const uint32_t *until, uint32_t i)
{
	return i ? until[i - 1] : 0;
}

static uint32_t part(const struct under_way *w, uint32_t from, uint32_t count)
{
	return begins(w->until, from + count) - begins(w->until, from);
}

static void set_under_way(struct cpu *cpu, const struct block *b,
			  uint64_t start)
{
	struct under_way *w = &cpu->way;

	CHECK(!b->timed->limited);
	w->on = true;
	w->start = start;
	w->pc = b->pc;
	w->count = b->count;
	w->bytes = b->timed->bytes;
	w->branch = b->timed->branch;
	memcpy(w->offset, b->offset, b->count * sizeof(*w->offset));
	memcpy(w->until, b->timed->until, b->count * sizeof(*w->until));
	memcpy(w->waits, b->timed->waits, b->count * sizeof(*w->waits));
	memcpy(w->code, b->timed->code, w->bytes);
	w->is_split = b->timed->split != NULL;
	if (!w->is_split)
		return;
	w->split = *b->timed->split;
	w->split.privileged = w->privileged;
	w->split.locked = w->locked;
	memcpy(w->privileged, b->timed->split->privileged,
	       b->count * sizeof(*w->privileged));
	memcpy(w->locked, b->timed->split->locked,
	       b->count * sizeof(*w->locked));
}

void timed_settle(struct cpu *cpu, const struct block *b, uint32_t at)
{
	uint64_t first = engine_retired(cpu) - b->count;
	uint32_t left;

	if (!b->timed)
		return;
	if (b->timed->limited) {
		CHECK(cpu->way.on);
		left = part(&cpu->way, (uint32_t)(first - cpu->way.start) + at,
			    b->count - at);
	} else {
		left = b->timed->ticks - begins(b->timed->until, at);
		set_under_way(cpu, b, first);
	}
	engine_ticks_set(cpu, engine_ticks(cpu) - left);
	cpu->look_up_at = engine_retired(cpu) - (b->count - at);
}

void timed_take_back(struct cpu *cpu, const struct block *b)
{
	uint32_t ticks;

	if (!b->timed)
		return;
	ticks = b->timed->ticks;
	if (b->timed->limited)
		ticks = AT(cpu->env, uint32_t, ENV_PART);
	engine_ticks_set(cpu, engine_ticks(cpu) - ticks);
}

bool timed_goes_on(struct cpu *cpu, const struct block *b, uint64_t retired)
{
	struct under_way *w = &cpu->way;
	uint64_t at = retired - w->start;
	uint32_t bytes;

	if (!w->on || !b->timed)
		return false;
	w->on = at < w->count && b->pc == w->pc + w->offset[at];
	if (!w->on)
		return false;
	bytes = w->bytes - w->offset[at];
	if (bytes > b->timed->bytes)
		bytes = b->timed->bytes;
	w->on = !memcmp(w->code + w->offset[at], b->timed->code, bytes);
	return w->on;
}

uint32_t timed_limit(struct cpu *cpu, const struct block *b, uint64_t retired,
		     uint32_t limit)
{
	struct under_way *w = &cpu->way;
	uint64_t room = cpu->tick_deadline - engine_ticks(cpu);
	uint32_t at, n = 0;

	if (!w->on) {
		/* All of a fresh one: it takes its ticks by itself. */
		if (limit == b->cost && b->timed->ticks <= room)
			return limit;
		set_under_way(cpu, b, retired);
		if (cpu->memory)
			timed_fetch(b);
	}
	at = (uint32_t)(retired - w->start);
	cpu->part_at = at;
	if (limit > w->count - at)
		limit = w->count - at;
	while (n < limit &&
	       begins(w->until, at + n) - begins(w->until, at) < room)
		n++;
	cpu->part_back = begins(w->until, at);
	AT(cpu->env, uint32_t, ENV_PART) = part(w, at, n);
	if (at + n < w->count)
		cpu->look_up_at = retired + n;
	return n;
}

/* --- cpu/cpu.h --- */

bool cpu_complex_set_timing(struct cpu_complex *cx, enum timing_model model,
			    const char *profile, struct error *err)
{
	struct timing *timing = NULL;

	CHECK(!engine_running);
	if (model != TIMING_FLAT) {
		timing = timing_create(profile, err);
		if (!timing)
			return false;
	}
	for (unsigned i = 0; i < cx->cpu_count; i++) {
		timed_leave(cx->cpu[i]);
		timed_charge_pending(cx->cpu[i]);
		memory_destroy(cx->cpu[i]->memory);
		cx->cpu[i]->memory = NULL;
	}
	memory_shared_destroy(cx->memory);
	cx->memory = NULL;
	timing_destroy(cx->timing);
	cx->timing = timing;
	cx->model = model;
	if (model == TIMING_MEMORY)
		cx->memory = memory_shared_create(timing_profile(timing));
	for (unsigned i = 0; i < cx->cpu_count; i++) {
		if (cx->memory)
			cx->cpu[i]->memory = memory_create(
				timing_profile(timing), cx->memory);
		branch_predictor_reset(&cx->cpu[i]->predictor);
		engine_forget_code(cx->cpu[i]);
	}
	return true;
}

uint64_t cpu_complex_profile(const struct cpu_complex *cx)
{
	return cx->timing ? timing_profile_hash(cx->timing) : 0;
}

uint64_t cpu_ticks(const struct cpu *cpu)
{
	const struct block *b = cpu->accessing ? engine_block(cpu) : NULL;
	uint64_t ticks = engine_ticks(cpu);

	if (!b || !b->timed)
		return ticks;
	/* It is the only one of its block (engine_alone()). */
	return ticks - (b->timed->limited ? AT(cpu->env, uint32_t, ENV_PART)
					  : b->timed->ticks);
}

void cpu_set_ticks_deadline(struct cpu *cpu, uint64_t ticks)
{
	CHECK(!cpu->running);
	cpu->tick_deadline = ticks;
}
