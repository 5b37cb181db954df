/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine with fake CPUs: time, turns, and that a run may be cut anywhere.
 * One instruction takes 1 ns; a port access 500 ns more, a register's read 400
 * and its write 100.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "rig.h"
#include "sim/trace/trace.h"

#define NS PS_PER_NS
#define US PS_PER_US

#define SET(r, v)                                                              \
	{                                                                      \
		FAKE_SET, CPU_##r, 0, 0, 0, v                                  \
	}
#define STORE(r, at)                                                           \
	{                                                                      \
		FAKE_STORE, CPU_##r, CPU_R14, 8, 0, at                         \
	}
#define LOAD(r, at)                                                            \
	{                                                                      \
		FAKE_LOAD, CPU_##r, CPU_R14, 8, 0, at                          \
	}
#define JMP(to)                                                                \
	{                                                                      \
		FAKE_JMP, 0, 0, 0, 0, (to)*16                                  \
	}
#define JNZ(r, to)                                                             \
	{                                                                      \
		FAKE_JNZ, CPU_##r, 0, 0, 0, (to)*16                            \
	}
#define OP(op)                                                                 \
	{                                                                      \
		FAKE_##op, 0, 0, 0, 0, 0                                       \
	}
#define TSC(r)                                                                 \
	{                                                                      \
		FAKE_TSC, CPU_##r, 0, 0, 0, 0                                  \
	}
#define ADDI(r, v)                                                             \
	{                                                                      \
		FAKE_ADDI, CPU_##r, 0, 0, 0, v                                 \
	}
#define PROBE(reg)      (PROBE_BASE + PROBE_##reg)
#define HANDLER(vector) (FAKE_IDT + (vector)*FAKE_HANDLER)

static struct machine *machine_of(unsigned cpus)
{
	struct machine_config c = rig_config(cpus);

	return rig_create(&c, NULL);
}

Test(machine, instructions_take_their_time)
{
	struct machine *m = machine_of(1);

	RIG_CODE_AT(m, 0, 0, OP(NOP), JMP(0));
	rig_start(m, 0);
	cr_assert_eq(machine_run(m, 100 * NS), MACHINE_UNTIL);
	cr_assert_eq(machine_retired(m), 100u);
	cr_assert_eq(machine_now(m), 100 * NS);
	/* An instruction that would begin at `until` is not run, one that
	 * begins before it is. */
	cr_assert_eq(machine_run(m, 100 * NS), MACHINE_UNTIL);
	cr_assert_eq(machine_retired(m), 100u);
	cr_assert_eq(machine_run(m, 100 * NS + 1), MACHINE_UNTIL);
	cr_assert_eq(machine_retired(m), 101u);
	cr_assert_eq(machine_now(m), 100 * NS + 1);
	cr_assert_eq(machine_cpu_now(m, 0), 101 * NS);
	machine_destroy(m);
}

/* 3 Hz do not divide a second: the clock is a ratio from its epoch. */
Test(machine, clocks_do_not_drift)
{
	struct machine_config c = rig_config(1);
	struct machine *m;

	c.cpu_hz = 3000000;
	m = rig_create(&c, NULL);
	RIG_CODE_AT(m, 0, 0, TSC(RAX), JMP(0));
	rig_start(m, 0);
	for (unsigned i = 1; i <= 1000; i++)
		cr_assert_eq(machine_run(m, i * 7 * US), MACHINE_UNTIL);
	cr_assert_eq(machine_retired(m), 21000u);
	cr_assert_eq(machine_cpu_now(m, 0), 7 * PS_PER_MS);
	machine_destroy(m);
}

Test(machine, a_device_is_touched_at_its_own_instant)
{
	struct machine *m = machine_of(1);

	/* PROBE_PS read by instruction 3 (begins at 2 ns), the next at 403. */
	RIG_CODE_AT(m, 0, 0, OP(NOP), OP(NOP), LOAD(RAX, PROBE(PS)),
		    LOAD(RBX, PROBE(PS)), TSC(RCX), OP(HLT));
	rig_start(m, 0);
	cr_assert_eq(machine_run(m, PS_NEVER - 1), MACHINE_DEADLOCK);
	cr_assert_eq(rig_reg(m, 0, CPU_RAX), 2 * NS);
	cr_assert_eq(rig_reg(m, 0, CPU_RBX), 403 * NS);
	cr_assert_eq(rig_reg(m, 0, CPU_RCX), 804u);
	machine_destroy(m);
}

Test(machine, a_nearer_event_stops_the_cpu_after_the_instruction)
{
	struct machine *m = machine_of(1);

	/* Written at 1 ns to fire 150 ns later; the store costs 100 ns, so
	 * RDX counts from 102 ns: 49 more until 151. */
	RIG_CODE_AT(m, 0, 0, SET(RAX, 150), STORE(RAX, PROBE(NOW)), OP(STI),
		    ADDI(RDX, 1), JMP(3));
	RIG_CODE_AT(m, 0, HANDLER(PROBE_TIMER_VECTOR), TSC(RBX), OP(HLT));
	rig_start(m, 0);
	cr_assert_eq(machine_run(m, PS_NEVER - 1), MACHINE_DEADLOCK);
	cr_assert_eq(rig_reg(m, 0, CPU_RBX), 151u);
	cr_assert_eq(rig_reg(m, 0, CPU_RDX), 24u);
	machine_destroy(m);
}

