/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/conformance/paging64.S - four-level paging: rights, #PF's error
 * code, accessed and dirty bits at each level, pages of three sizes, reserved
 * bits, NX, what the TLB keeps (SDM 3A, 4.5 to 4.10).
 *
 * The first GiB is mapped one to one for all rings; WINDOW, whose tables are its
 * own, is what a test is about.  Entries are told in one number: bits 7:0 of
 * those of PML4, page directory pointers, directory and table.
 */
	.set	TSS_LIMIT, 0x67
#include "kernel64.inc"

	.set	WINDOW, 0x8000000000
	.set	PML4E, boot_pml4 + 8
	.set	NX, 1 << 63
	.set	BEYOND, 1 << 40			/* CPUID says 40 bits */

/* What is or-ed to an entry of each level. */
	.macro	SET e4, e3, e2, e1
	movabsq	$w_pdpt+\e4, %rax
	movq	%rax, PML4E
	movabsq	$w_pd+\e3, %rax
	movq	%rax, w_pdpt
	movabsq	$w_pt+\e2, %rax
	movq	%rax, w_pd
	movabsq	$frame+\e1, %rax
	movq	%rax, w_pt
	.endm
	.macro	RELOAD
	movq	%cr3, %rax
	movq	%rax, %cr3
	.endm
	.macro	ENTRIES
	movzbl	PML4E, %ebx
	shll	$8, %ebx
	orb	w_pdpt, %bl
	shll	$8, %ebx
	orb	w_pd, %bl
	shll	$8, %ebx
	orb	w_pt, %bl
	NOTE	%rbx
	.endm
	.macro	PAGE name, want, e4, e3, e2, e1, code
	SET	\e4, \e3, \e2, \e1
	RELOAD
	TEST	"\name", "\want"
	movabsq	$WINDOW, %rdi
	\code
	ENTRIES
	END
	.endm
/* It faults, or not: without the entries, as it is left open which get their
 * accessed bits in a walk that faults. */
	.macro	FAULT name, want, e4, e3, e2, e1, code
	SET	\e4, \e3, \e2, \e1
	RELOAD
	TEST	"\name", "\want"
	movabsq	$WINDOW, %rdi
	\code
	END
	.endm
	.macro	USER name, want, e4, e3, e2, e1, code
	SET	\e4, \e3, \e2, \e1
	RELOAD
	TEST	"user: \name", "\want"
	RING	3
	movabsq	$WINDOW, %rdi
	\code
	int	$0x80
	END
	.endm
/* The same with `bits` taken from 7 at each level. */
	.macro	EACH kind, name, want, bits, code
	\kind	"\name, pml4", "\want", (7^\bits), 7, 7, 7, "\code"
	\kind	"\name, directory pointers", "\want", 7, (7^\bits), 7, 7, "\code"
	\kind	"\name, directory", "\want", 7, 7, (7^\bits), 7, "\code"
	\kind	"\name, table", "\want", 7, 7, 7, (7^\bits), "\code"
	.endm

	.macro	CR0 value
	movl	$\value, %eax
	movq	%rax, %cr0
	.endm
	.macro	CR4 value
	movl	$\value, %eax
	movq	%rax, %cr4
	.endm
	.macro	EFER value
	movl	$0xc0000080, %ecx
	movl	$\value, %eax
	xorl	%edx, %edx
	wrmsr
	.endm

main:
	movb	$0xc3, frame			/* RET */
