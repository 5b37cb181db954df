/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/place/idle.c - row 43 in the place of idle, on each CPU that
 * nobody else wants at the moment: when told to, it makes calls at random, then
 * it halts for ever.
 *
 * Its virtual processors begin at the same instruction, on the same stack, in
 * the same memory: each takes a turn, and a stack of its own.  The first alone
 * prints.
 */
#include "calls.h"

#define STACK_SHIFT 14

static struct calls caller[ABI_CPUS];
static uint32_t finished;

/* For the assembly. */
extern uint8_t idle_stacks[ABI_CPUS << STACK_SHIFT];
uint8_t idle_stacks[ABI_CPUS << STACK_SHIFT] __attribute__((aligned(4096)));
extern uint32_t idle_turns;
uint32_t idle_turns;
_Noreturn void idle_main(uint32_t turn);

__asm__("	.text\n"
	"	.globl partition_main\n"
	"partition_main:\n"
	"	mov $1, %eax\n"
	"	lock xadd %eax, idle_turns(%rip)\n"
	"	and $7, %eax\n"
	"	mov %eax, %edi\n"
	"	inc %eax\n"
	"	shl $14, %eax\n"
	"	lea idle_stacks(%rip), %rsp\n"
	"	add %rax, %rsp\n"
	"	xor %ebp, %ebp\n"
	"	call idle_main\n");

/* A CPU that nobody wants has no other interrupt. */
static void halt_until(bool (*over)(void))
{
	while (!over()) {
		(void)sys_call(SYS_ALARM, sys_time() + 100 * US, 0, 0, 0, 0);
		(void)sys_halt();
	}
}

static bool told(void)
{
	return CALLS_ORDER->calls;
}

static bool all_finished(void)
{
	return __atomic_load_n(&finished, __ATOMIC_ACQUIRE) == view_now()->cpus;
}

static bool never(void)
{
	return false;
}

static void report(void)
{
	uint64_t done = 0, succeeded[2] = {0, 0};

	for (unsigned i = 0; i < ABI_CPUS; i++) {
		done += caller[i].done;
		succeeded[0] |= caller[i].succeeded[0];
		succeeded[1] |= caller[i].succeeded[1];
	}
	CALLS_ORDER->made = done;
	logf_("calls: %lu", done);
	logf_("numbers that succeeded: %lx %lx", succeeded[0], succeeded[1]);
	logf_("PASS row 43");
	log_drain();
}

_Noreturn void idle_main(uint32_t turn)
{
	struct calls *c = &caller[turn];

	halt_until(told);
	calls_begin(c, CALLS_ORDER->seed ^ (uint64_t)turn << 32);
	calls_make(c, CALLS_ORDER->calls);
	(void)__atomic_add_fetch(&finished, 1, __ATOMIC_RELEASE);
	if (!turn) {
		halt_until(all_finished);
		report();
	}
	halt_until(never);
	__builtin_unreachable();
}