/* An event due while the CPU still pays for an access fires at its instant. */
Test(machine, events_during_a_stall_keep_their_instant)
{
	struct machine *m = machine_of(1);

	RIG_CODE_AT(m, 0, 0, SET(RAX, 50), STORE(RAX, PROBE(NOW)), OP(STI),
		    OP(HLT));
	RIG_CODE_AT(m, 0, HANDLER(PROBE_TIMER_VECTOR), TSC(RBX), OP(HLT));
	rig_start(m, 0);
	cr_assert_eq(machine_run(m, PS_NEVER - 1), MACHINE_DEADLOCK);
	/* Fired at 51 (the probe checks), taken after STI, from 103 on. */
	cr_assert_eq(rig_reg(m, 0, CPU_RBX), 103u);
	machine_destroy(m);
}

Test(machine, two_accesses_of_one_instruction_share_its_instant)
{
	struct machine *m = machine_of(1);

	RIG_CODE_AT(m, 0, 0, SET(RAX, 7), SET(RBX, 9),
		    {FAKE_STORE2, CPU_RAX, CPU_R14, 8, 0, PROBE(NOW)}, TSC(RCX),
		    OP(CLI), OP(HLT));
	rig_start(m, 0);
	cr_assert_eq(machine_run(m, US), MACHINE_DEADLOCK);
	cr_assert_eq(rig_reg(m, 0, CPU_RCX), 203u, "both are paid for");
	machine_destroy(m);
}

Test(machine, halt_jumps_to_the_next_event)
{
	struct machine *m = machine_of(1);

	RIG_CODE_AT(m, 0, 0, SET(RAX, 10000000), STORE(RAX, PROBE(NOW)),
		    OP(STI), OP(HLT), TSC(RDX), OP(CLI), OP(HLT));
	RIG_CODE_AT(m, 0, HANDLER(PROBE_TIMER_VECTOR), TSC(RBX), OP(IRET));
	rig_start(m, 0);
	cr_assert_eq(machine_run(m, 5 * PS_PER_MS), MACHINE_UNTIL);
	cr_assert_eq(machine_retired(m), 4u);
	cr_assert_eq(machine_run(m, PS_PER_S), MACHINE_DEADLOCK);
	cr_assert_eq(rig_reg(m, 0, CPU_RBX), 10000001u);
	cr_assert_eq(rig_reg(m, 0, CPU_RDX), 10000003u);
	/* Time stops where the last CPU did. */
	cr_assert_eq(machine_now(m), 10000006 * NS);
	cr_assert_eq(machine_run(m, 2 * PS_PER_S), MACHINE_DEADLOCK);
	machine_destroy(m);
}

Test(machine, nmi_wakes_a_deaf_cpu)
{
	struct machine *m = machine_of(1);

	RIG_CODE_AT(m, 0, 0, OP(CLI), OP(HLT), OP(HLT));
	RIG_CODE_AT(m, 0, HANDLER(2), ADDI(RDX, 1), OP(IRET));
	rig_start(m, 0);
	cr_assert_eq(machine_run(m, US), MACHINE_DEADLOCK);
	machine_set_intr(m, 0, true);
	cr_assert_eq(machine_run(m, US), MACHINE_DEADLOCK, "IF is clear");
	machine_set_intr(m, 0, false);
	machine_set_nmi(m, 0);
	cr_assert_eq(machine_run(m, US), MACHINE_DEADLOCK);
	cr_assert_eq(rig_reg(m, 0, CPU_RDX), 1u);
	machine_destroy(m);
}

Test(machine, tsc_can_be_set_and_deadlines_follow)
{
	struct machine_config c = rig_config(2);
	struct machine *m;

	c.cpu_hz = UINT64_C(2500000000);
	m = rig_create(&c, NULL);
	RIG_CODE_AT(m, 0, 0, SET(RAX, 1000000),
		    {FAKE_WRMSR, CPU_RAX, CPU_RBX, 0, 0, 0x10}, TSC(RCX),
		    {FAKE_RDMSR, CPU_RDX, CPU_RBX, 0, 0, 0x3B},
		    {FAKE_RDMSR, CPU_RSI, CPU_RDI, 0, 0, 0x1234}, OP(HLT));
	rig_start(m, 0);
	cr_assert_eq(machine_run(m, US), MACHINE_DEADLOCK);
	cr_assert_eq(rig_reg(m, 0, CPU_RCX), 1000001u);
	cr_assert_eq(rig_reg(m, 0, CPU_RDX), 999999u);
	cr_assert_eq(rig_reg(m, 0, CPU_RDI), 1u, "no such MSR");
	/* The other CPU's TSC is time alone; 1 us is 2500 of them. */
	cr_assert_eq(machine_tsc_instant(m, 1, 2500), US);
	cr_assert_eq(machine_tsc_instant(m, 1, 2501), US + 400);
	cr_assert_eq(machine_tsc_instant(m, 0, 999999 + 2500), US);
	cr_assert_eq(machine_tsc_instant(m, 0, 5), machine_now(m));
	cr_assert_eq(machine_tsc_instant(m, 1, UINT64_MAX), PS_NEVER);
	machine_destroy(m);
}

