/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/exact/churn.S - much code that is never run again, then sleep.
 *
 * Rewrites its next instruction 125,000 times, each of which the simulator
 * translates anew; sleeps 3 s, half a second at a time; rewrites it some times
 * more.
 * Codes: 7 all is well, 21 stale code.
 */
	.include "long.inc"
	.include "nvme.inc"

	.set	SLEEPS, 6

main:	movl	$125000, %r12d
	call	churn
	movl	$LAPIC, %ebp
	movl	$0xB, 0x3E0(%rbp)
	movl	$0x00040, 0x320(%rbp)	/* one-shot */
	movl	$SLEEPS, %r12d
1:	cli
	movl	$500000000, 0x380(%rbp)
	sti
	hlt
	decl	%r12d
	jnz	1b
	/* And go on. */
	movl	$1000, %r12d
churn:	movl	%r12d, 2f + 1(%rip)
2:	movl	$0, %eax
	addl	%eax, SUM(%r15)
	cmpl	%r12d, %eax
	jne	3f
	decl	%r12d
	jnz	churn
	ret
3:	movl	$21, %eax
	jmp	fail
