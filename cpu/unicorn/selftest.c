/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/selftest.c - what layout.h and interpose.c rest on, tried out.
 *
 * One kernel in long mode on its own page tables: exact stop in the middle of
 * a block, a register and a port access that see the right count, #UD, #PF and
 * #GP with error code and CR2, an unknown MSR, SYSCALL to the kernel, a page
 * marked accessed and dirty, an interrupt, HLT.
 */
#include "cpu/unicorn/selftest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cpu/cpu.h"

#define RAM   (UINT64_C(2) << 20)
#define CODE  0x8000
#define IDT   0x4000
#define GDT   0x5000
#define PML4  0x1000
#define PDPT  0x2000
#define PD    0x3000
#define PT    0x6000
#define DATA  0x7000 /* what the kernel found */
#define STACK 0xa000

/* Vector n: pushes of error codes apart, each handler writes vector, error and
 * CR2 to DATA and goes on at R8. */
asm(".pushsection .rodata\n"
    ".globl selftest_code, selftest_code_end\n"
    "selftest_code:\n"
    "	mov $5, %ecx\n"   /* 1 */
    "	xor %eax, %eax\n" /* 2 */
    "1:	add %ecx, %eax\n" /* 3.. 5 times 3 */
    "	dec %ecx\n"
    "	jnz 1b\n"            /* 17 so far */
    "	lea 2f(%rip), %r8\n" /* 18 */
    "	ud2\n"               /* #UD, not retired */
    "2:	lea 3f(%rip), %r8\n"
    "	mov 0x12345678, %al\n" /* #PF: not present */
    "3:	lea 4f(%rip), %r8\n"
    "	mov $0x4711, %ecx\n"
    "	rdmsr\n" /* #GP */
    "4:	mov $0x55, %al\n"
    "	out %al, $0x80\n"
    "	mov $0xfee00000, %edx\n"
    "	mov (%rdx), %ebx\n" /* not RAM: the platform's */
    "	mov %ebx, 0x7080\n"
    "	rdtsc\n"
    "	mov %eax, 0x7084\n"
    "	mov $0xc0000082, %ecx\n"
    "	lea 5f(%rip), %rax\n"
    "	xor %edx, %edx\n"
    "	wrmsr\n"
    "	syscall\n"
    "	ud2\n"
    "5:	mov %ecx, 0x7088\n" /* where SYSCALL came from */
    "	sti\n"
    "6:	hlt\n"
    "	jmp 6b\n"
    /* The handlers: 32 bytes each from here, for 6, 13, 14 and 64. */
    "	.balign 256\n"
    "	movl $6, 0x7000\n"
    "	mov %r8, (%rsp)\n"
    "	iretq\n"
    "	.balign 64\n"
    "	movl $13, 0x7010\n"
    "	pop 0x7018\n"
    "	mov %r8, (%rsp)\n"
    "	iretq\n"
    "	.balign 64\n"
    "	movl $14, 0x7020\n"
    "	pop 0x7028\n"
    "	mov %cr2, %r9\n"
    "	mov %r9, 0x7030\n"
    "	mov %r8, (%rsp)\n"
    "	iretq\n"
    "	.balign 64\n"
    "	movl $64, 0x7040\n"
    "	iretq\n"
    "selftest_code_end:\n"
    ".popsection\n");
extern const uint8_t selftest_code[], selftest_code_end[];

struct seen {
	uint32_t port_value;
	uint64_t mmio_retired, tsc_retired;
	bool interrupt;
};

static uint64_t mmio_read(void *owner, struct cpu *cpu, paddr_t pa,
			  unsigned size)
{
	struct seen *s = owner;

	(void)size;
	s->mmio_retired = cpu_retired(cpu);
	return pa == 0xfee00000 ? 0x600dcafe : 0;
}

static void mmio_write(void *owner, struct cpu *cpu, paddr_t pa, unsigned size,
		       uint64_t value)
{
	(void)owner, (void)cpu, (void)pa, (void)size, (void)value;
}

