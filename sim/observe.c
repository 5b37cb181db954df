/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/observe.c - what the CPUs execute, into the trace: classes flow and full.
 *
 * What is selected by CPU and window decides whether a CPU is observed at all:
 * outside it runs as fast as ever.  A run is cut at the edges, which changes
 * nothing (machine.c).  Who selects by partition or address pays for all, and
 * the trace takes what it wants.
 */
#include "sim/machine_internal.h"
#include "sim/trace/trace.h"

/* Time is a matter of the count alone, or said for each record. */
static void place(const struct machine *m, const struct vcpu *v,
		  uint32_t partition, uint64_t retired, ps_t now,
		  struct deep_place *p)
{
	bool flat = m->timing == TIMING_FLAT;

	*p = (struct deep_place){
		.cpu = cpu_index(v->cpu),
		.partition = partition,
		.retired = retired,
		.base = flat ? v->base_ps : now,
		.base_retired = flat ? v->base_retired : retired,
		.hz = m->config.cpu_hz,
	};
}

/* --- what is wanted now --- */

static uint64_t after(uint64_t n)
{
	return n == UINT64_MAX ? n : n + 1;
}

static void reduce(uint64_t *to, uint64_t n)
{
	if (n < *to)
		*to = n;
}

/* Is the class wanted of the CPU where it stands?  *limit and *until: perhaps
 * no more, or only then, from this instant or this count on. */
static bool wanted(const struct machine *m, const struct vcpu *v,
		   enum trace_class class, ps_t *limit, uint64_t *until)
{
	const struct trace_select *s;
	uint64_t count = cpu_retired(v->cpu);
	ps_t now = v->observed_at;

	if (!trace_wants(m->trace, class))
		return false;
	s = trace_selected(m->trace, class);
	if (s->off || (s->by_cpu && !(s->cpus >> cpu_index(v->cpu) & 1)))
		return false;
	if (!s->by_window)
		return true;
	if (now > s->to || count > s->retired_to)
		return false;
	if (now < s->from)
		reduce(limit, s->from);
	if (count < s->retired_from)
		reduce(until, s->retired_from);
	if (now < s->from || count < s->retired_from)
		return false;
	reduce(limit, after(s->to));
	reduce(until, after(s->retired_to));
	return true;
}

static void end_stretch(struct machine *m, struct vcpu *v)
{
	vaddr_t end;

	if (v->stretched && cpu_flow_end(v->cpu, &end))
		trace_flow(m->trace, &v->stretch, v->stretch_pc, end,
			   cpu_retired(v->cpu) - v->stretch.retired);
	v->stretched = false;
}

uint64_t machine_observe(struct machine *m, struct vcpu *v, ps_t *limit)
{
	enum cpu_observe want = CPU_OBSERVE_NOTHING;
	uint64_t until = UINT64_MAX;

	v->observed_at = vcpu_now(m, v);
	if (wanted(m, v, TRACE_CLASS_FULL, limit, &until))
		want = CPU_OBSERVE_INSTRUCTIONS;
	else if (wanted(m, v, TRACE_CLASS_FLOW, limit, &until))
		want = CPU_OBSERVE_FLOW;
	/* A block's time is that of the block: it must stay one. */
	if (want == CPU_OBSERVE_INSTRUCTIONS && m->timing != TIMING_FLAT)
		reduce(&until, cpu_retired(v->cpu) + 1);
	v->observed = v->partition;
	if (want == v->observe)
		return until;
	if (v->observe == CPU_OBSERVE_FLOW)
		end_stretch(m, v);
	cpu_observe(v->cpu, want);
	v->observe = want;
	return until;
}

void machine_trace_end(struct machine *m)
{
	for (unsigned i = 0; i < m->config.cpu_count; i++) {
		if (m->vcpu[i].observe == CPU_OBSERVE_FLOW)
			end_stretch(m, &m->vcpu[i]);
	}
}

/* Whoever is looked at is looked at anew when it goes on. */
void machine_observe_anew(struct machine *m)
{
	for (unsigned i = 0; i < m->config.cpu_count; i++) {
		struct vcpu *v = &m->vcpu[i];

		if (v->observe == CPU_OBSERVE_FLOW)
			end_stretch(m, v);
		if (v->observe != CPU_OBSERVE_NOTHING)
			cpu_observe(v->cpu, CPU_OBSERVE_NOTHING);
		v->observe = CPU_OBSERVE_NOTHING;
		v->stretched = false;
	}
}

/* --- what is told --- */

void machine_flow(void *owner, struct cpu *cpu, const struct cpu_flow *f)
{
	struct machine *m = owner;
	struct vcpu *v = vcpu_of(m, cpu);

	if (v->stretched)
		trace_flow(m->trace, &v->stretch, v->stretch_pc, f->end,
			   f->retired - v->stretch.retired);
	place(m, v, v->partition, f->retired, vcpu_when(m, v, f->retired),
	      &v->stretch);
	v->stretch_pc = f->pc;
	v->stretched = true;
}

/* An instruction that passes to another partition is of the one before. */
void machine_instruction(void *owner, struct cpu *cpu,
			 const struct cpu_instruction *i)
{
	struct machine *m = owner;
	struct vcpu *v = vcpu_of(m, cpu);
	struct deep_place at;

	place(m, v, v->observed, i->retired, v->observed_at, &at);
	v->observed = v->partition;
	trace_instruction(m->trace, &at, i);
}
