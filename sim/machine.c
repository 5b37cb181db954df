/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/machine.c - the run loop: whose turn it is, how far it may go, and what
 * happens then.
 *
 * Why a run can be cut anywhere.  The machine has one history: a fixed order of
 * instructions and events.  machine_run(until) goes along it and stops before
 * the first instruction that would begin at `until` or later, and after all
 * events up to `until`.  Nothing that decides the order may know of `until`:
 * turns, quanta and the clocks' epochs live in struct machine and move only
 * where the history says so; `until` only shortens a cpu_run(), which is exact.
 *
 * Start with machine_run(), at the end.
 */
#include "sim/machine.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/check.h"
#include "sim/digest.h"
#include "sim/machine_internal.h"
#include "sim/ramscan.h"
#include "sim/trace/trace.h"

/* --- time --- */

static ps_t instructions_ps(const struct machine *m, uint64_t count)
{
	/* Asked for at every record: most rates need no division. */
	if (m->ps_whole)
		return count * m->ps_whole;
	return (ps_t)((unsigned __int128)count * PS_PER_S / m->config.cpu_hz);
}

/* The least count that takes at least `ps`; UINT64_MAX when there is none. */
static uint64_t instructions_in(const struct machine *m, ps_t ps)
{
	unsigned __int128 count = (unsigned __int128)ps * m->config.cpu_hz;

	count = (count + PS_PER_S - 1) / PS_PER_S;
	return count > UINT64_MAX ? UINT64_MAX : (uint64_t)count;
}

/* The same of ticks. */
static ps_t ticks_ps(const struct machine *m, uint64_t ticks)
{
	unsigned __int128 ps = (unsigned __int128)ticks * PS_PER_S;

	return (ps_t)(ps / m->config.cpu_hz / TIMING_TICKS_PER_CYCLE);
}

uint64_t machine_ticks_of(const struct machine *m, ps_t ps)
{
	return (uint64_t)((unsigned __int128)ps * m->config.cpu_hz *
			  TIMING_TICKS_PER_CYCLE / PS_PER_S);
}

static uint64_t ticks_in(const struct machine *m, ps_t ps)
{
	unsigned __int128 ticks = (unsigned __int128)ps * m->config.cpu_hz *
				  TIMING_TICKS_PER_CYCLE;

	ticks = (ticks + PS_PER_S - 1) / PS_PER_S;
	return ticks > UINT64_MAX ? UINT64_MAX : (uint64_t)ticks;
}

ps_t vcpu_when(const struct machine *m, const struct vcpu *v, uint64_t retired)
{
	if (m->timing != TIMING_FLAT)
		return v->base_ps +
		       ticks_ps(m, cpu_ticks(v->cpu) - v->base_ticks);
	return v->base_ps + instructions_ps(m, retired - v->base_retired);
}

ps_t vcpu_now(const struct machine *m, const struct vcpu *v)
{
	return vcpu_when(m, v, cpu_retired(v->cpu));
}

static void vcpu_clock_set(struct vcpu *v, ps_t now)
{
	v->base_ps = now;
	v->base_retired = cpu_retired(v->cpu);
	v->base_ticks = cpu_ticks(v->cpu);
}

void vcpu_catch_up(struct machine *m, struct vcpu *v)
{
	ps_t now = vcpu_now(m, v);

	if (now >= evq_now(m->evq))
		return;
	v->halted_ps += evq_now(m->evq) - now;
	vcpu_clock_set(v, evq_now(m->evq));
}

void vcpu_wake(struct machine *m, struct vcpu *v)
{
	if (v->wait_sipi || cpu_halted(v->cpu))
		vcpu_catch_up(m, v);
}

void vcpu_reset(struct machine *m, struct vcpu *v)
{
	ps_t now = vcpu_now(m, v);

	cpu_reset(v->cpu);
	vcpu_clock_set(v, now);
	v->next_fold = v->base_retired -
		       v->base_retired % m->config.digest_interval +
		       m->config.digest_interval;
	v->nmi = false;
	v->init_pending = false;
	v->wait_sipi = v != &m->vcpu[0];
}

