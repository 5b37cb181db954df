/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/sched.c - the lead monitor's switch service: who runs next, and
 * the switch itself.
 *
 * The ultravisor publishes who may run where, with which standing, weight, cap
 * and quantum, and which CPU has a cyclic frame; nothing else is decided here.
 * All times in nanoseconds.
 *
 *   the round   every runnable partition but idle gets quanta in proportion to
 *               its weight: next is the one that has had the least, whatever
 *               its standing
 *   a wake      gives a partition that still has some of its quantum left
 *               ("budget") the privilege to run before the round, the highest
 *               standing first, and at once if its standing is above that of
 *               who runs.  It lasts until it waits again or the budget is used
 *               up; then it is a member of the round, and until it has waited
 *               again its standing counts for nothing (`spent`)
 *   urgent      an event of the ultravisor's puts its receiver, asleep or in
 *               the round, on the ultravisor's level until it answers there,
 *               goes on to run a process, or its quantum ends: whoever has to
 *               let go of a channel, or takes one over, does it now
 *   sleep       gives budget back, nanosecond for nanosecond; what a sleeper
 *               has not had of the round is not kept for it
 *   the guard   partitions with the privilege together get at most
 *               BOOST_SHARE times what the round gets while somebody waits in
 *               the round: so a loop, or two that wake each other for ever,
 *               starves nobody
 *   a cap       bounds what a partition gets in each SCHEDULE_CAP_NS; what it
 *               would have had of the round beyond that is not kept for it
 *   windows     of a cyclic frame come before all that: who may run at all is
 *               the window's slot, or in a shared window those without one.
 *               What a slot has in its windows is none of the round's
 *   idle        standing 0: when nobody else can
 *
 * A slot runs on one CPU, which a new schedule may change; what others want of
 * it (an event, its end, another CPU) is noted and VECTOR_LOOK sent.
 *
 * Entry of each switch: the state of who leaves goes to its virtual processor,
 * then privileged state (CR3) is loaded from the slot, and control is in the
 * other's monitor instance: monitor_resume().  The lock is held until then, so
 * nobody takes up a slot whose stack is still in use.
 */
#include "monitor/monitor.h"

#define BOOST_SHARE   4
#define BOOST_NS      4000000 /* they may take this much ahead of their share */
#define BUDGET_MIN_NS 2000    /* less isn't worth a timer interrupt */
#define URGENT        99      /* the standing that goes with it */

#define SHARE_SHIFT 20
#define SHARE_ONE   (1u << SHARE_SHIFT)

/* ---- the lock ----------------------------------------------------------- */

static struct {
	uint32_t next, serving;
} lock __attribute__((aligned(64)));

static inline void lock_by(struct cpu *c)
{
	uint32_t mine = __atomic_fetch_add(&lock.next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&lock.serving, __ATOMIC_ACQUIRE) != mine)
		__builtin_ia32_pause();
	c->locked = true;
}

static inline void unlock_by(struct cpu *c)
{
	c->locked = false;
	__atomic_store_n(&lock.serving, lock.serving + 1, __ATOMIC_RELEASE);
}

void lead_lock(void)
{
	lock_by(this_cpu());
}

void lead_unlock(void)
{
	unlock_by(this_cpu());
}

/* ---- asking a CPU to look ----------------------------------------------- */

static bool live(uint32_t state)
{
	return state == SLOT_READY || state == SLOT_RUNNING;
}

static struct cpu *cpu_of(uint32_t slot)
{
	return &cpus[lead_private[slot].cpu];
}

static void look(struct cpu *c)
{
	if (c != this_cpu())
		lapic_send(c->apic_id, VECTOR_LOOK);
	else if (lead_area.cpu[c->index].current != LEAD_SLOT_NONE &&
		 !c->in_fault)
		VCPU->attention = 1;
}

/* The next exit of the running partition chooses anew. */
static void want(struct cpu *c, uint32_t reason)
{
	if (!c->resched)
		c->resched = reason;
	look(c);
}

/* ---- ranks -------------------------------------------------------------- */

