/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/sim/smp.S - two CPUs: INIT, SIPI, a lock, and calls to each other.
 *
 * The second CPU starts in real mode and enters protected mode by itself.  Both
 * then add to one counter under a spin lock, a thousand times each, and call
 * each other every hundredth time (vector 30h).  Prints how often each was
 * called and ends with code 7 when the counter is right.
 */
#include "guest.inc"
#include "second.inc"

	.set	VECTOR, 0x30
	.set	ROUNDS, 1000

main:	movl	$text_hello, %esi
	call	put_text
	movb	$VECTOR, %al
	movl	$on_call, %edx
	call	set_gate
	movl	$0x1FF, LAPIC + 0xF0
	call	start_second
1:	pause
	cmpl	$0, arrived
	jz	1b
	sti
	movl	$0x01000000, %edi
	xorl	%ebp, %ebp
	call	work
2:	pause
	cmpl	$2, finished
	jnz	2b
	movl	$text_done, %esi
	call	put_text
	movl	calls, %eax
	addb	$'0', %al
	call	put_char
	movl	calls + 4, %eax
	addb	$'0', %al
	call	put_char
	movb	$'\n', %al
	call	put_char
	movl	$7, %eax
	cmpl	$(2 * ROUNDS), counter
	je	3f
	movl	$8, %eax
3:	ret

/* Add under the lock; EDI: whom to call, EBP: own index. */
work:	movl	$ROUNDS, %esi
	movl	$100, %ebx
1:	movl	$1, %eax
	xchgl	%eax, lock
	testl	%eax, %eax
	jz	2f
	pause
	jmp	1b
2:	movl	counter, %eax
	incl	%eax
	movl	%eax, counter
	movl	$0, lock
	decl	%ebx
	jnz	3f
	movl	$100, %ebx
	movl	%edi, LAPIC + 0x310
	movl	$(0x4000 | VECTOR), LAPIC + 0x300
	/* One call at a time: wait until the other has taken it. */
	movl	%ebp, %edx
	xorl	$1, %edx
	incl	sent(, %edx, 4)
4:	pause
	movl	calls(, %edx, 4), %eax
	cmpl	sent(, %edx, 4), %eax
	jb	4b
3:	decl	%esi
	jnz	1b
	lock incl finished
	ret

on_call:
	pushal
	movl	LAPIC + 0x20, %eax
	shrl	$24, %eax
	incl	calls(, %eax, 4)
	movl	$0, LAPIC + 0xB0
	popal
	iret

second_main:
	movl	$0x1FF, LAPIC + 0xF0
	sti
	movl	$1, arrived
	xorl	%edi, %edi			/* APIC ID 0 */
	movl	$1, %ebp
	call	work
1:	hlt
	jmp	1b

	.data
text_hello:
	.asciz	"two\n"
text_done:
	.asciz	"calls "
	.balign	4
lock:	.long	0
counter: .long	0
arrived: .long	0
finished: .long	0
calls:	.long	0, 0
sent:	.long	0, 0