Test(machine, ends_are_told_apart)
{
	static const struct {
		struct fake_insn insn;
		enum machine_stop stop;
	} row[] = {
		{STORE(RAX, PROBE(OFF)), MACHINE_OFF},
		{STORE(RAX, PROBE(STOP)), MACHINE_REQUESTED},
		{STORE(RAX, PROBE(RESET)), MACHINE_RESET},
		{OP(DIE), MACHINE_SHUTDOWN},
		{OP(WRECK), MACHINE_BROKEN},
		{OP(HLT), MACHINE_DEADLOCK},
	};

	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct machine *m = machine_of(1);
		uint64_t retired;

		RIG_CODE_AT(m, 0, 0, SET(RAX, 33), row[i].insn, JMP(2));
		rig_start(m, 0);
		cr_assert_eq(machine_run(m, US), row[i].stop, "row %zu", i);
		retired = machine_retired(m);
		cr_assert_leq(retired, 2u, "it stops after the instruction");
		if (row[i].stop == MACHINE_REQUESTED) {
			cr_assert_eq(machine_run(m, US), MACHINE_UNTIL);
		} else {
			/* The others are for good. */
			cr_assert_eq(machine_run(m, US), row[i].stop);
			cr_assert_eq(machine_retired(m), retired);
		}
		if (row[i].stop == MACHINE_OFF)
			cr_assert_eq(machine_off_code(m), 33u);
		cr_assert_eq(*machine_broken_text(m) != 0,
			     row[i].stop == MACHINE_BROKEN);
		machine_destroy(m);
	}
}

/* The reset vector of the fake CPUs is 0: from there to what firmware writes,
 * and on to `insn`... */
static struct machine *reset_machine(struct fake_insn insn, struct trace *t)
{
	struct machine_config c = rig_config(2);
	struct machine *m;

	c.on_reset = MACHINE_RESET_BOOTS;
	m = rig_create(&c, t);
	RIG_CODE_AT(m, -1U, 0, JMP(FAKE_FIRMWARE / 16));
	RIG_CODE_AT(m, -1U, FAKE_FIRMWARE + 16, TSC(RBX), OP(HLT));
	/* A timer is set, the other CPU works, firmware's place is spoilt. */
	RIG_CODE_AT(m, 0, 0, SET(RAX, 2000), STORE(RAX, PROBE(NOW)),
		    STORE(RAX, FAKE_FIRMWARE),
		    {FAKE_WRMSR, CPU_RAX, CPU_R13, 0, 0, 0x3B}, insn, OP(HLT));
	RIG_CODE_AT(m, 1, 0, ADDI(RDX, 1), JMP(0));
	rig_start(m, 0);
	rig_start(m, 1);
	return m;
}

static void count_resets(void *owner, const struct trace_record *r)
{
	if (r->kind->number == TRACE_EV_RESET)
		++*(unsigned *)owner;
}

Test(machine, a_reset_boots_again)
{
	static const struct fake_insn cause[] = {STORE(RAX, PROBE(RESET)),
						 OP(DIE)};

	for (unsigned i = 0; i < ARRAY_LEN(cause); i++) {
		struct trace *t = trace_create(NULL, TRACE_CLASS_MACHINE, NULL);
		struct machine *m = reset_machine(cause[i], t);
		unsigned resets = 0;
		uint64_t other;

		trace_listen(t, count_resets, &resets);
		cr_assert_eq(machine_run(m, 50 * US), MACHINE_DEADLOCK);
		cr_expect_eq(resets, 1u);
		cr_expect_eq(rig_reg(m, 0, CPU_RSI), 1u, "firmware's work");
		cr_expect_eq(rig_reg(m, 0, CPU_RAX), 0u);
		/* 5 and 4 instructions; two or one posted writes. */
		cr_expect_eq(cpu_retired(machine_cpu(m, 0)), i ? 8u : 9u);
		cr_expect_eq(rig_reg(m, 0, CPU_RBX), i ? 106u : 207u,
			     "the TSC goes on, its adjustment is gone: %llu",
			     (unsigned long long)rig_reg(m, 0, CPU_RBX));
		/* The other one waits for a SIPI, with its count kept. */
		other = cpu_retired(machine_cpu(m, 1));
		cr_expect_eq(rig_reg(m, 1, CPU_RDX), 0u);
		machine_cpu_sipi(m, 1, 0x20);
		cr_expect_eq(machine_run(m, 50 * US), MACHINE_UNTIL);
		cr_expect_gt(rig_reg(m, 1, CPU_RDX), 0u);
		cr_expect_gt(cpu_retired(machine_cpu(m, 1)), other);
		/* The device was reset with the rest. */
		cr_expect_eq(bus_mmio_read(machine_bus(m), PROBE(FIRED), 8),
			     0u);
		machine_destroy(m);
		cr_assert(trace_close(t, NULL));
	}
}

