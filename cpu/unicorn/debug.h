/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/debug.h - the guest's debug registers (SDM 3B, section 17.2).
 *
 * The library's own breakpoints are not used: to set one flushes all translated
 * code under the feet of what runs.  Code breakpoints are the engine's business
 * like a debugger's; data breakpoints mark TLB entries; I/O breakpoints are
 * looked at by each port access.
 *
 * A data or I/O breakpoint is a trap: `debug_due` holds its bits of DR6 until
 * the instruction has ended, within cpu_run().  It is no state at a boundary.
 */
#ifndef PARTERRE_UNICORN_DEBUG_H
#define PARTERRE_UNICORN_DEBUG_H

#include "cpu/unicorn/engine.h"

/* DR7 or an address changed. */
void debug_arm(struct cpu *cpu);
bool debug_breaks_at(const struct cpu *cpu, uint64_t linear);
/* The DR6 bits of code breakpoints that hit now, before the instruction at
 * this address; 0: none, or held off by RF or the shadow of MOV SS. */
uint32_t debug_code_hit(struct cpu *cpu, uint64_t linear);
/* A port is accessed, by an instruction that runs alone. */
void debug_port(struct cpu *cpu, uint32_t port, unsigned bytes);
/* These bits of DR6 make a #DB when the instruction has ended. */
void debug_due(struct cpu *cpu, uint32_t bits);
/* Between instructions: deliver what is due.  False: nothing was. */
bool debug_deliver(struct cpu *cpu);
/* Entries of the TLB are marked when they are made: all are made again, and the
 * guest does not notice.  Between runs. */
void debug_mark_anew(struct cpu *cpu);
/* #DB is being delivered by other means: what is due goes with it. */
void debug_entered(struct cpu *cpu);

#endif
