/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/debug_run.c - the machine runs under a debugger: why it stops, how
 * a step ends.  Start with on_run(), at the end.
 *
 * Every stop is a cut of machine_run() at a boundary where it could have been
 * cut anyhow; events (records, ring changes) ask for one from within.
 *
 * A step is one instruction of a thread.  When an interrupt comes before it,
 * the handler runs unseen until the thread is back where it was, and the
 * instruction is tried again; a halted CPU steps into it, for it has nothing
 * else to do.  A thread of a partition steps within ring 3: its
 * monitor's work, and others' turns, are run through.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/debug/debug_internal.h"
#include "sim/trace/trace.h"

void debug_halt(struct debug *d, enum debug_why why, unsigned cpu,
		const char *fmt, ...)
{
	va_list ap;

	d->halted = true;
	d->stop.why = why;
	d->stop.cpu = cpu;
	d->stop.id = debug_teller(
		d, d->plan.id.pid ? d->plan.id.pid : DEBUG_MACHINE, cpu);
	va_start(ap, fmt);
	vsnprintf(d->stop.text, sizeof(d->stop.text), fmt, ap);
	va_end(ap);
}

static const char *name_of(const struct debug *d, uint32_t index)
{
	return partition_view_name(d->s->view, index);
}

static double now_ms(const struct debug *d)
{
	return (double)machine_now(d->s->machine) / (double)PS_PER_MS;
}

/* --- conditions: from records, within a run --- */

void debug_drop_condition(struct debug *d, const struct debug_condition *c)
{
	size_t i = (size_t)(c - d->wants.condition);

	d->wants.condition[i] = d->wants.condition[--d->wants.condition_count];
	memset(d->switched, 0, sizeof(d->switched));
}

static void meet(struct debug *d, const struct debug_condition *c, unsigned cpu,
		 const char *fmt, ...) PRINTF_LIKE(4, 5);

static void meet(struct debug *d, const struct debug_condition *c, unsigned cpu,
		 const char *fmt, ...)
{
	char text[280];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	debug_halt(d, DEBUG_CONDITION, cpu, "[%u] %s", c->number, text);
	d->due = true;
	d->met = c->once ? c->number : 0;
	if (c->once && !d->scouting)
		debug_drop_condition(d, c);
	machine_request_stop(d->s->machine);
}

static bool crosses(const struct trace_record *r)
{
	return r->kind->number == TRACE_EV_MESSAGE ||
	       r->kind->number == TRACE_EV_BLOCK_REQUEST ||
	       r->kind->number == TRACE_EV_BLOCK_RESPONSE ||
	       r->kind->number == TRACE_EV_CONTROL;
}

static void look_at_record(struct debug *d, const struct debug_condition *c,
			   const struct trace_record *r)
{
	uint64_t v0 = r->value[0].u, v1 = r->value[1].u;

	switch (c->what) {
	case DEBUG_ON_SWITCH:
		if (r->kind->number == TRACE_EV_SWITCH && v1 &&
		    (!c->from || c->from == v0) && (!c->to || c->to == v1)) {
			d->switched[r->cpu] = c;
			d->switched_from[r->cpu] = (uint32_t)v0;
		}
		break;
	case DEBUG_ON_CALL:
		if (r->kind->number == TRACE_EV_SYSCALL && v0 == c->value)
			meet(d, c, r->cpu,
			     "%s makes call %" PRIu64 " %s(0x%" PRIx64
			     ", 0x%" PRIx64 ", 0x%" PRIx64 ") at %.6f ms",
			     name_of(d, r->partition), v0,
			     partition_call_text(v0), v1, r->value[2].u,
			     r->value[3].u, (double)r->time / PS_PER_MS);
		break;
	case DEBUG_ON_MESSAGE:
		if (crosses(r) && v0 == c->value)
			meet(d, c, r->cpu,
			     "%s on channel %" PRIu64 " by %s at %.6f ms",
			     r->kind->name, v0, name_of(d, r->partition),
			     (double)r->time / PS_PER_MS);
		break;
	case DEBUG_AT_TIME:
	case DEBUG_AT_COUNT:
		break;
	}
}

static void on_record(void *owner, unsigned machine,
		      const struct trace_record *r)
{
	struct debug *d = owner;

	if (d->seeking || !d->s || machine != d->s->index)
		return;
	/* Who is taken off the CPU again before it came to ring 3 is not where
	 * a switch went. */
	if (r->kind->number == TRACE_EV_SWITCH)
		d->switched[r->cpu] = NULL;
	/* One reason at a time. */
	for (size_t i = 0; i < d->wants.condition_count && !d->due; i++)
		look_at_record(d, &d->wants.condition[i], r);
}