/* A timer wakes a CPU of 1 MHz after 10 ms, for 10 instructions or for 2,000.
 */
Test(machine, what_sleeps_most_of_the_time_gives_back_memory)
{
	static const uint64_t rounds[] = {1, 1000};

	for (unsigned i = 0; i < ARRAY_LEN(rounds); i++) {
		struct machine_config c = rig_config(1);
		struct machine *m;

		c.cpu_hz = 1000000;
		m = rig_create(&c, NULL);
		fake_cpu_trims = 0;
		RIG_CODE_AT(m, 0, 0, SET(RAX, 10000000), OP(STI),
			    STORE(RAX, PROBE(NOW)), SET(RBX, rounds[i]),
			    ADDI(RBX, UINT64_MAX), JNZ(RBX, 4), OP(HLT),
			    JMP(2));
		RIG_CODE_AT(m, 0, HANDLER(PROBE_TIMER_VECTOR), OP(IRET));
		rig_start(m, 0);
		cr_assert_eq(machine_run(m, 4500 * PS_PER_MS), MACHINE_UNTIL);
		cr_expect_gt(machine_retired(m), 3000u);
		cr_expect_eq(fake_cpu_trims, i ? 0u : 4u, "%u", fake_cpu_trims);
		machine_destroy(m);
	}
}

Test(machine, breakpoints_stop_before_the_instruction)
{
	struct machine *m = machine_of(2);

	RIG_CODE_AT(m, 0, 0, ADDI(RAX, 1), ADDI(RBX, 1), JMP(0));
	rig_start(m, 0);
	cpu_break_set(machine_cpu(m, 0), 16);
	for (unsigned i = 1; i <= 3; i++) {
		cr_assert_eq(machine_run(m, US), MACHINE_BREAK);
		cr_assert_eq(machine_stopped_cpu(m), 0u);
		cr_assert_eq(rig_reg(m, 0, CPU_RAX), i);
		cr_assert_eq(rig_reg(m, 0, CPU_RBX), i - 1);
	}
	cpu_break_clear(machine_cpu(m, 0), 16);
	cr_assert_eq(machine_run(m, US), MACHINE_UNTIL);
	machine_destroy(m);
}

/* --- several CPUs --- */

/* Every boundary of every CPU, one by one: the same history. */
Test(machine, stops_at_counts_of_instructions)
{
	for (unsigned cpus = 1; cpus <= 4; cpus *= 2) {
		struct machine *whole = machine_of(cpus);
		struct machine *cut = machine_of(cpus);

		for (unsigned i = 0; i < cpus; i++) {
			RIG_CODE_AT(whole, i, 0, OP(NOP), OP(NOP), JMP(0));
			RIG_CODE_AT(cut, i, 0, OP(NOP), OP(NOP), JMP(0));
			rig_start(whole, i);
			rig_start(cut, i);
		}
		cr_assert_eq(machine_run(whole, 25 * US), MACHINE_UNTIL);
		for (uint64_t n = 1; n <= machine_retired(whole); n++) {
			machine_stop_at(cut, n);
			cr_assert_eq(machine_run(cut, 25 * US), MACHINE_COUNT);
			cr_assert_eq(machine_retired(cut), n);
		}
		/* Where it is already, it stands at once. */
		machine_stop_at(cut, 5);
		cr_assert_eq(machine_run(cut, 25 * US), MACHINE_COUNT);
		cr_assert_eq(machine_run(cut, 25 * US), MACHINE_UNTIL);
		cr_assert_eq(machine_digest(cut), machine_digest(whole));
		cr_assert_eq(machine_chain(cut), machine_chain(whole));
		machine_destroy(whole);
		machine_destroy(cut);
	}
}

Test(machine, cpus_take_turns_by_quanta)
{
	struct machine *m = machine_of(2);
	uint64_t first, second;

	RIG_CODE_AT(m, 0, 0, ADDI(RAX, 1), JMP(0));
	RIG_CODE_AT(m, 1, 0, ADDI(RAX, 1), JMP(0));
	rig_start(m, 0);
	rig_start(m, 1);
	/* In the middle of the first CPU's second turn. */
	cr_assert_eq(machine_run(m, 12 * US), MACHINE_UNTIL);
	first = cpu_retired(machine_cpu(m, 0));
	second = cpu_retired(machine_cpu(m, 1));
	cr_assert_eq(first, 12000u);
	cr_assert_eq(second, 10000u);
	cr_assert_eq(machine_run(m, 20 * US), MACHINE_UNTIL);
	cr_assert_eq(machine_retired(m), 40000u);
	machine_destroy(m);
}

