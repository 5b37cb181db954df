/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/account.c - see account.h. */
#include "cpu/unicorn/account.h"

#include <stdlib.h>
#include <string.h>

#include "sim/check.h"

/* --- by address --- */

static uint32_t *slot_of(const struct account *a, uint32_t context, vaddr_t pc)
{
	uint64_t hash =
		(pc ^ (uint64_t)context << 48) * UINT64_C(0x9E3779B97F4A7C15);
	size_t i = (size_t)(hash >> 32) & (a->slots - 1);

	for (; a->slot[i]; i = (i + 1) & (a->slots - 1)) {
		const struct cpu_account *e = &a->entry[a->slot[i] - 1];

		if (e->pc == pc && (e->owner << 1 | e->user) == context)
			break;
	}
	return &a->slot[i];
}

static void more_entries(struct account *a)
{
	a->room = a->room ? 2 * a->room : 4096;
	a->entry = realloc(a->entry, a->room * sizeof(*a->entry));
	free(a->slot);
	a->slots = 2 * a->room;
	a->slot = calloc(a->slots, sizeof(*a->slot));
	CHECK_MSG(a->entry && a->slot, "out of memory for the account of "
				       "cycles");
	for (size_t i = 0; i < a->entries; i++) {
		const struct cpu_account *e = &a->entry[i];

		*slot_of(a, e->owner << 1 | e->user, e->pc) = (uint32_t)i + 1;
	}
}

static int64_t *ticks_at(struct account *a, uint32_t context, vaddr_t pc)
{
	uint32_t *slot;

	if (a->entries == a->room)
		more_entries(a);
	slot = slot_of(a, context, pc);
	if (!*slot) {
		a->entry[a->entries] = (struct cpu_account){
			.pc = pc,
			.owner = context >> 1,
			.user = context & 1,
		};
		*slot = (uint32_t)++a->entries;
	}
	return a->entry[*slot - 1].ticks;
}

void account_add(struct cpu *cpu, vaddr_t pc, enum timing_cause cause,
		 uint64_t ticks)
{
	struct account *a = cpu->account;

	if (a && ticks)
		ticks_at(a, a->context, pc)[cause] += (int64_t)ticks;
}

/* --- blocks --- */

/* A block that costs are added of, to addresses or, `each`, to one after the
 * other. */
struct place {
	struct account *account;
	uint32_t context;
	uint64_t pc;
	const uint16_t *offset;
	int64_t (*each)[TIMING_CAUSE_COUNT];
};

static int64_t *at_address(void *owner, uint32_t i)
{
	const struct place *p = owner;

	return ticks_at(p->account, p->context, p->pc + p->offset[i]);
}

static int64_t *at_index(void *owner, uint32_t i)
{
	const struct place *p = owner;

	return p->each[i];
}

/* Instructions [at, count) of a block that is no part of another; with
 * TIMING_FLAT an instruction is a cycle. */
static void block_ticks(const struct block *b, uint32_t at, bool take,
			int64_t *(*to)(void *owner, uint32_t i),
			struct place *p)
{
	const int64_t cycle = TIMING_TICKS_PER_CYCLE;

	p->pc = b->pc;
	p->offset = b->offset;
	if (b->timed) {
		timing_split_each(b->timed->split, b->timed->until, b->count,
				  at, b->count, take, to, p);
		return;
	}
	for (uint32_t i = at; i < b->count; i++)
		to(p, i)[TIMING_BASE] += take ? -cycle : cycle;
}

static void add_block(struct account *a, uint32_t context,
		      const struct block *b, int64_t times)
{
	int64_t each[BLOCK_MAX][TIMING_CAUSE_COUNT], *to;
	struct place p = {a, context, .each = each};

	memset(each, 0, b->count * sizeof(*each));
	block_ticks(b, 0, false, at_index, &p);
	for (uint32_t i = 0; i < b->count; i++) {
		to = at_address(&p, i);
		for (unsigned k = 0; k < TIMING_CAUSE_COUNT; k++)
			to[k] += times * each[i][k];
	}
}

void account_fold(struct cpu *cpu)
{
	struct account *a = cpu->account;

	for (uint32_t c = 0; a && c < a->contexts; c++) {
		struct account_counts *n = &a->counts[c];

		for (uint32_t i = 0; i < n->space && i < cpu->block_count;
		     i++) {
			if (!n->count[i])
				continue;
			add_block(a, c, cpu->block[i], (int64_t)n->count[i]);
			n->count[i] = 0;
		}
	}
}