static uint32_t standing_in_force(const struct lead_private *p)
{
	if (p->urgent)
		return URGENT;
	return p->spent && p->standing ? 1 : p->standing;
}

#define RANK_ROUND (1ull << 55)
static uint64_t ranks[PART_SLOTS];

/* One number by which pick() chooses, the highest first: the privilege with its
 * standing, then who has had the least; idle has 0. */
static void rerank(uint32_t slot)
{
	const struct lead_private *p = &lead_private[slot];

	ranks[slot] = !p->standing ? 0 : RANK_ROUND - 1 - (p->share >> 8);
	if (p->boosted)
		ranks[slot] += RANK_ROUND * standing_in_force(p);
}

/* What it has not had of the round is not made up for. */
static void catch_up(struct lead_private *p)
{
	if (p->share < cpus[p->cpu].floor)
		p->share = cpus[p->cpu].floor;
}

/* Who may run now, as far as windows are concerned. */
static uint32_t allowed(const struct cpu *c)
{
	uint32_t owner;

	if (!c->windows)
		return ~0u;
	owner = c->frame[c->window].slot;
	return owner == LEAD_SLOT_NONE ? ~c->owners : 1u << owner | c->idle;
}

/* It can run: does it take over from who does? */
static void contend(struct cpu *c, uint32_t slot)
{
	const struct lead_private *p = &lead_private[slot], *q;
	uint32_t current = lead_area.cpu[c->index].current;

	if (!(allowed(c) & ~c->capped & 1u << slot))
		return;
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

/* ---- what becomes of a slot (with the lock) ----------------------------- */

static void sooner(uint64_t *at, uint64_t t)
{
	if (t < *at)
		*at = t;
}

/* Into the ready or timed ones of its CPU, or out of both. */
static void enlist(uint32_t slot)
{
	const struct lead_private *p = &lead_private[slot];
	const struct lead_slot *s = &lead_area.slot[slot];
	struct cpu *c = cpu_of(slot);
	uint32_t bit = 1u << slot;

	if ((c->timed & bit && s->deadline_ns <= c->due_ns) || c->alarmed & bit)
		c->due_ns = 0;
	c->ready &= ~bit;
	c->timed &= ~bit;
	c->alarmed &= ~bit;
	/* One that is to run elsewhere is enlisted there when it has left. */
	if (live(s->state) && p->scheduled &&
	    (p->on == CPU_NONE || p->on == p->cpu))
		c->ready |= bit;
	if (s->state == SLOT_WAITING && s->deadline_ns != NEVER) {
		c->timed |= bit;
		sooner(&c->due_ns, s->deadline_ns);
		if (c != this_cpu() && s->deadline_ns < c->armed_ns)
			look(c);
	}
	if (p->alarm_ns != NEVER) {
		c->alarmed |= bit;
		sooner(&c->due_ns, p->alarm_ns);
		if (c != this_cpu() && p->alarm_ns < c->armed_ns)
			look(c);
	}
}

void sched_runnable(uint32_t slot)
{
	struct lead_private *p = &lead_private[slot];
	struct lead_slot *s = &lead_area.slot[slot];
	struct cpu *c = cpu_of(slot);
	uint64_t now = now_ns(), slept = now - p->slept_ns;

	s->state = SLOT_READY;
	p->ready_ns = now;
	enlist(slot);
	if (!p->scheduled)
		return;
	p->budget_ns = slept >= p->quantum_ns - p->budget_ns
			       ? p->quantum_ns
			       : p->budget_ns + slept;
	catch_up(p);
	p->urgent = false;
	p->spent = false;
	p->boosted = p->standing && p->budget_ns >= BUDGET_MIN_NS;
	rerank(slot);
	contend(c, slot);
}

void sched_blocked(uint32_t slot)
{
	struct lead_private *p = &lead_private[slot];
	uint32_t state = lead_area.slot[slot].state;

	p->boosted = false;
	p->urgent = false;
	enlist(slot);
	if (p->on != CPU_NONE)
		want(&cpus[p->on], state == SLOT_WAITING   ? SWITCH_WAIT
				   : state == SLOT_CRASHED ? SWITCH_CRASH
				   : state == SLOT_PAUSED  ? SWITCH_PAUSE
							   : SWITCH_STOP);
}

bool sched_end(uint32_t slot, uint32_t state)
{
	struct lead_private *p = &lead_private[slot];
	struct lead_slot *s = &lead_area.slot[slot];

	if (p->on != CPU_NONE) { /* its CPU does it, in settle() */
		p->end = state;
		want(&cpus[p->on], SWITCH_STOP);
		return false;
	}
	if (state == SLOT_PAUSED) {
		p->paused = s->state;
		if (s->state == SLOT_WAITING)
			p->ready_ns = now_ns();
	} else {
		s->stop_ns = now_ns();
	}
	s->state = state;
	sched_blocked(slot);
	return true;
}

bool sched_resume(uint32_t slot)
{
	struct lead_private *p = &lead_private[slot];
	struct lead_slot *s = &lead_area.slot[slot];
	uint64_t now = now_ns();

	if (s->state != SLOT_PAUSED)
		return false;
	s->stolen_ns += now - p->ready_ns;
	p->ready_ns = p->slept_ns = now;
	s->state = p->paused;
	if (s->state == SLOT_WAITING && !(pending_of(s) & s->wait_mask) &&
	    s->deadline_ns > now)
		enlist(slot);
	else
		sched_runnable(slot);
	return true;
}

bool sched_left_behind(uint32_t slot)
{
	return __atomic_load_n(&lead_private[slot].on, __ATOMIC_ACQUIRE) ==
	       CPU_NONE;
}

/* ---- events ------------------------------------------------------------- */

static void post(uint32_t slot, uint64_t events)
{
	struct lead_private *p = &lead_private[slot];
	struct lead_slot *s = &lead_area.slot[slot];

	__atomic_fetch_or(&s->pending, events, __ATOMIC_ACQ_REL);
	if (s->state == SLOT_WAITING && (pending_of(s) & s->wait_mask))
		sched_runnable(slot);
	else if (p->on != CPU_NONE)
		look(&cpus[p->on]); /* it may end a user run */
}

bool sched_post(uint32_t slot, uint64_t number, uint64_t events)
{
	bool same;

	lead_lock();
	same = lead_area.slot[slot].state != SLOT_FREE &&
	       (!number || lead_area.slot[slot].number == number);
	if (same)
		post(slot, events);
	lead_unlock();
	return same;
}

void sched_urge(uint32_t slot)
{
	struct lead_private *p = &lead_private[slot];

	lead_lock();
	if (p->scheduled && p->standing && live(lead_area.slot[slot].state)) {
		if (p->budget_ns < BUDGET_MIN_NS)
			p->budget_ns = p->quantum_ns;
		p->boosted = true;
		p->urgent = true;
		rerank(slot);
		contend(cpu_of(slot), slot);
	}
	lead_unlock();
}

void sched_calm(uint32_t slot)
{
	if (!lead_private[slot].urgent) /* only who runs here is asked for */
		return;
	lead_lock();
	lead_private[slot].urgent = false;
	rerank(slot);
	want(this_cpu(), SWITCH_WAKE); /* whom it went before */
	lead_unlock();
}

static void charge(const struct cpu *c, uint32_t slot, uint64_t ns)
{
	struct lead_private *p = &lead_private[slot];

	if (!(c->owners & 1u << slot))
		p->share += ns * p->inverse >> 8;
}

/* As if it had used its quantum up. */
void sched_yield(struct cpu *c)
{
	uint32_t slot = lead_area.cpu[c->index].current;
	struct lead_private *p = &lead_private[slot];

	lead_lock();
	charge(c, slot, p->budget_ns ?: p->quantum_ns);
	p->budget_ns = 0;
	p->boosted = false;
	p->urgent = false;
	rerank(slot);
	lead_unlock();
	sched_attend(c, SWITCH_YIELD);
}

/* ---- a new schedule ----------------------------------------------------- */

uint64_t sched_window(const struct lead_schedule *s, uint32_t cpu, uint32_t i)
{
	uint64_t ns = s->window[cpu][i].length_us * 1000ull;

	return ns > 1000000000 ? 0 : ns;
}

static void publish_windows(const struct lead_schedule *s, struct cpu *c,
			    uint64_t now)
{
	uint32_t n = 0, owners = 0;
	bool same = true;

	for (; n < SCHEDULE_WINDOWS; n++) {
		uint32_t slot = s->window[c->index][n].slot;
		uint64_t ns = sched_window(s, c->index, n);

		if (!ns)
			break;
		if (slot >= PART_SLOTS)
			slot = LEAD_SLOT_NONE;
		else
			owners |= 1u << slot;
		same = same && c->frame[n].slot == slot &&
		       c->frame[n].length_ns == ns;
		c->frame[n].slot = slot;
		c->frame[n].length_ns = (uint32_t)ns;
	}
	c->owners = owners;
	if (same && n == c->windows)
		return; /* it goes on as it was */
	c->windows = n;
	c->window = 0;
	lead_area.cpu[c->index].window = 0;
	if (n)
		c->window_end_ns = now + c->frame[0].length_ns;
}

static void publish_entry(const struct lead_schedule *s, uint32_t i,
			  uint64_t now)
{
	uint32_t slot = s->entry[i].slot, cpu = s->entry[i].cpu;
	struct lead_private *p = &lead_private[slot];
	uint32_t weight = s->entry[i].weight ?: SCHEDULE_WEIGHT;

	if (p->cpu != cpu) { /* what it is ahead of the round by, there too */
		uint64_t floor = cpus[p->cpu].floor;

		p->share = cpus[cpu].floor +
			   (p->share > floor ? p->share - floor : 0);
	}
	p->scheduled = true;
	p->cpu = cpu;
	p->standing = s->entry[i].standing < URGENT ? s->entry[i].standing
						    : URGENT - 1;
	p->quantum_ns = (s->entry[i].quantum_us ?: 1) * 1000ull;
	if (p->budget_ns > p->quantum_ns)
		p->budget_ns = p->quantum_ns;
	p->inverse = SHARE_ONE / weight;
	p->cap_ns = SCHEDULE_CAP_NS / 1000 * s->entry[i].cap;
	lead_area.slot[slot].cpu = cpu;
	if (!p->standing) { /* nothing of another standing that it had */
		cpus[cpu].idle |= 1u << slot;
		p->boosted = p->urgent = p->spent = false;
	}
	if (p->cap_ns && p->cap_used_ns >= p->cap_ns && p->cap_until_ns > now)
		cpus[cpu].capped |= 1u << slot;
	else
		catch_up(p);
	rerank(slot);
}

void sched_publish(const struct lead_schedule *s)
{
	uint64_t now = now_ns();

	lead_lock();
	for (uint32_t i = 0; i < lead_area.cpu_count; i++) {
		struct cpu *c = &cpus[i];

		c->ready = c->timed = c->alarmed = c->capped = c->idle = 0;
		c->due_ns = 0;
		publish_windows(s, c, now);
	}
	for (uint32_t i = 0; i < PART_SLOTS; i++)
		lead_private[i].scheduled = false;
	for (uint32_t i = 0; i < PART_SLOTS; i++) {
		if (s->entry[i].slot >= PART_SLOTS)
			break;
		if (s->entry[i].cpu < lead_area.cpu_count)
			publish_entry(s, i, now);
	}
	for (uint32_t i = 0; i < PART_SLOTS; i++)
		if (lead_area.slot[i].state != SLOT_FREE)
			enlist(i);
	for (uint32_t i = 0; i < lead_area.cpu_count; i++)
		want(&cpus[i], SWITCH_QUANTUM);
	lead_unlock();
}

/* ---- time (with the lock) ----------------------------------------------- */

/* What it used of its cap's period; the period may have ended. */
static void charge_cap(struct cpu *c, uint32_t slot, uint64_t ran, uint64_t now)
{
	struct lead_private *p = &lead_private[slot];

	if (now >= p->cap_until_ns) {
		p->cap_used_ns = 0;
		/* One period follows the other, however late this is. */
		p->cap_until_ns += SCHEDULE_CAP_NS;
		if (now >= p->cap_until_ns)
			p->cap_until_ns = now + SCHEDULE_CAP_NS;
	}
	p->cap_used_ns += ran;
	if (p->cap_used_ns >= p->cap_ns) {
		c->capped |= 1u << slot;
		sooner(&c->due_ns, p->cap_until_ns);
	}
}

/* Who runs is charged until now; its rank is then another. */
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
		uint64_t paid = ran * BOOST_SHARE;

		c->boosted_ns -= paid < c->boosted_ns ? paid : c->boosted_ns;
		if (!c->boosted_ns)
			c->guard = false;
	}
	charge(c, slot, ran);
	if (p->cap_ns)
		charge_cap(c, slot, ran, now);
	p->budget_ns -= ran < p->budget_ns ? ran : p->budget_ns;
	if (p->budget_ns < BUDGET_MIN_NS) {
		p->budget_ns = 0;
		p->spent = true;
		p->boosted = false;
		p->urgent = false;
	}
}