Test(machine, pause_passes_the_turn_on)
{
	struct machine *m = machine_of(2);

	/* CPU 0 waits for what CPU 1 writes; without PAUSE it would spin to
	 * the end of its turn. */
	RIG_CODE_AT(m, 0, 0, LOAD(RAX, RIG_DATA), JNZ(RAX, 4), OP(PAUSE),
		    JMP(0), TSC(RBX), OP(HLT));
	RIG_CODE_AT(m, 1, 0, SET(RAX, 1), STORE(RAX, RIG_DATA), OP(HLT));
	rig_start(m, 0);
	rig_start(m, 1);
	cr_assert_eq(machine_run(m, PS_PER_MS), MACHINE_DEADLOCK);
	cr_assert_eq(rig_reg(m, 0, CPU_RBX), 6u);
	machine_destroy(m);
}

Test(machine, a_sleeping_cpu_wakes_when_it_was_called)
{
	struct machine *m = machine_of(2);

	/* CPU 1 sleeps at once; CPU 0 calls it in the second quantum, after
	 * 2750 rounds of 4 and two more. */
	RIG_CODE_AT(m, 0, 0, SET(RDX, -UINT64_C(2750)), ADDI(RDX, 1), OP(NOP),
		    OP(NOP), JNZ(RDX, 1), SET(RAX, 1), STORE(RAX, PROBE(IPI)),
		    OP(HLT));
	RIG_CODE_AT(m, 1, 0, OP(STI), OP(HLT), OP(HLT));
	RIG_CODE_AT(m, 1, HANDLER(PROBE_IPI_VECTOR), TSC(RBX), OP(HLT));
	rig_start(m, 0);
	rig_start(m, 1);
	cr_assert_eq(machine_run(m, PS_PER_MS), MACHINE_DEADLOCK);
	cr_assert_eq(rig_reg(m, 1, CPU_RBX), 11002u);
	machine_destroy(m);
}

Test(machine, init_and_sipi_start_a_cpu_where_they_say)
{
	struct machine *m = machine_of(2);

	RIG_CODE_AT(m, 0, 0, SET(RAX, 0x120), SET(RBX, 1),
		    STORE(RAX, PROBE(SIPI)), STORE(RBX, PROBE(INIT)),
		    STORE(RAX, PROBE(SIPI)), STORE(RAX, PROBE(SIPI)), OP(HLT));
	RIG_CODE_AT(m, 1, 0, ADDI(RDX, 1), OP(HLT));
	rig_start(m, 0);
	cr_assert_eq(machine_run(m, PS_PER_MS), MACHINE_DEADLOCK);
	/* INIT undid the first start, if it had begun; the last SIPI found a
	 * CPU that no longer waited. */
	cr_assert_eq(rig_reg(m, 1, CPU_RDX), 1u);
	cr_assert_eq(cpu_rip(machine_cpu(m, 1)), 32u);
	machine_destroy(m);
}

Test(machine, a_cpu_may_send_itself_an_init)
{
	struct machine *m = machine_of(2);
	struct cpu_regs regs;

	RIG_CODE_AT(m, 0, 0, OP(HLT));
	RIG_CODE_AT(m, 1, 0, SET(RAX, 1), STORE(RAX, PROBE(INIT)), SET(RDX, 1),
		    OP(HLT));
	rig_start(m, 0);
	rig_start(m, 1);
	cpu_regs_get(machine_cpu(m, 1), &regs);
	regs.mtrr[0] = 0xC06;
	regs.fxsave[160] = 7; /* XMM0 */
	regs.pat = 6;
	regs.cr3 = 0x1000;
	regs.cr0 ^= UINT64_C(0x40000000); /* CD */
	cpu_regs_set(machine_cpu(m, 1), &regs);
	cr_assert_eq(machine_run(m, PS_PER_MS), MACHINE_DEADLOCK);
	cr_assert_eq(rig_reg(m, 1, CPU_RDX), 0u);
	cr_assert_eq(rig_reg(m, 1, CPU_RAX), 0u);

	/* SDM 3A table 9-1: unlike at power-up, these are left alone. */
	cpu_regs_get(machine_cpu(m, 1), &regs);
	cr_assert_eq(regs.mtrr[0], 0xC06u);
	cr_assert_eq(regs.fxsave[160], 7u);
	cr_assert_eq(regs.pat, 6u);
	cr_assert_eq(regs.cr3, 0u);
	cr_assert_eq(regs.cr0 & 0x60000000, 0x40000000u);
	machine_destroy(m);
}

/* --- observers and the trace --- */

struct watch {
	unsigned contexts;
	ps_t now;
	struct trace_record last;
	unsigned records;
};

static void on_context(void *owner, struct machine *m, struct cpu *cpu,
		       const struct cpu_context_record *r)
{
	struct watch *w = owner;

	w->contexts++;
	w->now = machine_now(m);
	if (r->what == CPU_CTX_CR3)
		machine_set_partition(m, cpu_index(cpu), (uint32_t)r->value);
}

static void on_record(void *owner, const struct trace_record *r)
{
	struct watch *w = owner;

	w->records++;
	w->last = *r;
}

