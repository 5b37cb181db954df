/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/sched.c - the lead monitor's switch service: who runs next, and
 * the switch itself.
 *
 * The ultravisor publishes who may run where, with which standing and quantum;
 * nothing else is decided here.  All times in nanoseconds.
 *
 *   the round   every runnable partition but idle waits its turn, first come
 *               first served, whatever its standing, for one quantum each
 *   a wake      gives a partition that still has some of its quantum left
 *               ("budget") the privilege to run before the round, the highest
 *               standing first, and at once if its standing is above that of
 *               who runs.  It lasts until it waits again or the budget is used
 *               up; then it is a member of the round, at its end, and until it
 *               has waited again its standing counts for nothing (`spent`)
 *   urgent      an event of the ultravisor's puts its receiver, asleep or in
 *               the round, on the ultravisor's level until it answers there or
 *               its quantum ends: whoever has to let go of a channel, or takes
 *               one over, does it now
 *   sleep       gives budget back, nanosecond for nanosecond
 *   the guard   partitions with the privilege together get at most
 *               BOOST_SHARE times what the round gets while somebody waits in
 *               the round: so a loop, or two that wake each other for ever,
 *               starves nobody
 *   idle        standing 0: when nobody else can
 *
 * Entry of each switch: the state of who leaves goes to its virtual processor,
 * then privileged state (CR3) is loaded from the slot, and control is in the
 * other's monitor instance: monitor_resume().
 *
 * One CPU's `struct cpu` is touched by that CPU alone.
 */
#include "monitor/monitor.h"

#define BOOST_SHARE   4
#define BOOST_NS      4000000 /* they may take this much ahead of their share */
#define BUDGET_MIN_NS 2000    /* less isn't worth a timer interrupt */
#define URGENT        99      /* the standing that goes with it */
#define RANK_ROUND    (1ull << 48)

static bool live(uint32_t state)
{
	return state == SLOT_READY || state == SLOT_RUNNING;
}

static struct cpu *cpu_of(uint32_t slot)
{
	return &cpus[lead_private[slot].cpu];
}

/* The next exit of the running partition chooses anew. */
static void want(struct cpu *c, uint32_t reason)
{
	if (!c->resched)
		c->resched = reason;
	if (lead_area.cpu[c->index].current != LEAD_SLOT_NONE && !c->in_fault)
		VCPU->attention = 1;
}

static uint32_t standing_in_force(const struct lead_private *p)
{
	if (p->urgent)
		return URGENT;
	return p->spent && p->standing ? 1 : p->standing;
}

static uint64_t ranks[PART_SLOTS];

/* One number by which pick() chooses, the highest first: the privilege with its
 * standing, then who waits longest; idle has 0. */
static void rerank(uint32_t slot)
{
	const struct lead_private *p = &lead_private[slot];

	ranks[slot] = !p->standing ? 0 : RANK_ROUND - 1 - p->turn;
	if (p->boosted)
		ranks[slot] += RANK_ROUND * standing_in_force(p);
}

static void to_the_end(struct cpu *c, uint32_t slot)
{
	lead_private[slot].boosted = false;
	lead_private[slot].urgent = false;
	lead_private[slot].turn = ++c->next_turn;
	rerank(slot);
}

/* It has got the privilege: does it take over from who runs? */
static void contend(struct cpu *c, const struct lead_private *p)
{
	uint32_t current = lead_area.cpu[c->index].current;
	const struct lead_private *q;

	if (current == LEAD_SLOT_NONE) {
		want(c, SWITCH_WAKE);
		return;
	}
	q = &lead_private[current];
	if ((p->standing && !q->standing) ||
	    (p->boosted && !c->guard &&
	     standing_in_force(p) > standing_in_force(q)))
		want(c, SWITCH_WAKE);
}

void sched_runnable(uint32_t slot)
{
	struct lead_private *p = &lead_private[slot];
	struct lead_slot *s = &lead_area.slot[slot];
	struct cpu *c = cpu_of(slot);
	uint64_t slept = now_ns() - p->slept_ns;

	s->state = SLOT_READY;
	c->timed &= ~(1u << slot);
	if (!p->scheduled)
		return;
	c->ready |= 1u << slot;
	p->budget_ns = slept >= p->quantum_ns - p->budget_ns
			       ? p->quantum_ns
			       : p->budget_ns + slept;
	to_the_end(c, slot);
	p->boosted = p->standing && p->budget_ns >= BUDGET_MIN_NS;
	p->spent = false;
	rerank(slot);
	contend(c, p);
}

void sched_blocked(uint32_t slot)
{
	struct lead_private *p = &lead_private[slot];
	struct lead_slot *s = &lead_area.slot[slot];
	struct cpu *c = cpu_of(slot);

	c->ready &= ~(1u << slot);
	c->timed &= ~(1u << slot);
	p->boosted = false;
	p->urgent = false;
	if (s->state == SLOT_WAITING && s->deadline_ns != NEVER)
		c->timed |= 1u << slot;
	if (lead_area.cpu[c->index].current == slot)
		want(c, s->state == SLOT_WAITING   ? SWITCH_WAIT
			: s->state == SLOT_CRASHED ? SWITCH_CRASH
						   : SWITCH_STOP);
}