static uint64_t earliest(const struct cpu *c)
{
	uint64_t at = NEVER;

	for (uint32_t m = c->timed; m; m &= m - 1)
		sooner(&at, lead_area.slot[__builtin_ctz(m)].deadline_ns);
	for (uint32_t m = c->alarmed; m; m &= m - 1)
		sooner(&at, lead_private[__builtin_ctz(m)].alarm_ns);
	for (uint32_t m = c->capped; m; m &= m - 1)
		sooner(&at, lead_private[__builtin_ctz(m)].cap_until_ns);
	return at;
}

static void rearm(struct cpu *c, uint64_t now)
{
	struct lead_cpu *lc = &lead_area.cpu[c->index];
	uint64_t at, end = NEVER;

	if (!c->due_ns)
		c->due_ns = earliest(c);
	at = c->due_ns;
	if (lc->current != LEAD_SLOT_NONE) {
		const struct lead_private *p = &lead_private[lc->current];

		if (p->standing) {
			end = c->run_start_ns + p->budget_ns;
			if (p->cap_ns)
				sooner(&end, c->run_start_ns + p->cap_ns -
						     p->cap_used_ns);
			sooner(&at, end);
		}
		sooner(&at, lead_area.slot[lc->current].deadline_ns);
	}
	lc->quantum_end_ns = end;
	if (c->windows)
		sooner(&at, c->window_end_ns);
	c->armed_ns = at;
	timer_arm(at, now);
}

