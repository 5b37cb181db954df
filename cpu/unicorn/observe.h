/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/observe.h - what is executed, for cpu_observe().
 *
 * Observed code calls observe_block() at the beginning of each block, when it
 * is certain that it runs.  Flow: a block that begins where the one before
 * ended is the same stretch, wherever translation or a deadline cut them.
 * Instructions: each is a block of its own, so that all registers are in
 * memory between them, and every page of the TLB is marked as watched, so that
 * each access comes by observe_access() first.  What an instruction did is
 * known when the next begins, an interrupt or exception comes, or the run ends.
 */
#ifndef PARTERRE_UNICORN_OBSERVE_H
#define PARTERRE_UNICORN_OBSERVE_H

#include "cpu/unicorn/engine.h"

/* From translated code; the block has been counted. */
void observe_block(void *env);
/* Before an instruction's access. */
void observe_access(struct cpu *cpu, vaddr_t va, uint64_t bytes, bool write);
/* Where in the host's memory the address lies: its entry is in the TLB.  NULL:
 * it is no RAM. */
const uint8_t *observe_host(struct cpu *cpu, vaddr_t va, bool write);
/* Before a context event is told, or what it is happens. */
void observe_context(struct cpu *cpu, enum cpu_context_event what);
/* The run has ended. */
void observe_stand(struct cpu *cpu);

#endif
