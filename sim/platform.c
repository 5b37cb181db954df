/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/platform.c - what the CPUs ask of the machine (struct cpu_ops) and what
 * the local APICs tell the CPUs.
 *
 * Every callback comes at an exact boundary inside some vCPU's cpu_run().  One
 * that a device can feel runs between begin() and finish(): the clock stands at
 * the access's instant, and the CPU stops after the instruction if that brought
 * an event closer or cost time.
 */
#include <string.h>

#include "devices/lapic.h"
#include "sim/check.h"
#include "sim/machine_internal.h"
#include "sim/trace/trace.h"

#define MSR_TSC        0x010
#define MSR_TSC_ADJUST 0x03B

/* What an access costs its CPU beyond the instruction: round trips to a device
 * on the root complex; a write is posted.  Ports go through the LPC bridge. */
#define MMIO_READ_PS  (400 * PS_PER_NS)
#define MMIO_WRITE_PS (100 * PS_PER_NS)
#define PORT_PS       (500 * PS_PER_NS)

static struct vcpu *begin(struct machine *m, struct cpu *cpu)
{
	struct vcpu *v = vcpu_of(m, cpu);
	ps_t now = vcpu_now(m, v);

	CHECK_MSG(v == m->running, "cpu%u asks out of its turn",
		  cpu_index(cpu));
	/* Another CPU's access in this piece may have come later: devices
	 * never see time step back (machine.h). */
	if (now > evq_now(m->evq))
		evq_slide(m->evq, now);
	return v;
}

static void finish(struct machine *m, struct vcpu *v, ps_t cost)
{
	v->cost += cost;
	if (cost && m->accounts)
		machine_account_access(m, v, cost);
	if (cost || evq_next(m->evq) < m->bound)
		cpu_kick(v->cpu);
}

/* What crosses between CPU and platform, for the chain. */
enum crossing {
	CROSS_MMIO_READ,
	CROSS_MMIO_WRITE,
	CROSS_PORT_READ,
	CROSS_PORT_WRITE,
	CROSS_VECTOR,
	CROSS_TSC,
	CROSS_MSR_READ,
	CROSS_MSR_WRITE,
	CROSS_CR8_READ,
	CROSS_CR8_WRITE,
};

static void fold(struct machine *m, const struct vcpu *v, enum crossing what,
		 uint64_t where, uint64_t value)
{
	uint64_t link[4] = {
		(uint64_t)what << 8 | cpu_index(v->cpu),
		cpu_retired(v->cpu),
		where,
		value,
	};

	machine_fold(m, link, sizeof(link));
}

/* --- accesses --- */

static uint64_t mmio_read(void *owner, struct cpu *cpu, paddr_t pa,
			  unsigned size)
{
	struct machine *m = owner;
	struct vcpu *v = begin(m, cpu);
	uint64_t value = bus_mmio_read(m->bus, pa, size);

	fold(m, v, CROSS_MMIO_READ, pa, value);
	finish(m, v, MMIO_READ_PS);
	return value;
}

static void mmio_write(void *owner, struct cpu *cpu, paddr_t pa, unsigned size,
		       uint64_t value)
{
	struct machine *m = owner;
	struct vcpu *v = begin(m, cpu);

	fold(m, v, CROSS_MMIO_WRITE, pa, value);
	bus_mmio_write(m->bus, pa, size, value);
	finish(m, v, MMIO_WRITE_PS);
}

static uint32_t port_read(void *owner, struct cpu *cpu, uint16_t port,
			  unsigned size)
{
	struct machine *m = owner;
	struct vcpu *v = begin(m, cpu);
	uint32_t value = bus_port_read(m->bus, port, size);

	fold(m, v, CROSS_PORT_READ, port, value);
	finish(m, v, PORT_PS);
	return value;
}

static void port_write(void *owner, struct cpu *cpu, uint16_t port,
		       unsigned size, uint32_t value)
{
	struct machine *m = owner;
	struct vcpu *v = begin(m, cpu);

	fold(m, v, CROSS_PORT_WRITE, port, value);
	bus_port_write(m->bus, port, size, value);
	finish(m, v, PORT_PS);
}

static int intr_ack(void *owner, struct cpu *cpu)
{
	struct machine *m = owner;
	struct vcpu *v = begin(m, cpu);
	int vector = lapic_ack(m, cpu_index(cpu));

	fold(m, v, CROSS_VECTOR, 0, (uint64_t)(int64_t)vector);
	finish(m, v, 0);
	return vector;
}

