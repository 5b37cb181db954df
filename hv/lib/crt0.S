/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/crt0.S - where a partition program begins.
 *
 * The ultravisor enters `_start` in ring 3.  Nothing is assumed of RSP or of
 * any other register: the stack is the program's own, at the start of its
 * read-write segment, so that running over its end hits read-only memory and
 * crashes this partition instead of overwriting its data.
 *
 * partition_main() returning means SYS_EXIT(0).
 */
#include "abi/syscall.h"

#define STACK_BYTES 16384

	.section .text.start, "ax", @progbits
	.globl _start
	.type _start, @function
_start:
	.cfi_sections .debug_frame
	.cfi_startproc
	.cfi_undefined %rip
	lea	stack_top(%rip), %rsp
	xorl	%ebp, %ebp
	call	partition_main
	movl	$SYS_EXIT, %eax
	xorl	%edi, %edi
	syscall
0:	jmp	0b
	.cfi_endproc
	.size _start, . - _start

	.section .stack, "aw", @progbits
	.balign	16
	.skip	STACK_BYTES
stack_top:

	.section .note.GNU-stack, "", @progbits