/* SDM 3A table 9-1, "INIT": what it leaves as it was. */
void vcpu_init(struct machine *m, struct vcpu *v)
{
	const uint64_t cache_bits = UINT64_C(0x60000000); /* CD, NW */
	struct cpu_regs was, regs;

	cpu_regs_get(v->cpu, &was);
	vcpu_reset(m, v);
	cpu_regs_get(v->cpu, &regs);
	regs.cr0 = (regs.cr0 & ~cache_bits) | (was.cr0 & cache_bits);
	regs.star = was.star;
	regs.lstar = was.lstar;
	regs.cstar = was.cstar;
	regs.sfmask = was.sfmask;
	regs.kernel_gs_base = was.kernel_gs_base;
	regs.sysenter_cs = was.sysenter_cs;
	regs.sysenter_esp = was.sysenter_esp;
	regs.sysenter_eip = was.sysenter_eip;
	regs.pat = was.pat;
	regs.tsc_aux = was.tsc_aux;
	memcpy(regs.mtrr, was.mtrr, sizeof(regs.mtrr));
	memcpy(regs.mca, was.mca, sizeof(regs.mca));
	memcpy(regs.fxsave, was.fxsave, sizeof(regs.fxsave));
	cpu_regs_set(v->cpu, &regs);
}

ps_t machine_now(const struct machine *m)
{
	ps_t now = evq_now(m->evq);

	if (m->observing)
		return vcpu_now(m, m->running);
	return m->in_run || m->stood < now ? now : m->stood;
}

ps_t machine_cpu_now(const struct machine *m, unsigned cpu)
{
	CHECK(cpu < m->config.cpu_count);
	return vcpu_now(m, &m->vcpu[cpu]);
}

/* --- turns --- */

static bool can_run(const struct vcpu *v)
{
	if (v->wait_sipi)
		return false;
	return !cpu_halted(v->cpu) || v->nmi ||
	       (v->intr && cpu_interruptible(v->cpu));
}

bool vcpu_sleeps(const struct vcpu *v)
{
	return !can_run(v);
}

bool machine_others_wait(const struct machine *m)
{
	for (unsigned i = 0; i < m->config.cpu_count; i++) {
		const struct vcpu *v = &m->vcpu[i];

		if (v != m->running && can_run(v) && vcpu_now(m, v) < m->bound)
			return true;
	}
	return false;
}

static bool anyone_can_run(const struct machine *m)
{
	for (unsigned i = 0; i < m->config.cpu_count; i++) {
		if (can_run(&m->vcpu[i]))
			return true;
	}
	return false;
}

/* Who works next before `bound`; NULL when everyone is there or halted. */
static struct vcpu *whose_turn(struct machine *m, ps_t bound)
{
	unsigned count = m->config.cpu_count;

	for (unsigned i = 0; i < count; i++) {
		unsigned at = (m->turn + i) % count;
		struct vcpu *v = &m->vcpu[at];

		if (can_run(v) && vcpu_now(m, v) < bound) {
			m->turn = at;
			return v;
		}
	}
	return NULL;
}

/* A CPU's deadline never passes next_fold, so it stands exactly there once,
 * however the run is cut.  That is one more stop, about 0.5 us of host time, in
 * 100,000 instructions; folding at events alone would be free but leave
 * bisection without regular intervals when a guest computes for long. */
static void fold_registers(struct machine *m, struct vcpu *v)
{
	struct cpu_regs regs;

	cpu_regs_get(v->cpu, &regs);
	machine_fold(m, &regs, sizeof(regs));
	v->next_fold += m->config.digest_interval;
}

/* Where turns pass from one CPU to another is the machine's history; that they
 * are cut by `until` is not seen here. */