void sched_deadline(struct cpu *c, uint64_t at_ns)
{
	if (at_ns >= c->armed_ns)
		return;
	c->armed_ns = at_ns;
	timer_arm(at_ns, now_ns());
}

void sched_alarm(struct cpu *c, uint64_t at_ns)
{
	uint32_t slot = lead_area.cpu[c->index].current;

	lead_lock();
	lead_private[slot].alarm_ns = at_ns;
	enlist(slot);
	lead_unlock();
	sched_deadline(c, at_ns);
}

static void turn_windows(struct cpu *c, uint64_t now)
{
	while (c->windows && c->window_end_ns <= now) {
		c->window = c->window + 1 == c->windows ? 0 : c->window + 1;
		c->window_end_ns += c->frame[c->window].length_ns;
		lead_area.cpu[c->index].window = c->window;
		want(c, SWITCH_WINDOW);
	}
}

/* All that is due. */
static void tick(struct cpu *c, uint64_t now)
{
	uint32_t slot = lead_area.cpu[c->index].current;

	account(c, now);
	if (slot != LEAD_SLOT_NONE)
		rerank(slot);
	turn_windows(c, now);
	if (c->due_ns <= now)
		c->due_ns = 0;
	for (uint32_t m = c->timed; m; m &= m - 1) {
		uint32_t s = (uint32_t)__builtin_ctz(m);

		if (lead_area.slot[s].deadline_ns <= now)
			sched_runnable(s);
	}
	for (uint32_t m = c->alarmed; m; m &= m - 1) {
		uint32_t s = (uint32_t)__builtin_ctz(m);

		if (lead_private[s].alarm_ns <= now) {
			lead_private[s].alarm_ns = NEVER;
			c->alarmed &= ~(1u << s);
			post(s, EVENT_ALARM);
		}
	}
	for (uint32_t m = c->capped; m; m &= m - 1) {
		uint32_t s = (uint32_t)__builtin_ctz(m);

		if (lead_private[s].cap_until_ns <= now) {
			lead_private[s].cap_used_ns = 0;
			c->capped &= ~(1u << s);
			catch_up(&lead_private[s]);
			rerank(s);
			want(c, SWITCH_QUANTUM);
		}
	}
	if (slot != LEAD_SLOT_NONE) {
		if ((lead_private[slot].standing &&
		     !lead_private[slot].budget_ns) ||
		    c->capped & 1u << slot)
			want(c, SWITCH_QUANTUM);
		if (lead_area.slot[slot].deadline_ns <= now)
			VCPU->attention = 1;
	}
	if (!c->resched)
		rearm(c, now);
}

