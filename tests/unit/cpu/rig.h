/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/cpu/rig.h - a vCPU or several on 4 MiB of RAM, a platform that
 * notes everything it is asked, and interrupts at fixed counts.
 *
 * The kernel (kernel.S) starts in real mode and goes to long mode by itself.
 */
#ifndef PARTERRE_TESTS_CPU_RIG_H
#define PARTERRE_TESTS_CPU_RIG_H

#include "cpu/cpu.h"

#define RIG_RAM  (UINT64_C(4) << 20)
#define RIG_CODE UINT64_C(0x10000) /* where kernel.S is linked and loaded */
#define RIG_MMIO UINT64_C(0xfee00000)
#define RIG_PORT 0x80

struct rig {
	uint8_t *ram;
	struct cpu_complex *cx;
	unsigned cpus;
	uint64_t log;      /* hash of all that was asked, in order */
	uint64_t asked;    /* how often */
	uint64_t contexts; /* hash of the context records */
	uint64_t kick_at;  /* this question kicks the CPU; 0: none */
	uint64_t refused;  /* the last question that was answered by #GP */
	uint64_t acked_at; /* the count at which it last took an interrupt */
	uint32_t last_port_value;
	int vector;
	void (*on_ask)(struct rig *r, struct cpu *cpu); /* may be NULL */
};

extern const uint8_t kernel_start[], kernel_end[];

void rig_make(struct rig *r, unsigned cpus);
void rig_drop(struct rig *r);
/* CPU 0 at linear `entry` of the kernel, real mode. */
void rig_start(struct rig *r, unsigned cpu, uint32_t entry);
/* Runs CPU 0 to `count`, in pieces drawn from `seed` (0: in one go; 1: one
 * instruction at a time), raising vector 64 at every multiple of `period`. */
enum cpu_stop rig_run(struct rig *r, uint64_t count, uint64_t period,
		      uint64_t seed);
/* Registers, RAM and what was asked. */
uint64_t rig_digest(struct rig *r);
uint64_t rig_hash(uint64_t hash, const void *p, size_t bytes);
uint32_t rig_word(const struct rig *r, uint64_t at);

#endif