/* The running partition waits: the usual case of the above, short. */
void sched_wait(struct cpu *c, uint64_t mask, uint64_t deadline_ns)
{
	struct vcpu *v = VCPU;
	struct lead_slot *s = &lead_area.slot[v->slot];
	uint32_t bit = 1u << v->slot;

	s->wait_mask = mask;
	s->deadline_ns = deadline_ns;
	s->state = SLOT_WAITING;
	lead_private[v->slot].boosted = false;
	lead_private[v->slot].urgent = false;
	c->ready &= ~bit;
	if (deadline_ns != NEVER)
		c->timed |= bit;
	c->resched = SWITCH_WAIT;
	v->attention = 1;
}

void sched_post(uint32_t slot, uint64_t events)
{
	struct lead_slot *s = &lead_area.slot[slot];

	s->pending |= events;
	if (s->state == SLOT_WAITING && (s->pending & s->wait_mask))
		sched_runnable(slot);
	else if (s->state == SLOT_RUNNING && slot == current_slot())
		VCPU->attention = 1; /* it may end a user run */
}

void sched_urge(uint32_t slot)
{
	struct lead_private *p = &lead_private[slot];
	struct cpu *c = cpu_of(slot);

	if (!p->scheduled || !p->standing || !live(lead_area.slot[slot].state))
		return;
	if (p->budget_ns < BUDGET_MIN_NS)
		p->budget_ns = p->quantum_ns;
	p->boosted = true;
	p->urgent = true;
	rerank(slot);
	contend(c, p);
}

void sched_calm(uint32_t slot)
{
	lead_private[slot].urgent = false;
	rerank(slot);
}

void sched_yield(struct cpu *c, bool for_ever)
{
	uint32_t slot = lead_area.cpu[c->index].current;

	if (for_ever) {
		sched_wait(c, 0, NEVER);
		return;
	}
	lead_private[slot].budget_ns = 0;
	to_the_end(c, slot);
	want(c, SWITCH_YIELD);
}

void sched_publish(const struct lead_schedule *s)
{
	for (uint32_t i = 0; i < ABI_CPUS; i++)
		cpus[i].ready = 0;
	for (uint32_t i = 0; i < PART_SLOTS; i++)
		lead_private[i].scheduled = false;
	for (uint32_t i = 0; i < PART_SLOTS; i++) {
		uint32_t slot = s->entry[i].slot;
		struct lead_private *p;

		if (slot >= PART_SLOTS)
			break;
		p = &lead_private[slot];
		if (s->entry[i].cpu >= lead_area.cpu_count)
			continue;
		p->scheduled = true;
		p->cpu = s->entry[i].cpu;
		p->standing = s->entry[i].standing;
		rerank(slot);
		p->quantum_ns = (s->entry[i].quantum_us ?: 1) * 1000ull;
		if (p->budget_ns > p->quantum_ns)
			p->budget_ns = p->quantum_ns;
		if (live(lead_area.slot[slot].state))
			cpu_of(slot)->ready |= 1u << slot;
	}
	want(this_cpu(), SWITCH_QUANTUM);
}

/* ---- time --------------------------------------------------------------- */

static void account(struct cpu *c, uint64_t now)
{
	uint32_t slot = lead_area.cpu[c->index].current;
	struct lead_private *p = &lead_private[slot];
	uint64_t ran = now - c->run_start_ns;

	c->run_start_ns = now;
	if (slot == LEAD_SLOT_NONE)
		return;
	lead_area.slot[slot].run_ns += ran;
	if (!p->standing)
		return;
	if (p->boosted) {
		c->boosted_ns += ran;
	} else {
		ran *= BOOST_SHARE;
		c->boosted_ns -= ran < c->boosted_ns ? ran : c->boosted_ns;
		if (!c->boosted_ns)
			c->guard = false;
		ran /= BOOST_SHARE;
	}
	p->budget_ns -= ran < p->budget_ns ? ran : p->budget_ns;
	if (p->budget_ns < BUDGET_MIN_NS) {
		p->budget_ns = 0;
		p->spent = true;
		to_the_end(c, slot);
	}
}

void sched_rearm(struct cpu *c, uint64_t now)
{
	struct lead_cpu *lc = &lead_area.cpu[c->index];
	uint64_t at = NEVER;

	lc->quantum_end_ns = NEVER;
	if (lc->current != LEAD_SLOT_NONE) {
		const struct lead_private *p = &lead_private[lc->current];

		if (p->standing)
			lc->quantum_end_ns = c->run_start_ns + p->budget_ns;
		at = lead_area.slot[lc->current].deadline_ns;
		if (lc->quantum_end_ns < at)
			at = lc->quantum_end_ns;
	}
	for (uint32_t m = c->timed; m; m &= m - 1) {
		uint64_t t = lead_area.slot[__builtin_ctz(m)].deadline_ns;

		if (t < at)
			at = t;
	}
	timer_arm(at, now);
}

