/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/sim/echo.S - a kernel that lives by its serial line.
 *
 * Prints "> ", sleeps until COM1's receiver interrupts, echoes what comes, and
 * answers each line by "heard LINE".  The line "quit" ends it with code 7; the
 * line "crash" by a triple fault.  Ctrl-C (03) throws the line away.
 */
#include "guest.inc"

	.set	VECTOR, 0x24
	.set	IOAPIC, 0xFEC00000

main:	movb	$VECTOR, %al
	movl	$on_receive, %edx
	call	set_gate
	movl	$0x1FF, LAPIC + 0xF0		/* enabled, spurious FF */
	movl	$0x18, IOAPIC			/* pin 4 to this CPU */
	movl	$VECTOR, IOAPIC + 0x10
	movl	$0x19, IOAPIC
	movl	$0, IOAPIC + 0x10
	movw	$(COM1 + 2), %dx		/* FIFO, trigger at 1 */
	movb	$0x07, %al
	outb	%al, %dx
	movw	$(COM1 + 3), %dx		/* 115200 8N1 */
	movb	$0x83, %al
	outb	%al, %dx
	movw	$COM1, %dx
	movb	$1, %al
	outb	%al, %dx
	movw	$(COM1 + 1), %dx
	xorb	%al, %al
	outb	%al, %dx
	movw	$(COM1 + 3), %dx
	movb	$0x03, %al
	outb	%al, %dx
	movw	$(COM1 + 4), %dx		/* OUT2 lets interrupts through */
	movb	$0x08, %al
	outb	%al, %dx
	movw	$(COM1 + 1), %dx		/* received data */
	movb	$0x01, %al
	outb	%al, %dx

prompt:	movl	$text_prompt, %esi
	call	put_text
	movl	$line, %edi
next:	cli
	movl	taken, %ecx
	cmpl	given, %ecx
	jne	1f
	sti
	hlt
	jmp	next
1:	movzbl	%cl, %ecx
	movb	ring(%ecx), %al
	incl	taken
	sti
	cmpb	$3, %al
	je	drop
	cmpb	$'\r', %al
	je	whole
	cmpb	$'\n', %al
	je	whole
	call	put_char
	stosb
	jmp	next
drop:	movl	$text_drop, %esi
	call	put_text
	jmp	prompt

whole:	movb	$0, (%edi)
	movb	$'\n', %al
	call	put_char
	cmpl	$0x74697571, line		/* "quit" */
	je	quit
	cmpl	$0x73617263, line		/* "cras" */
	je	crash
	movl	$text_heard, %esi
	call	put_text
	movl	$line, %esi
	call	put_text
	movb	$'\n', %al
	call	put_char
	jmp	prompt

quit:	movl	$7, %eax
	ret
crash:	lidt	nothing
	ud2

on_receive:
	pushal
1:	movw	$(COM1 + 5), %dx
	inb	%dx, %al
	testb	$1, %al
	jz	2f
	movw	$COM1, %dx
	inb	%dx, %al
	movl	given, %ecx
	movzbl	%cl, %ebx
	movb	%al, ring(%ebx)
	incl	given
	jmp	1b
2:	movl	$0, LAPIC + 0xB0
	popal
	iret

	.data
text_prompt:
	.asciz	"> "
text_heard:
	.asciz	"heard "
text_drop:
	.asciz	"^C\n"
	.balign	4
nothing:
	.word	0
	.long	0
given:	.long	0
taken:	.long	0
	.bss
ring:	.skip	256
line:	.skip	4096