static uint8_t cr8_read(void *owner, struct cpu *cpu)
{
	struct machine *m = owner;
	struct vcpu *v = begin(m, cpu);
	uint8_t value = lapic_tpr_get(m, cpu_index(cpu));

	fold(m, v, CROSS_CR8_READ, 0, value);
	finish(m, v, 0);
	return value;
}

static void cr8_write(void *owner, struct cpu *cpu, uint8_t value)
{
	struct machine *m = owner;
	struct vcpu *v = begin(m, cpu);

	fold(m, v, CROSS_CR8_WRITE, 0, value);
	lapic_tpr_set(m, cpu_index(cpu), value);
	finish(m, v, 0);
}

/* --- TSC and other MSRs --- */

static uint64_t tsc_count(const struct machine *m, ps_t now)
{
	return (uint64_t)((unsigned __int128)now * m->config.cpu_hz / PS_PER_S);
}

uint64_t machine_tsc(struct machine *m, unsigned cpu)
{
	CHECK(cpu < m->config.cpu_count);
	return tsc_count(m, machine_now(m)) + m->vcpu[cpu].tsc_adjust;
}

ps_t machine_tsc_instant(struct machine *m, unsigned cpu, uint64_t tsc)
{
	ps_t now = machine_now(m);
	uint64_t count = tsc_count(m, now), reached = machine_tsc(m, cpu);
	unsigned __int128 when;

	if (reached >= tsc)
		return now;
	when = (unsigned __int128)count + (tsc - reached);
	when = (when * PS_PER_S + m->config.cpu_hz - 1) / m->config.cpu_hz;
	return when < PS_NEVER ? (ps_t)when : PS_NEVER;
}

/* RDTSC is an access like a device's: what one CPU read, another cannot read
 * less of after it, or a kernel that compares them would call the counters out
 * of step. */
static uint64_t tsc_now(struct machine *m, const struct vcpu *v)
{
	return tsc_count(m, machine_now(m)) + v->tsc_adjust;
}

static uint64_t tsc_read(void *owner, struct cpu *cpu)
{
	struct machine *m = owner;
	struct vcpu *v = begin(m, cpu);
	uint64_t value = tsc_now(m, v);

	fold(m, v, CROSS_TSC, 0, value);
	return value;
}

static bool msr_read(void *owner, struct cpu *cpu, uint32_t msr,
		     uint64_t *value)
{
	struct machine *m = owner;
	struct vcpu *v = begin(m, cpu);
	bool ours = true;

	switch (msr) {
	case MSR_TSC:
		*value = tsc_now(m, v);
		break;
	case MSR_TSC_ADJUST:
		*value = v->tsc_adjust;
		break;
	default:
		ours = lapic_msr_read(m, cpu_index(cpu), msr, value);
	}
	if (ours)
		fold(m, v, CROSS_MSR_READ, msr, *value);
	finish(m, v, 0);
	return ours;
}

/* Writing the TSC moves IA32_TSC_ADJUST by as much (SDM 3B 17.17.3), so that
 * one number holds both. */
static bool msr_write(void *owner, struct cpu *cpu, uint32_t msr,
		      uint64_t value)
{
	struct machine *m = owner;
	struct vcpu *v = begin(m, cpu);
	bool ours = true;

	fold(m, v, CROSS_MSR_WRITE, msr, value);
	switch (msr) {
	case MSR_TSC:
		v->tsc_adjust += value - tsc_now(m, v);
		lapic_tsc_changed(m, cpu_index(cpu));
		break;
	case MSR_TSC_ADJUST:
		v->tsc_adjust = value;
		lapic_tsc_changed(m, cpu_index(cpu));
		break;
	default:
		ours = lapic_msr_write(m, cpu_index(cpu), msr, value);
	}
	finish(m, v, 0);
	return ours;
}

/* --- context: what observers and the trace see --- */

static void trace_context(struct machine *m, const struct cpu_context_record *c)
{
	struct trace_record r; /* of many values, few are in use */

	r.partition = 0;
	switch (c->what) {
	case CPU_CTX_INTERRUPT:
		r.kind = trace_kind_find(TRACE_EV_INTERRUPT);
		r.value[0].u = c->vector;
		r.value[1].u = c->rip;
		break;
	case CPU_CTX_EXCEPTION:
		r.kind = trace_kind_find(TRACE_EV_EXCEPTION);
		r.value[0].u = c->vector;
		r.value[1].u = c->error_code;
		r.value[2].u = c->value;
		r.value[3].u = c->rip;
		break;
	case CPU_CTX_RING:
		r.kind = trace_kind_find(TRACE_EV_RING);
		r.value[0].u = (uint8_t)c->value;
		r.value[1].u = c->rip;
		break;
	case CPU_CTX_CR3:
		r.kind = trace_kind_find(TRACE_EV_CR3);
		r.value[0].u = c->value;
		r.value[1].u = c->rip;
		break;
	case CPU_CTX_SOFTINT: /* the guest's own calls: the partition view */
	case CPU_CTX_SYSCALL:
		return;
	}
	machine_emit(m, &r);
}