/* --- context events, within a run --- */

static void entered_ring3(struct debug *d, unsigned cpu)
{
	const struct debug_condition *c = d->switched[cpu];
	uint32_t from = d->switched_from[cpu];
	struct debug_id id;

	if (c && !d->due) {
		d->switched[cpu] = NULL;
		meet(d, c, cpu, "%s -> %s on cpu%u at %.6f ms",
		     name_of(d, from),
		     name_of(d, partition_view_current(d->s->view, cpu)), cpu,
		     now_ms(d));
		return;
	}
	if (d->step.phase != STEP_ENTER || d->due)
		return;
	id = debug_thread_on(d, d->plan.id.pid, cpu);
	if (id.tid != d->plan.id.tid)
		return;
	d->due = true;
	d->step.phase = STEP_NONE;
	debug_halt(d, DEBUG_STEPPED, cpu, "%s", "");
	machine_request_stop(d->s->machine);
}

static void probe(void *owner, struct machine *m, struct cpu *cpu,
		  const struct cpu_context_record *r)
{
	const struct debug_probed *p = owner;
	struct debug *d = p->d;
	bool stepping =
		d->step.phase == STEP_ONE && d->step.cpu == cpu_index(cpu);

	debug_trail_note(&d->trail[p->s->index], p->s, cpu, r);
	if (d->seeking || p->s != d->s)
		return;
	switch (r->what) {
	case CPU_CTX_INTERRUPT:
		d->step.interrupted |= stepping;
		break;
	case CPU_CTX_EXCEPTION:
		/* Where its handler begins the step is over. */
		if (stepping && !d->due) {
			d->due = true;
			machine_request_stop(m);
		}
		break;
	case CPU_CTX_RING:
		if (r->value == 3)
			entered_ring3(d, cpu_index(cpu));
		break;
	case CPU_CTX_SOFTINT:
	case CPU_CTX_CR3:
	case CPU_CTX_SYSCALL:
		break;
	}
}

/* --- steps --- */

static bool is_partition(const struct debug_plan *p)
{
	return p->id.pid != DEBUG_MACHINE;
}

static void begin_step(struct debug *d)
{
	unsigned cpu = debug_thread_cpu(d, d->plan.id);

	d->step = (struct debug_step){.phase = STEP_ENTER, .cpu = cpu};
	if (cpu == CPU_COUNT_MAX)
		return;
	if (is_partition(&d->plan) &&
	    cpu_cpl(machine_cpu(d->s->machine, cpu)) != 3)
		return;
	d->step.phase = STEP_ONE;
	d->step.halted = cpu_halted(machine_cpu(d->s->machine, cpu));
	debug_context_of(machine_cpu(d->s->machine, cpu), &d->step.context);
	machine_set_limit(d->s->machine, cpu,
			  cpu_retired(machine_cpu(d->s->machine, cpu)) + 1);
}

static bool in_range(struct debug *d, unsigned cpu)
{
	uint64_t rip = cpu_rip(machine_cpu(d->s->machine, cpu));

	return d->plan.how == DEBUG_RANGE && rip >= d->plan.low &&
	       rip < d->plan.high;
}

/* The instruction was executed, or its exception's handler begins. */
static void one_done(struct debug *d)
{
	struct machine *m = d->s->machine;
	unsigned cpu = d->step.cpu;

	machine_set_limit(m, MACHINE_ALL_CPUS, MACHINE_NO_LIMIT);
	if (d->step.interrupted && !d->step.halted &&
	    !d->wants.into_interrupts) {
		d->step.phase = STEP_RETURN;
	} else if (is_partition(&d->plan) &&
		   (cpu_cpl(machine_cpu(m, cpu)) != 3 ||
		    debug_thread_cpu(d, d->plan.id) != cpu)) {
		d->step.phase = STEP_ENTER;
	} else if (in_range(d, cpu)) {
		begin_step(d);
	} else {
		d->step.phase = STEP_NONE;
		debug_halt(d, DEBUG_STEPPED, cpu, "%s", "");
	}
}

/* Back where the interrupt came?  Then the step begins anew. */
static bool returned(struct debug *d, unsigned cpu)
{
	struct debug_context now;

	if (d->step.phase != STEP_RETURN)
		return false;
	debug_context_of(machine_cpu(d->s->machine, cpu), &now);
	if (!debug_same_context(&now, &d->step.context))
		return false;
	if (d->plan.id.pid == DEBUG_MACHINE)
		d->plan.id.tid = cpu + 1;
	begin_step(d);
	return true;
}

