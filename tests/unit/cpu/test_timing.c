/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block model on code of which one can tell by hand what it costs, and
 * profiles that are none.  Figures are the generic profile's. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpu/timing/timing.h"

static struct timing *timing;

static void make(void)
{
	struct error err;

	timing = timing_create(NULL, &err);
	cr_assert(timing, "%s", err.text);
}

static void drop(void)
{
	timing_destroy(timing);
}

TestSuite(timing_block, .init = make, .fini = drop);

/* `times` copies of an instruction, then one more, if it has bytes. */
static uint32_t ticks(const char *insn, size_t bytes, unsigned times,
		      const char *last, size_t last_bytes)
{
	static uint8_t code[TIMING_BLOCK_MAX * 15];
	static uint16_t offset[TIMING_BLOCK_MAX];
	static uint32_t until[TIMING_BLOCK_MAX];
	struct branch branch;
	struct timing_code c = {
		.code = code, .offset = offset, .bits = 64, .count = times};

	for (unsigned i = 0; i < times; i++) {
		offset[i] = (uint16_t)(i * bytes);
		memcpy(code + i * bytes, insn, bytes);
	}
	c.bytes = (uint32_t)(times * bytes);
	if (last_bytes) {
		offset[c.count++] = (uint16_t)c.bytes;
		memcpy(code + c.bytes, last, last_bytes);
		c.bytes += (uint32_t)last_bytes;
	}
	timing_block(timing, &c, until, NULL, &branch, NULL);
	for (unsigned i = 0; i < c.count; i++)
		cr_assert_gt(until[i], i ? until[i - 1] : 0);
	return until[c.count - 1];
}

#define CYCLES(insn, times)                                                    \
	((double)ticks(insn, sizeof(insn) - 1, times, "", 0) /                 \
	 TIMING_TICKS_PER_CYCLE)
#define CYCLES_AND(insn, times, last)                                          \
	((double)ticks(insn, sizeof(insn) - 1, times, last,                    \
		       sizeof(last) - 1) /                                     \
	 TIMING_TICKS_PER_CYCLE)

Test(timing_block, chains)
{
	cr_expect_float_eq(CYCLES("\x48\x01\xd8", 60), 60, 0.01,
			   "add %%rbx, %%rax");
	cr_expect_float_eq(CYCLES("\x48\x0f\xaf\xc3", 60), 180, 0.01,
			   "imul %%rbx, %%rax");
	cr_expect_float_eq(CYCLES("\x48\x8b\x00", 60), 240, 0.01,
			   "mov (%%rax), %%rax");
	cr_expect_float_eq(CYCLES("\x66\x0f\x58\xc1", 60), 180, 0.01,
			   "addpd %%xmm1, %%xmm0");
	cr_expect_float_eq(CYCLES("\x48\x83\x07\x01", 60), 60, 0.01,
			   "addq $1, (%%rdi)");
	/* The rest of the register stays: a chain. */
	cr_expect_float_eq(CYCLES("\xb0\x01", 60), 60, 0.01, "mov $1, %%al");
	cr_expect_float_eq(CYCLES("\xf2\x0f\x51\xc1", 60), 1260, 0.01,
			   "sqrtsd %%xmm1, %%xmm0");
	cr_expect_float_eq(CYCLES("\x66\x0f\x51\xc1", 60), 510, 0.1,
			   "sqrtpd %%xmm1, %%xmm0");
}

Test(timing_block, units)
{
	/* add %rbx, %rcx after mov $1, %ecx would be; a store is no chain */
	cr_expect_float_eq(CYCLES("\x48\x89\x07", 60), 30, 0.01,
			   "mov %%rax, (%%rdi): two stores a cycle");
	cr_expect_float_eq(CYCLES("\x48\x8b\x07", 60), 20, 0.01,
			   "mov (%%rdi), %%rax: three loads a cycle");
	cr_expect_float_eq(CYCLES("\xb9\x01\x00\x00\x00", 60), 15, 0.01,
			   "mov $1, %%ecx: four ALUs");
	cr_expect_float_eq(CYCLES("\x90", 60), 5, 0.01, "nop: twelve a cycle");
	cr_expect_float_eq(CYCLES("\x31\xc0", 60), 10, 0.01,
			   "xor %%eax, %%eax waits for nothing");
	cr_expect_float_eq(CYCLES("\x48\x89\xc8", 60), 10, 0.01,
			   "mov %%rcx, %%rax is renaming");
}

