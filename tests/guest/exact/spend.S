/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/exact/spend.S - functions each of which spends its cycles on one
 * thing (tests/unit/machine/test_cycles.c says on which).
 *
 * Lines are chased through in an order that no stride foresees: line i leads to
 * line 5 * 13 * i + 7 (a full cycle, as the factor is 1 modulo 4).
 */
	.include "long.inc"

	.set	DATA, 0x800000
	.set	ROUNDS, 3000

	.macro	function name
	.globl	\name
	.type	\name, @function
\name:
	.endm

	.macro	done name
	.size	\name, . - \name
	.endm

	/* Makes a cycle of \lines places, \step bytes apart, and runs it twice;
	 * to be left in the caches what they hold. */
	.macro	chase lines, step
	movl	$DATA, %esi
	movl	$(\lines), %edi
	movl	$(\step), %edx
	call	spend_make
	.endm

main:	chase	256, 64			/* 16 KiB: the first cache */
	call	spend_l1
	chase	768 + 256, 64		/* 64 KiB: the second */
	call	spend_l2
	chase	4096, 64		/* 256 KiB: the last */
	call	spend_llc
	chase	65536, 64		/* 4 MiB: none */
	call	spend_dram
	chase	256, 4096 + 64		/* 256 pages, a line of each */
	call	spend_tlb
	call	spend_base
	call	spend_front
	call	spend_units
	call	spend_chain
	call	spend_branch
	call	spend_lock
	call	spend_cpuid
	call	spend_invlpg
	call	spend_cr3
	call	spend_port
	call	spend_exception
	jmp	spend_timer

function spend_make
	xorl	%ecx, %ecx
1:	imull	$65, %ecx, %eax
	addl	$7, %eax
	leal	-1(%rdi), %ebx
	andl	%ebx, %eax
	imull	%edx, %eax
	addl	%esi, %eax
	movl	%ecx, %ebx
	imull	%edx, %ebx
	movq	%rax, (%rsi, %rbx)
	incl	%ecx
	cmpl	%edi, %ecx
	jne	1b
	leal	(%rdi, %rdi), %ecx
	movq	%rsi, %rax
1:	movq	(%rax), %rax
	decl	%ecx
	jnz	1b
	ret
	done	spend_make

	.macro	run_through name
	function \name
	movl	$(4 * ROUNDS), %ecx
1:	movq	(%rax), %rax
	decl	%ecx
	jnz	1b
	ret
	done	\name
	.endm
	run_through spend_l1
	run_through spend_l2
	run_through spend_llc
	run_through spend_dram
	run_through spend_tlb

	.macro	repeated name, times = ROUNDS
	function \name
	movl	$\times, %edi
1:
	.endm
	.macro	again name
	decl	%edi
	jnz	1b
	ret
	done	\name
	.endm

	repeated spend_base
	.rept	8
	leaq	1(%rsi), %rax
	leaq	2(%rsi), %rbx
	leaq	3(%rsi), %rcx
	leaq	4(%rsi), %rdx
	.endr
	again	spend_base

	repeated spend_front
	.rept	64
	jmp	2f
2:
	.endr
	again	spend_front

	repeated spend_units
	.rept	4
	imulq	%rsi, %rax
	imulq	%rsi, %rbx
	imulq	%rsi, %rcx
	imulq	%rsi, %rdx
	imulq	%rsi, %r8
	imulq	%rsi, %r9
	.endr
	again	spend_units

	repeated spend_chain
	.rept	16
	imulq	%rax, %rax
	.endr
	again	spend_chain

	repeated spend_branch
	movabsq	$6364136223846793005, %rax
	imulq	%rax, %r13
	incq	%r13
	btq	$40, %r13
	jc	2f
	nop
2:	btq	$45, %r13
	jc	2f
	nop
2:	btq	$50, %r13
	jc	2f
	nop
2:
	again	spend_branch

	repeated spend_lock
	lock incl DATA
	again	spend_lock

	repeated spend_cpuid
	xorl	%eax, %eax
	cpuid
	again	spend_cpuid

	repeated spend_invlpg
	invlpg	DATA
	again	spend_invlpg

	repeated spend_cr3
	movq	%cr3, %rax
	movq	%rax, %cr3
	again	spend_cr3

	repeated spend_port
	outb	%al, $0x80
	again	spend_port

	repeated spend_exception
	leaq	2f(%rip), %r12
	ud2
2:
	again	spend_exception

/* Sleeps from one to the next. */
function spend_timer
	movl	$LAPIC, %ebp
	movl	$0xB, 0x3E0(%rbp)
	movl	$0x20040, 0x320(%rbp)	/* periodic */
	movl	$1000, 0x380(%rbp)
1:	hlt
	cmpq	$ROUNDS, TIMERS(%r15)
	jb	1b
	movl	$0, 0x380(%rbp)
	ret
	done	spend_timer