Test(machine, observers_see_the_exact_instant)
{
	struct machine_config c = rig_config(2);
	struct trace *t = trace_create(NULL, TRACE_CLASS_MACHINE, NULL);
	struct machine *m = rig_create(&c, t);
	struct watch w = {0};
	struct machine_observer o = {.context = on_context, .owner = &w};

	trace_listen(t, on_record, &w);
	machine_set_observer(m, &o);
	RIG_CODE_AT(m, 0, 0, OP(HLT));
	RIG_CODE_AT(m, 1, 0, SET(RAX, 5), OP(NOP),
		    {FAKE_CR3, CPU_RAX, 0, 0, 0, 0}, STORE(RAX, PROBE(ADDRESS)),
		    STORE(RAX, PROBE(ODD)), OP(HLT));
	rig_start(m, 0);
	rig_start(m, 1);
	cr_assert_eq(machine_run(m, 3 * NS), MACHINE_UNTIL);
	cr_assert_eq(w.contexts, 1u);
	cr_assert_eq(w.now, 2 * NS);
	cr_assert_eq(w.last.kind->number, TRACE_EV_CR3);
	cr_assert_eq(w.last.cpu, 1u);
	cr_assert_eq(w.last.retired, 2u);
	cr_assert_eq(w.last.value[0].u, 5u);
	cr_assert_eq(machine_run(m, PS_PER_MS), MACHINE_DEADLOCK);
	/* REG_WRITE, REG_WRITE, ODD: the partition is the one set above. */
	cr_assert_eq(w.last.kind->number, TRACE_EV_ODD);
	cr_assert_eq(w.last.partition, 5u);
	cr_assert_eq(w.last.time, 104 * NS);
	cr_assert_eq(w.records, 4u);
	machine_destroy(m);
	cr_assert(trace_close(t, NULL));
}

Test(machine, devices_take_faults_of_their_list)
{
	struct machine_config c = rig_config(1);
	struct trace *t = trace_create(NULL, TRACE_CLASS_PARTITION, NULL);
	struct machine *m = rig_create(&c, t);
	struct watch w = {0};
	struct error err = {0};
	uint64_t before = machine_digest(m);

	trace_listen(t, on_record, &w);
	cr_assert(device_fault(machine_device(m, "probe0"), "stuck", 3, &err));
	cr_assert_eq(w.last.kind->number, TRACE_EV_FAULT);
	cr_assert_eq(w.last.value[2].u, 3u);
	cr_assert_neq(machine_digest(m), before);
	cr_assert_not(
		device_fault(machine_device(m, "probe0"), "melt", 0, &err));
	cr_assert(strstr(err.text, "probe0") && strstr(err.text, "melt"));
	cr_assert_not(
		device_fault(machine_device(m, "lapic0"), "stuck", 0, &err));
	machine_destroy(m);
	cr_assert(trace_close(t, NULL));
}

Test(machine, devices_are_added_by_name)
{
	struct machine *m = machine_of(1);
	struct device_prop base = {"base", 0xE0000000, NULL};
	struct error err;

	cr_assert(machine_add_device(m, "probe", "probe1", &base, 1, &err));
	cr_assert_null(
		machine_add_device(m, "probe", "probe1", &base, 1, &err));
	cr_assert(strstr(err.text, "probe1"));
	cr_assert_null(machine_add_device(m, "probe", "p", &base, 1, &err));
	cr_assert(strstr(err.text, "meets probe1"), "%s", err.text);
	cr_assert_null(machine_add_device(m, "toaster", "t", NULL, 0, &err));
	cr_assert(strstr(err.text, "toaster"));
	cr_assert_null(machine_add_device(m, "probe", "a-name-too-long!", &base,
					  1, &err));
	cr_assert_str_eq(machine_device_at(m, 0)->name, "lapic0");
	cr_assert_str_eq(machine_device_at(m, 2)->name, "probe1");
	cr_assert_null(machine_device_at(m, 3));
	machine_destroy(m);
}

Test(machine, a_failed_check_tells_the_instant, .signal = SIGABRT)
{
	struct machine *m = machine_of(1);

	/* A fetch from where no RAM is: the fake CPU CHECKs. */
	RIG_CODE_AT(m, 0, 0, JMP(UINT64_C(0x100000000)));
	rig_start(m, 0);
	cr_assert_eq(machine_run(m, US), MACHINE_BROKEN, "not reached");
}

/* --- cuts --- */

#define PROGRAM 40

static struct fake_insn random_insn(uint64_t *rnd, unsigned cpu, unsigned cpus)
{
	uint8_t a = (uint8_t)rig_below(rnd, 8);
	uint64_t target = rig_below(rnd, cpus);