Test(timing_block, jumps)
{
	cr_expect_float_eq(CYCLES_AND("\x90", 1, "\xc3"), 1, 0.01,
			   "ret: a taken branch a cycle");
	/* dec %ecx; jnz to somewhere else: the chain is one */
	cr_expect_float_eq(CYCLES_AND("\xff\xc9", 1, "\x75\xf0"), 1, 0.01,
			   "dec, jnz");
}

/* A loop's chain begins with the loop: it is charged the longer it goes on. */
Test(timing_block, loops)
{
	/* imul %rbx, %rax; dec %ecx; jnz to it */
	static const uint8_t code[] = {0x48, 0x0f, 0xaf, 0xc3,
				       0xff, 0xc9, 0x75, 0xf8};
	static const uint16_t offset[] = {0, 4, 6};
	struct timing_code c = {.code = code,
				.offset = offset,
				.bits = 64,
				.count = 3,
				.bytes = sizeof(code)};
	struct branch b;
	uint32_t until[3];

	timing_block(timing, &c, until, NULL, &b, NULL);
	cr_expect_eq(until[2] + b.taken, 256, "a cycle, but for the chain");
	cr_expect_eq(b.again, 2 * 256, "imul: three cycles");
	cr_expect_eq(branch_again(&b, BRANCH_TAKEN | 1), b.ramp);
	cr_expect_gt(b.ramp, 0);
	cr_expect_eq(branch_again(&b, BRANCH_TAKEN | BRANCH_SURE), b.again);
	cr_expect_eq(branch_again(&b, BRANCH_SURE), 0, "it did not go on");
	/* As part of what is no loop, the chain goes on. */
	c.count = 2;
	c.bytes = 6;
	timing_block(timing, &c, until, NULL, &b, NULL);
	cr_expect_eq(until[1], 3 * 256);
}

Test(timing_block, room_to_wait)
{
	uint32_t more = ticks("\x48\x8b\x00", 3, 12, "\x48\x89\xf8", 3);

	/* mov (%%rax), %%rax, and mov %%rdi, %%rax at the end: the chain begins
	 * anew; twelve loads wait 4 cycles longer each, for 54 places. */
	cr_expect_float_eq((double)more / 256, (4 * 66 - 13) / 54.0, 0.1);
}

Test(timing_block, repeats)
{
	static const uint8_t code[] = {0xf3, 0x48, 0xab}; /* REP STOSQ */
	static const uint16_t offset[] = {0};
	struct timing_code c = {.code = code,
				.offset = offset,
				.bits = 64,
				.count = 1,
				.bytes = sizeof(code)};
	struct branch b;
	uint32_t until[1];

	timing_block(timing, &c, until, NULL, &b, NULL);
	cr_expect_eq(b.kind, BRANCH_REPEAT);
	cr_expect_eq(b.cost, 12 * 256);
	cr_expect_eq(until[0], 64, "a quarter of a cycle for eight bytes");
}

Test(timing_block, serialising)
{
	double wrmsr = CYCLES("\x0f\x30", 1), cr3 = CYCLES("\x0f\x22\xd8", 1);

	cr_expect_gt(wrmsr, 100, "WRMSR");
	cr_expect_gt(cr3, 100, "MOV to CR3");
	cr_expect_lt(CYCLES("\x0f\x20\xd8", 1), cr3, "MOV from CR3");
	cr_expect_gt(CYCLES("\xf0\x48\xff\x07", 1),
		     CYCLES("\x48\xff\x07", 1) + 10, "LOCK INC");
	cr_expect_gt(CYCLES("\x0f\xa2", 1), 100, "CPUID");
	cr_expect_gt(CYCLES("\x48\xcf", 1), 100, "IRET");
	cr_expect_gt(CYCLES("\x0f\x01\x38", 1), 100, "INVLPG");
	cr_expect_gt(CYCLES("\xec", 1), 50, "IN");
	cr_expect_gt(timing_event(timing, TIMING_EXCEPTION),
		     100 * TIMING_TICKS_PER_CYCLE);
}

/* --- branches --- */

static uint64_t random_state = 88172645463325252;

static bool coin(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state >> 20 & 1;
}

/* How many of 1000 branches were not foreseen, after 1000 to learn from;
 * period 0: at random. */
static unsigned not_foreseen(unsigned period)
{
	static struct branch_predictor p;
	const struct branch b = {
		.kind = BRANCH_CONDITIONAL, .pc = 0x1000, .next = 0x1002};
	unsigned wrong = 0;

	branch_predictor_reset(&p);
	for (unsigned i = 0; i < 2000; i++) {
		bool taken = period ? i % period != 0 : coin();

		wrong += !branch_foreseen(&p, &b, taken ? 0x900 : b.next) &&
			 i >= 1000;
	}
	return wrong;
}

