/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel for tests of exactness: whatever a run can be cut in.
 *
 * Loaded at 10000h, started in real mode at its first byte.  It goes to long
 * mode with tables of its own and then repeats, for ever, a round of: loops,
 * REP strings (to RAM and to registers), faults that a handler repairs, code
 * that it rewrites, code and data across a page boundary, ports, registers,
 * TSC, MSRs, CR8, a visit to ring 3 and SYSCALL back, floating point.
 *
 *   1000h PML4   2000h PDPT   3000h PD   4000h PT of the first 2 MiB
 *   5000h IDT    6000h TSS    7000h what the kernel counts   9000h data
 *   E000h stack (grows down), F000h stack of interrupts
 */
#define COUNT_ROUND 0x7000
#define COUNT_INTR  0x7008
#define COUNT_PF    0x7010
#define COUNT_UD    0x7018
#define COUNT_GP    0x7020
#define COUNT_DE    0x7028
#define SUM         0x7030

	.section .rodata
	.globl kernel_start, kernel_end
	.balign 4096
kernel_start:
	.code16
	cli
	lgdtl	%cs:(gdtr - kernel_start)
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$0x18, $(0x10000 + start32 - kernel_start)

	.code32
start32:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$0xe000, %esp
	/* Tables: three upper entries and 512 pages, then FEE00000h. */
	movl	$0x2003 + 4, 0x1000
	movl	$0x3003 + 4, 0x2000
	movl	$0x8003, 0x2018
	movl	$0x4003 + 4, 0x3000
	movl	$0xfee00083, 0x8fb8
	mov	$0x4000, %edi
	mov	$0x7, %eax
1:	mov	%eax, (%edi)
	movl	$0, 4(%edi)
	add	$8, %edi
	add	$0x1000, %eax
	cmp	$0x200007, %eax
	jne	1b
	mov	$0x620, %eax		/* PAE, FXSR, XMM exceptions */
	mov	%eax, %cr4
	mov	$0x1000, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	mov	$0x901, %eax		/* SCE LME NXE */
	xor	%edx, %edx
	wrmsr
	mov	$0x80010033, %eax	/* PG WP NE ET MP PE */
	mov	%eax, %cr0
	ljmpl	$0x08, $(0x10000 + start64 - kernel_start)

	.code64
start64:
	/* Gates for all vectors, then those that have handlers. */
	xor	%ecx, %ecx
	lea	on_other(%rip), %rax
1:	call	gate
	inc	%ecx
	cmp	$256, %ecx
	jne	1b
	.macro handle vector, handler
	lea	\handler(%rip), %rax
	mov	$\vector, %ecx
	call	gate
	.endm
	handle	0, on_de
	handle	6, on_ud
	handle	13, on_gp
	handle	14, on_pf
	handle	64, on_intr
	handle	128, on_soft
	movw	$0xee00, 0x5000 + 16 * 128 + 4
	lidt	idtr(%rip)
	movq	$0xf000, 0x6004		/* RSP0 */
	mov	$0x40, %ax
	ltr	%ax
	mov	$0xc0000081, %ecx	/* STAR: kernel 08h, user 33h and 2Bh */
	xor	%eax, %eax
	mov	$0x00300008, %edx
	wrmsr
	mov	$0xc0000082, %ecx
	lea	on_syscall(%rip), %rax
	xor	%edx, %edx
	wrmsr
	mov	$0xc0000084, %ecx
	mov	$0x200, %eax
	wrmsr
	fninit
	fldpi
	movl	$1, SUM
	sti

round:
	incq	COUNT_ROUND
	/* A loop whose length depends on what came before. */
	mov	SUM, %eax
	and	$15, %eax
	lea	3(%rax), %ecx
1:	imul	$1103515245, SUM, %edx
	add	$12345, %edx
	mov	%edx, SUM
	test	$1, %dl
	jz	2f
	addl	$7, SUM
2:	loop	1b
	/* REP: within RAM, across a page boundary, to a register. */
	mov	$0x9f80, %esi
	mov	$0xafc1, %edi
	mov	$100, %ecx
	rep movsb
	mov	$0xb003, %edi
	mov	$17, %ecx
	mov	SUM, %eax
	rep stosq
	mov	$0xfee00100, %edi
	mov	$3, %ecx
	rep stosl
	mov	$0xafc1, %esi
	mov	$0x9f80, %edi
	mov	$100, %ecx
	repe cmpsb
	setne	%al
	movzx	%al, %eax
	add	%eax, SUM
	/* A page that isn't there; the handler brings it. */
	andb	$0xfe, 0x4000 + 8 * 0x20
	invlpg	0x20000
	mov	SUM, %eax
	mov	%eax, 0x20008
	mov	0x1fffe, %eax		/* and across into it */
	add	%eax, SUM
	/* Read-only for its writer, too: CR0.WP. */
	andb	$0xfd, 0x4000 + 8 * 0x21
	invlpg	0x21000
	incl	0x21010
	/* Exceptions that the handler steps over. */
	ud2
	xor	%edx, %edx
	xor	%ecx, %ecx
	mov	$5, %eax
	div	%ecx			/* 2 bytes */
	mov	$0x4711, %ecx
	rdmsr				/* 2 bytes: #GP */
	mov	$0x1b, %ecx
	rdmsr
	add	%eax, SUM
	/* Rewrites the instruction right behind itself, and one of a
	 * subroutine that has run already. */
	mov	SUM, %eax
	mov	%eax, 1f + 1(%rip)
