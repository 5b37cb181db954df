/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/fiber.S - a second stack for the kernel: what waits in the middle of
 * its work for the disk (files.c).
 *
 * void fiber_switch(uint64_t *leave, uint64_t enter): the callee-saved registers
 * go onto this stack, whose top is kept in *leave; what the other stack had put
 * there the same way is taken up again.  A new stack has six words for the
 * registers and, above them, the address where it begins. */
	.text
	.globl fiber_switch
	.type fiber_switch, @function
fiber_switch:
	.cfi_sections .debug_frame
	.cfi_startproc
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.cfi_adjust_cfa_offset 48
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	.cfi_adjust_cfa_offset -48
	ret
	.cfi_endproc
	.size fiber_switch, . - fiber_switch

	.section .note.GNU-stack, "", @progbits
