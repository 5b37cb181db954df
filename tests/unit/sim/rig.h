/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/sim/rig.h - small machines of fake CPUs, and random numbers that
 * are the same in every run.
 */
#ifndef PARTERRE_TESTS_RIG_H
#define PARTERRE_TESTS_RIG_H

#include "fake_board.h"
#include "fake_cpu.h"

/* Code of CPU i begins at RIG_CODE(i), its CS base; RIP counts from there. */
#define RIG_CODE(cpu) (UINT64_C(0x10000) * ((cpu) + 1))
#define RIG_DATA      UINT64_C(0xB00000)

/* 16 MiB, `cpus` CPUs of 1 GHz (an instruction takes 1 ns). */
struct machine_config rig_config(unsigned cpus);
struct machine *rig_create(const struct machine_config *c, struct trace *t);
/* Puts instructions at RIP `at` of `cpu`. */
void rig_code(struct machine *m, unsigned cpu, uint64_t at,
	      const struct fake_insn *code, size_t count);
#define RIG_CODE_AT(m, cpu, at, ...)                                           \
	rig_code(m, cpu, at, (const struct fake_insn[]){__VA_ARGS__},          \
		 sizeof((const struct fake_insn[]){__VA_ARGS__}) /             \
			 sizeof(struct fake_insn))
/* The CPU is to run its code from RIP 0, without waiting for a SIPI. */
void rig_start(struct machine *m, unsigned cpu);
uint64_t rig_reg(struct machine *m, unsigned cpu, enum cpu_gpr which);

/* splitmix64 */
uint64_t rig_random(uint64_t *state);
uint64_t rig_below(uint64_t *state, uint64_t limit);

#endif