static void context(void *owner, struct cpu *cpu,
		    const struct cpu_context_record *record)
{
	struct machine *m = owner;

	bool trace = trace_wants(m->trace, TRACE_CLASS_MACHINE);

	if (!trace && !m->observer.context && !m->probe)
		return;
	CHECK(vcpu_of(m, cpu) == m->running);
	m->observing = true;
	if (trace)
		trace_context(m, record);
	if (m->observer.context)
		m->observer.context(m->observer.owner, m, cpu, record);
	if (m->probe)
		m->probe(m->probe_owner, m, cpu, record);
	m->observing = false;
}

static void block(void *owner, struct cpu *cpu, const struct cpu_block *b)
{
	struct machine *m = owner;

	if (!m->observer.block)
		return;
	m->observing = true;
	m->observer.block(m->observer.owner, m, cpu, b);
	m->observing = false;
}

/* With nobody else to run before the bound, the turn would come back. */
static bool pause_turn(void *owner, struct cpu *cpu)
{
	(void)cpu;
	return machine_others_wait(owner);
}

const struct cpu_ops machine_cpu_ops = {
	.pause = pause_turn,
	.mmio_read = mmio_read,
	.mmio_write = mmio_write,
	.port_read = port_read,
	.port_write = port_write,
	.intr_ack = intr_ack,
	.tsc_read = tsc_read,
	.msr_read = msr_read,
	.msr_write = msr_write,
	.cr8_read = cr8_read,
	.cr8_write = cr8_write,
	.context = context,
	.block = block,
	.flow = machine_flow,
	.instruction = machine_instruction,
};

/* --- what the local APICs drive --- */

void machine_set_intr(struct machine *m, unsigned cpu, bool level)
{
	struct vcpu *v = &m->vcpu[cpu];

	CHECK(cpu < m->config.cpu_count);
	v->intr = level;
	if (level)
		vcpu_wake(m, v);
	cpu_set_intr(v->cpu, level);
}

void machine_set_nmi(struct machine *m, unsigned cpu)
{
	struct vcpu *v = &m->vcpu[cpu];

	CHECK(cpu < m->config.cpu_count);
	if (v->wait_sipi) /* SDM 3A 8.4.2: only SIPI is heard */
		return;
	v->nmi = true;
	vcpu_wake(m, v);
	cpu_set_nmi(v->cpu);
}

void machine_set_check(struct machine *m, unsigned cpu, uint64_t status,
		       paddr_t addr)
{
	struct vcpu *v = &m->vcpu[cpu];

	CHECK(cpu < m->config.cpu_count && !m->in_run);
	v->nmi = true;
	vcpu_wake(m, v);
	cpu_machine_check(v->cpu, status, addr);
}

void machine_cpu_init(struct machine *m, unsigned cpu)
{
	struct vcpu *v = &m->vcpu[cpu];

	CHECK(cpu < m->config.cpu_count);
	/* Its registers cannot be replaced under an instruction. */
	if (v == m->running) {
		v->init_pending = true;
		cpu_kick(v->cpu);
	} else {
		vcpu_init(m, v);
	}
}

void machine_cpu_sipi(struct machine *m, unsigned cpu, uint8_t vector)
{
	struct vcpu *v = &m->vcpu[cpu];
	struct cpu_regs regs;

	CHECK(cpu < m->config.cpu_count);
	if (!v->wait_sipi) /* SDM 3A 8.4.3: ignored in any other state */
		return;
	vcpu_wake(m, v);
	v->wait_sipi = false;
	/* SDM 3A 8.4.3: real mode at 000VV000H. */
	cpu_regs_get(v->cpu, &regs);
	regs.seg[CPU_CS].selector = (uint16_t)(vector << 8);
	regs.seg[CPU_CS].base = (uint64_t)vector << 12;
	regs.rip = 0;
	regs.halted = 0;
	cpu_regs_set(v->cpu, &regs);
}
