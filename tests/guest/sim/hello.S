/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/sim/hello.S - the smallest kernel that uses a whole machine.
 *
 * Prints, lets the local APIC's timer interrupt ten times while it computes and
 * sleeps in turn, prints a dot for each, and ends with code 42.  What it
 * computes between two ticks depends on the instant of the tick, to the
 * instruction: the sum that it prints last is different if a single interrupt
 * came one instruction later.
 */
#include "guest.inc"

	.set	VECTOR, 0x20
	.set	TICKS, 10

main:	movl	$text_hello, %esi
	call	put_text
	movb	$VECTOR, %al
	movl	$on_tick, %edx
	call	set_gate
	movl	$0x1FF, LAPIC + 0xF0		/* enabled, spurious FF */
	movl	$0xB, LAPIC + 0x3E0		/* divide by 1 */
	movl	$(0x20000 | VECTOR), LAPIC + 0x320 /* periodic */
	movl	$2000000, LAPIC + 0x380		/* 2 ms: two characters take as long */
	sti
1:	movl	ticks, %ecx
	cmpl	$TICKS, %ecx
	jae	3f
	testl	$1, %ecx
	jnz	2f
	/* Even: count until the tick comes. */
	incl	count
	jmp	1b
2:	hlt
	jmp	1b
3:	cli
	movl	$text_sum, %esi
	call	put_text
	movl	sum, %ebx
	movl	$8, %ecx
4:	roll	$4, %ebx
	movl	%ebx, %eax
	andl	$15, %eax
	movb	digits(%eax), %al
	call	put_char
	loop	4b
	movb	$'\n', %al
	call	put_char
	movl	$42, %eax
	ret

on_tick:
	pushal
	movl	count, %eax
	addl	36(%esp), %eax			/* where it was: EFLAGS, CS, EIP */
	addl	32(%esp), %eax
	imull	$0x01000193, sum, %ebx
	xorl	%eax, %ebx
	movl	%ebx, sum
	incl	ticks
	movb	$'.', %al
	call	put_char
	movl	$0, LAPIC + 0xB0
	popal
	iret

	.data
text_hello:
	.asciz	"hello\n"
text_sum:
	.asciz	" sum "
digits:	.ascii	"0123456789abcdef"
	.balign	4
ticks:	.long	0
count:	.long	0
sum:	.long	0