static void turn_passes(struct machine *m, struct vcpu *v)
{
	struct vcpu *before = m->worked;

	m->worked = v;
	if (!before || before == v || !m->observer.turn_over)
		return;
	m->running = before;
	m->observing = true;
	m->observer.turn_over(m->observer.owner, m, before->cpu);
	m->observing = false;
	m->running = NULL;
}

/* How many instructions `v` may retire before machine_set_limit()'s count. */
static uint64_t room(const struct machine *m, const struct vcpu *v)
{
	uint64_t retired;

	if (m->limit == MACHINE_NO_LIMIT ||
	    (m->limit_cpu != MACHINE_ALL_CPUS && v != &m->vcpu[m->limit_cpu]))
		return UINT64_MAX;
	retired = m->limit_cpu == MACHINE_ALL_CPUS ? machine_retired(m)
						   : cpu_retired(v->cpu);
	return retired < m->limit ? m->limit - retired : 0;
}

void machine_set_limit(struct machine *m, unsigned cpu, uint64_t retired)
{
	CHECK(cpu == MACHINE_ALL_CPUS || cpu < m->config.cpu_count);
	m->limit_cpu = cpu;
	m->limit = retired;
}

/* Tells the CPU until when it may work: the retired count, if time is counted
 * by that. */
static uint64_t deadline_of(const struct machine *m, struct vcpu *v, ps_t limit)
{
	bool flat = m->timing == TIMING_FLAT;
	uint64_t deadline = flat ? v->base_retired : v->base_ticks;
	uint64_t more = flat ? instructions_in(m, limit - v->base_ps)
			     : ticks_in(m, limit - v->base_ps);

	if (__builtin_add_overflow(deadline, more, &deadline))
		deadline = UINT64_MAX;
	if (flat)
		return deadline;
	cpu_set_ticks_deadline(v->cpu, deadline);
	return UINT64_MAX;
}

/* Lets `v` work until `limit`, or for whatever reason the CPU stops. */
static enum cpu_stop work(struct machine *m, struct vcpu *v, ps_t limit)
{
	uint64_t before = cpu_retired(v->cpu);
	uint64_t until = m->trace ? machine_observe(m, v, &limit) : UINT64_MAX;
	uint64_t deadline = deadline_of(m, v, limit);
	enum cpu_stop stop;

	if (deadline > v->next_fold)
		deadline = v->next_fold;
	if (deadline - before > m->stop_at - machine_retired(m))
		deadline = before + (m->stop_at - machine_retired(m));
	if (deadline - before > room(m, v))
		deadline = before + room(m, v);
	if (deadline - before > until - before)
		deadline = until;
	v->nmi = false;
	m->running = v;
	cpu_set_clock(v->cpu, ticks_in(m, v->base_ps) - v->base_ticks);
	stop = cpu_run(v->cpu, deadline);
	m->running = NULL;

	v->base_ps += v->cost;
	v->cost = 0;
	if (cpu_retired(v->cpu) == v->next_fold)
		fold_registers(m, v);
	if (v->init_pending)
		vcpu_init(m, v);
	CHECK_MSG(stop != CPU_STOP_HALT || cpu_retired(v->cpu) > before ||
			  !can_run(v),
		  "cpu%u halts although an interrupt can be taken", m->turn);
	return stop;
}

/* --- the loop --- */

static bool ended(struct machine *m, enum machine_stop *why)
{
	if (m->reset_cause)
		machine_reset_now(m);
	if (m->broken)
		*why = MACHINE_BROKEN;
	else if (m->off)
		*why = MACHINE_OFF;
	else if (m->shutdown)
		*why = MACHINE_SHUTDOWN;
	else if (m->reset)
		*why = MACHINE_RESET;
	else if (m->stop_requested)
		*why = MACHINE_REQUESTED;
	else if (machine_retired(m) >= m->stop_at)
		*why = MACHINE_COUNT;
	else
		return false;
	if (*why == MACHINE_COUNT)
		m->stop_at = UINT64_MAX;
	m->stop_requested = false;
	return true;
}