/* --- why it stopped --- */

static bool where_it_began(const struct debug *d, unsigned cpu, uint64_t rip)
{
	return d->from[cpu].rip == rip &&
	       d->from[cpu].retired ==
		       cpu_retired(machine_cpu(d->s->machine, cpu));
}

static void on_break(struct debug *d)
{
	unsigned cpu = machine_stopped_cpu(d->s->machine);
	uint64_t rip = debug_linear_rip(machine_cpu(d->s->machine, cpu));

	if (returned(d, cpu) || where_it_began(d, cpu, rip))
		return;
	for (size_t i = 0; i < d->wants.break_count; i++) {
		const struct debug_break *b = &d->wants.brk[i];

		if (b->va != rip || !debug_thread_on(d, b->pid, cpu).tid)
			continue;
		if (b->number)
			debug_halt(d, DEBUG_BREAK, cpu, "[%u] breakpoint",
				   b->number);
		else
			debug_halt(d, DEBUG_BREAK, cpu, "%s", "");
		d->stop.id = debug_thread_on(d, b->pid, cpu);
		return;
	}
}

static void on_watch(struct debug *d)
{
	unsigned cpu = machine_stopped_cpu(d->s->machine);
	const struct cpu_watch_hit *hit =
		cpu_watch_hit(machine_cpu(d->s->machine, cpu));
	char number[16] = "";

	for (size_t i = 0; i < d->wants.watch_count; i++) {
		const struct debug_watch *w = &d->wants.watch[i];

		if (!(w->kinds & hit->kind) || w->va >= hit->va + hit->bytes ||
		    hit->va >= w->va + w->bytes ||
		    !debug_thread_on(d, w->pid, cpu).tid)
			continue;
		if (w->number)
			snprintf(number, sizeof(number), "[%u] ", w->number);
		debug_halt(
			d, DEBUG_WATCH, cpu,
			"%s%s 0x%" PRIx64 " by the instruction at 0x%" PRIx64,
			number,
			hit->kind == CPU_WATCH_WRITE ? "write to" : "read of",
			hit->va, hit->pc);
		d->stop.id = debug_thread_on(d, w->pid, cpu);
		d->stop.va = w->va;
		d->stop.kind = w->kinds;
		return;
	}
}

/* The next instant or count that a condition names.  Scouts know where those
 * are without looking (debug_back.c). */
static uint64_t next_of(const struct debug *d, int what)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < d->wants.condition_count && !d->scouting; i++) {
		const struct debug_condition *c = &d->wants.condition[i];

		if ((int)c->what == what && !c->behind && c->value < next)
			next = c->value;
	}
	return next;
}

static bool is_over(const struct debug *d, const struct debug_condition *c)
{
	const struct machine *m = d->s->machine;

	return (c->what == DEBUG_AT_TIME && machine_now(m) >= c->value) ||
	       (c->what == DEBUG_AT_COUNT && machine_retired(m) >= c->value);
}

void debug_halt_on_clock(struct debug *d, uint32_t number)
{
	struct machine *m = d->s->machine;

	debug_halt(d, DEBUG_CONDITION, machine_stopped_cpu(m),
		   "[%u] %.6f ms, %" PRIu64 " instructions retired", number,
		   now_ms(d), machine_retired(m));
}

/* Conditions on the clock and the count; met once, then gone. */
static void on_clock(struct debug *d)
{
	for (size_t i = 0; i < d->wants.condition_count && !d->scouting; i++) {
		const struct debug_condition *c = &d->wants.condition[i];

		if (c->behind || !is_over(d, c))
			continue;
		debug_halt_on_clock(d, c->number);
		debug_drop_condition(d, c);
		return;
	}
}

static const char *end_text(enum machine_stop why)
{
	switch (why) {
	case MACHINE_OFF:
		return "the guest switched the machine off";
	case MACHINE_SHUTDOWN:
		return "triple fault: the machine shut down";
	case MACHINE_RESET:
		return "the guest reset the machine";
	case MACHINE_DEADLOCK:
		return "all CPUs halt and nothing will wake them";
	default:
		return "the CPU engine failed";
	}
}