1:	mov	$0x11111111, %edx
	add	%edx, SUM
	call	rewritten
	mov	%al, rewritten + 1(%rip)
	call	rewritten
	call	crossing
	/* Flags that come right before, and that these keep. */
	mov	$0x9200, %esi
	mov	SUM, %eax
	cmp	$0x40000000, %eax
	lock cmpxchg16b (%rsi)
	pushfq
	pop	%rax
	and	$0x8d5, %eax
	add	%eax, SUM
	sub	$3, %ecx
	cmpxchg8b 8(%rsi)
	pushfq
	pop	%rax
	and	$0x8d5, %eax
	add	%eax, SUM
	/* Ports and registers. */
	mov	SUM, %eax
	out	%al, $0x80
	out	%eax, $0x80
	in	$0x80, %al
	add	%eax, SUM
	mov	$0xfee00000, %ebx
	mov	(%rbx), %eax
	add	%eax, SUM
	addl	$5, 8(%rbx)		/* read, change, write: two accesses */
	mov	16(%rbx), %rax
	mov	%ax, 32(%rbx)
	rdtsc
	add	%eax, SUM
	mov	%cr8, %rax
	add	%eax, SUM
	mov	%rax, %cr8
	xor	%eax, %eax
	cpuid
	/* Floating point and SSE. */
	fld1
	fadd	%st(1), %st
	fxch	%st(1)
	fstp	%st(0)
	movd	SUM, %xmm0
	pshufd	$0, %xmm0, %xmm1
	paddd	%xmm1, %xmm2
	cvtdq2pd %xmm2, %xmm3
	movups	%xmm2, 0x9101
	/* To ring 3; it comes back by SYSCALL, and once by INT. */
	pushq	$0x3b
	pushq	$0xd000
	pushq	$0x202
	pushq	$0x33
	lea	user(%rip), %rax
	push	%rax
	iretq
user:
	addl	$3, SUM
	int	$0x80
	syscall
back:
	mov	$0xe000, %rsp
	sti
	pause
	jmp	round

rewritten:
	mov	$0x55, %al
	ret

	/* An instruction that lies on two pages. */
	.balign 4096
	.skip	4096 - 3
crossing:
	mov	$0x12345678, %edx	/* 5 bytes */
	add	%edx, SUM
	ret

gate:	/* vector ecx to rax, present, ring 0 */
	mov	%ecx, %edi
	shl	$4, %edi
	add	$0x5000, %edi
	mov	%ax, (%rdi)
	movw	$0x08, 2(%rdi)
	movw	$0x8e00, 4(%rdi)
	mov	%rax, %rdx
	shr	$16, %rdx
	mov	%dx, 6(%rdi)
	movq	$0, 8(%rdi)
	ret

on_de:
	incq	COUNT_DE
	addq	$2, (%rsp)
	iretq
on_ud:
	incq	COUNT_UD
	addq	$2, (%rsp)
	iretq
on_gp:
	incq	COUNT_GP
	add	$8, %rsp
	addq	$2, (%rsp)
	iretq
on_pf:	/* brings back what was taken */
	incq	COUNT_PF
	push	%rax
	mov	%cr2, %rax
	shr	$12, %rax
	orb	$3, 0x4000(, %rax, 8)
	shl	$12, %rax
	invlpg	(%rax)
	pop	%rax
	add	$8, %rsp
	iretq
on_intr:
	incq	COUNT_INTR
	push	%rax
	mov	8(%rsp), %rax		/* where it came: counts in the sum */
	add	%rax, SUM
	pop	%rax
	iretq
on_soft:
	addl	$11, SUM
	iretq
on_syscall:
	add	%ecx, SUM
	jmp	back
on_other:
	hlt
	jmp	on_other

	.balign 8
gdt:	.quad	0
	.quad	0x00af9b000000ffff	/* 08: code, 64 bits */
	.quad	0x00cf93000000ffff	/* 10: data */
	.quad	0x00cf9b000000ffff	/* 18: code, 32 bits */
	.quad	0
	.quad	0
	.quad	0x00affb000000ffff	/* 30: user code */
	.quad	0x00cff3000000ffff	/* 38: user data */
	.quad	0x0000890060000067	/* 40: TSS at 6000h */
	.quad	0
gdtr:	.word	gdtr - gdt - 1
	.long	0x10000 + gdt - kernel_start
	.balign 8
idtr:	.word	0xfff
	.quad	0x5000
kernel_end:
	.section .note.GNU-stack, "", @progbits
