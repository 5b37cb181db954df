/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/exact/exact.S - whatever a run can be cut in, on CPUS processors
 * at once.
 *
 * Each CPU does ROUNDS rounds, each of them one of sixteen things by a random
 * number that depends on all that happened before (the sum takes in where each
 * interrupt came, and what the clocks said).  So one instruction more or less
 * anywhere leads elsewhere.  Codes: 7 all is well, 20 and up a check failed.
 */
	.include "long.inc"
	.include "nvme.inc"

	.set	LOCK, SHARED + 0x40
	.set	COUNTER, SHARED + 0x48
	.set	EXPECTED, SHARED + 0x50
	.set	DMA_LOCK, SHARED + 0x58
	.set	DMA_READY, SHARED + 0x60

	/* A lock at `where`; spins with and without PAUSE. */
	.macro	take where
9:	movl	$1, %eax
	xchgl	%eax, \where
	testl	%eax, %eax
	jz	8f
	testb	$1, SUM(%r15)
	jz	9b
	pause
	jmp	9b
8:
	.endm

main:	testl	%r14d, %r14d
	jnz	1f
	movl	$user_code, %esi
	movl	$USER_CODE, %edi
	movl	$(user_end - user_code), %ecx
	rep movsb
	movl	$rewritten, %esi
	movl	$CODE_PAGE, %edi
	movl	$(rewritten_end - rewritten), %ecx
	rep movsb
	call	nvme_start
	movl	$1, DMA_READY
1:	pause
	cmpl	$0, DMA_READY
	je	1b
	movl	$LAPIC, %ebp
	movl	$0xB, 0x3E0(%rbp)
	movl	$0x20040, 0x320(%rbp)	/* periodic */
	movl	$1500, 0x380(%rbp)

round:	incq	ROUNDS_DONE(%r15)
	cmpq	$ROUNDS, ROUNDS_DONE(%r15)
	ja	1f
	movl	$LAPIC, %ebp
	xorq	SUM(%r15), %r13
	call	random
	movl	%eax, %ebx
	andl	$15, %eax
	shrl	$4, %ebx		/* EBX: random, 27 bits */
	testl	$0x7800000, %ebx	/* one in sixteen */
	jz	act_disk_next
	leaq	next(%rip), %rdx
	pushq	%rdx
	movl	actions(, %rax, 4), %eax
	jmp	*%rax
next:	jmp	round
act_disk_next:
	call	act_disk
	jmp	round
1:	movl	$0x10000, 0x320(%rbp)	/* masked */
	ret

/* --- what a round may be --- */

act_compute:
	movl	%ebx, %ecx
	andl	$127, %ecx
	incl	%ecx
1:	imull	$1103515245, SUM(%r15), %edx
	addl	$12345, %edx
	testb	$4, %dh
	jz	2f
	xorl	%edx, SUM(%r15)
	rorq	$3, SUM(%r15)
2:	loop	1b
	ret

/* Its own window of 64 pages: EDI. */
	.macro	window
	movl	%r14d, %edi
	shll	$18, %edi
	addl	$WINDOW, %edi
	.endm

/* Strings over pages that may not be there. */
act_strings:
	window
	movl	%edi, %esi
	movl	%ebx, %eax
	andl	$0x1FFFF, %eax
	addl	%eax, %esi
	movl	%ebx, %eax
	shrl	$5, %eax
	andl	$0x1FFFF, %eax
	addl	%eax, %edi
	movl	%ebx, %ecx
	shrl	$16, %ecx
	andl	$0x3FF, %ecx
	movl	%ecx, %edx
	pushq	%rdi
	rep movsb
	movl	%edx, %ecx
	shrl	$3, %ecx
	movq	SUM(%r15), %rax
	rep stosq
	popq	%rdi
	leaq	-100(%rdi), %rsi
	movl	%edx, %ecx
	repe cmpsb
	addq	%rcx, SUM(%r15)
	movl	%edx, %ecx
	movb	$0, %al
	repne scasb
	addq	%rcx, SUM(%r15)
	ret

/* Pages come and go; accessed and dirty bits are cleared, with and without
 * INVLPG. */
act_pages:
	movl	$12, %r8d