void sched_tick(struct cpu *c)
{
	lead_lock();
	tick(c, now_ns());
	lead_unlock();
}

void sched_look(struct cpu *c)
{
	uint32_t slot = lead_area.cpu[c->index].current;
	struct lead_private *p = &lead_private[slot];

	sched_tick(c);
	if (slot == LEAD_SLOT_NONE)
		return;
	VCPU->attention = 1;
	if (p->sync_done != p->sync_want) {
		uint32_t now = p->sync_want;

		view_refresh();
		__atomic_store_n(&p->sync_done, now, __ATOMIC_RELEASE);
	}
}

/* ---- the choice and the switch (with the lock) -------------------------- */

static uint32_t pick(struct cpu *c)
{
	uint32_t can = c->ready & ~c->capped & allowed(c);
	uint32_t first = LEAD_SLOT_NONE, turn = LEAD_SLOT_NONE;
	uint64_t best = 0, round = 0;

	if (can & c->idle)
		first = (uint32_t)__builtin_ctz(can & c->idle);
	for (uint32_t m = can & ~c->idle; m; m &= m - 1) {
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
	if (lead_private[turn].share > c->floor)
		c->floor = lead_private[turn].share;
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
void vcpu_load(void)
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

/* Who runs here was asked to end or pause. */
static void settle_end(struct lead_private *p, struct lead_slot *s,
		       uint32_t slot, uint64_t now)
{
	if (live(s->state) || s->state == SLOT_WAITING) {
		p->paused =
			s->state == SLOT_WAITING ? SLOT_WAITING : SLOT_READY;
		p->ready_ns = now;
		s->state = p->end;
		if (s->state == SLOT_STOPPED)
			s->stop_ns = now;
	}
	p->end = 0;
	sched_blocked(slot);
}

/* What it asked for itself, or others of it, before anybody is chosen. */
static void settle(struct cpu *c, uint32_t slot, uint64_t now)
{
	struct lead_private *p = &lead_private[slot];
	struct lead_slot *s = &lead_area.slot[slot];

	/* A broken instance does not sleep: it goes on, to be found out. */
	if (s->state == SLOT_RUNNING && VCPU->waiting == VCPU_WAITING &&
	    VCPU->slot == slot && !(pending_of(s) & s->wait_mask) &&
	    s->deadline_ns > now) {
		s->state = SLOT_WAITING;
		p->boosted = false;
		p->urgent = false;
		c->ready &= ~(1u << slot);
		if (s->deadline_ns != NEVER && p->cpu == c->index) {
			c->timed |= 1u << slot;
			sooner(&c->due_ns, s->deadline_ns);
		}
	} else {
		rerank(slot); /* account() has charged it */
	}
	if (p->end)
		settle_end(p, s, slot, now);
}

static void leave(struct cpu *c, uint32_t was, uint64_t now)
{
	struct lead_private *p = &lead_private[was];
	struct lead_slot *s = &lead_area.slot[was];

	c->left = was;
	if (s->state == SLOT_RUNNING) {
		s->state = SLOT_READY;
		p->ready_ns = now;
	}
	p->slept_ns = now; /* if it sleeps */
	if (s->state != SLOT_CRASHED)
		save();
}

/* It is to run elsewhere from now on.  Apart, so that a switch that moves
 * nobody saves no registers for it. */
static __attribute__((noinline)) void move(uint32_t slot)
{
	enlist(slot);
	if (live(lead_area.slot[slot].state))
		want(cpu_of(slot), SWITCH_WAKE);
}

/* The stack of who ran here is no longer in use. */
void sched_left(struct cpu *c)
{
	uint32_t was = c->left;

	c->left = LEAD_SLOT_NONE;
	if (was != LEAD_SLOT_NONE) {
		struct lead_private *p = &lead_private[was];

		__atomic_store_n(&p->on, CPU_NONE, __ATOMIC_RELEASE);
		if (p->cpu != c->index)
			move(was);
	}
	unlock_by(c);
}

static void enter(struct cpu *c, uint32_t next, uint64_t now)
{
	struct lead_private *p = &lead_private[next];
	struct lead_slot *s = &lead_area.slot[next];

	s->state = SLOT_RUNNING;
	s->switches++;
	s->stolen_ns += now - p->ready_ns;
	p->on = c->index;
}

void schedule(struct cpu *c)
{
	struct lead_cpu *lc = &lead_area.cpu[c->index];
	uint32_t was = lc->current, next, reason;
	uint64_t now;

	lock_by(c);
	now = now_ns();
	account(c, now);
	if (c->windows)
		turn_windows(c, now);
	if (was != LEAD_SLOT_NONE)
		settle(c, was, now);
	reason = c->resched;
	c->resched = 0;
	next = pick(c);
	if (next != LEAD_SLOT_NONE && !lead_private[next].budget_ns)
		lead_private[next].budget_ns = lead_private[next].quantum_ns;
	if (next == was && next != LEAD_SLOT_NONE) {
		rearm(c, now);
		unlock_by(c);
		return;
	}
	c->left = LEAD_SLOT_NONE;
	if (was != LEAD_SLOT_NONE)
		leave(c, was, now);
	c->in_fault = false;
	lc->current = next;
	lc->last_reason = reason;
	lc->switches++;
	if (next == LEAD_SLOT_NONE) {
		rearm(c, now);
		idle_here((uint64_t)stacks[c->index].idle +
				  sizeof(stacks[0].idle),
			  (uint64_t)lead_pml4 - MONITOR_VA + IMAGE_PA, c);
	}
	enter(c, next, now);
	rearm(c, now);
	switch_to(lead_area.slot[next].cr3, c);
}

/* The call that waits has its result. */
static void end_wait(struct vcpu *v, struct lead_slot *s)
{
	v->waiting = 0;
	v->regs.rax = pending_take(s, s->wait_mask);
	s->wait_mask = 0;
	s->deadline_ns = NEVER;
}

/* The other side of the switch: on the target's stack, in its instance. */
void monitor_resume(struct cpu *c)
{
	struct vcpu *v = VCPU;
	uint32_t slot = lead_area.cpu[c->index].current;
	struct lead_slot *s = &lead_area.slot[slot];

	sched_left(c); /* from here on a fault is this partition's */
	if (v->slot != slot)
		__builtin_trap();
	vcpu_load();
	view_refresh();
	if (v->waiting)
		end_wait(v, s);
	v->attention = 0;
	if (v->in_user) {
		if (v->cr3 != s->cr3)
			load_cr3(v->cr3);
		user_deliver();
	} else {
		upcall_deliver();
	}
}

/* The end of every entry that was asked to look. */
void monitor_leave(void)
{
	struct cpu *c = this_cpu();
	struct vcpu *v = VCPU;

	v->attention = 0;
	if (c->checked)
		check_tell(c);
	if (c->resched)
		schedule(c);
	if (v->waiting)
		end_wait(v, &lead_area.slot[v->slot]);
	if (v->in_user)
		user_deliver();
	else
		upcall_deliver();
}
