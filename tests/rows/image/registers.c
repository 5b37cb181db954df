/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/registers.c - row 41: what a switch must give back; row 40:
 * where it keeps it meanwhile.
 *
 * Two partitions on each CPU, of different register contents (`seed=N`), run
 * until both have been switched many times, by their quantum alone and by
 * calls. FS's and GS's bases are those of a process, whose registers are
 * compared as well.  Selectors are not looked at: an instruction that reads one
 * is none of a guest's.
 */
#include "process.h"

#define BYTES 512

struct contents {
	uint64_t gpr[14]; /* all but RSP, RAX */
	uint8_t fx[BYTES] __attribute__((aligned(16)));
};

static struct contents wanted, found;

void registers_run(const struct contents *in, struct contents *out,
		   uint64_t turns, uint64_t call);

/* Loads all from `in` (RDI), spins RDX turns or, RCX not 0, makes RDX calls of
 * that number less one, and stores all to `out` (RSI).  RCX and R11 are lost to
 * a call, so they are compared after spinning alone. */
__asm__("	.globl registers_run\n"
	"registers_run:\n"
	"	push %rbx\n	push %rbp\n	push %r12\n"
	"	push %r13\n	push %r14\n	push %r15\n"
	"	push %rsi\n	push %rcx\n	push %rdx\n"
	"	fxrstor 112(%rdi)\n"
	"	mov %rdi, %rax\n"
	"	mov 0(%rax), %rbx\n	mov 8(%rax), %rcx\n"
	"	mov 16(%rax), %rdx\n	mov 24(%rax), %rsi\n"
	"	mov 32(%rax), %rdi\n	mov 40(%rax), %rbp\n"
	"	mov 48(%rax), %r8\n	mov 56(%rax), %r9\n"
	"	mov 64(%rax), %r10\n	mov 72(%rax), %r11\n"
	"	mov 80(%rax), %r12\n	mov 88(%rax), %r13\n"
	"	mov 96(%rax), %r14\n	mov 104(%rax), %r15\n"
	"	cmpq $0, 8(%rsp)\n"
	"	jne 2f\n"
	"1:	mov (%rsp), %rax\n" /* flags are checked apart: LEA keeps them
				     */
	"	lea -1(%rax), %rax\n"
	"	mov %rax, (%rsp)\n"
	"	xchg %rax, %rcx\n"
	"	jrcxz 3f\n"
	"	xchg %rax, %rcx\n"
	"	jmp 1b\n"
	"2:	mov 8(%rsp), %rax\n"
	"	dec %rax\n"
	"	syscall\n"
	"	decq (%rsp)\n"
	"	jne 2b\n"
	"	jmp 4f\n"
	"3:	xchg %rax, %rcx\n"
	"4:	mov 16(%rsp), %rax\n"
	"	mov %rbx, 0(%rax)\n	mov %rcx, 8(%rax)\n"
	"	mov %rdx, 16(%rax)\n	mov %rsi, 24(%rax)\n"
	"	mov %rdi, 32(%rax)\n	mov %rbp, 40(%rax)\n"
	"	mov %r8, 48(%rax)\n	mov %r9, 56(%rax)\n"
	"	mov %r10, 64(%rax)\n	mov %r11, 72(%rax)\n"
	"	mov %r12, 80(%rax)\n	mov %r13, 88(%rax)\n"
	"	mov %r14, 96(%rax)\n	mov %r15, 104(%rax)\n"
	"	fxsave 112(%rax)\n"
	"	cld\n"
	"	pop %rdx\n	pop %rcx\n	pop %rsi\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n"
	"	pop %r12\n	pop %rbp\n	pop %rbx\n"
	"	ret\n");
_Static_assert(offsetof(struct contents, fx) == 112, "registers_run");

static void fill(uint64_t seed)
{
	uint64_t x = seed;
	uint8_t *fx = wanted.fx;

	__asm__ volatile("fxsave %0" : "=m"(wanted.fx));
	for (unsigned i = 0; i < 14; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		wanted.gpr[i] = x | 1;
	}
	/* Eight x87 registers, all valid: numbers between 1 and 2, of different
	 * precision and rounding for each partition; 16 XMM registers. */
	fx[0] = 0x7f;
	fx[1] = (uint8_t)(seed & 0xc);
	fx[4] = 0xff;
	for (unsigned r = 0; r < 8; r++) {
		for (unsigned i = 0; i < 7; i++)
			fx[32 + 16 * r + i] =
				(uint8_t)(x >> (8 * i)) ^ (uint8_t)r;
		fx[32 + 16 * r + 7] = 0x80;
		fx[32 + 16 * r + 8] = 0xff;
		fx[32 + 16 * r + 9] = 0x3f;
	}
	for (unsigned i = 160; i < 416; i++)
		fx[i] = (uint8_t)(x >> (i % 57)) ^ (uint8_t)i;
	fx[25] = 0x1f | (uint8_t)((seed & 3) << 5); /* MXCSR's rounding */
	fx[24] = 0x80;
}