void sched_tick(struct cpu *c)
{
	uint32_t slot = lead_area.cpu[c->index].current;
	uint64_t now = now_ns();

	account(c, now);
	for (uint32_t m = c->timed; m; m &= m - 1) {
		uint32_t s = (uint32_t)__builtin_ctz(m);

		if (lead_area.slot[s].deadline_ns <= now)
			sched_runnable(s);
	}
	if (slot != LEAD_SLOT_NONE) {
		if (lead_private[slot].standing &&
		    !lead_private[slot].budget_ns)
			want(c, SWITCH_QUANTUM);
		if (lead_area.slot[slot].deadline_ns <= now)
			VCPU->attention = 1;
	}
	if (!c->resched)
		sched_rearm(c, now);
}

/* ---- the choice and the switch ------------------------------------------ */

static uint32_t pick(struct cpu *c)
{
	uint32_t first = LEAD_SLOT_NONE, turn = LEAD_SLOT_NONE;
	uint64_t best = 0, round = 0;

	for (uint32_t m = c->ready; m; m &= m - 1) {
		uint32_t s = (uint32_t)__builtin_ctz(m);
		uint64_t rank = ranks[s];

		if (rank >= best) {
			best = rank;
			first = s;
		}
		if (rank >= RANK_ROUND || rank <= round)
			continue;
		round = rank;
		turn = s;
	}
	if (!round) {
		c->boosted_ns = 0;
		c->guard = false;
		return first;
	}
	if (c->boosted_ns > BOOST_NS)
		c->guard = true;
	return c->guard ? turn : first;
}

static void save(void)
{
	struct vcpu *v = VCPU;

	__asm__ volatile("fxsave64 %0" : "=m"(v->fx));
	__asm__ volatile("mov %%ds, %0" : "=m"(v->ds));
	__asm__ volatile("mov %%es, %0" : "=m"(v->es));
	__asm__ volatile("mov %%fs, %0" : "=m"(v->fs));
	__asm__ volatile("mov %%gs, %0" : "=m"(v->gs));
	v->fs_base = rdmsr(MSR_FS_BASE);
	v->gs_base = rdmsr(MSR_GS_BASE);
}

/* Segment registers hold selectors that a partition has loaded itself, of this
 * GDT, so loading them again cannot fault.  Bases come after: loading a
 * selector changes them. */
static void restore(void)
{
	const struct vcpu *v = VCPU;

	__asm__ volatile("mov %0, %%ds" : : "m"(v->ds));
	__asm__ volatile("mov %0, %%es" : : "m"(v->es));
	__asm__ volatile("mov %0, %%fs" : : "m"(v->fs));
	__asm__ volatile("mov %0, %%gs" : : "m"(v->gs));
	wrmsr(MSR_FS_BASE, v->fs_base);
	wrmsr(MSR_GS_BASE, v->gs_base);
	__asm__ volatile("fxrstor64 %0" : : "m"(v->fx));
}

void schedule(struct cpu *c)
{
	struct lead_cpu *lc = &lead_area.cpu[c->index];
	uint32_t was = lc->current, next, reason = c->resched;
	uint64_t now = now_ns();

	account(c, now);
	c->resched = 0;
	next = pick(c);
	if (next != LEAD_SLOT_NONE && !lead_private[next].budget_ns)
		lead_private[next].budget_ns = lead_private[next].quantum_ns;
	if (next == was && next != LEAD_SLOT_NONE) {
		sched_rearm(c, now);
		return;
	}
	if (was != LEAD_SLOT_NONE) {
		uint32_t state = lead_area.slot[was].state;

		if (state == SLOT_RUNNING)
			lead_area.slot[was].state = SLOT_READY;
		lead_private[was].slept_ns = now; /* if it sleeps */
		if (state != SLOT_CRASHED)
			save();
	}
	c->in_fault = false;
	lc->current = next;
	lc->last_reason = reason;
	lc->switches++;
	if (next == LEAD_SLOT_NONE) {
		sched_rearm(c, now);
		idle_here((uint64_t)stacks[c->index].idle +
			  sizeof(stacks[0].idle));
	}
	lead_area.slot[next].state = SLOT_RUNNING;
	lead_area.slot[next].switches++;
	sched_rearm(c, now);
	switch_to(lead_area.slot[next].cr3);
}

/* The other side of the switch: on the target's stack, in its instance. */
void monitor_resume(void)
{
	struct vcpu *v = VCPU;
	struct lead_slot *s = &lead_area.slot[v->slot];

	restore();
	view_refresh();
	if (v->waiting) {
		uint64_t events = s->pending & s->wait_mask;

		v->waiting = 0;
		s->pending &= ~events;
		s->wait_mask = 0;
		s->deadline_ns = NEVER;
		v->regs.rax = events;
	}
	if (v->in_user) {
		if (v->cr3 != s->cr3)
			load_cr3(v->cr3);
		user_deliver();
	}
	v->attention = 0;
}

/* The end of every entry that was asked to look. */
void monitor_leave(void)
{
	struct cpu *c = this_cpu();

	VCPU->attention = 0;
	if (c->resched)
		schedule(c);
	if (VCPU->in_user)
		user_deliver();
}