/* One turn, or a piece of it.  True: the run is over, for reason *why. */
static bool take_turn(struct machine *m, struct vcpu *v, ps_t until,
		      enum machine_stop *why)
{
	if (vcpu_now(m, v) >= until) {
		*why = MACHINE_UNTIL;
		return true;
	}
	if (!room(m, v)) {
		*why = MACHINE_LIMITED;
		return true;
	}
	turn_passes(m, v);
	switch (work(m, v, m->bound < until ? m->bound : until)) {
	case CPU_STOP_PAUSE:
		m->turn = (m->turn + 1) % m->config.cpu_count;
		break;
	case CPU_STOP_SHUTDOWN:
		/* The chip set answers the shutdown cycle by a reset. */
		if (m->config.on_reset == MACHINE_RESET_BOOTS)
			m->reset_cause = "triple fault";
		else
			m->shutdown = true;
		break;
	case CPU_STOP_BROKEN:
		m->broken = true;
		m->broken_text = cpu_broken_text(v->cpu);
		break;
	case CPU_STOP_BREAK:
		if (ended(m, why))
			return true;
		*why = MACHINE_BREAK;
		return true;
	case CPU_STOP_WATCH:
		if (ended(m, why))
			return true;
		*why = MACHINE_WATCH;
		return true;
	case CPU_STOP_DEADLINE:
	case CPU_STOP_KICK:
	case CPU_STOP_HALT:
		break;
	}
	if (ended(m, why))
		return true;
	*why = MACHINE_LIMITED;
	return !room(m, v);
}

static void give_back(struct machine *m)
{
	struct cpu_ram ram[BUS_RAM_REGIONS];
	size_t count = bus_ram_regions(m->bus, ram);

	cpu_complex_trim(m->complex);
	/* It looks at all of RAM, so the longer it sleeps the rarer. */
	if (m->slept & (m->slept - 1))
		return;
	for (size_t i = 0; i < count; i++)
		ramscan_give_back(&ram[i]);
}

/* Once in a while a machine that sleeps most of the time gives back what its
 * busy time took of the host.  Nothing that the guest or a digest knows. */
static void trim_if_idle(struct machine *m, ps_t now)
{
	uint64_t done = machine_retired(m) - m->lately_retired;

	if (now - m->lately < PS_PER_S)
		return;
	m->slept = done < m->config.cpu_hz / 20 ? m->slept + 1 : 0;
	if (m->slept)
		give_back(m);
	m->lately = now;
	m->lately_retired += done;
}

/* Everyone has come to the bound or sleeps: events, the next quantum. */
static bool pass_time(struct machine *m, ps_t until, enum machine_stop *why)
{
	ps_t to = m->bound;

	if (!anyone_can_run(m)) {
		to = evq_next(m->evq);
		if (to == PS_NEVER) {
			*why = MACHINE_DEADLOCK;
			return true;
		}
		trim_if_idle(m, evq_now(m->evq));
	}
	if (to > until) {
		*why = MACHINE_UNTIL;
		return true;
	}
	evq_advance(m->evq, to);
	if (to >= m->quantum_end)
		m->quantum_end =
			to - to % m->config.quantum_ps + m->config.quantum_ps;
	m->turn = 0;
	return ended(m, why);
}

static void describe(void *owner, char *buf, size_t bytes)
{
	struct machine *m = owner;

	snprintf(buf, bytes,
		 "at %" PRIu64 " ps, cpu%u, %" PRIu64
		 " instructions retired, seed %" PRIu64 ", kernel %s",
		 evq_now(m->evq), m->turn, machine_retired(m), m->config.seed,
		 m->config.kernel ? m->config.kernel : "(none)");
}

/* Where a run has stopped before `until`; `worked`: in whose turn, NULL:
 * between turns.  Whose turn comes next may stand still (machine_stall()),
 * ahead of all: time is not there yet. */