/* --- accessed and dirty bits --- */
	PAGE	"read", "=27272727", 7, 7, 7, 7, "movl (%rdi), %eax"
	PAGE	"write", "=27272767", 7, 7, 7, 7, "movl %eax, 8(%rdi)"
	PAGE	"read, then write", "=27272767", 7, 7, 7, 7, "movl (%rdi), %eax; movl %eax, 8(%rdi)"
	PAGE	"fetch", "=27272727", 7, 7, 7, 7, "call *%rdi"
	PAGE	"add to memory", "=27272767", 7, 7, 7, 7, "addl %eax, 8(%rdi)"
	PAGE	"compare with memory", "=27272727", 7, 7, 7, 7, "cmpl %eax, 8(%rdi)"
	PAGE	"bits that are set stay", "=67676767", 0x67, 0x67, 0x67, 0x67, "movl (%rdi), %eax"
	PAGE	"nothing touched", "=7070707", 7, 7, 7, 7, "nop"
	PAGE	"invlpg touches nothing", "=7070707", 7, 7, 7, 7, "invlpg (%rdi)"
	PAGE	"lea touches nothing", "=7070707", 7, 7, 7, 7, "leaq (%rdi), %rax"
	PAGE	"cache bits are ignored", "=3f3f3f7f", 0x1f, 0x1f, 0x1f, 0x1f, "movl %eax, 8(%rdi)"
	PAGE	"table's pat bit is ignored", "=272727e7", 7, 7, 7, 0x87, "movl %eax, 8(%rdi)"
	PAGE	"global bit, bits for software", "=27272767", 0xf07, 0xf07, 0xf07, 0xf07, "movl %eax, 8(%rdi)"
	PAGE	"bits 62 to 52 are for software", "=27272767", 0x7ff0000000000007, 0x7ff0000000000007, 0x7ff0000000000007, 0x7ff0000000000007, "movl %eax, 8(%rdi)"
	PAGE	"dirty bit again after invlpg", "=27272767", 7, 7, 7, 7, "movl %eax, 8(%rdi); andb $~0x40, w_pt; invlpg (%rdi); movl %eax, 8(%rdi)"
	PAGE	"accessed bit again after cr3 is loaded", "=27272727", 7, 7, 7, 7, "movl (%rdi), %eax; andb $~0x20, w_pt; andb $~0x20, PML4E; RELOAD; movl (%rdi), %eax"

/* --- absent --- */
	EACH	FAULT, "read, absent", "0e:0000+a", 1, "movl (%rdi), %eax"
	EACH	FAULT, "write, absent", "0e:0002+a", 1, "movl %eax, (%rdi)"
	FAULT	"fetch, absent", "0e:0010", 7, 7, 7, 6, "call *%rdi"
	FAULT	"add to memory, absent", "?", 7, 7, 7, 6, "addl %eax, (%rdi)"
	FAULT	"absent, reserved bits", "0e:0000", 7, 7, 7, 6|BEYOND, "movl (%rdi), %eax"
	USER	"read, absent", "0e:0004", 7, 7, 7, 6, "movl (%rdi), %eax"
	USER	"write, absent", "0e:0006", 7, 7, 7, 6, "movl %eax, (%rdi)"
	USER	"fetch, absent", "0e:0014", 7, 7, 7, 6, "call *%rdi"
	USER	"push, absent", "0e:0006", 7, 7, 7, 6, "leaq 64(%rdi), %rsp; pushq %rax"

/* --- rights --- */
	USER	"read", "80", 7, 7, 7, 7, "movl (%rdi), %eax; xorl %eax, %eax"
	USER	"write", "80", 7, 7, 7, 7, "movl %eax, 8(%rdi)"
	USER	"fetch", "80", 7, 7, 7, 7, "call *%rdi"
	EACH	USER, "read, supervisor's", "0e:0005", 4, "movl (%rdi), %eax"
	EACH	USER, "write, supervisor's", "0e:0007", 4, "movl %eax, (%rdi)"
	EACH	USER, "fetch, supervisor's", "0e:0015", 4, "call *%rdi"
	EACH	USER, "write, read-only", "0e:0007", 2, "movl %eax, (%rdi)"
	EACH	USER, "add to memory, read-only", "0e:0007", 2, "addl %eax, (%rdi)"
	USER	"read, read-only", "80", 5, 5, 5, 5, "movl (%rdi), %eax; xorl %eax, %eax"
	EACH	FAULT, "without wp: write, read-only", "", 2, "movl %eax, 8(%rdi)"
	CR0	0x80010011
	EACH	FAULT, "wp: write, read-only", "0e:0003", 2, "movl %eax, (%rdi)"
	FAULT	"wp: read, read-only", "", 5, 5, 5, 5, "movl (%rdi), %eax"
	FAULT	"wp: write, supervisor's", "", 3, 3, 3, 3, "movl %eax, 8(%rdi)"
	FAULT	"wp counts at once", "0e:0003", 7, 7, 7, 5, "CR0 0x80000011; movl %eax, 8(%rdi); CR0 0x80010011; movl %eax, 8(%rdi)"
	FAULT	"supervisor fetches from a user's page", "", 7, 7, 7, 7, "call *%rdi"

