/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/machine.h - owns all parts; the run loop.  Start reading in machine.c.
 *
 * A machine is a pure function of (configuration, images, seed, what the
 * scenario does at which instant).  One host thread.  It is built once, runs
 * in pieces of any size with the same result, and is destroyed.
 *
 * vCPUs take turns in fixed quanta of virtual time; device accesses happen at
 * their own instant (machine_now() is exact inside a register callback).  HLT
 * on all CPUs jumps to the next event.
 *
 * Time with several CPUs.  Quanta begin at fixed multiples of quantum_ps and
 * are cut at events; within a piece each CPU has its turn, by index, and PAUSE
 * passes the turn on.  A CPU whose turn comes later works at instants that
 * another has already left behind, so:
 *   - machine_now() in an observer is that CPU's own exact time;
 *   - devices and the TSC never see time step back: in a register callback
 *     machine_now() is the CPU's own time or the instant of another CPU's
 *     latest access in this piece, whichever is later.  RDTSC is an access.
 * With one CPU all these are the same and exact.
 *
 * All accesses of one instruction happen at the instant at which it begins;
 * what they cost is added to the CPU's time after it.
 */
#ifndef PARTERRE_SIM_MACHINE_H
#define PARTERRE_SIM_MACHINE_H

#include "cpu/cpu.h"
#include "sim/base.h"
#include "sim/bus.h"
#include "sim/device.h"
#include "sim/evq.h"
#include "sim/status.h"

#define MACHINE_LOAD_DEFAULT    UINT64_MAX /* where its mode begins */
#define MACHINE_MODULES_MAX     16
#define MACHINE_CONTROLLERS_MAX 4
#define MACHINE_NAMESPACES_MAX  4
#define MACHINE_SERIALS         2
#define MACHINE_NICS            2

/* What a platform reset does, and a triple fault, which asks for one. */
enum machine_on_reset {
	MACHINE_RESET_ENDS,  /* the run ends: MACHINE_RESET, MACHINE_SHUTDOWN */
	MACHINE_RESET_BOOTS, /* the machine boots its image again */
};

struct net_port;

struct machine_module {
	const char *path;
	const char *string; /* Multiboot module string */
};

/* A linear framebuffer, as firmware leaves it; width 0: text, 80x25. */
struct machine_video {
	uint32_t width, height, depth; /* bits of a pixel */
};

struct machine_config {
	uint64_t ram_bytes; /* default 256 MiB */
	unsigned cpu_count; /* 1 to 8 */
	uint64_t cpu_hz;    /* default 1,000,000,000 */
	uint64_t serial_hz; /* the UARTs' crystal; default 1,843,200 */
	uint64_t seed;
	const char *firmware; /* sim/firmware.h; NULL: none.  Not with kernel */
	const char *kernel;   /* an image that sim/loader.h knows; NULL: none */
	const char *boot;     /* its format; NULL: as the file says */
	const char *initrd;   /* Linux's first root file system; NULL: none */
	const char *cmdline;
	uint64_t load_address; /* of a raw image; MACHINE_LOAD_DEFAULT */
	struct machine_module module[MACHINE_MODULES_MAX];
	size_t module_count;
	/* The NVMe subsystem: shared namespaces, n controllers. */
	const char *disk_path; /* raw image, opened read-write; NULL: no disk */
	/* Namespaces 2 and up, raw images too; the first NULL ends them. */
	const char *more_disks[MACHINE_NAMESPACES_MAX - 1];
	unsigned controllers; /* 0 to MACHINE_CONTROLLERS_MAX; default 2 */
	uint64_t disk_read_ps, disk_write_ps, disk_flush_ps; /* 0: defaults */
	uint64_t rtc_seconds; /* the date at power-on, from 1970-01-01 00:00:00;
				 default DATE_DEFAULT_SECONDS */
	struct machine_video video; /* default text */
	uint64_t digest_interval;   /* instructions; default 100,000 */
	/* virtio devices; none by default. */
	unsigned nics; /* network cards, to MACHINE_NICS */
	struct net_port *nic_port[MACHINE_NICS]; /* net.h; NULL: no cable */
	uint64_t nic_mac;        /* of the first; the others count on */
	const char *virtio_disk; /* raw image; NULL: no virtio disk */
	bool rng;                /* an entropy device, seeded by `seed` */
	bool iommu; /* devices/vtd.h, and the ACPI table that tells of it */
	ps_t quantum_ps; /* of one CPU's turn among several; default 10 us */
	enum timing_model timing;       /* at power-on; default TIMING_FLAT */
	const char *profile;            /* of the CPUs: a file; NULL: generic */
	enum machine_on_reset on_reset; /* default MACHINE_RESET_ENDS */
};