	switch (rig_below(rnd, cpu ? 22 : 20)) {
	case 0:
		return (struct fake_insn)LOAD(RAX, RIG_DATA);
	case 1:
		return (struct fake_insn)STORE(RBX, RIG_DATA + 8);
	case 2:
		return (struct fake_insn){FAKE_LOAD, a, CPU_R14,
					  8,         0, PROBE(PS)};
	case 3:
		return (struct fake_insn){FAKE_STORE, a, CPU_R14,
					  8,          0, PROBE(NOW)};
	case 4:
		return (struct fake_insn)STORE(R8, PROBE(ADDRESS));
	case 5:
		return (struct fake_insn){FAKE_STORE, a, CPU_R14,
					  8,          0, PROBE(DMA)};
	case 6:
		return (struct fake_insn){FAKE_STORE, (uint8_t)(9 + target),
					  CPU_R14,    8,
					  0,          PROBE(IPI)};
	case 7:
		return (struct fake_insn){FAKE_STORE, a, CPU_R14,
					  1,          0, PROBE(CONSOLE)};
	case 8:
		return (struct fake_insn){FAKE_IN, a, 0,
					  2,       0, PROBE_PORT + PROBE_FIRED};
	case 9:
		return (struct fake_insn)OP(PAUSE);
	case 10:
		return (struct fake_insn){FAKE_TSC, a, 0, 0, 0, 0};
	case 11:
		return (struct fake_insn)OP(STI);
	case 12:
		return (struct fake_insn){FAKE_CR3, a, 0, 0, 0, 0};
	case 13:
		return (struct fake_insn){FAKE_WRMSR, a, CPU_R13, 0, 0, 0x3B};
	case 14:
		return (struct fake_insn){FAKE_STORE2, a, CPU_R14,
					  8,           0, PROBE(NOW)};
	case 15:
		return (struct fake_insn){
			FAKE_JNZ, a, 0, 0, 0, rig_below(rnd, PROGRAM) * 16};
	case 16:
		return (struct fake_insn){FAKE_WRCR8, a, 0, 0, 0, 0};
	case 17:
		return (struct fake_insn){FAKE_STORE, (uint8_t)(9 + target),
					  CPU_R14,    8,
					  0,          PROBE(NMI)};
	case 20:
		return (struct fake_insn)OP(HLT);
	case 21:
		return (struct fake_insn){FAKE_STORE, (uint8_t)(9 + cpus - 1),
					  CPU_R14,    8,
					  0,          PROBE(INIT)};
	default:
		return (struct fake_insn){FAKE_ADDI, a, 0,
					  0,         0, rig_random(rnd)};
	}
}

/* R8: where DMA goes; R9 and up: 0, 1, ... */
static struct machine *random_machine(uint64_t seed, unsigned cpus,
				      struct trace *t)
{
	struct machine_config c = rig_config(cpus);
	uint64_t rnd = seed;
	struct machine *m;

	c.digest_interval = 37;
	c.on_reset = MACHINE_RESET_BOOTS;
	c.quantum_ps = (1 + rig_below(&rnd, 4000)) * 1234;
	c.cpu_hz = 1000000000 + rig_below(&rnd, 3) * 777777777;
	m = rig_create(&c, t);
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		struct fake_insn code[PROGRAM + 5];
		unsigned n = 0;

		code[n++] = (struct fake_insn)SET(R8, RIG_DATA + 64);
		for (unsigned i = 0; i < 4; i++)
			code[n++] = (struct fake_insn){
				FAKE_SET, (uint8_t)(9 + i), 0, 0, 0, i};
		while (n < PROGRAM + 4)
			code[n++] = random_insn(&rnd, cpu, cpus);
		code[n++] = (struct fake_insn)JMP(5);
		/* Every fourth program resets its machine, which then runs
		 * from 0. */
		if (seed % 4 == 0 && cpu == cpus - 1)
			code[5 + rig_below(&rnd, PROGRAM - 1)] =
				(struct fake_insn)STORE(RAX, PROBE(RESET));
		rig_code(m, cpu, 0, code, n);
		if (!cpu)
			rig_code(m, -1U, 0, code, n);
		for (unsigned vector = 0; vector < 0x50; vector++)
			RIG_CODE_AT(m, cpu, HANDLER(vector), ADDI(RSI, vector),
				    TSC(RDI), OP(IRET));
		rig_start(m, cpu);
	}
	return m;
}

struct outcome {
	uint64_t digest, chain, trace, records, retired, console;
	ps_t now;
	enum machine_stop stop;
};

static void on_console(void *owner, unsigned serial, ps_t when, uint8_t c)
{
	uint64_t *hash = owner;

	cr_assert_eq(serial, 0);
	*hash = (*hash ^ c ^ when) * UINT64_C(0x100000001B3);
}