static void compare(bool call)
{
	for (unsigned i = 0; i < 14; i++) {
		if (call && (i == 1 || i == 9)) /* RCX, R11 */
			continue;
		if (found.gpr[i] != wanted.gpr[i])
			logf_("register %u: %lx, wanted %lx", i, found.gpr[i],
			      wanted.gpr[i]);
		want(found.gpr[i] == wanted.gpr[i], "general registers");
	}
	want(!memcmp(found.fx, wanted.fx, 6), "x87 control, status, tags");
	want(!memcmp(found.fx + 24, wanted.fx + 24, 4), "MXCSR");
	want(!memcmp(found.fx + 32, wanted.fx + 32, 128), "x87 registers");
	want(!memcmp(found.fx + 160, wanted.fx + 160, 256), "XMM registers");
}

/* The flags that arithmetic sets, and DF, stay through a spin that changes
 * none; LAHF reads the former, the way LODSB goes tells the latter. */
static void flags(void)
{
	static const uint32_t value[] = {0x02, 0x03, 0x46, 0x83, 0xd7};
	static const uint8_t text[2];

	for (unsigned i = 0; i < sizeof(value) / sizeof(value[0]); i++) {
		uint32_t eax = value[i] << 8;
		const uint8_t *after = text + 1;

		__asm__ volatile("sahf\n"
				 "std\n"
				 "mov $20000, %%ecx\n"
				 "1: lea -1(%%rcx), %%rcx\n"
				 "jrcxz 2f\n"
				 "jmp 1b\n"
				 "2: lahf\n"
				 "mov %%eax, %%ecx\n"
				 "lodsb\n"
				 "cld\n"
				 "mov %%ecx, %%eax\n"
				 : "+a"(eax), "+S"(after)
				 :
				 : "rcx", "cc", "memory");
		want(eax >> 8 == value[i], "status flags");
		want(after == text, "the direction flag");
	}
}

/* A process whose FS and GS lead to its own words. */
static void bases(uint64_t seed)
{
	struct user_frame *f = process_frame();
	volatile uint64_t *data = page_at(process_make(1, process_bases));

	data[0] = seed * 3;
	data[8] = seed * 5;
	for (unsigned i = 0; i < 3; i++) {
		f->rcx = 40000;
		f->fs_base = PROCESS_DATA;
		f->gs_base = PROCESS_DATA + 64;
		f->rip = PROCESS_CODE;
		memcpy(f->fxsave, wanted.fx, sizeof(f->fxsave));
		process_run(1);
		want(f->rax == seed * 3 && f->rbx == seed * 5,
		     "FS and GS of a process");
		want(f->fs_base == PROCESS_DATA &&
			     f->gs_base == PROCESS_DATA + 64,
		     "the bases in its frame");
		want(!memcmp(f->fxsave + 32, wanted.fx + 32, 128) &&
			     !memcmp(f->fxsave + 160, wanted.fx + 160, 256),
		     "x87 and XMM registers of a process");
	}
	want_result(sys_as_destroy(1), 0, "SYS_AS_DESTROY");
}

void row_41(void)
{
	uint64_t seed = view_arg("seed", 1), end = sys_time() + 60 * MS;
	unsigned rounds = 0;

	fill(seed);
	while (sys_time() < end) {
		registers_run(&wanted, &found, 20000, 0);
		compare(false);
		registers_run(&wanted, &found, 4, SYS_YIELD + 1);
		compare(true);
		registers_run(&wanted, &found, 4, SYS_NULL + 1);
		compare(true);
		flags();
		bases(seed);
		rounds++;
	}
	logf_("registers: %u rounds", rounds);
}

/* Row 40: the same contents before each of `turns` calls that wait;
 * tests/rows/s40-switch.lua looks for them in the virtual processor's
 * structure. */
void row_40(void)
{
	for (unsigned i = 0; i < BYTES; i++)
		wanted.fx[i] = 0;
	__asm__ volatile("fxsave %0" : "=m"(wanted.fx));
	for (unsigned i = 160; i < 416; i++)
		wanted.fx[i] = (uint8_t)(i * 7 + 1);
	for (unsigned i = 0; i < 14; i++)
		wanted.gpr[i] = 0x4000000000000000u + i * 0x1111111u;
	for (uint64_t i = view_arg("turns", 60); i; i--) {
		wanted.gpr[4] = 0;                     /* RDI: no event */
		wanted.gpr[3] = sys_time() + 250 * US; /* RSI: until then */
		registers_run(&wanted, &found, 1, SYS_WAIT + 1);
	}
}
