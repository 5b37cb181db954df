/* SPDX-License-Identifier: GPL-2.0-or-later */
/* native_step(): loads native_state, runs the code at CODE_VA, which jumps to
 * native_back, and stores.  A signal handler may go on at native_fault, which
 * does all but storing.
 */
	.text
	.globl	native_step, native_back, native_fault
native_step:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	sub	$8, %rsp
	fxsave64 own_fx(%rip)
	mov	%rsp, own_rsp(%rip)
	fxrstor64 native_state + 144(%rip)
	pushq	native_state + 128(%rip)
	popfq
	mov	native_state + 0(%rip), %rax
	mov	native_state + 8(%rip), %rcx
	mov	native_state + 16(%rip), %rdx
	mov	native_state + 24(%rip), %rbx
	mov	native_state + 40(%rip), %rbp
	mov	native_state + 48(%rip), %rsi
	mov	native_state + 56(%rip), %rdi
	mov	native_state + 64(%rip), %r8
	mov	native_state + 72(%rip), %r9
	mov	native_state + 80(%rip), %r10
	mov	native_state + 88(%rip), %r11
	mov	native_state + 96(%rip), %r12
	mov	native_state + 104(%rip), %r13
	mov	native_state + 112(%rip), %r14
	mov	native_state + 120(%rip), %r15
	mov	native_state + 32(%rip), %rsp
	jmp	*code(%rip)
native_back:
	mov	%rsp, native_state + 32(%rip)
	mov	own_rsp(%rip), %rsp
	mov	%rax, native_state + 0(%rip)
	mov	%rcx, native_state + 8(%rip)
	mov	%rdx, native_state + 16(%rip)
	mov	%rbx, native_state + 24(%rip)
	mov	%rbp, native_state + 40(%rip)
	mov	%rsi, native_state + 48(%rip)
	mov	%rdi, native_state + 56(%rip)
	mov	%r8, native_state + 64(%rip)
	mov	%r9, native_state + 72(%rip)
	mov	%r10, native_state + 80(%rip)
	mov	%r11, native_state + 88(%rip)
	mov	%r12, native_state + 96(%rip)
	mov	%r13, native_state + 104(%rip)
	mov	%r14, native_state + 112(%rip)
	mov	%r15, native_state + 120(%rip)
	pushfq
	popq	native_state + 128(%rip)
	fxsave64 native_state + 144(%rip)
native_fault:
	mov	own_rsp(%rip), %rsp
	cld
	fxrstor64 own_fx(%rip)
	add	$8, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.data
	.balign	8
code:	.quad	0x10000000
own_rsp: .quad	0
	.balign	16
own_fx:	.skip	512
	.section .note.GNU-stack, "", @progbits