/* --- nx --- */
	FAULT	"nx: read", "", 7, 7, 7, 7|NX, "movl (%rdi), %eax"
	FAULT	"nx: write", "", 7, 7, 7, 7|NX, "movl %eax, 8(%rdi)"
	EACH	FAULT, "nx: fetch", "0e:0011", NX, "call *%rdi"
	EACH	USER, "nx: fetch", "0e:0015", NX, "call *%rdi"
	USER	"nx: fetch, supervisor's", "0e:0015", 7, 7, 7, 3|NX, "call *%rdi"
	EFER	0x100
	EACH	FAULT, "nx is reserved without efer.nxe", "0e:0009", NX, "movl (%rdi), %eax"
	FAULT	"fetch, absent, without efer.nxe", "0e:0000", 7, 7, 7, 6, "call *%rdi"
	USER	"fetch, supervisor's, without efer.nxe", "0e:0005", 7, 7, 7, 3, "call *%rdi"
	EFER	0x900

/* --- reserved bits --- */
	EACH	FAULT, "beyond the physical width", "0e:0009", BEYOND, "movl (%rdi), %eax"
	EACH	FAULT, "bit 51", "0e:0009", (1<<51), "movl (%rdi), %eax"
	FAULT	"size bit of the pml4", "0e:0009", 0x87, 7, 7, 7, "movl (%rdi), %eax"
	FAULT	"reserved, write", "0e:000b", 7, 7, 7, 7|BEYOND, "movl %eax, (%rdi)"
	FAULT	"reserved, fetch", "0e:0019", 7, 7, 7, 7|BEYOND, "call *%rdi"
	USER	"reserved, read", "0e:000d", 7, 7, 7|BEYOND, 7, "movl (%rdi), %eax"
	USER	"reserved and supervisor's", "0e:000d", 7, 7, 7, 3|BEYOND, "movl (%rdi), %eax"
	FAULT	"reserved and read-only, write", "0e:000b", 7, 7, 7, 5|BEYOND, "movl %eax, (%rdi)"

/* --- pages of 2 MiB --- */
	.macro	LARGE name, want, kind, pde, code
	SET	7, 7, 7, 0
	movabsq	$\pde, %rax
	movq	%rax, w_pd
	RELOAD
	TEST	"2 MiB: \name", "\want"
	\kind
	movabsq	$WINDOW, %rdi
	\code
	.endm
	.macro	LARGE_KERNEL name, want, pde, code
	LARGE	"\name", "\want", , \pde, "\code"
	ENTRIES
	END
	.endm
	.macro	LARGE_USER name, want, pde, code
	LARGE	"user: \name", "\want", "RING 3", \pde, "\code"
	int	$0x80
	END
	.endm
	LARGE_KERNEL "read", "=2727a700", 0x87, "movl (%rdi), %eax"
	LARGE_KERNEL "write", "=2727e700", 0x400087, "movl %eax, (%rdi)"
	LARGE_KERNEL "its last bytes", "=2727e700", 0x400087, "movq $0x1234, 0x1ffff8(%rdi)"
	TEST	"2 MiB: where they are", "=1234"
	movq	0x5ffff8, %rax
	NOTE	%rax
	END
	LARGE_KERNEL "pat and cache bits are ignored", "=2727ff00", 0x40109f, "movl %eax, (%rdi)"
	LARGE_KERNEL "global", "=2727e700", 0x400187, "movl %eax, (%rdi)"
	LARGE_KERNEL "fetch", "=2727a700", 0x400087, "movb $0xc3, 0x400000; call *%rdi"
	LARGE	"absent", "0e:0000", , 0x400086, "movl (%rdi), %eax"
	END
	LARGE	"wp: write, read-only", "0e:0003", , 0x400085, "movl %eax, (%rdi)"
	END
	LARGE	"nx: fetch", "0e:0011", , 0x8000000000400087, "call *%rdi"
	END
	.irp	bit, 13, 17, 20, 40, 51
	LARGE	"reserved bit \bit", "0e:0009", , 0x400087|(1<<\bit), "movl (%rdi), %eax"
	END
	.endr
	LARGE_USER "read", "80", 0x400087, "movl (%rdi), %eax; xorl %eax, %eax"
	LARGE_USER "read, supervisor's", "0e:0005", 0x400083, "movl (%rdi), %eax"
	LARGE_USER "write, read-only", "0e:0007", 0x400085, "movl %eax, (%rdi)"