static uint32_t port_read(void *owner, struct cpu *cpu, uint16_t port,
			  unsigned size)
{
	(void)owner, (void)cpu, (void)port, (void)size;
	return 0;
}

static void port_write(void *owner, struct cpu *cpu, uint16_t port,
		       unsigned size, uint32_t value)
{
	(void)cpu, (void)size;
	((struct seen *)owner)->port_value = (uint32_t)port << 16 | value;
}

static int intr_ack(void *owner, struct cpu *cpu)
{
	((struct seen *)owner)->interrupt = true;
	cpu_set_intr(cpu, false);
	return 64;
}

static uint64_t tsc_read(void *owner, struct cpu *cpu)
{
	((struct seen *)owner)->tsc_retired = cpu_retired(cpu);
	return 1000 + cpu_retired(cpu);
}

static bool no_msr_read(void *owner, struct cpu *cpu, uint32_t msr,
			uint64_t *value)
{
	(void)owner, (void)cpu, (void)msr, (void)value;
	return false;
}

static bool no_msr_write(void *owner, struct cpu *cpu, uint32_t msr,
			 uint64_t value)
{
	(void)owner, (void)cpu, (void)msr, (void)value;
	return false;
}

static uint8_t cr8_read(void *owner, struct cpu *cpu)
{
	(void)owner, (void)cpu;
	return 0;
}

static void cr8_write(void *owner, struct cpu *cpu, uint8_t value)
{
	(void)owner, (void)cpu, (void)value;
}

static const struct cpu_ops ops = {
	.mmio_read = mmio_read,
	.mmio_write = mmio_write,
	.port_read = port_read,
	.port_write = port_write,
	.intr_ack = intr_ack,
	.tsc_read = tsc_read,
	.msr_read = no_msr_read,
	.msr_write = no_msr_write,
	.cr8_read = cr8_read,
	.cr8_write = cr8_write,
};

static void put64(uint8_t *ram, uint64_t at, uint64_t value)
{
	memcpy(ram + at, &value, 8);
}

static uint32_t get32(const uint8_t *ram, uint64_t at)
{
	uint32_t value;

	memcpy(&value, ram + at, 4);
	return value;
}

static void gate(uint8_t *ram, unsigned vector, uint64_t handler)
{
	put64(ram, IDT + 16 * vector,
	      (handler & 0xffff) | UINT64_C(0x08) << 16 |
		      UINT64_C(0x8e00) << 32 | (handler >> 16 & 0xffff) << 48);
}

static void build(uint8_t *ram, struct cpu_regs *r)
{
	memcpy(ram + CODE, selftest_code,
	       (size_t)(selftest_code_end - selftest_code));
	/* The first 2 MiB as 4 KiB pages, and the page at FEE00000h. */
	put64(ram, PML4, PDPT | 3);
	put64(ram, PDPT, PD | 3);
	put64(ram, PDPT + 8 * 3, 0xb003);
	put64(ram, PD, PT | 3);
	put64(ram, 0xb000 + 8 * 0x1f7, 0xfee00083);
	for (unsigned i = 0; i < 512; i++)
		put64(ram, PT + 8 * i, i * PAGE_BYTES | 3);
	put64(ram, GDT + 8, UINT64_C(0x00af9b000000ffff));
	put64(ram, GDT + 16, UINT64_C(0x00cf93000000ffff));
	gate(ram, 6, CODE + 256);
	gate(ram, 13, CODE + 320);
	gate(ram, 14, CODE + 384);
	gate(ram, 64, CODE + 448);
	r->cr0 = 0x80000011;
	r->cr4 = 0x20;
	r->cr3 = PML4;
	r->efer = 0x501;
	r->star = UINT64_C(8) << 32;
	r->rip = CODE;
	r->rflags = 2;
	r->halted = 0;
	r->gpr[CPU_RSP] = STACK;
	r->gdtr_base = GDT;
	r->gdtr_limit = 23;
	r->idtr_base = IDT;
	r->idtr_limit = 16 * 65 - 1;
	for (unsigned i = 0; i < CPU_SEG_COUNT; i++)
		r->seg[i] = (struct cpu_segment){0, 0xffffffff, 0x10, 0xc093};
	r->seg[CPU_CS] = (struct cpu_segment){0, 0xffffffff, 0x08, 0xa09b};
}

