/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/sim/tables.S - a kernel on two CPUs that executes RDMSR, WRMSR and
 * CPUID as a list in RAM says, and writes there what came.
 *
 * CPU n's list is at LISTS + n * LIST_BYTES, 32 bytes each:
 *
 *   0  1 RDMSR, 2 WRMSR, 3 CPUID; 0 ends the list
 *   4  ECX   8  EAX   12  EDX   16  EBX: before, and then after
 *   20  0, or 100h + the vector of the fault | its error code << 16
 *
 * Code 7 when both are done.
 */
#include "guest.inc"
#include "second.inc"

	.set	LISTS, 0x400000
	.set	LIST_BYTES, 0x400000

main:	movb	$13, %al
	movl	$on_gp, %edx
	call	set_gate
	movb	$6, %al
	movl	$on_ud, %edx
	call	set_gate
	call	start_second
	movl	$LISTS, %edi
	call	work
1:	pause
	cmpl	$0, finished
	je	1b
	movl	$7, %eax
	ret

work:	cmpl	$0, (%edi)
	je	4f
	movl	4(%edi), %ecx
	movl	8(%edi), %eax
	movl	12(%edi), %edx
	movl	16(%edi), %ebx
	xorl	%ebp, %ebp
	cmpl	$2, (%edi)
	je	1f
	ja	2f
	rdmsr
	jmp	3f
1:	wrmsr
	jmp	3f
2:	cpuid
3:	movl	%ecx, 4(%edi)
	movl	%eax, 8(%edi)
	movl	%edx, 12(%edi)
	movl	%ebx, 16(%edi)
	movl	%ebp, 20(%edi)
	addl	$32, %edi
	jmp	work
4:	ret

	/* The three instructions have two bytes. */
on_gp:	movl	(%esp), %ebp
	shll	$16, %ebp
	orl	$0x10D, %ebp
	addl	$4, %esp
	addl	$2, (%esp)
	iret
on_ud:	movl	$0x106, %ebp
	addl	$2, (%esp)
	iret

second_main:
	movl	$(LISTS + LIST_BYTES), %edi
	call	work
	movl	$1, finished
1:	hlt
	jmp	1b

	.data
	.balign	4
finished: .long	0