/* --- pages of 1 GiB --- */
	.macro	HUGE name, want, pdpte, code
	SET	7, 0, 0, 0
	movabsq	$\pdpte, %rax
	movq	%rax, w_pdpt
	RELOAD
	TEST	"1 GiB: \name", "\want"
	movabsq	$WINDOW, %rdi
	\code
	.endm
	HUGE	"read", "=27a70000", 0x87, "movl (%rdi), %eax"
	ENTRIES
	END
	HUGE	"write", "=27e70000", 0x87, "movq $0x4321, 0x600008(%rdi)"
	ENTRIES
	END
	TEST	"1 GiB: where it went", "=4321"
	movq	0x600008, %rax
	NOTE	%rax
	END
	HUGE	"pat and cache bits are ignored", "=27ff0000", 0x109f, "movl %eax, 0x600000(%rdi)"
	ENTRIES
	END
	HUGE	"absent", "0e:0000", 0x86, "movl (%rdi), %eax"
	END
	HUGE	"wp: write, read-only", "0e:0003", 0x85, "movl %eax, 0x600000(%rdi)"
	END
	HUGE	"nx: fetch", "0e:0011", 0x8000000000000087, "call *%rdi"
	END
	HUGE	"fetch", "", 0x87, "movb $0xc3, 0x600000; addq $0x600000, %rdi; call *%rdi"
	END
	.irp	bit, 13, 21, 29, 40, 51
	HUGE	"reserved bit \bit", "0e:0009", 0x87|(1<<\bit), "movl (%rdi), %eax"
	END
	.endr
	HUGE	"user: supervisor's", "0e:0005", 0x83, "RING 3; movabsq $WINDOW, %rdi; movl (%rdi), %eax"
	END

/* --- across two pages --- */
	SET	7, 7, 7, 7
	movq	$frame2 + 6, w_pt + 8
	RELOAD
	.macro	ACROSS name, want, code
	TEST	"two pages: \name", "\want"
	movabsq	$WINDOW + 0xffe, %rdi
	\code
	END
	.endm
	movl	$0x55555555, frame + 0xffc
	ACROSS	"read, the second absent", "0e:0000+a", "movl (%rdi), %eax"
	ACROSS	"write, the second absent", "0e:0002+a", "movl %eax, (%rdi)"
	ACROSS	"what the first got", "=55555555", "movl frame + 0xffc, %eax; NOTE %rax"
	ACROSS	"rep stosb up to the second", "0e:0002 =2", "GO_ON 14; movl $2, test_skip; movl $4, %ecx; rep stosb; NOTE %rcx"
	ACROSS	"rep movsb from the second", "0e:0000 =2", "GO_ON 14; movl $2, test_skip; movl $4, %ecx; movq %rdi, %rsi; movl $frame2, %edi; rep movsb; NOTE %rcx"
	movw	$0xb866, frame + 0xffe		/* MOV AX, then its immediate */
	ACROSS	"fetch, the second absent", "0e:0010", "call *%rdi"
	movl	$0xc31234, frame2
	movq	$frame2 + 7, w_pt + 8
	RELOAD
	ACROSS	"fetch", "=1234", "xorl %eax, %eax; call *%rdi; NOTE %rax"
	movq	$frame2 + 5, w_pt + 8
	RELOAD
	ACROSS	"wp: write, the second read-only", "0e:0003", "movl %eax, (%rdi)"
	movq	$frame3 + 7, w_pt + 8
	RELOAD
	ACROSS	"written to both", "=1122 =3344", "movl $0x33441122, (%rdi); movzwl frame + 0xffe, %eax; NOTE %rax; movzwl frame3, %eax; NOTE %rax"