#define EXPECT(cond)                                                           \
	do {                                                                   \
		if (!(cond))                                                   \
			return __LINE__;                                       \
	} while (0)

static int judge(struct cpu *cpu, const uint8_t *ram, const struct seen *s)
{
	/* In the middle of the loop's second round, then on. */
	EXPECT(cpu_run(cpu, 7) == CPU_STOP_DEADLINE);
	EXPECT(cpu_retired(cpu) == 7);
	EXPECT(cpu_gpr(cpu, CPU_RAX) == 9 && cpu_gpr(cpu, CPU_RCX) == 3);
	EXPECT(cpu_run(cpu, 18) == CPU_STOP_DEADLINE);
	EXPECT(cpu_gpr(cpu, CPU_RAX) == 15);
	EXPECT(cpu_run(cpu, 1000) == CPU_STOP_HALT);
	EXPECT(cpu_halted(cpu));
	EXPECT(get32(ram, DATA) == 6);
	EXPECT(get32(ram, DATA + 0x10) == 13 && get32(ram, DATA + 0x18) == 0);
	EXPECT(get32(ram, DATA + 0x20) == 14 && get32(ram, DATA + 0x28) == 0);
	EXPECT(get32(ram, DATA + 0x30) == 0x12345678);
	EXPECT(s->port_value == 0x800055);
	EXPECT(get32(ram, DATA + 0x80) == 0x600dcafe);
	/* #UD 3, lea, #PF 6, lea, mov, #GP 4: 18 + 3 + 1 + 6 + 2 + 4 = 34, then
	 * mov, out, mov before the load; three more before RDTSC. */
	EXPECT(s->mmio_retired == 37);
	EXPECT(s->tsc_retired == 39);
	EXPECT(get32(ram, DATA + 0x84) == 1039);
	EXPECT(get32(ram, DATA + 0x88) > CODE);
	EXPECT(ram[PT + 8 * 7] & 0x40);       /* DATA: dirty */
	EXPECT(!(ram[PT + 8 * 0x20] & 0x20)); /* never touched */
	EXPECT(!s->interrupt);
	cpu_set_intr(cpu, true);
	EXPECT(cpu_run(cpu, 1000) == CPU_STOP_HALT);
	EXPECT(s->interrupt && get32(ram, DATA + 0x40) == 64);
	return 0;
}

int selftest_run(void)
{
	struct seen seen = {0};
	struct cpu_ram region = {.bytes = RAM};
	struct cpu_complex_config config = {
		.ram = &region,
		.ram_count = 1,
		.cpu_count = 1,
		.ops = &ops,
		.owner = &seen,
	};
	struct cpu_complex *cx;
	struct cpu_regs regs;
	int line;

	region.host = mmap(NULL, RAM, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(region.host != MAP_FAILED);
	cx = cpu_complex_create(&config, NULL);
	EXPECT(cx);
	cpu_regs_get(cpu_get(cx, 0), &regs);
	build(region.host, &regs);
	cpu_regs_set(cpu_get(cx, 0), &regs);
	line = judge(cpu_get(cx, 0), region.host, &seen);
	cpu_complex_destroy(cx);
	munmap(region.host, RAM);
	return line;
}

bool selftest_in_child(void)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		return false;
	if (child == 0) {
		alarm(10); /* a wrong engine may run for ever */
		_exit(selftest_run() ? 1 : 0);
	}
	return waitpid(child, &status, 0) == child && status == 0;
}