0:	call	random
	movl	%eax, %ebx
	window
	movl	%ebx, %eax
	andl	$63, %eax
	shll	$12, %eax
	addl	%eax, %edi
	movl	%edi, %esi
	shrl	$9, %esi
	addl	$TABLES, %esi		/* its entry */
	movl	%ebx, %eax
	shrl	$6, %eax
	andl	$7, %eax
	cmpl	$1, %eax
	jb	1f
	je	2f
	cmpl	$3, %eax
	jb	3f
	je	4f
	cmpl	$5, %eax
	jb	5f
	je	6f
	movl	8(%rdi), %eax		/* read */
	jmp	7f
1:	lock andl $~1, (%rsi)		/* not present */
	invlpg	(%rdi)
	jmp	7f
2:	lock andl $~0x60, (%rsi)	/* neither accessed nor dirty */
	invlpg	(%rdi)
	jmp	7f
3:	lock andl $~0x20, (%rsi)	/* the same, but nobody is told */
	jmp	7f
4:	lock andl $~0x60, (%rsi)
	jmp	7f
5:	lock andl $~2, (%rsi)		/* read-only */
	invlpg	(%rdi)
	jmp	7f
6:	incl	(%rdi)			/* write */
7:	movl	%ebx, %eax		/* then something there */
	shrl	$9, %eax
	andl	$0x3F000, %eax
	xorl	%eax, %edi
	testl	$0x100, %ebx
	jz	1f
	addl	%ebx, 16(%rdi)
1:	movl	16(%rdi), %eax
	addl	(%rsi), %eax
	addl	%eax, SUM(%r15)
	decl	%r8d
	jnz	0b
	ret

/* A call in a page of the window whose accessed bit is then cleared. */
act_far_code:
	window
	movl	%ebx, %eax
	andl	$0x3F000, %eax
	addl	%eax, %edi
	movl	%edi, %esi
	shrl	$9, %esi
	addl	$TABLES, %esi
	movl	$0xC3C0FF, (%rdi)	/* inc %eax; ret */
	movl	%ebx, %eax
	call	*%rdi
	lock andl $~0x20, (%rsi)
	testl	$0x40, %ebx
	jz	1f
	call	*%rdi
1:	addl	(%rsi), %eax
	addl	%eax, SUM(%r15)
	ret

/* The next instruction is another one now. */
act_rewrite_self:
	movb	%bl, 1f + 1(%rip)
1:	movb	$0, %al			/* another CPU may have been quicker */
	movzbl	%al, %eax
	addq	%rax, SUM(%r15)
	ret

/* A function that any CPU rewrites and any calls. */
act_rewrite_other:
	take	LOCK
	testl	$0x1000, %ebx
	jz	1f
	movl	%ebx, EXPECTED
	movl	%ebx, CODE_PAGE + 1
1:	xorl	%eax, %eax
	xorl	%ecx, %ecx
	pushq	%rbx
	cpuid
	popq	%rbx
	movl	$CODE_PAGE, %eax
	call	*%rax
	cmpl	EXPECTED, %eax
	jne	1f
	movl	$0, LOCK
	addl	%eax, SUM(%r15)
	ret
1:	movl	$21, %eax
	jmp	fail

act_lock:
	andl	$31, %ebx
1:	take	LOCK
	movl	COUNTER, %ecx
	incl	%ecx
	movl	%ecx, COUNTER
	movl	$0, LOCK
	lock xaddl %ecx, COUNTER + 4
	decl	%ebx
	jg	1b
	movl	%ecx, %eax
	addq	%rax, SUM(%r15)
	ret

act_call_other:
	leal	1(%r14), %eax
	cmpl	$CPUS, %eax
	jne	1f
	xorl	%eax, %eax
1:	shll	$24, %eax
	cli
	movl	%eax, 0x310(%rbp)
	movl	$0x4041, 0x300(%rbp)
	testl	$7, %ebx
	jnz	2f
	movl	$0x4400, 0x300(%rbp)	/* NMI */
2:	testl	$0x30, %ebx
	jnz	3f
	movl	$0xC4041, 0x300(%rbp)	/* to all others */
3:	sti
	ret

act_console:
	movl	$20, %ecx
	movw	$(COM1 + 5), %dx
1:	inb	%dx, %al
	testb	$0x20, %al
	jnz	2f
	loop	1b
	ret
2:	movl	%ebx, %eax
	andb	$15, %al
	addb	$'a', %al
	movw	$COM1, %dx
	outb	%al, %dx
	ret