/* --- what the TLB keeps --- */
	.macro	REMAP name, want, first, second, code
	movq	$1, frame + 8
	movq	$2, frame2 + 8
	SET	7, 7, 7, \first
	RELOAD
	TEST	"tlb: \name", "\want"
	movabsq	$WINDOW, %rdi
	movq	8(%rdi), %rax
	movq	$frame2+\second, w_pt
	\code
	movq	8(%rdi), %rax
	NOTE	%rax
	END
	.endm
	REMAP	"invlpg", "=2", 7, 7, "invlpg (%rdi)"
	REMAP	"invlpg of another byte of the page", "=2", 7, 7, "invlpg 0xfff(%rdi)"
	REMAP	"cr3", "=2", 7, 7, "RELOAD"
	REMAP	"cr4.pge", "=2", 7, 7, "CR4 0xa0; CR4 0x20"
	REMAP	"cr0.pg through compatibility mode is not needed for wp", "=2", 7, 7, "RELOAD; CR0 0x80000011; CR0 0x80010011"
	CR4	0xa0
	REMAP	"global, invlpg", "=2", 0x107, 0x107, "invlpg (%rdi)"
	REMAP	"global, cr4.pge", "=2", 0x107, 0x107, "CR4 0x20; CR4 0xa0"
	CR4	0x20
	REMAP	"absent after invlpg", "0e:0000", 7, 6, "invlpg (%rdi)"
	SET	7, 7, 7, 0
	movq	$0x400087, w_pd
	RELOAD
	TEST	"tlb: invlpg anywhere in a page of 2 MiB", "=2"
	movabsq	$WINDOW, %rdi
	movq	$1, 0x400008
	movq	$2, 0x600008
	movq	8(%rdi), %rax
	movq	$0x600087, w_pd
	invlpg	0x123456(%rdi)
	movq	8(%rdi), %rax
	NOTE	%rax
	END
	SET	7, 7, 7, 6
	RELOAD
	TEST	"tlb: absent is not kept", "0e:0000 =1"
	GO_ON	14
	movl	$3, test_skip
	movabsq	$WINDOW, %rdi
	movl	8(%rdi), %eax
	orb	$1, w_pt
	movl	8(%rdi), %eax
	NOTE	%rax
	END
	SET	7, 7, 7, 5
	RELOAD
	TEST	"tlb: more rights count after the fault", "0e:0003 =9"
	GO_ON	14
	movl	$3, test_skip
	movabsq	$WINDOW, %rdi
	movl	8(%rdi), %eax
	movl	$9, %ecx
	movl	%ecx, 8(%rdi)
	orb	$2, w_pt
	movl	%ecx, 8(%rdi)
	movl	frame + 8, %eax
	NOTE	%rax
	END

/* --- the upper half, and tables that are their own --- */
	SET	7, 7, 7, 7
	movq	$w_pdpt + 7, boot_pml4 + 511 * 8
	RELOAD
	movq	$0x77, frame + 8
	TEST	"upper half", "=77"
	movabsq	$0xffffff8000000008, %rdi
	movl	(%rdi), %eax
	NOTE	%rax
	END
	TEST	"upper half, absent", "0e:0000"
	movabsq	$0xffff900000000008, %rdi
	movl	(%rdi), %eax
	END
	movq	$boot_pml4 + 7, boot_pml4 + 510 * 8
	RELOAD
	TEST	"the pml4 as its own table", "=1"
	movabsq	$0xffffff7fbfdfeff0, %rdi
	movq	(%rdi), %rax
	andl	$~0xfff, %eax
	cmpq	$boot_pml4, %rax
	sete	%al
	movzbl	%al, %eax
	NOTE	%rax
	END
	ret

	.data
	.balign	16
gdt:	GDT64
gdt_end:
	.balign	16
idt:	.set	v, 0
	.rept	256
	.if	v == 0x80
	GATE64	CODE0, stubs+16*v, 0xee
	.elseif	v == 8
	GATE64	CODE0, stubs+16*v, 0x8e, 1
	.else
	GATE64	CODE0, stubs+16*v, 0x8e
	.endif
	.set	v, v + 1
	.endr
	.balign	128
tss:	.long	0
	.quad	ring0_stack, 0, 0, 0, ist1_stack
	.fill	7, 8, 0
	.word	0, 0x68

	boot_tables

	.bss
	.balign	4096
w_pdpt:	.skip	4096
w_pd:	.skip	4096
w_pt:	.skip	4096
frame:	.skip	4096
frame2:	.skip	4096
frame3:	.skip	4096
