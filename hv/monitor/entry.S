/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/entry.S - every way into and out of a monitor.
 *
 *   SYSCALL        syscall_entry     stack: the instance's
 *   interrupts     vectors 32..255   RSP0 = end of VCPU->regs
 *   exceptions     vectors 0..31     IST stacks of the lead monitor, so that
 *                                    one inside a monitor finds a good stack
 *
 * VCPU_VA and STACK_VA are the same in all instances, so no entry needs GS: the
 * user's segment bases stay loaded in ring 0.  All partitions run with one CS
 * and one SS, which therefore stand in VCPU->regs from the start.
 * Interrupts are off in here, but at `halt_point`.
 *
 * The .cfi lines let a debugger's backtrace cross from a monitor to what it was
 * entered from: `struct regs` holds all of that, in the VCPU or at RSP.  They are
 * no code.
 *
 * SDM 3A 6.14 (64-bit interrupts, IST), 5.8.8 (SYSCALL).
 */
#include "monitor/monitor.h"
#include "abi/syscall.h"

	.text
	.cfi_sections .debug_frame

/* DWARF 4, 6.4.2 and 2.5.1; registers: the x86-64 psABI, figure 3.36.  4 bytes,
 * and 2 of SLEB128. */
#define BYTES4(n)	(n) & 255, (n) >> 8 & 255, (n) >> 16 & 255, (n) >> 24 & 255
#define SLEB2(n)	((n) & 127) | 128, (n) >> 7 & 127

	/* The caller's frame: its RSP stands in the VCPU. */
	.macro	cfa_in_vcpu
	.cfi_escape 0x0f, 6, 0x0d, BYTES4(VCPU_VA + REGS_RSP), 0x06
	.endm
	/* A register of the caller's stands there, too. */
	.macro	in_vcpu register, at
	.cfi_escape 0x10, \register, 5, 0x0d, BYTES4(VCPU_VA + \at)
	.endm
	.macro	regs_in_vcpu
	cfa_in_vcpu
	in_vcpu	16, REGS_RIP
	in_vcpu	15, REGS_R15
	in_vcpu	14, REGS_R15+8
	in_vcpu	13, REGS_R15+16
	in_vcpu	12, REGS_R15+24
	in_vcpu	6, REGS_R15+32
	in_vcpu	3, REGS_RBX
	in_vcpu	11, REGS_RBX+8
	in_vcpu	10, REGS_R10
	in_vcpu	9, REGS_R9
	in_vcpu	8, REGS_R8
	in_vcpu	0, REGS_RAX
	in_vcpu	2, REGS_RAX+8
	in_vcpu	1, REGS_RDX
	in_vcpu	4, REGS_RSI
	in_vcpu	5, REGS_RDI
	.endm
	/* They stand at RSP + \at. */
	.macro	frame_at_rsp at
	.cfi_escape 0x0f, 4, 0x77, SLEB2(\at + REGS_RSP), 0x06
	.cfi_escape 0x10, 16, 3, 0x77, SLEB2(\at + REGS_RIP)
	.endm
	.macro	in_frame register, at
	.cfi_escape 0x10, \register, 3, 0x77, SLEB2(\at)
	.endm
	.macro	regs_at_rsp
	frame_at_rsp 0
	in_frame 15, REGS_R15
	in_frame 14, REGS_R15+8
	in_frame 13, REGS_R15+16
	in_frame 12, REGS_R15+24
	in_frame 6, REGS_R15+32
	in_frame 3, REGS_RBX
	in_frame 11, REGS_RBX+8
	in_frame 10, REGS_R10
	in_frame 9, REGS_R9
	in_frame 8, REGS_R8
	in_frame 0, REGS_RAX
	in_frame 2, REGS_RAX+8
	in_frame 1, REGS_RDX
	in_frame 4, REGS_RSI
	in_frame 5, REGS_RDI
	.endm
	.macro	push_regs
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	.endm

	/* The same, with the vector on the stack, step by step. */
	.macro	push_framed
	frame_at_rsp -REGS_VECTOR
	push	%rdi
	frame_at_rsp 8-REGS_VECTOR
	push	%rsi
	frame_at_rsp 16-REGS_VECTOR
	push	%rdx
	frame_at_rsp 24-REGS_VECTOR
	push	%rcx
	frame_at_rsp 32-REGS_VECTOR
	push	%rax
	frame_at_rsp 40-REGS_VECTOR
	push	%r8
	frame_at_rsp 48-REGS_VECTOR
	push	%r9
	frame_at_rsp 56-REGS_VECTOR
	push	%r10
	frame_at_rsp 64-REGS_VECTOR
	push	%r11
	frame_at_rsp 72-REGS_VECTOR
	push	%rbx
	frame_at_rsp 80-REGS_VECTOR
	push	%rbp
	frame_at_rsp 88-REGS_VECTOR
	push	%r12
	frame_at_rsp 96-REGS_VECTOR
	push	%r13
	frame_at_rsp 104-REGS_VECTOR
	push	%r14
	frame_at_rsp 112-REGS_VECTOR
	push	%r15
	regs_at_rsp
	.endm

	.macro	pop_regs_iretq
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
	add	$16, %rsp
	iretq
	.endm

	/* The instance's slot is the one that runs here, or it is broken.  A TSS
	 * descriptor has 16 bytes, a struct lead_cpu 64.  RCX is lost. */
	.macro	own_slot
	str	%ecx
	mov	lead_area + LEAD_CPU - SEL_TSS * 4(,%rcx,4), %ecx
	cmp	VCPU_VA + VCPU_SLOT, %ecx
	jne	.Lbroken
	.endm

	.globl	syscall_entry
	.type	syscall_entry, @function
syscall_entry:
	.cfi_startproc simple
	.cfi_def_cfa %rsp, 0
	.cfi_register %rip, %rcx
	mov	%rsp, VCPU_VA + REGS_RSP
	cfa_in_vcpu
	mov	$VCPU_VA + REGS_VECTOR, %rsp
	mov	%rcx, VCPU_VA + REGS_RIP
	in_vcpu	16, REGS_RIP
	mov	%r11, VCPU_VA + REGS_RFLAGS
	push_regs
	mov	$STACK_VA, %rsp
	regs_in_vcpu
	own_slot
	cmpl	$0, VCPU_VA + VCPU_IN_USER
	jne	.Luser_syscall
	cmp	$SYS_COUNT, %rax
	jae	.Lbad_number
	mov	%r10, %rcx
	mov	%rax, %r9
	call	*syscall_table(,%rax,8)
.Lsyscall_done:
	cmpl	$0, VCPU_VA + VCPU_ATTENTION
	jne	.Lsyscall_slow
	/* Callee-saved registers still hold the caller's values. */
	mov	VCPU_VA + REGS_RDI, %rdi
	mov	VCPU_VA + REGS_RSI, %rsi
	mov	VCPU_VA + REGS_RDX, %rdx
	mov	VCPU_VA + REGS_R10, %r10
	mov	VCPU_VA + REGS_R9, %r9
	mov	VCPU_VA + REGS_R8, %r8
	mov	VCPU_VA + REGS_RIP, %rcx
	mov	VCPU_VA + REGS_RFLAGS, %r11
	mov	VCPU_VA + REGS_RSP, %rsp
	sysretq
.Lbad_number:
	mov	$-SYS_ENOSYS, %rax
	jmp	.Lsyscall_done
.Luser_syscall:
	mov	$USER_EXIT_SYSCALL, %edi
	call	user_exit
	jmp	.Lleave
.Lsyscall_slow:
	mov	%rax, VCPU_VA + REGS_RAX
	.cfi_endproc
	/* Also from interrupts: the caller may stand before any instruction. */
	.cfi_startproc simple
	.cfi_signal_frame
	regs_in_vcpu
.Lleave:
	call	monitor_leave
.Lexit:
	mov	$VCPU_VA, %rsp
	pop_regs_iretq
.Lbroken:
	ud2	/* this partition's end, as of any fault in a monitor */
	.cfi_endproc
	.size	syscall_entry, . - syscall_entry

/* The moment of a partition switch: after CR3 all private state, this stack
 * included, is the other's.  Nothing of the old stack is kept.  What its CPU is
 * (RSI) is the lead monitor's, and stays. */
	.globl	switch_to
	.type	switch_to, @function
switch_to:
	.cfi_startproc
	mov	%rdi, %cr3
	.cfi_endproc
	.cfi_startproc simple
	.cfi_signal_frame
	regs_in_vcpu
	mov	$STACK_VA, %rsp
	mov	%rsi, %rdi
	call	monitor_resume
	jmp	.Lexit
	.cfi_endproc
	.size	switch_to, . - switch_to

/* No partition: the lead monitor's own tables and stack, then a HLT. */
	.globl	idle_here
	.type	idle_here, @function
idle_here:
	.cfi_startproc
	.cfi_undefined %rip
	mov	%rsi, %cr3
	mov	%rdi, %rsp
	mov	%rdx, %rdi
	call	sched_left
	.globl	halt_here
	.type	halt_here, @function
halt_here:
	sti
	hlt
halt_point:
	ud2	/* interrupt_common never comes back to here */
	.cfi_endproc
	.size	halt_here, . - halt_here

	.type	interrupt_common, @function
interrupt_common:
	.cfi_startproc simple
	.cfi_signal_frame
	push_framed
	cld
	mov	REGS_VECTOR(%rsp), %rdi
	testb	$3, REGS_CS(%rsp)
	jz	.Lin_monitor
	.cfi_remember_state
	mov	$STACK_VA, %rsp
	regs_in_vcpu
	call	interrupt
	own_slot	/* now that the interrupt has been acknowledged */
	cmpl	$0, VCPU_VA + VCPU_ATTENTION
	jne	.Lleave
	jmp	.Lexit
	.cfi_restore_state
.Lin_monitor:
	lea	halt_point(%rip), %rax
	cmp	%rax, REGS_RIP(%rsp)
	jne	fault_in_monitor
	call	interrupt_halted
	jmp	.Lexit
	.cfi_endproc
	.size	interrupt_common, . - interrupt_common

	.type	fault_common, @function
fault_common:
	.cfi_startproc simple
	.cfi_signal_frame
	push_framed
	cld
	testb	$3, REGS_CS(%rsp)
	jz	.Lfault_in_ring_0
	cmpq	$8, REGS_VECTOR(%rsp)	/* RSP0 was no good: the instance is */
	je	fault_in_monitor	/* broken */
	.cfi_remember_state
	mov	%rsp, %rsi
	mov	$VCPU_VA, %rdi
	mov	$REGS_BYTES / 8, %ecx
	rep movsq
	mov	$STACK_VA, %rsp
	regs_in_vcpu
	own_slot
	call	fault_user
	jmp	.Lleave
	.cfi_restore_state
.Lfault_in_ring_0:
	cmpq	$VECTOR_CHECK, REGS_VECTOR(%rsp)
	je	check_in_monitor
fault_in_monitor:
	mov	%rsp, %rdi
	call	fault_monitor
/* One of the few that can go on: where it was, or, after a HLT, as after an
 * interrupt, on the stack that was halted on. */
check_in_monitor:
	mov	%rsp, %rdi
	call	check_monitor
	lea	halt_point(%rip), %rax
	cmp	%rax, REGS_RIP(%rsp)
	jne	.Lresume
	mov	REGS_RSP(%rsp), %rsp
	mov	$VECTOR_SPURIOUS, %edi
	call	interrupt_halted
	jmp	.Lexit
.Lresume:
	pop_regs_iretq
	.cfi_endproc
	.size	fault_common, . - fault_common

/* An NMI has no source here that a monitor could serve. */
	.type	nmi_ignored, @function
nmi_ignored:
	iretq
	.size	nmi_ignored, . - nmi_ignored

	/* Exceptions 8, 10-14, 17, 21, 29 and 30 push an error code. */
	.macro	stub	vector
	.balign	16
stub_\vector:
	.if	\vector == 2
	jmp	nmi_ignored
	.else
	.if	\vector >= 32
	push	$0
	push	$\vector
	jmp	interrupt_common
	.else
	.if	(0x60227d00 >> \vector) & 1
	.else
	push	$0
	.endif
	push	$\vector
	jmp	fault_common
	.endif
	.endif
	.endm

	.altmacro
	.set	vector, 0
	.rept	256
	stub	%vector
	.set	vector, vector + 1
	.endr

	.section .rodata
	.balign	8
	.globl	vector_stub
vector_stub:
	.macro	stub_address	vector
	.quad	stub_\vector
	.endm
	.set	vector, 0
	.rept	256
	stub_address	%vector
	.set	vector, vector + 1
	.endr

/* What an observer must know, in the image's ELF note (struct note_layout). */
	.section .note.parterre, "a", @note
	.balign	4
	.long	.Lname_end - .Lname
	.long	.Ldesc_end - .Ldesc
	.long	1
.Lname:	.asciz	"Parterre"
.Lname_end:
	.balign	4
.Ldesc:
	.long	2, 0 /* NOTE_VERSION */
	.quad	lead_area - MONITOR_VA + IMAGE_PA
	.quad	monitor_text - MONITOR_VA + IMAGE_PA, monitor_text_bytes
	.quad	monitor_data - MONITOR_VA + IMAGE_PA, monitor_data_bytes
.Ldesc_end:
	.section .note.GNU-stack, "", @progbits