static ps_t stands_at(const struct machine *m, const struct vcpu *worked,
		      ps_t until)
{
	const struct vcpu *next = &m->vcpu[m->turn];
	ps_t now = vcpu_now(m, next);

	if (until > m->quantum_end)
		until = m->quantum_end;
	if (next == worked || now <= until)
		return now;
	return worked ? vcpu_now(m, worked) : evq_now(m->evq);
}

enum machine_stop machine_run(struct machine *m, ps_t until)
{
	struct vcpu *v = NULL;
	enum machine_stop why;

	CHECK_MSG(!m->in_run, "machine_run() from within a run");
	check_set_context(describe, m);
	m->in_run = true;
	if (!ended(m, &why)) {
		do {
			m->bound = evq_next(m->evq);
			if (m->bound > m->quantum_end)
				m->bound = m->quantum_end;
			v = whose_turn(m, m->bound);
		} while (v ? !take_turn(m, v, until, &why)
			   : !pass_time(m, until, &why));
	}
	m->in_run = false;
	check_set_context(NULL, NULL);

	if (why != MACHINE_UNTIL)
		until = stands_at(m, v, until);
	if (m->stood < until)
		m->stood = until;
	return why;
}

void machine_stop_soon(struct machine *m)
{
	if (m->running)
		cpu_kick(m->running->cpu);
}

void machine_request_stop(struct machine *m)
{
	m->stop_requested = true;
	machine_stop_soon(m);
}

void machine_stop_at(struct machine *m, uint64_t retired)
{
	m->stop_at = retired;
}

/* A quantum in which others run meanwhile is not cut short for it: whoever is
 * behind the bound is passed over (whose_turn()). */
void machine_stall(struct machine *m, unsigned cpu, ps_t ps)
{
	struct vcpu *v = &m->vcpu[cpu];

	CHECK(!m->in_run && cpu < m->config.cpu_count);
	vcpu_catch_up(m, v);
	v->stalled_ps += ps;
	vcpu_clock_set(v, vcpu_now(m, v) + ps);
}

/* What a clock says stays; from there it counts otherwise. */
bool machine_set_timing(struct machine *m, enum timing_model model,
			struct error *err)
{
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_TIMING),
		.value = {{.s = timing_model_name[model]}},
	};

	CHECK(!m->in_run && model < TIMING_MODEL_COUNT);
	if (m->timing == model)
		return true;
	if (!cpu_complex_set_timing(m->complex, model, m->config.profile, err))
		return false;
	for (unsigned i = 0; i < m->config.cpu_count; i++) {
		vcpu_clock_set(&m->vcpu[i], vcpu_now(m, &m->vcpu[i]));
		cpu_set_ticks_deadline(m->vcpu[i].cpu, UINT64_MAX);
	}
	m->timing = model;
	machine_emit(m, &r);
	return true;
}

enum timing_model machine_timing(const struct machine *m)
{
	return m->timing;
}

void machine_off(struct machine *m, uint32_t code)
{
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_OFF),
		.value = {{.u = code}},
	};

	if (m->off)
		return;
	m->off = true;
	m->off_code = code;
	machine_emit(m, &r);
	machine_stop_soon(m);
}

uint32_t machine_off_code(const struct machine *m)
{
	return m->off_code;
}

void machine_host_failed(struct machine *m, const char *fmt, ...)
{
	va_list ap;

	if (m->broken) /* the first reason is the one to tell */
		return;
	va_start(ap, fmt);
	vsnprintf(m->host_failure, sizeof(m->host_failure), fmt, ap);
	va_end(ap);
	m->broken = true;
	m->broken_text = m->host_failure;
	machine_stop_soon(m);
}

const char *machine_broken_text(const struct machine *m)
{
	return m->broken_text ? m->broken_text : "";
}

unsigned machine_stopped_cpu(const struct machine *m)
{
	return m->turn;
}