void machine_config_defaults(struct machine_config *c);

struct trace;
struct partition_view;

enum machine_stop {
	MACHINE_UNTIL,     /* the instant asked for was reached */
	MACHINE_REQUESTED, /* machine_request_stop() */
	MACHINE_OFF,       /* the guest switched it off; machine_off_code() */
	MACHINE_SHUTDOWN,  /* triple fault; only with MACHINE_RESET_ENDS */
	MACHINE_RESET,     /* machine_reset(); only with MACHINE_RESET_ENDS */
	MACHINE_DEADLOCK,  /* all CPUs halt and no event is scheduled */
	MACHINE_BROKEN,    /* the CPU engine failed: machine_broken_text() */
	MACHINE_COUNT,     /* machine_stop_at() */
	MACHINE_BREAK,     /* a breakpoint (cpu_break_set()) is next to execute
			      on the CPU machine_stopped_cpu() */
	MACHINE_WATCH,   /* that CPU made a watched access (cpu_watch_set()) */
	MACHINE_LIMITED, /* the count of machine_set_limit() was reached */
};

/* `trace` and `view` may be NULL; both stay the caller's. */
struct machine *machine_create(const struct machine_config *c,
			       struct trace *trace, struct error *err) MUST_USE;
void machine_destroy(struct machine *m);

/* Runs until `until` (inclusive of what happens at it) or another reason. */
enum machine_stop machine_run(struct machine *m, ps_t until) MUST_USE;
/* machine_run() also stops when this CPU, or all CPUs together, have retired so
 * many instructions; MACHINE_NO_LIMIT: never. */
#define MACHINE_ALL_CPUS UINT32_MAX
#define MACHINE_NO_LIMIT UINT64_MAX
void machine_set_limit(struct machine *m, unsigned cpu, uint64_t retired);
/* From an event, a register callback or an observer: stop at this boundary. */
void machine_request_stop(struct machine *m);
/* Stop once, by MACHINE_COUNT, at the boundary at which all CPUs together have
 * retired so many instructions: at once if they have already.  UINT64_MAX:
 * never.  Counts name places in the machine's history that do not depend on how
 * a run is cut, each instruction boundary of any CPU among them. */
void machine_stop_at(struct machine *m, uint64_t retired);
/* Whose turn it was when machine_run() returned. */
unsigned machine_stopped_cpu(const struct machine *m);
/* From a device: the guest ends the run with this code. */
void machine_off(struct machine *m, uint32_t code);
uint32_t machine_off_code(const struct machine *m);
/* From a device: the guest pulls the platform's RESET#.  With
 * MACHINE_RESET_BOOTS, at the next boundary (after this instruction, after all
 * events of this instant):
 *   - the CPUs are reset; one that has gone further in time stays there.
 *     Retired counts, chain and trace go on; so does the TSC (IA32_TSC_ADJUST
 *     is cleared), for it counts virtual time;
 *   - the devices are reset, in the order in which they were added, by
 *     warm_reset() where they have it: the power stays on;
 *   - RAM keeps what is in it, but for what the firmware's tables and the
 *     loader, which reads the images again, write over.
 * If an image cannot be loaded any more, the machine is broken. */
