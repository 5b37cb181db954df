/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/conformance/paging.S - two-level and PAE paging: rights, #PF's
 * error code, accessed and dirty bits, large pages, reserved bits, NX
 * (SDM 3A, chapter 4).
 *
 * The first 4 MiB are mapped one to one for all rings; WINDOW's first page is
 * what a test is about.  Each test notes the lower bits of its directory's and
 * its table's entry at the end, so what was set in them is seen.
 */
#include "kernel32.inc"

	.set	WINDOW, 0x40000000
	.set	PDE, pd + (WINDOW >> 22) * 4
	.set	PAE_PDE, pae_pd2

	.macro	ACCESS_BEGIN name, want
	TEST	"\name", "\want"
	movl	$WINDOW, %edi
	GO_ON	14
	movl	$2, test_skip
	.endm
	.macro	ENTRIES pde, pte
	movl	\pde, %ebx
	andl	$0xfff, %ebx
	NOTE	%ebx
	movl	\pte, %ebx
	andl	$0xfff, %ebx
	NOTE	%ebx
	.endm
	.macro	RELOAD
	movl	%cr3, %eax
	movl	%eax, %cr3
	.endm
	.macro	SUPER name, want, pde, pte, code
	movl	$pt + \pde, PDE
	movl	$frame + \pte, pt
	RELOAD
	ACCESS_BEGIN "\name", "\want"
	\code
	ENTRIES	PDE, pt
	END
	.endm
	.macro	USER name, want, pde, pte, code
	movl	$pt + \pde, PDE
	movl	$frame + \pte, pt
	RELOAD
	ACCESS_BEGIN "\name", "\want"
	RING	3
	\code
	ENTRIES	PDE, pt
	int	$0x80
	END
	.endm
	.macro	PAE name, want, low, high, code
	movl	$pae_pt + 7, PAE_PDE
	movl	$0, PAE_PDE + 4
	movl	$frame + \low, pae_pt
	movl	$\high, pae_pt + 4
	RELOAD
	ACCESS_BEGIN "pae: \name", "\want"
	\code
	ENTRIES	PAE_PDE, pae_pt
	END
	.endm

	.text
main:
	movl	$0x87, pd
	movl	$0x10, %eax		/* PSE */
	movl	%eax, %cr4
	movl	$pd, %eax
	movl	%eax, %cr3
	movl	$0x80000011, %eax
	movl	%eax, %cr0

	SUPER	"read", "", 7, 7, "movl (%edi), %eax"
	SUPER	"write", "", 7, 7, "movl %eax, (%edi)"
	SUPER	"read, then write", "", 7, 7, "movl (%edi), %eax; movl %eax, (%edi)"
	SUPER	"read, page absent", "0e:0000", 7, 6, "movl (%edi), %eax"
	SUPER	"write, page absent", "0e:0002", 7, 6, "movl %eax, (%edi)"
	SUPER	"read, table absent", "0e:0000", 6, 7, "movl (%edi), %eax"
	SUPER	"write, read-only, without wp", "", 7, 5, "movl %eax, (%edi)"
	SUPER	"cache bits are ignored", "", 0x1f, 0x1f, "movl %eax, (%edi)"
	SUPER	"bits for software are kept", "", 0xe07, 0xe07, "movl %eax, (%edi)"
	SUPER	"table's size bit is pat", "", 7, 0x87, "movl (%edi), %eax"
	SUPER	"add to memory", "", 7, 7, "addl %eax, (%edi)"
	USER	"user: read", "80", 7, 7, "movl (%edi), %eax"
	USER	"user: write", "80", 7, 7, "movl %eax, (%edi)"
	USER	"user: read, page absent", "0e:0004 80", 7, 6, "movl (%edi), %eax"
	USER	"user: write, page absent", "0e:0006 80", 7, 6, "movl %eax, (%edi)"
	USER	"user: read, supervisor's page", "0e:0005 80", 7, 3, "movl (%edi), %eax"
	USER	"user: write, supervisor's page", "0e:0007 80", 7, 3, "movl %eax, (%edi)"
	USER	"user: read, supervisor's table", "0e:0005 80", 3, 7, "movl (%edi), %eax"
	USER	"user: write, read-only page", "0e:0007 80", 7, 5, "movl %eax, (%edi)"
	USER	"user: write, read-only table", "0e:0007 80", 5, 7, "movl %eax, (%edi)"
	USER	"user: add to a read-only page", "0e:0007 80", 7, 5, "addl %eax, (%edi)"

	movl	$0x80010011, %eax
	movl	%eax, %cr0
	SUPER	"wp: write, read-only page", "0e:0003", 7, 5, "movl %eax, (%edi)"
	SUPER	"wp: write, read-only table", "0e:0003", 5, 7, "movl %eax, (%edi)"
	SUPER	"wp: read, read-only page", "", 7, 5, "movl (%edi), %eax"
	SUPER	"wp: write, supervisor's page", "", 7, 3, "movl %eax, (%edi)"

