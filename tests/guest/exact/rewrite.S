/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/exact/rewrite.S - code that another CPU or a device writes is
 * never run stale.
 *
 * The second CPU calls a function over and over, which returns a number that
 * stands in its code.  The first one writes another number there, in each way
 * of `ways`, then says so in memory; from then on a call must give the new
 * number, on both CPUs.  (Hardware wants a serialising instruction between; our
 * CPUs promise more, so half of the calls go without.)
 *
 * Codes: 7 all is well; 40 and up: the second CPU ran stale code of that way,
 * 80 and up: the first did.
 */
	.include "long.inc"
	.include "nvme.inc"

	.set	CODE, 0x600000		/* two pages */
	.set	ALIAS, 0x700000		/* the same two */
	.set	OTHER, 0x610000		/* only the second CPU runs this one */
	.set	INSIDE, 0x100		/* in the first page */
	.set	JUMP, 0x200		/* a jump to it */
	.set	ACROSS, 0xFFD		/* its number is in both */
	.set	SPIN, 0x300

	.set	FUNCTION, SHARED + 0x200 /* 0: not yet; 1: no more */
	.set	WANT, SHARED + 0x208	/* what it gives, */
	.set	NEXT, SHARED + 0x210	/* and goes on to; BUSY: being written */
	.set	ACK, SHARED + 0x218
	.set	CALLED, SHARED + 0x220
	.set	WAY, SHARED + 0x228
	.set	BUSY, 2

	.set	WAY_ROUNDS, 4

main:	testl	%r14d, %r14d
	jnz	second
	call	nvme_start
	movl	$40, %eax
	cmpl	$0, NVME
	je	fail
	movl	$(CODE + 3), TABLES + ALIAS / 512
	movl	$(CODE + 0x1003), TABLES + ALIAS / 512 + 8
	invlpg	ALIAS
	invlpg	ALIAS + 0x1000
	movl	$0xC3, CODE + INSIDE + 5
	movb	$0xB8, CODE + INSIDE
	movl	$0xC3, OTHER + INSIDE + 5
	movb	$0xB8, OTHER + INSIDE
	movb	$0xE9, CODE + JUMP
	movl	$(INSIDE - JUMP - 5), CODE + JUMP + 1
	movb	$0xB8, CODE + ACROSS
	movb	$0xC3, CODE + ACROSS + 5
	movl	$1, %eax
	call	nvme_read

	movl	$ways, %ebx
1:	movl	%ebx, WAY
	movl	$WAY_ROUNDS, %r12d
2:	call	random
	movl	$BUSY, NEXT
	movl	(%rbx), %edx
	movl	%edx, FUNCTION
	orl	$0x01010101, %eax	/* no number is BUSY */
	movl	8(%rbx), %edx
	pushq	%rbx
	call	*%rdx
	popq	%rbx
	movl	4(%rbx), %edx
	movl	(%rdx), %esi		/* what memory says */
	movl	%esi, WANT
	movl	%esi, NEXT
	movl	(%rbx), %edx
	cmpl	$(OTHER + INSIDE), %edx
	je	3f
	call	*%rdx
	cmpl	%esi, %eax
	movl	$80, %ecx
	jne	wrong
	/* Until it was seen, and called a few times more. */
3:	testl	$1, %r12d
	jz	4f
	pause
4:	cmpl	%esi, ACK
	jne	3b
	movl	CALLED, %edx
	addl	$5, %edx
5:	cmpl	%edx, CALLED
	jb	5b
	decl	%r12d
	jnz	2b
	addl	$12, %ebx
	cmpl	$ways_end, %ebx
	jne	1b

	/* A jump to itself becomes two NOPs under the one who is in it. */
	movl	$BUSY, NEXT
	movl	$WAY_ROUNDS, %r12d
	movl	$0x00C3FEEB, CODE + SPIN
	movl	$(CODE + SPIN), FUNCTION
6:	movl	CALLED, %edx		/* until no call comes back */
	movl	$100, %ecx
7:	pause
	loop	7b
	cmpl	%edx, CALLED
	jne	6b
	movw	$0x9090, CODE + SPIN
8:	pause
	cmpl	%edx, CALLED
	je	8b
	movw	$0xFEEB, ALIAS + SPIN
	decl	%r12d
	jnz	6b
	movl	$1, FUNCTION
	movw	$0x9090, ALIAS + SPIN
	ret

/* Way WAY is wrong: 40 or 80 (ECX) and its number. */
wrong:	movl	WAY, %eax
	subl	$ways, %eax
	xorl	%edx, %edx
	movl	$12, %ebx
	divl	%ebx
	addl	%ecx, %eax
	jmp	fail