void machine_reset(struct machine *m);
/* From a device: the host failed it (a full disk under the image): the run ends
 * as MACHINE_BROKEN with this text. */
void machine_host_failed(struct machine *m, const char *fmt, ...)
	PRINTF_LIKE(2, 3);
const char *machine_broken_text(const struct machine *m);

/* The instant, exact inside callbacks (see above).  Between runs: the instant
 * that machine_run() reached; events may be scheduled from it on. */
ps_t machine_now(const struct machine *m);
/* From this instant on time is counted by that model; between runs. */
bool machine_set_timing(struct machine *m, enum timing_model model,
			struct error *err) MUST_USE;
enum timing_model machine_timing(const struct machine *m);
/* How far this CPU has come; a halted CPU stands where it last worked. */
ps_t machine_cpu_now(const struct machine *m, unsigned cpu);
/* Who spends the cycles (cpu_account(), cpu/cpu.h): from now on, with the
 * indices of machine_set_partition() as owners.  Between runs.  What a loaded
 * snapshot did not hold is accounted from there on. */
void machine_account(struct machine *m);
/* Of one CPU, in ticks; between runs.  With `spent`, the sum over all that
 * cpu_accounted() tells:
 *   spent - ahead + halted + stalled + rounding = total
 * A CPU that halts now does so up to `end`. */
struct machine_cycles {
	ps_t from, to;
	uint64_t total;
	int64_t spent;
	int64_t ahead;    /* of `spent`, not in its time yet */
	uint64_t halted;  /* it waited for an interrupt, or to be started */
	uint64_t stalled; /* machine_stall() */
	int64_t rounding; /* clocks are whole picoseconds */
};
void machine_cycles(struct machine *m, unsigned cpu, ps_t end,
		    struct machine_cycles *c);

struct evq *machine_evq(struct machine *m);
struct bus *machine_bus(struct machine *m);
struct trace *machine_trace(struct machine *m);
struct cpu *machine_cpu(struct machine *m, unsigned index);
unsigned machine_cpu_count(const struct machine *m);
/* The vCPU whose access is being served; 0 outside an access. */
unsigned machine_accessing_cpu(const struct machine *m);
uint64_t machine_retired(const struct machine *m); /* all CPUs together */

/* What the local APICs drive (devices/lapic.c).  Levels may be set again. */
void machine_set_intr(struct machine *m, unsigned cpu, bool level);
void machine_set_nmi(struct machine *m, unsigned cpu);
/* As cpu_machine_check(); between runs. */
void machine_set_check(struct machine *m, unsigned cpu, uint64_t status,
		       paddr_t addr);
/* The CPU does nothing for so long, as if it stood in SMM; between runs. */
void machine_stall(struct machine *m, unsigned cpu, ps_t ps);
void machine_cpu_init(struct machine *m,
		      unsigned cpu); /* INIT: wait for SIPI */
void machine_cpu_sipi(struct machine *m, unsigned cpu, uint8_t vector);
/* The TSC at machine_now(), and the first instant at which it is at least
 * `tsc`: now, when it already is; PS_NEVER beyond the end of time.  Whoever
 * changes a TSC calls lapic_tsc_changed() after. */
uint64_t machine_tsc(struct machine *m, unsigned cpu);
ps_t machine_tsc_instant(struct machine *m, unsigned cpu, uint64_t tsc);

/* Fills time, CPU, partition and retired count, and emits: `r` has kind (by
 * trace_kind_find()) and values; outside of a CPU's turn also the partition. */
struct trace_record;
void machine_emit(struct machine *m, struct trace_record *r);
/* TRACE_ODD: the guest asked a device for what it does not do. */
void machine_odd(struct device *d, const char *what, uint64_t offset,
		 uint64_t value);

/* TRACE_FRAME: a frame on the cable of a network card. */
void machine_frame(struct device *d, bool sent, const uint8_t *frame,
		   size_t bytes);