/* A snapshot does not hold what the block under way costs by cause. */
static void split_way(struct cpu *cpu)
{
	struct under_way *w = &cpu->way;
	struct timing_code c = {
		.pc = w->pc,
		.code = w->code,
		.offset = w->offset,
		.count = w->count,
		.bytes = w->bytes,
		.bits = timed_bits(cpu),
	};
	uint32_t until[TIMING_BLOCK_MAX];
	struct branch branch;

	w->split.privileged = w->privileged;
	w->split.locked = w->locked;
	timing_block(cpu->complex->timing, &c, until, NULL, &branch, &w->split);
	w->is_split = true;
}

/* Instructions [from, to) of the block under way. */
static void add_way(struct cpu *cpu, uint32_t from, uint32_t to, bool take)
{
	struct under_way *w = &cpu->way;
	struct place p = {cpu->account, cpu->account->context, w->pc, w->offset,
			  NULL};

	if (!w->is_split)
		split_way(cpu);
	timing_split_each(&w->split, w->until, w->count, from, to, take,
			  at_address, &p);
}

void account_settle(struct cpu *cpu, const struct block *b, uint32_t at)
{
	struct account *a = cpu->account;
	struct place p;

	if (!a)
		return;
	p = (struct place){a, a->context, .each = NULL};
	if (b->timed && b->timed->limited)
		add_way(cpu, cpu->part_at + at, cpu->part_at + b->count, true);
	else
		block_ticks(b, at, true, at_address, &p);
}

void account_part(struct cpu *cpu)
{
	const struct block *b = engine_block(cpu);

	add_way(cpu, cpu->part_at, cpu->part_at + b->count, false);
}

/* --- whose --- */

static void more_contexts(struct account *a, uint32_t context)
{
	uint32_t n = a->contexts ? a->contexts : 16;

	while (n <= context)
		n *= 2;
	a->counts = realloc(a->counts, n * sizeof(*a->counts));
	CHECK(a->counts);
	memset(a->counts + a->contexts, 0,
	       (n - a->contexts) * sizeof(*a->counts));
	a->contexts = n;
}

void account_switch(struct cpu *cpu)
{
	struct account *a = cpu->account;

	if (!a)
		return;
	a->context = a->owner << 1 | (cpu_cpl(cpu) == 3);
	if (a->context >= a->contexts)
		more_contexts(a, a->context);
	account_grow(cpu);
}

void account_grow(struct cpu *cpu)
{
	struct account *a = cpu->account;
	struct account_counts *n;

	if (!a)
		return;
	n = &a->counts[a->context];
	if (n->space < cpu->block_space) {
		n->count =
			realloc(n->count, cpu->block_space * sizeof(*n->count));
		CHECK_MSG(n->count, "out of memory for the account of cycles");
		memset(n->count + n->space, 0,
		       (cpu->block_space - n->space) * sizeof(*n->count));
		n->space = cpu->block_space;
	}
	a->count = n->count;
}

void account_free(struct cpu *cpu)
{
	struct account *a = cpu->account;

	if (!a)
		return;
	for (uint32_t i = 0; i < a->contexts; i++)
		free(a->counts[i].count);
	free(a->counts);
	free(a->entry);
	free(a->slot);
	free(a);
	cpu->account = NULL;
}

/* --- cpu/cpu.h --- */

void cpu_account(struct cpu *cpu, bool on)
{
	CHECK(!engine_running);
	account_free(cpu);
	if (on) {
		cpu->account = calloc(1, sizeof(*cpu->account));
		CHECK(cpu->account);
		account_switch(cpu);
	}
	cpu->way.is_split = false;
	engine_forget_code(cpu);
}

void cpu_account_owner(struct cpu *cpu, uint32_t owner)
{
	if (!cpu->account)
		return;
	CHECK(owner < CPU_ACCOUNT_OWNERS);
	cpu->account->owner = owner;
	account_switch(cpu);
}

void cpu_account_access(struct cpu *cpu, uint64_t ticks)
{
	account_add(cpu, account_rip(cpu), TIMING_DEVICE, ticks);
}

const struct cpu_account *cpu_accounted(struct cpu *cpu, size_t *count)
{
	CHECK(!engine_running);
	account_fold(cpu);
	*count = cpu->account ? cpu->account->entries : 0;
	return cpu->account ? cpu->account->entry : NULL;
}

uint64_t cpu_ticks_ahead(const struct cpu *cpu)
{
	return AT(cpu->env, uint32_t, ENV_PENDING);
}