Test(branch, conditional)
{
	cr_expect_eq(not_foreseen(1), 0, "never");
	cr_expect_eq(not_foreseen(2), 0, "by turns");
	cr_expect_eq(not_foreseen(16), 0, "a loop of 16");
	/* Longer than any history: once a round, and not the time after. */
	cr_expect_eq(not_foreseen(100), 10, "a loop of 100");
	cr_expect_gt(not_foreseen(0), 400);
	cr_expect_lt(not_foreseen(0), 600);
}

Test(branch, returns_and_targets)
{
	static struct branch_predictor p;
	struct branch call = {.kind = BRANCH_CALL, .pc = 0x1000};
	struct branch ret = {.kind = BRANCH_RETURN, .pc = 0x2000};
	struct branch jump = {.kind = BRANCH_INDIRECT, .pc = 0x3000};
	unsigned wrong = 0;

	branch_predictor_reset(&p);
	for (unsigned i = 0; i < BRANCH_RETURNS; i++) {
		call.next = 0x1000 + i;
		cr_expect(branch_foreseen(&p, &call, 0x2000));
	}
	for (unsigned i = BRANCH_RETURNS; i-- > 0;)
		cr_expect(branch_foreseen(&p, &ret, 0x1000 + i));
	cr_expect_not(branch_foreseen(&p, &ret, 0x9999));
	cr_expect_not(branch_foreseen(&p, &jump, 0x4000));
	cr_expect(branch_foreseen(&p, &jump, 0x4000));
	cr_expect_not(branch_foreseen(&p, &jump, 0x5000));
	/* To five places by turns: by the path. */
	for (unsigned i = 0; i < 1000; i++)
		wrong +=
			!branch_foreseen(&p, &jump, 0x6000 + i % 5) && i >= 100;
	cr_expect_eq(wrong, 0);
}

/* A loop of many rounds between does not hide what was before. */
Test(branch, path_reaches_behind_loops)
{
	static struct branch_predictor p;
	const struct branch first = {
		.kind = BRANCH_CONDITIONAL, .pc = 0x1000, .next = 0x1002};
	const struct branch loop = {
		.kind = BRANCH_CONDITIONAL, .pc = 0x2000, .next = 0x2002};
	const struct branch last = {
		.kind = BRANCH_CONDITIONAL, .pc = 0x3000, .next = 0x3002};
	unsigned wrong = 0;

	branch_predictor_reset(&p);
	for (unsigned i = 0; i < 2000; i++) {
		bool taken = coin();

		(void)branch_foreseen(&p, &first, taken ? 0x900 : first.next);
		for (unsigned k = 0; k < 50; k++)
			(void)branch_foreseen(&p, &loop,
					      k < 49 ? 0x900 : loop.next);
		wrong += !branch_foreseen(&p, &last,
					  taken ? 0x900 : last.next) &&
			 i >= 1000;
	}
	cr_expect_lt(wrong, 50, "%u of 1000", wrong);
}

/* --- profiles --- */

static void refuses(const char *text, const char *why)
{
	char path[] = "/tmp/parterre-profile-XXXXXX";
	int fd = mkstemp(path);
	struct error err = {0};

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	cr_expect_null(timing_create(path, &err), "%s", text);
	cr_expect_eq(err.code, EXIT_USAGE);
	cr_expect(strstr(err.text, why), "'%s' does not say '%s'", err.text,
		  why);
	unlink(path);
}

Test(profile, refuses)
{
	struct error err;

	cr_expect_null(timing_create("/nowhere/at/all", &err));
	refuses("", "the profile has no class 'default'");
	refuses("set width six\n", ":1: no number of cycles: 'six'");
	refuses("\nset wide 6\n", ":2: not known, or not one number: 'wide'");
	refuses("port alu 0\n", "no count of ports");
	refuses("port alu 4\nport alu 4 4\n", ":2: one port too many");
	refuses("class add alu:1\n", "no such port above: 'alu'");
	refuses("class add latency\n", "a number is missing after");
	refuses("class add latency 1.2345\n", "no number of cycles: '1.2345'");
	refuses("insn add add\n", "no such class above");
	refuses("class add\ninsn add adder\n", "no such instruction: 'adder'");
	refuses("event nap 3\n", "not known");
	refuses("cache l1d 30 8 0\n", ":1: size by ways is no power of two");
	refuses("cache l9 32 8 0\n", ":1: not known, or not NAME SIZE WAYS");
	refuses("tlb dtlb 64 8\n", ":1: not known, or not NAME SIZE WAYS");
	refuses("tlb dtlb 64 0 1\n", ":1: no such count: '0'");
	refuses("core zen\n", "no such statement: 'core'");
}