second:	movl	WANT, %esi
	movl	FUNCTION, %edx
	cmpl	$1, %edx
	jb	second
	je	3f
	testl	$1, CALLED
	jz	2f
	xorl	%eax, %eax
	movl	%edx, %edi
	cpuid
	movl	%edi, %edx
2:	call	*%rdx
	lock incl CALLED
	cmpl	%esi, NEXT
	jne	second			/* it was written meanwhile */
	cmpl	%esi, %eax
	movl	$40, %ecx
	jne	wrong
	movl	%esi, ACK
	jmp	second
3:	ret

/* --- ways: EAX is the number, or parts of it --- */

w_plain:
	movl	%eax, CODE + INSIDE + 1
	ret
w_other:
	movl	%eax, OTHER + INSIDE + 1
	ret
w_byte:	movb	%ah, CODE + INSIDE + 3
	ret
w_alias:
	movl	%eax, ALIAS + INSIDE + 1
	ret
w_locked:
	lock addl %eax, CODE + INSIDE + 1
	orb	$1, CODE + INSIDE + 1
	ret
w_exchange:
	xchgl	%eax, CODE + INSIDE + 1
	ret
w_bytes:
	movl	%eax, SCRATCH(%r15)
	leaq	SCRATCH(%r15), %rsi
	movl	$(CODE + INSIDE + 1), %edi
	movl	$4, %ecx
	rep movsb
	ret
w_store_string:
	movl	$(CODE + INSIDE + 1), %edi
	stosl
	ret
w_vector:
	movups	CODE + INSIDE, %xmm0
	movups	%xmm0, SCRATCH(%r15)
	movl	%eax, SCRATCH + 1(%r15)
	movups	SCRATCH(%r15), %xmm0
	movups	%xmm0, CODE + INSIDE
	ret
w_x87:	movl	%eax, SCRATCH(%r15)
	movl	$0xC3, SCRATCH + 4(%r15)
	fildll	SCRATCH(%r15)
	fistpll	CODE + INSIDE + 1
	ret
w_push:	movl	%eax, %eax
	movabsq	$0x909090C300000000, %rdx
	orq	%rdx, %rax
	movq	%rsp, %rdx
	cli
	movl	$(CODE + INSIDE + 9), %esp
	pushq	%rax
	movq	%rdx, %rsp
	sti
	ret

w_straddle:
	movl	%eax, CODE + ACROSS + 1
	ret
w_first:
	movb	%ah, CODE + ACROSS + 1
	ret
w_last:	movw	%ax, CODE + ACROSS + 3
	ret
w_last_alias:
	movw	%ax, ALIAS + ACROSS + 3
	ret
w_wide:	movl	%eax, %eax		/* the byte before, and those after */
	movabsq	$0x90C300000000B890, %rdx
	shlq	$16, %rax
	orq	%rdx, %rax
	movq	%rax, CODE + ACROSS - 1
	ret

w_disk:	andl	$31, %eax
	incl	%eax
	jmp	nvme_read

	.data
	.macro	way function, number, writer
	.long	\function, \number, \writer
	.endm
	.balign	4
ways:	way	OTHER + INSIDE, OTHER + INSIDE + 1, w_other
	way	CODE + INSIDE, CODE + INSIDE + 1, w_plain
	way	CODE + INSIDE, CODE + INSIDE + 1, w_byte
	way	CODE + INSIDE, CODE + INSIDE + 1, w_alias
	way	ALIAS + INSIDE, CODE + INSIDE + 1, w_plain
	way	CODE + JUMP, CODE + INSIDE + 1, w_plain
	way	CODE + INSIDE, CODE + INSIDE + 1, w_locked
	way	CODE + INSIDE, CODE + INSIDE + 1, w_exchange
	way	CODE + INSIDE, CODE + INSIDE + 1, w_bytes
	way	CODE + INSIDE, CODE + INSIDE + 1, w_store_string
	way	CODE + INSIDE, CODE + INSIDE + 1, w_vector
	way	CODE + INSIDE, CODE + INSIDE + 1, w_x87
	way	CODE + INSIDE, CODE + INSIDE + 1, w_push
	way	CODE + ACROSS, CODE + ACROSS + 1, w_straddle
	way	CODE + ACROSS, CODE + ACROSS + 1, w_first
	way	CODE + ACROSS, CODE + ACROSS + 1, w_last
	way	CODE + ACROSS, CODE + ACROSS + 1, w_last_alias
	way	ALIAS + ACROSS, CODE + ACROSS + 1, w_last
	way	CODE + ACROSS, CODE + ACROSS + 1, w_wide
	way	DMA_PAGE, DMA_PAGE + 1, w_disk
ways_end:
