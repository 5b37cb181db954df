/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/process/start.S - header and first instructions of a process. */
#include "guest/process_abi.h"

	.section .header, "a", @progbits
	.quad	PROC_MAGIC
	.quad	process_start
	.quad	text_start
	.quad	data_start
	.quad	data_end
	.quad	bss_end

	.text
	.globl	process_start
	.type	process_start, @function
process_start:			/* RDI: struct process_args, RSP: below it */
	xorl	%ebp, %ebp
	call	process_main
	movq	%rax, %rdi
	movl	$PROC_EXIT, %eax
	xorl	%esi, %esi
	syscall
0:	jmp	0b
	.size process_start, . - process_start

	.section .note.GNU-stack, "", @progbits
