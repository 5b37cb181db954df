/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/machine_internal.h - the machine as its own files know it: machine.c (the
 * run loop), platform.c (what the CPUs ask for), machine_build.c (made of
 * parts), machine_reset.c.  bus.c uses the functions alone.
 */
#ifndef PARTERRE_SIM_MACHINE_INTERNAL_H
#define PARTERRE_SIM_MACHINE_INTERNAL_H

#include "sim/machine.h"
#include "sim/trace/deep.h"

struct digest;

struct vcpu {
	struct cpu *cpu;
	/* Its clock: at base_ps it had retired base_retired instructions.
	 * Both move only where the machine's history says so (a stall, the
	 * end of a halt), never where a run was cut: rounding must not know. */
	ps_t base_ps;
	uint64_t base_retired;
	uint64_t base_ticks; /* then; what counts, if not with TIMING_FLAT */
	ps_t cost; /* of accesses of the instruction under way; added after it
		    */
	uint64_t next_fold;  /* retired count of the chain's next fold */
	uint64_t tsc_adjust; /* IA32_TSC_ADJUST: TSC minus virtual time's count
			      */
	uint32_t partition;
	bool intr;         /* the level of INTR */
	bool nmi;          /* an NMI or a machine check came and it has not run
			      since */
	bool wait_sipi;    /* after reset or INIT, not the first CPU */
	bool init_pending; /* it sent itself an INIT */
	/* observe.c: what is told; the stretch under way; whose the instruction
	 * under way is. */
	enum cpu_observe observe;
	bool stretched;
	struct deep_place stretch;
	vaddr_t stretch_pc;
	uint32_t observed;
	ps_t observed_at; /* when the CPU last began to work */
	/* machine_account(): since when; time that passed without it, and that
	 * its accesses took. */
	ps_t account_from;
	uint64_t account_ahead; /* cpu_ticks_ahead() then */
	ps_t halted_ps, stalled_ps, access_ps;
};

struct machine {
	struct machine_config config;
	enum timing_model timing; /* now */
	uint64_t ps_whole; /* of one instruction; 0: not a whole number */
	struct evq *evq;
	struct bus *bus;
	struct trace *trace;
	struct cpu_complex *complex;
	struct vcpu vcpu[CPU_COUNT_MAX];

	/* Whose turn it is, and where the quantum ends.  Part of the machine's
	 * history: a run that is cut goes on in the middle of a turn. */
	unsigned turn;
	ps_t quantum_end;
	struct vcpu *worked; /* who worked last; NULL: not since it was made */
	ps_t stood; /* what machine_now() says between runs, at least */
	/* How much was done lately: since when, and the retired count then. */
	ps_t lately;
	uint64_t lately_retired;
	unsigned slept; /* this often in a row it had done little */

	/* Valid while the machine runs. */
	bool in_run;
	struct vcpu *running; /* its cpu_run() is under way */
	bool observing;       /* in a context callback: time is the CPU's own */
	ps_t bound; /* the CPU must not begin an instruction from here */

	uint64_t stop_at;   /* machine_stop_at() */
	unsigned limit_cpu; /* or MACHINE_ALL_CPUS */
	uint64_t limit;
	bool stop_requested, off, shutdown, reset, broken;
	const char *reset_cause; /* a reset is due at the next boundary */
	uint32_t off_code;
	const char *broken_text;
	char host_failure[512]; /* machine_host_failed() */

	struct device **device;
	size_t device_count, device_slots;
	void (*console)(void *owner, unsigned serial, ps_t when, uint8_t c);
	void *console_owner;
	struct {
		struct device *device;
		machine_serial_take *take;
	} serial[MACHINE_SERIALS];
	bool accounts; /* machine_account() */
	struct machine_observer observer;
	machine_probe_fn *probe;
	void *probe_owner;
	uint64_t chain;
	struct digest *digest;
	struct keeper *keeper; /* snapshot_memory.c; NULL: none was taken yet */
};

extern const struct cpu_ops machine_cpu_ops; /* platform.c */

static inline struct vcpu *vcpu_of(struct machine *m, const struct cpu *cpu)
{
	return &m->vcpu[cpu_index(cpu)];
}

/* Another CPU than the running one could work before the bound. */
bool machine_others_wait(const struct machine *m);
/* The vCPU's own time, at the boundary where it stands; `retired`: its count
 * there, for those who asked for it already. */
ps_t vcpu_now(const struct machine *m, const struct vcpu *v);
ps_t vcpu_when(const struct machine *m, const struct vcpu *v, uint64_t retired);
/* Its clock is not before now. */
void vcpu_catch_up(struct machine *m, struct vcpu *v);
/* It was halted and will go on: not before now. */
void vcpu_wake(struct machine *m, struct vcpu *v);
void vcpu_reset(struct machine *m, struct vcpu *v);
void vcpu_init(struct machine *m, struct vcpu *v);

/* cycles.c: an access of the CPU takes so long. */
void machine_account_access(struct machine *m, struct vcpu *v, ps_t ps);
uint64_t machine_ticks_of(const struct machine *m, ps_t ps); /* begun ones not
							      */
bool vcpu_sleeps(const struct vcpu *v);

/* observe.c: what the trace wants of the CPU is told from now on; the CPU may
 * work to *limit, perhaps less than before, and to the retired count that is
 * returned. */
uint64_t machine_observe(struct machine *m, struct vcpu *v, ps_t *limit);
/* What the trace is owed goes there; nothing is under way any more. */
void machine_observe_anew(struct machine *m);
void machine_flow(void *owner, struct cpu *cpu, const struct cpu_flow *f);
void machine_instruction(void *owner, struct cpu *cpu,
			 const struct cpu_instruction *i);

/* The CPU under way stops after its instruction. */
void machine_stop_soon(struct machine *m);
/* Does the reset that is due (machine_reset.c). */
void machine_reset_now(struct machine *m);
/* Firmware's tables and the image, into RAM and the first CPU. */
bool machine_boot(struct machine *m, struct error *err);

/* snapshot_memory.c: all snapshots in memory of this machine. */
void keeper_destroy(struct keeper *k); /* NULL is fine */

struct cpu_complex *machine_complex(struct machine *m);
/* One more link of machine_chain(). */
void machine_fold(struct machine *m, const void *p, size_t bytes);

#endif