/* Pages of 4 MiB: the table's entry is not looked at. */
	.macro	LARGE name, want, pde, code
	movl	$\pde, PDE
	movl	$0, pt
	RELOAD
	ACCESS_BEGIN "4 MiB: \name", "\want"
	\code
	ENTRIES	PDE, pt
	END
	.endm
	LARGE	"read", "", 0x87, "movl (%edi), %eax"
	LARGE	"write", "", 0x87, "addl $0, (%edi)"
	LARGE	"write, read-only", "0e:0003", 0x85, "movl %eax, (%edi)"
	LARGE	"absent", "0e:0000", 0x86, "movl (%edi), %eax"
	LARGE	"reserved bit 21", "0e:0009", 0x200087, "movl (%edi), %eax"

	movl	$pt + 7, PDE
	movl	$frame + 7, pt
	movl	$frame + 0x1006, pt + 4
	RELOAD
	TEST	"read across two pages, the second absent", "0e:0000"
	movl	WINDOW + 0xffe, %eax
	END
	TEST	"write across two pages, the second absent", "0e:0002"
	movl	$-1, WINDOW + 0xffe
	END
	TEST	"what the first page got", ""
	movl	frame + 0xffc, %eax
	NOTE	%eax
	END
	TEST	"stale until invlpg", ""
	movl	WINDOW, %eax
	movl	$0x77, frame2
	movl	$frame2 + 7, pt
	invlpg	WINDOW
	movl	WINDOW, %eax
	NOTE	%eax
	END

/* --- PAE, with NX --- */
	movl	$0x11, %eax
	movl	%eax, %cr0
	movl	$0x30, %eax
	movl	%eax, %cr4
	movl	$0xc0000080, %ecx
	movl	$0x800, %eax
	xorl	%edx, %edx
	wrmsr
	movl	$pae_pd + 1, pdpt
	movl	$pae_pd2 + 1, pdpt + 8
	movl	$0x87, pae_pd
	movl	$0x200087, pae_pd + 8
	movl	$pdpt, %eax
	movl	%eax, %cr3
	movl	$0x80010011, %eax
	movl	%eax, %cr0
	PAE	"read", "", 7, 0, "movl (%edi), %eax"
	PAE	"write", "", 7, 0, "movl %eax, (%edi)"
	PAE	"read, absent", "0e:0000", 6, 0, "movl (%edi), %eax"
	PAE	"write, read-only", "0e:0003", 5, 0, "movl %eax, (%edi)"
	PAE	"cache bits are ignored", "", 0x1f, 0, "movl %eax, (%edi)"
	PAE	"read, nx", "", 7, 0x80000000, "movl (%edi), %eax"
	PAE	"reserved bit 62", "0e:0009", 7, 0x40000000, "movl (%edi), %eax"
	PAE	"reserved bit 52", "0e:0009", 7, 0x100000, "movl (%edi), %eax"
	PAE	"beyond the physical width", "0e:0009", 7, 0x100, "movl (%edi), %eax"
	PAE	"absent, reserved bits", "0e:0000", 6, 0x40000000, "movl (%edi), %eax"
	movl	$0xc3, frame
	movl	$frame + 7, pae_pt
	movl	$0x80000000, pae_pt + 4
	RELOAD
	TEST	"pae: fetch, nx", "0e:0011"
	movl	$WINDOW, %edi
	call	*%edi
	END
	movl	$0, pae_pt + 4
	RELOAD
	TEST	"pae: fetch", ""
	movl	$WINDOW, %edi
	call	*%edi
	END
	movl	$0xc0000080, %ecx
	xorl	%eax, %eax
	xorl	%edx, %edx
	wrmsr
	PAE	"nx is reserved without efer.nxe", "0e:0009", 7, 0x80000000, "movl (%edi), %eax"
	movl	$0x11, %eax
	movl	%eax, %cr0
	ret

	.data
	.balign	8
gdt:	.quad	0
	SEGMENT	0, 0xfffff, 0x9b, 0xc0		/* 08 code, ring 0 */
	SEGMENT	0, 0xfffff, 0x93, 0xc0		/* 10 data, ring 0 */
	SEGMENT_AT tss, 0x67, 0x89, 0		/* 18 */
	SEGMENT	0, 0xfffff, 0xfb, 0xc0		/* 20 code, ring 3 */
	SEGMENT	0, 0xfffff, 0xf3, 0xc0		/* 28 data, ring 3 */
gdt_end:
	.balign	8
idt:	.set	v, 0
	.rept	256
	.if	v == 0x80
	GATE	CODE0, stubs+8*v, 0xee
	.else
	GATE	CODE0, stubs+8*v, 0x8e
	.endif
	.set	v, v + 1
	.endr
	.balign	128
tss:	.long	0, ring0_stack, DATA0
	.fill	22, 4, 0
	.word	0, 0x68

	.bss
	.balign	4096
pd:	.skip	4096
pt:	.skip	4096
pdpt:	.skip	4096
pae_pd:	.skip	4096
pae_pd2:
	.skip	4096
pae_pt:	.skip	4096
frame:	.skip	4096
frame2:	.skip	4096
