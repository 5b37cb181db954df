/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/sim/reset.S - a kernel on two CPUs that boots three times.
 *
 * Says "boot N", makes a mess of CPU and devices and resets the platform, by
 * the way that the last letter of its command line names:
 *
 *   t  triple fault    T  of the second CPU   c  port CF9   k  the keyboard
 *   a  port 92                                              controller
 *
 * The third time it says "done" and ends with code 42.  Codes 50 and up: this
 * boot found something that a reset should have put right.
 */
#include "guest.inc"
#include "second.inc"

	.set	VECTOR, 0x20
	.set	IOAPIC, 0xFEC00000
	.set	BOOTS, 0x300000			/* nobody loads anything there */
	.set	FOUND, BOOTS + 0x10
	.set	TSC_ADJUST, 0x3B
	.set	MTRR_DEF_TYPE, 0x2FF

	/* EAX is what the first boot found there. */
	.macro	as_first code
	movl	$(\code - 50), %ecx
	call	compare
	.endm

main:	incl	BOOTS
	movl	LAPIC + 0xF0, %eax
	as_first 50
	movl	LAPIC + 0x320, %eax	/* its timer */
	as_first 51
	movl	LAPIC + 0x380, %eax
	as_first 52
	movl	LAPIC + 0x300, %eax
	as_first 53
	movl	$0x18, IOAPIC
	movl	IOAPIC + 0x10, %eax
	as_first 54
	movl	$TSC_ADJUST, %ecx
	rdmsr
	as_first 55
	movl	$MTRR_DEF_TYPE, %ecx
	rdmsr
	as_first 56
	movl	%dr7, %eax
	as_first 57
	movl	%cr4, %eax
	as_first 58
	movl	arrived, %eax		/* the loader's */
	as_first 59
	fnstcw	BOOTS + 4
	movzwl	BOOTS + 4, %eax
	as_first 60

	movl	$text_boot, %esi
	call	put_text
	movl	BOOTS, %eax
	addb	$'0', %al
	call	put_char
	movb	$'\n', %al
	call	put_char

	movb	$VECTOR, %al
	movl	$on_timer, %edx
	call	set_gate
	movl	$0x1FF, LAPIC + 0xF0
	call	start_second
1:	pause
	cmpl	$0, arrived
	je	1b

	cmpl	$3, BOOTS
	jne	mess
	movl	$text_done, %esi
	call	put_text
	movl	$42, %eax
	ret

compare:
	cmpl	$1, BOOTS
	jne	1f
	movl	%eax, FOUND(, %ecx, 4)
1:	cmpl	%eax, FOUND(, %ecx, 4)
	jne	2f
	ret
2:	leal	50(%ecx), %eax		/* to main's caller */
	addl	$4, %esp
	ret

mess:	movl	$TSC_ADJUST, %ecx
	movl	$12345, %eax
	xorl	%edx, %edx
	wrmsr
	movl	$MTRR_DEF_TYPE, %ecx
	movl	$0xC06, %eax
	wrmsr
	movl	$0x500, %eax
	movl	%eax, %dr7
	movl	$0x610, %eax
	movl	%eax, %cr4
	fldcw	control
	movl	$0x18, IOAPIC
	movl	$VECTOR, IOAPIC + 0x10
	movl	$0xB, LAPIC + 0x3E0
	movl	$(0x20000 | VECTOR), LAPIC + 0x320	/* periodic */
	movl	$1000, LAPIC + 0x380
	sti
2:	cmpl	$10, ticks
	jb	2b
	movw	$(COM1 + 5), %dx
3:	inb	%dx, %al		/* until the last character is sent */
	testb	$0x40, %al
	jz	3b

	movl	boot_info, %ebx
	movl	16(%ebx), %esi		/* the command line */
4:	lodsb
	testb	%al, %al
	jz	5f
	movb	%al, %bl
	jmp	4b
5:	cmpb	$'t', %bl
	je	by_triple_fault
	cmpb	$'T', %bl
	je	by_other
	cmpb	$'c', %bl
	je	by_cf9
	cmpb	$'k', %bl
	je	by_keyboard
	cmpb	$'a', %bl
	je	by_port_a
	movl	$49, %eax
	ret

by_triple_fault:
	lidt	nothing
	ud2
by_other:
	movl	$1, die
	jmp	end
by_cf9:	movw	$0xCF9, %dx
	movb	$0x02, %al
	outb	%al, %dx
	movb	$0x06, %al
	outb	%al, %dx
	jmp	end
by_keyboard:
	inb	$0x64, %al
	testb	$2, %al
	jnz	by_keyboard
	movb	$0xFE, %al
	outb	%al, $0x64
	jmp	end
by_port_a:
	movb	$0x01, %al
	outb	%al, $0x92
end:	incl	counter
	jmp	end

on_timer:
	incl	ticks
	movl	$0, LAPIC + 0xB0
	iret

second_main:
	lidt	nothing
	movl	$1, arrived
1:	lock incl counter
	cmpl	$0, die
	je	1b
	ud2

	.data
text_boot:
	.asciz	"boot "
text_done:
	.asciz	"done\n"
	.balign	4
nothing:
	.word	0
	.long	0
	.balign	4
arrived: .long	0
control: .long	0x27F
ticks:	.long	0
die:	.long	0
counter: .long	0