/* True: `why` is the session's affair. */
static bool after(struct debug *d, enum machine_stop why, ps_t until)
{
	/* One that stood here may have been told to drive another. */
	struct session *s = d->s;
	struct machine *m = s->machine;
	bool due = d->due, sought = d->seeking;

	d->due = false;
	if (sought) {
		debug_seek_after(d);
		if (why == MACHINE_LIMITED || why == MACHINE_BREAK)
			return false;
	}
	if (d->scouting && why != MACHINE_WATCH && debug_scout_done(d))
		debug_scout_end(d);
	switch (why) {
	case MACHINE_UNTIL:
		if (!sought)
			on_clock(d);
		return machine_now(m) >= until;
	case MACHINE_REQUESTED:
		if (due && !d->halted)
			one_done(d); /* at an exception's handler */
		return s->told || s->watch_due;
	case MACHINE_COUNT: /* a watcher of the session's */
		return true;
	case MACHINE_BREAK:
		on_break(d);
		return false;
	case MACHINE_WATCH:
		on_watch(d);
		return false;
	case MACHINE_LIMITED:
		if (d->step.phase == STEP_ONE &&
		    cpu_retired(machine_cpu(m, d->step.cpu)) >
			    d->from[d->step.cpu].retired)
			one_done(d);
		else
			on_clock(d);
		return false;
	case MACHINE_DEADLOCK:
		if (s->patient || s->first->next || s->first->net ||
		    s->first->interactive)
			return true; /* time passes all the same */
		break;
	default:
		break;
	}
	if (!d->ended[s->index])
		debug_halt(d, DEBUG_ENDED, machine_stopped_cpu(m), "%s",
			   end_text(why));
	d->ended[s->index] = true;
	d->over |= !debug_can_go_on(d);
	return true;
}

/* --- running --- */

void debug_go_on(struct debug *d)
{
	struct machine *m = d->s->machine;

	if (d->plan.how == DEBUG_BACK_STEP ||
	    d->plan.how == DEBUG_BACK_CONTINUE ||
	    d->plan.how == DEBUG_BACK_TO) {
		debug_back(d);
		return;
	}

	for (size_t i = 0; i < d->wants.condition_count; i++)
		d->wants.condition[i].behind =
			is_over(d, &d->wants.condition[i]);
	for (unsigned i = 0; i < machine_cpu_count(m); i++) {
		d->from[i].rip = debug_linear_rip(machine_cpu(m, i));
		d->from[i].retired = cpu_retired(machine_cpu(m, i));
	}
	d->step.phase = STEP_NONE;
	machine_set_limit(m, MACHINE_ALL_CPUS, MACHINE_NO_LIMIT);
	if (d->plan.how == DEBUG_STEP || d->plan.how == DEBUG_RANGE)
		begin_step(d);
}

void debug_changes_go_on(struct debug *d, const struct session *s, bool now)
{
	if (d->changes[s->index])
		changes_go_on(d->changes[s->index], s->machine,
			      machine_retired(s->machine), now);
}

static void end_changes(struct debug *d)
{
	for (size_t i = 0; i < SESSION_MACHINES_MAX; i++) {
		if (d->changes[i])
			changes_end(d->changes[i]);
		changes_destroy(d->changes[i]);
		d->changes[i] = NULL;
	}
}

static void serve(struct debug *d)
{
	d->due = false;
	d->step.phase = STEP_NONE;
	while (d->halted && !d->let_go && !d->killed) {
		if (d->s->first->options.live)
			fputs("\r\033[K", stderr); /* how far it was */
		d->front.serve(d->front.owner, d);
	}
	d->halted = false;
	if (d->let_go)
		end_changes(d);
	if (d->let_go || d->killed) {
		memset(&d->wants, 0, sizeof(d->wants));
		d->plan = (struct debug_plan){.how = DEBUG_CONTINUE};
	}
	if (d->s->machine)
		debug_go_on(d);
}

static enum machine_stop slice(struct debug *d, ps_t until)
{
	struct machine *m = d->s->machine;
	ps_t time = next_of(d, DEBUG_AT_TIME), now = machine_now(m);
	uint64_t count = next_of(d, DEBUG_AT_COUNT);

	debug_changes_go_on(d, d->s, false);
	if (d->scouting && !debug_scout_blind(d))
		debug_scout_arrives(d);
	if (d->seeking) {
		debug_into_cpus(d, debug_seek_limit(d));
		return machine_run(m, debug_seek_until(d, until));
	}
	debug_into_cpus(d,
			d->step.phase == STEP_RETURN ? d->step.context.rip : 0);
	if (time < until)
		until = time > now ? time : now;
	if (d->scouting && count > d->scout_end)
		count = d->scout_end;
	if (debug_scout_blind(d))
		count = d->scout_from;
	if (d->changes[d->s->index] &&
	    count > machine_retired(m) + CHANGES_STRETCH)
		count = machine_retired(m) + CHANGES_STRETCH;
	if (d->step.phase != STEP_ONE)
		machine_set_limit(m, MACHINE_ALL_CPUS, count);
	return machine_run(m, until);
}