/* Runs to `until`, in pieces if `cuts` is not NULL. */
static struct outcome run_random(uint64_t seed, unsigned cpus, ps_t until,
				 uint64_t *cuts)
{
	struct trace *t = trace_create(
		NULL, TRACE_CLASS_MACHINE | TRACE_CLASS_PARTITION, NULL);
	struct machine *m = random_machine(seed, cpus, t);
	struct outcome o = {0};
	ps_t to = 0;

	machine_set_console(m, on_console, &o.console);
	do {
		to = cuts ? to + 1 + rig_below(cuts, 3000 * NS) : until;
		if (to > until)
			to = until;
		o.stop = machine_run(m, to);
		if (cuts && o.stop == MACHINE_UNTIL)
			cr_assert_eq(machine_now(m), to);
	} while (o.stop == MACHINE_UNTIL && to < until);
	o.digest = machine_digest(m);
	o.chain = machine_chain(m);
	o.trace = trace_digest(t);
	o.records = trace_count(t);
	o.retired = machine_retired(m);
	o.now = machine_now(m);
	machine_destroy(m);
	cr_assert(trace_close(t, NULL));
	return o;
}

static void compare(const struct outcome *a, const struct outcome *b,
		    uint64_t seed)
{
	cr_assert_eq(a->stop, b->stop, "seed %llu", (unsigned long long)seed);
	cr_assert_eq(a->retired, b->retired, "seed %llu: %llu, %llu",
		     (unsigned long long)seed, (unsigned long long)a->retired,
		     (unsigned long long)b->retired);
	cr_assert_eq(a->records, b->records, "seed %llu",
		     (unsigned long long)seed);
	cr_assert_eq(a->trace, b->trace, "seed %llu", (unsigned long long)seed);
	cr_assert_eq(a->chain, b->chain, "seed %llu", (unsigned long long)seed);
	cr_assert_eq(a->digest, b->digest, "seed %llu",
		     (unsigned long long)seed);
	cr_assert_eq(a->console, b->console);
	cr_assert_eq(a->now, b->now);
}

static void cut_everywhere(unsigned cpus, uint64_t seeds)
{
	uint64_t cuts = 99, retired = 0;

	for (uint64_t seed = 1; seed <= seeds; seed++) {
		ps_t until = 400 * US + seed * 1001;
		struct outcome whole = run_random(seed, cpus, until, NULL);
		struct outcome again = run_random(seed, cpus, until, NULL);
		struct outcome cut = run_random(seed, cpus, until, &cuts);

		compare(&whole, &again, seed);
		compare(&whole, &cut, seed);
		retired += whole.retired;
	}
	cr_assert_gt(retired, seeds * 1000, "the programs do run");
}

Test(machine_cuts, one_cpu)
{
	cut_everywhere(1, 120);
}

Test(machine_cuts, two_cpus)
{
	cut_everywhere(2, 120);
}

Test(machine_cuts, four_cpus)
{
	cut_everywhere(4, 60);
}

/* What was traced does not show in the chain, nor in the state. */
Test(machine_cuts, watching_changes_nothing)
{
	for (uint64_t seed = 1; seed <= 30; seed++) {
		struct outcome watched = run_random(seed, 2, 200 * US, NULL);
		struct machine *m = random_machine(seed, 2, NULL);

		cr_assert_eq(machine_run(m, 200 * US), watched.stop);
		cr_assert_eq(machine_chain(m), watched.chain);
		cr_assert_eq(machine_digest(m), watched.digest);
		machine_destroy(m);
	}
}

/* Two machines in one process, working in alternation, are two machines. */
Test(machine_cuts, two_machines_do_not_know_each_other)
{
	struct outcome want[2] = {run_random(11, 2, 300 * US, NULL),
				  run_random(12, 2, 300 * US, NULL)};
	struct machine *m[2] = {random_machine(11, 2, NULL),
				random_machine(12, 2, NULL)};
	enum machine_stop stop[2];

	for (ps_t to = 0; to <= 300 * US; to += US) {
		for (unsigned i = 0; i < 2; i++)
			stop[i] = machine_run(m[i], to);
	}
	for (unsigned i = 0; i < 2; i++) {
		cr_assert_eq(stop[i], want[i].stop);
		cr_assert_eq(machine_chain(m[i]), want[i].chain);
		cr_assert_eq(machine_digest(m[i]), want[i].digest);
		machine_destroy(m[i]);
	}
}

/* One bit of RAM, of a register, of a device: the digest sees it. */
Test(machine, digest_covers_the_state)
{
	struct machine *m = machine_of(2);
	uint64_t first = machine_digest(m), value = 1;
	struct cpu_regs regs;

	cr_assert_eq(machine_digest(m), first);
	cr_assert(bus_poke(machine_bus(m), 0xFFFFF8, &value, 8));
	cr_assert_neq(machine_digest(m), first);
	value = 0;
	cr_assert(bus_poke(machine_bus(m), 0xFFFFF8, &value, 8));
	cr_assert_eq(machine_digest(m), first);
	cpu_regs_get(machine_cpu(m, 1), &regs);
	regs.dr[3] = 1;
	cpu_regs_set(machine_cpu(m, 1), &regs);
	cr_assert_neq(machine_digest(m), first);
	regs.dr[3] = 0;
	cpu_regs_set(machine_cpu(m, 1), &regs);
	cr_assert_eq(machine_digest(m), first);
	bus_mmio_write(machine_bus(m), PROBE(ADDRESS), 8, 1);
	cr_assert_neq(machine_digest(m), first);
	machine_destroy(m);
}