/* A device of a class in devices.list, by the board or a test. */
struct device *machine_add_device(struct machine *m, const char *class_name,
				  const char *name,
				  const struct device_prop *props, size_t count,
				  struct error *err) MUST_USE;
struct device *machine_device(struct machine *m, const char *name);
/* In the order in which they were added; NULL past the end. */
struct device *machine_device_at(struct machine *m, size_t index);

/* Serial lines by number: 0 is COM1, the console, 1 is COM2.  A UART says in
 * its init whose input it takes: as many of the bytes as it returns. */
typedef size_t machine_serial_take(struct device *d, const uint8_t *p,
				   size_t bytes);
bool machine_add_serial(struct machine *m, unsigned serial, struct device *d,
			machine_serial_take *take, struct error *err) MUST_USE;
/* From outside, at machine_now(): sent to the guest at its bit rate.  Returns
 * how many bytes were taken; 0 also when there is no such line. */
size_t machine_serial_input(struct machine *m, unsigned serial,
			    const uint8_t *p, size_t bytes);
/* What the guest sent, byte by byte. */
void machine_set_console(struct machine *m,
			 void (*byte)(void *owner, unsigned serial, ps_t when,
				      uint8_t c),
			 void *owner);
void machine_console_byte(struct machine *m, unsigned serial,
			  uint8_t c); /* from the UART */

/* Where the cable of the network card is plugged in; NULL: nowhere. */
struct net_port *machine_nic_port(const struct machine *m, unsigned nic);

/* What the trace is still owed of what the CPUs have executed (classes flow and
 * full) goes there: between runs, before the trace is closed or the machine
 * destroyed. */
void machine_trace_end(struct machine *m);

/* Observers of CPU context (partition view).  Called at exact boundaries with
 * the machine's state consistent; must not change it. */
struct machine_observer {
	void (*context)(void *owner, struct machine *m, struct cpu *cpu,
			const struct cpu_context_record *r);
	/* The platform was reset and is about to boot again; may be NULL. */
	void (*reset)(void *owner, struct machine *m);
	/* Ring 3 code, see cpu/cpu.h; may be NULL. */
	void (*block)(void *owner, struct machine *m, struct cpu *cpu,
		      const struct cpu_block *b);
	/* With several CPUs: another one is about to work, this one's turn is
	 * over; machine_now() is its own time.  Whatever it wrote to memory in
	 * its turn no other CPU has read or written over yet.  May be NULL. */
	void (*turn_over)(void *owner, struct machine *m, struct cpu *cpu);
	void *owner;
};
void machine_set_observer(struct machine *m, const struct machine_observer *o);
/* One more that sees each context event, after the observer; NULL: none. */
typedef void machine_probe_fn(void *owner, struct machine *m, struct cpu *cpu,
			      const struct cpu_context_record *r);
void machine_set_probe(struct machine *m, machine_probe_fn *fn, void *owner);
/* cpu_mark_changes(), for a debugger. */
void machine_mark_changes(struct machine *m, uint32_t *marks, uint32_t mark);
/* The partition that the records of this CPU's doings carry from now on. */
void machine_set_partition(struct machine *m, unsigned cpu, uint32_t index);
uint32_t machine_partition(const struct machine *m, unsigned cpu);

/* Digests.  machine_digest(): of all architectural state now (CPU registers,
 * RAM, device fields) by xxHash XXH3 64.
 *
 * machine_chain(): the running chain.  Folded in: a CPU's registers whenever
 * its own retired count is a multiple of digest_interval; every value that the
 * CPUs get from the platform (register and MSR reads, TSC, vectors), every
 * write of theirs, every DMA write and every console byte, in order.  CPUs stop
 * at these counts anyhow exactly, so the chain does not know in which pieces
 * the machine was run; and the trace is left out, so it does not know what was
 * watched.  Equal runs have equal chains. */
uint64_t machine_digest(struct machine *m);
uint64_t machine_chain(const struct machine *m);

#endif