/* The first process of the past.  Somebody who types cannot be asked again, and
 * a disk in a file cannot be taken back. */
static void begin_past(struct debug *d)
{
	struct session *s = d->s;
	struct error err;

	if (d->past && ((s->interactive && !s->options.replays) ||
			!session_detach_disks(s, &err))) {
		past_destroy(d->past);
		d->past = NULL;
	}
	for (s = s->first; d->past && s; s = s->next)
		d->changes[s->index] = changes_create();
	debug_back_take(d, true);
}

static void begin(struct debug *d, struct session *s)
{
	d->s = s;
	d->begun = true;
	for (s = s->first; s; s = s->next) {
		d->probed[s->index] = (struct debug_probed){d, s};
		machine_set_probe(s->machine, probe, &d->probed[s->index]);
	}
	if (d->halted) {
		d->plan.id = (struct debug_id){DEBUG_MACHINE, 1};
		debug_halt(d, DEBUG_BEGIN, 0,
			   "the machine stands before its first instruction");
	}
	begin_past(d);
}

/* A scout does not stop: it takes note. */
static void stand(struct debug *d)
{
	if (!d->scouting) {
		serve(d);
		return;
	}
	d->halted = false;
	debug_scout_found(d, d->met);
	debug_go_on(d);
}

/* Orders are taken when the driven one is to run; if it is off, when anybody
 * is. */
static bool is_turn(const struct debug *d, const struct session *s)
{
	return s == d->s || !session_is_on(d->s);
}

static enum machine_stop on_run(void *owner, struct session *s, ps_t until)
{
	struct debug *d = owner;
	enum machine_stop why = MACHINE_UNTIL;
	bool done = false;

	if (!d->begun)
		begin(d, s);
	else if (is_turn(d, s))
		debug_back_take(d, false);
	if (d->scouting && past_unwanted(&d->mail))
		debug_scout_end(d);
	if (is_turn(d, s) && !d->halted && !d->let_go && !d->seeking &&
	    !d->scouting && d->front.wants(d->front.owner, d) && !d->halted)
		debug_halt(d, DEBUG_ASKED, machine_stopped_cpu(d->s->machine),
			   "%s", "");
	for (;;) {
		while (d->halted)
			stand(d);
		if (d->killed) {
			s->first->left = true;
			return MACHINE_REQUESTED;
		}
		if (done)
			return why;
		if (s != d->s) {
			debug_changes_go_on(d, s, false);
			return machine_run(s->machine, until);
		}
		if (d->written)
			debug_back_take(d, true);
		if (d->halted || s != d->s)
			continue; /* one that stood here was told so */
		why = slice(d, until);
		done = after(d, why, until);
	}
}

static void on_over(void *owner, struct session *s, const struct error *err)
{
	struct debug *d = owner;

	if (d->scouting)
		debug_scout_end(d);
	if (d->let_go || d->killed || !d->begun || s->left)
		return;
	d->over = true;
	debug_halt(d, DEBUG_ENDED, machine_stopped_cpu(d->s->machine), "%s%s",
		   err->code ? "" : "the scenario is over: it held",
		   err->code ? err->text : "");
	while (d->halted)
		serve(d);
}

/* What stands in the past would come to other places by the same counts. */
static void on_went_back(void *owner)
{
	struct debug *d = owner;

	if (d->past)
		past_forget(d->past);
	for (size_t i = 0; i < SESSION_MACHINES_MAX; i++) {
		if (d->changes[i])
			changes_end(d->changes[i]);
	}
	memset(d->trail, 0, sizeof(d->trail));
	d->written = true; /* so one stands here */
}

/* --- from the front end --- */

struct debug *debug_create(const struct debug_front *front, bool stopped,
			   struct past *past)
{
	struct debug *d = calloc(1, sizeof(*d));

	CHECK_MSG(d, "out of memory for the debugger");
	d->front = *front;
	d->past = past;
	d->halted = stopped;
	d->driver = (struct session_driver){
		.run = on_run,
		.record = on_record,
		.went_back = on_went_back,
		.over = on_over,
		.owner = d,
	};
	return d;
}

void debug_resume(struct debug *d, const struct debug_plan *plan)
{
	d->plan = *plan;
	d->halted = false;
}

void debug_let_go(struct debug *d)
{
	d->let_go = true;
	d->halted = false;
}

void debug_kill(struct debug *d)
{
	d->killed = true;
	d->halted = false;
}

void debug_end(struct debug *d, int status)
{
	d->front.end(d->front.owner, d, status);
}