act_faults:
	leaq	1f(%rip), %r12
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	movl	%ebx, %eax
	addl	$3, SUM(%r15)
	divl	%ecx
1:	leaq	2f(%rip), %r12
	ud2
2:	leaq	3f(%rip), %r12
	movabsq	$0x8000000000000000, %rax
	incl	SUM(%r15)
	movl	(%rax), %ecx
3:	ret

act_user:
	movq	%rsp, KERNEL_RSP(%r15)
	leaq	1f(%rip), %r12
	movl	%r14d, %eax
	shll	$12, %eax
	addl	$(USER_STACKS + 0x1000), %eax
	movl	%ebx, %ecx
	andl	$0xFF, %ecx
	incl	%ecx
	pushq	$0x1B
	pushq	%rax
	pushq	$0x202
	pushq	$0x23
	pushq	$USER_CODE
	iretq
1:	addl	%eax, SUM(%r15)
	ret

act_float:
	fldl	SCRATCH(%r15)
	fmul	%st(1), %st
	fiaddl	SUM(%r15)
	fstpl	SCRATCH(%r15)
	cvtsi2sdl %ebx, %xmm3
	sqrtsd	%xmm3, %xmm4
	movsd	%xmm4, SCRATCH + 8(%r15)
	pshufd	$0x4E, %xmm4, %xmm5
	movl	SCRATCH + 8(%r15), %eax
	addl	%eax, SUM(%r15)
	ret

/* Sleep until the timer. */
act_halt:
	cli
	movl	$0x00040, 0x320(%rbp)	/* one-shot */
	movl	%ebx, %eax
	andl	$0x3FF, %eax
	addl	$100, %eax
	movl	%eax, 0x380(%rbp)
	sti
	hlt
	ret

act_timer:
	testl	$0x400, %ebx
	jz	1f
	movl	$0x40040, 0x320(%rbp)	/* TSC deadline */
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	movl	%ebx, %edx
	andl	$0xFFF, %edx
	addq	%rdx, %rax
	movq	%rax, %rdx
	shrq	$32, %rdx
	movl	$0x6E0, %ecx
	wrmsr
	ret
1:	movl	$0x20040, 0x320(%rbp)	/* periodic */
	movl	%ebx, %eax
	andl	$0x7FF, %eax
	addl	$300, %eax
	movl	%eax, 0x380(%rbp)
	ret

act_clocks:
	rdtsc
	addl	%eax, SUM(%r15)
	rdtscp
	addl	%eax, SUM(%r15)
	movl	0x390(%rbp), %eax
	addl	%eax, SUM(%r15)
	movl	$0x10, %ecx
	rdmsr
	addl	%eax, SUM(%r15)
	ret

act_control:
	movq	%cr3, %rax
	movq	%rax, %cr3
	movl	$8, %eax
	movq	%rax, %cr8
	movl	%ebx, %ecx
	andl	$0x3F, %ecx
	incl	%ecx
1:	addl	%ecx, SUM(%r15)
	loop	1b
	xorl	%eax, %eax
	movq	%rax, %cr8
	pushfq
	cli
	movl	%ss, %eax
	popfq
	movl	%eax, %ss
	incl	SUM(%r15)
	ret

/* Code comes from the disk: block n is a function that gives n * 01010101h. */
act_disk:
	cmpl	$0, NVME
	je	1f
	take	DMA_LOCK
	andl	$31, %ebx
	movl	%ebx, %eax
	pushq	%rbx
	call	nvme_read
	movl	$DMA_PAGE, %eax
	call	*%rax
	popq	%rbx
	imull	$0x01010101, %ebx, %ebx
	cmpl	%ebx, %eax
	jne	2f
	movl	$0, DMA_LOCK
	addl	%eax, SUM(%r15)
1:	ret
2:	movl	$22, %eax
	jmp	fail

user_code:
1:	imull	$69069, %ecx, %eax
	pushq	%rax
	addl	%ecx, %eax
	popq	%rdx
	xorl	%edx, %eax
	loop	1b
	int	$0x80
user_end:

rewritten:
	movl	$0, %eax
	ret
rewritten_end:

	.data
	.balign	8
actions:
	.long	act_compute, act_strings, act_pages, act_far_code
	.long	act_rewrite_self, act_rewrite_other, act_lock, act_call_other
	.long	act_console, act_faults, act_user, act_float
	.long	act_halt, act_timer, act_clocks, act_control
