/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/conformance/protected.S - 32-bit protected mode without paging:
 * exceptions and their frames, segments, gates, rings, tasks, virtual-8086,
 * single-step and breakpoints.
 */
#include "kernel32.inc"

main:
/* --- exceptions at CPL 0 --- */
	TEST	"div by zero", "00"
	movl	$1, %eax
	divl	%ecx
	END
	TEST	"idiv overflow", "00"
	movl	$0x80000000, %eax
	cltd
	decl	%ecx
	idivl	%ecx
	END
	TEST	"aam 0", "00"
	.byte	0xd4, 0
	END
	TEST	"int1", "01"
	.byte	0xf1
	END
	TEST	"int3", "03"
	int3
	END
	TEST	"int 3 as two bytes", "03"
	.byte	0xcd, 3
	END
	TEST	"into, clear", ""
	into
	END
	TEST	"into, set", "04"
	movb	$0x7f, %al
	incb	%al
	into
	END
	TEST	"bound, inside", ""
	movl	$5, %eax
	bound	%eax, bounds
	END
	TEST	"bound, outside", "05"
	movl	$10, %eax
	bound	%eax, bounds
	END
	TEST	"bound, below", "05"
	movl	$-1, %eax
	bound	%eax, bounds
	END
	TEST	"ud2", "06"
	ud2
	END
	TEST	"lock on a register", "06"
	.byte	0xf0, 0x01, 0xc0
	END
	TEST	"lock on a load", "06"
	.byte	0xf0, 0x8b, 0x05, 0, 0, 0, 0
	END
	TEST	"instruction of 16 bytes", "0d:0000"
	.fill	15, 1, 0x66
	nop
	END
	TEST	"mov to cs", "06"
	.byte	0x8e, 0xc8
	END
	TEST	"mov cr1", "06"
	.byte	0x0f, 0x20, 0xc8
	END
	TEST	"les with a register", "06"
	.byte	0xc4, 0xc0
	END
	TEST	"lea with a register", "06"
	.byte	0x8d, 0xc0
	END
	TEST	"salc", ""
	stc
	.byte	0xd6
	NOTE	%eax
	END

/* --- coprocessor --- */
	TEST	"x87 with cr0.em", "07"
	movl	%cr0, %eax
	orl	$4, %eax
	movl	%eax, %cr0
	fnop
	END
	call	cr0_back
	TEST	"x87 with cr0.ts", "07"
	movl	%cr0, %eax
	orl	$8, %eax
	movl	%eax, %cr0
	fnop
	END
	call	cr0_back
	TEST	"fwait with cr0.ts alone", ""
	movl	%cr0, %eax
	andl	$~2, %eax
	orl	$8, %eax
	movl	%eax, %cr0
	fwait
	END
	call	cr0_back
	TEST	"fwait with cr0.ts and mp", "07"
	movl	%cr0, %eax
	orl	$10, %eax
	movl	%eax, %cr0
	fwait
	END
	call	cr0_back
	TEST	"sse with cr4.osfxsr clear", "06"
	xorps	%xmm0, %xmm0
	END
	TEST	"sse with cr0.ts", "07"
	movl	$0x600, %eax
	movl	%eax, %cr4
	movl	%cr0, %eax
	orl	$8, %eax
	movl	%eax, %cr0
	xorps	%xmm0, %xmm0
	END
	call	cr0_back
	TEST	"sse with cr0.em", "06"
	movl	%cr0, %eax
	orl	$4, %eax
	movl	%eax, %cr0
	xorps	%xmm0, %xmm0
	END
	call	cr0_back
	TEST	"x87 division by zero, masked", ""
	fninit
	fld1
	fldz
	fdivrp
	fwait
	fnstsw	%ax
	NOTE	%eax
	END
	TEST	"x87 division by zero, unmasked", "10"
	movl	%cr0, %eax
	orl	$0x20, %eax
	movl	%eax, %cr0
	fninit
	fldcw	cw_zero
	fld1
	fldz
	fdivrp
	fnop
	fwait
	END
	fninit
	call	cr0_back
	TEST	"simd division by zero, unmasked", "13"
	ldmxcsr	mxcsr_zero
	movl	$1, %eax
	cvtsi2ss %eax, %xmm0
	xorps	%xmm1, %xmm1
	divss	%xmm1, %xmm0
	END
	TEST	"simd division by zero without cr4.osxmmexcpt", "06"
	movl	$0x200, %eax
	movl	%eax, %cr4
	ldmxcsr	mxcsr_zero
	movl	$1, %eax
	cvtsi2ss %eax, %xmm0
	xorps	%xmm1, %xmm1
	divss	%xmm1, %xmm0
	END
	ldmxcsr	mxcsr_start
	TEST	"reserved mxcsr", "0d:0000"
	ldmxcsr	mxcsr_reserved
	END
	TEST	"movaps, unaligned", "0d:0000"
	movaps	bounds + 1, %xmm0
	END
	TEST	"addps, unaligned", "0d:0000"
	addps	bounds + 1, %xmm0
	END
	TEST	"movups, unaligned", ""
	movups	bounds + 1, %xmm0
	END
	TEST	"fxsave, unaligned", "0d:0000"
	fxsave	area + 8
	END
	xorl	%eax, %eax
	movl	%eax, %cr4

/* --- segment loads --- */
	.macro	LOAD name, selector, want, reg=es
	TEST	"\name", "\want"
	movl	$\selector, %eax
	movl	%eax, %\reg
	movl	%\reg, %eax
	NOTE	%eax
	END
	.endm
	LOAD	"es null", 0, ""
	LOAD	"es null, rpl 3", 3, ""
	LOAD	"ss null", 0, "0d:0000", ss
	LOAD	"ss null, rpl 3", 3, "0d:0000", ss
	LOAD	"es beyond the gdt", 0x7f8, "0d:07f8"
	LOAD	"es from a null ldt", 0x0c, "0d:000c"
	LOAD	"es not present", 0x40, "0b:0040"
	LOAD	"ss not present", 0x40, "0c:0040", ss
	LOAD	"es with code, readable", CODE0, ""
	LOAD	"es with code, execute only", 0x60, "0d:0060"
	LOAD	"es with a tss", TSS0, "0d:0018"
	LOAD	"ss with rpl 3", DATA3, "0d:0028", ss
	LOAD	"ss read-only", 0x58, "0d:0058", ss
	LOAD	"ss code", CODE0, "0d:0008", ss
	LOAD	"ss, dpl 0 with rpl 1", DATA0 | 1, "0d:0010", ss
	LOAD	"es, dpl 0 with rpl 3", DATA0 | 3, "0d:0010"
	LOAD	"es conforming, rpl 3", 0x50 | 3, ""
	TEST	"accessed bit is set", ""
	movb	gdt + 0x1f8 + 5, %al
	NOTE	%eax
	movl	$0x1f8, %eax
	movl	%eax, %es
	movb	gdt + 0x1f8 + 5, %al
	NOTE	%eax
	END

/* --- limits and types --- */
	.macro	ACCESS name, selector, want, code
	TEST	"\name", "\want"
	movl	$\selector, %eax
	movl	%eax, %es
	\code
	END
	.endm
	ACCESS	"read at the limit", 0x70, "", "movb %es:0xff, %al"
	ACCESS	"read past the limit", 0x70, "0d:0000", "movb %es:0x100, %al"
	ACCESS	"word across the limit", 0x70, "0d:0000", "movw %es:0xff, %ax"
	ACCESS	"write past the limit", 0x70, "0d:0000", "movb %al, %es:0x100"
	ACCESS	"expand-down, above", 0x68, "", "movb %es:0x110000, %al"
	ACCESS	"expand-down, at the limit", 0x68, "0d:0000", "movb %es:0x10ffff, %al"
	ACCESS	"expand-down, below", 0x68, "0d:0000", "movb %es:0x1000, %al"
	ACCESS	"write, read-only", 0x58, "0d:0000", "movb %al, %es:area"
	ACCESS	"write through code", CODE0, "0d:0000", "movb %al, %es:area"
	ACCESS	"read through es null", 0, "0d:0000", "movb %es:area, %al"
	TEST	"stack past its limit", "0c:0000"
	movl	$0x70, %eax
	movl	%eax, %ss
	movl	$0x102, %esp
	pushl	%eax
	END
	TEST	"read execute-only code by cs", "0d:0000"
	ljmp	$0x60, $1f
1:	movb	%cs:area, %al
	END
	ljmp	$CODE0, $1f
1:
/* --- far transfers --- */
	.macro	FAR name, selector, want, insn=ljmp
	TEST	"\insn \name", "\want"
	\insn	$\selector, $far_target
	END
	ljmp	$CODE0, $8877f
8877:
	.endm
	FAR	"null", 0, "0d:0000"
	FAR	"data", DATA0, "0d:0010"
	FAR	"not present", 0x48, "0b:0048"
	FAR	"beyond the gdt", 0x7f8, "0d:07f8"
	FAR	"conforming", 0x50, "30"
	FAR	"ring 3 code", CODE3, "0d:0020"
	FAR	"dpl 0 with rpl 3", CODE0 | 3, "0d:0008"
	FAR	"code with a short limit", 0x108, "0d:0000"
	FAR	"call gate", 0x90, "30"
	FAR	"call gate", 0x90, "30", lcall
	FAR	"call gate not present", 0xa8, "0b:00a8", lcall
	FAR	"call gate to null", 0xd0, "0d:0000", lcall
	FAR	"call gate to data", 0xd8, "0d:0010", lcall
	FAR	"tss not present", 0xa0, "0b:00a0"
	FAR	"busy tss", TSS0, "0d:0018"
	FAR	"interrupt gate in the gdt", 0x110, "0d:0110"
	TEST	"ring 3: call gate with parameters", "30"
	RING	3
	pushl	$0x1111
	pushl	$0x2222
	lcall	$0x88 | 3, $0
	END
	TEST	"ring 3: call gate and far return", "80"
	RING	3
	pushl	$0x1111
	pushl	$0x2222
	lcall	$0x118 | 3, $0
	movl	%esp, %esi
	int	$0x80
	END
	TEST	"ring 3: gate of dpl 0", "0d:0090"
	RING	3
	lcall	$0x90 | 3, $0
	END
	TEST	"ring 3: jmp by a gate inwards", "0d:0008"
	RING	3
	ljmp	$0x88 | 3, $0
	END
	TEST	"ring 3: jmp to dpl 0", "0d:0008"
	RING	3
	ljmp	$CODE0, $far_target
	END
	TEST	"ring 3: conforming code stays at 3", "30"
	RING	3
	ljmp	$0x50 | 3, $far_target
	END
	TEST	"lret to ring 3", "0d:0000"
	pushl	$DATA3
	pushl	$ring3_stack
	pushl	$CODE3
	pushl	$1f
	lret
1:	hlt
	END
	TEST	"lret to a lower ring's code", "0d:0008"
	RING	3
	pushl	$CODE0
	pushl	$far_target
	lret
	END
	TEST	"lret to null", "0d:0000"
	pushl	$0
	pushl	$far_target
	lret
	END
	TEST	"lret to data", "0d:0010"
	pushl	$DATA0
	pushl	$far_target
	lret
	END
	TEST	"lret to ring 3 with ss of ring 0", "0d:0010"
	pushl	$DATA0
	pushl	$ring3_stack
	pushl	$CODE3
	pushl	$1f
	lret
1:	hlt
	END
	TEST	"lret to ring 3 nulls ds of ring 0", "80"
	pushl	$DATA3
	pushl	$ring3_stack
	pushl	$CODE3
	pushl	$1f
	lret
1:	movl	%ds, %esi
	movl	%esi, %ss:ring3_stack - 64
	int	$0x80
	END
	TEST	"what ds was", ""
	NOTE	(ring3_stack - 64)
	END

/* --- privilege --- */
	.macro	USER name, want, code
	TEST	"ring 3: \name", "\want"
	RING	3
	\code
	int	$0x80
	END
	.endm
	USER	"hlt", "0d:0000", "hlt"
	USER	"cli", "0d:0000", "cli"
	USER	"sti", "0d:0000", "sti"
	USER	"in", "0d:0000", "inb $0x70, %al"
	USER	"in, allowed by the map", "80", "inb $0x61, %al"
	USER	"in of two bytes across", "0d:0000", "inw $0x61, %ax"
	USER	"in beyond the map", "0d:0000", "movw $0xeff0, %dx; inb %dx, %al"
	USER	"mov cr0", "0d:0000", "movl %cr0, %eax"
	USER	"mov to cr3", "0d:0000", "movl %eax, %cr3"
	USER	"mov dr0", "0d:0000", "movl %db0, %eax"
	USER	"clts", "0d:0000", "clts"
	USER	"lgdt", "0d:0000", "lgdt gdt_pointer"
	USER	"lidt", "0d:0000", "lidt idt_pointer"
	USER	"lldt", "0d:0000", "lldt %ax"
	USER	"ltr", "0d:0000", "ltr %ax"
	USER	"lmsw", "0d:0000", "lmsw %ax"
	USER	"invlpg", "0d:0000", "invlpg area"
	USER	"invd", "0d:0000", "invd"
	USER	"wbinvd", "0d:0000", "wbinvd"
	USER	"rdmsr", "0d:0000", "rdmsr"
	USER	"wrmsr", "0d:0000", "wrmsr"
	USER	"rdpmc", "0d:0000", "rdpmc"
	USER	"sysexit", "0d:0000", "sysexit"
	USER	"rdtsc", "80", "rdtsc"
	USER	"sgdt", "80", "sgdt area"
	USER	"smsw", "80", "smsw %ax"
	USER	"str", "80", "str %ax"
	USER	"ds of dpl 0", "0d:0010", "movw $DATA0, %ax; movw %ax, %ds"
	USER	"ss of dpl 0", "0d:0010", "movw $DATA0, %ax; movw %ax, %ss"
	USER	"ss null", "0d:0000", "xorl %eax, %eax; movw %ax, %ss"
	USER	"int of dpl 0", "0d:0192", "int $0x32"
	USER	"int3", "03", "int3"
	USER	"into", "04", "movb $0x7f, %al; incb %al; into"
	USER	"int1", "01", ".byte 0xf1"
	USER	"int 1 as two bytes", "0d:000a", "int $1"
	USER	"int 6", "0d:0032", "int $6"
	USER	"int 0d", "0d:006a", "int $13"
	USER	"ud2", "06", "ud2"
	USER	"division", "00", "divl %ecx"
	USER	"popf leaves if and iopl", "80", "pushl $0x3202; popfl; pushfl; popl %esi"
	TEST	"ring 3, iopl 3: cli, sti, popf", "80"
	movl	$0x3000, ring_flags
	RING	3
	sti
	cli
	pushl	$0x0002
	popfl
	int	$0x80
	END
	movl	$0, ring_flags
	TEST	"ring 1: cli with iopl 0", "0d:0000"
	RING	1
	cli
	END
	TEST	"ring 1: int to ring 0", "80"
	RING	1
	int	$0x80
	END
	TEST	"ring 2: call gate to ring 0", "30"
	RING	2
	lcall	$0x88 | 2, $0
	END
	TEST	"ring 3: interrupt gate to ring 1", "0d:0000"
	RING	3
	int	$0x3a
	END
	movl	$4, %eax
	movl	%eax, %cr4
	USER	"rdtsc with cr4.tsd", "0d:0000", "rdtsc"
	xorl	%eax, %eax
	movl	%eax, %cr4

/* --- gates --- */
	.macro	SOFT name, vector, want
	TEST	"int: \name", "\want"
	int	$\vector
	END
	.endm
	SOFT	"interrupt gate", 0x30, "30"
	SOFT	"trap gate", 0x31, "31"
	SOFT	"not present", 0x33, "0b:019a"
	SOFT	"null selector", 0x34, "0d:0000"
	SOFT	"selector of data", 0x35, "0d:0010"
	SOFT	"no gate", 0x37, "0d:01ba"
	SOFT	"code not present", 0x39, "0b:0048"
	SOFT	"code of ring 3", 0x3b, "0d:0020"
	SOFT	"call gate in the idt", 0x3c, "0d:01e2"
	SOFT	"selector beyond the gdt", 0x3d, "0d:07f8"
	TEST	"int beyond the idt", "0d:0402"
	lidt	idt_short
	int	$0x80
	END
	lidt	idt_pointer
	TEST	"interrupt gate clears if, trap gate does not", ""
	sti
	int	$0x3e
	NOTE	area
	int	$0x3f
	NOTE	area
	cli
	END

/* --- double fault --- */
	TEST	"not present fault of #UD's gate", "0b:0032"
	andb	$0x7f, idt + 6 * 8 + 5
	ud2
	END
	orb	$0x80, idt + 6 * 8 + 5
	TEST	"contributory in contributory", "08:0000"
	andb	$0x7f, idt + 13 * 8 + 5
	movl	$0x7f8, %eax
	movl	%eax, %es
	END
	orb	$0x80, idt + 13 * 8 + 5
	TEST	"after a double fault, #GP is #GP", "0d:07f8"
	movl	$0x7f8, %eax
	movl	%eax, %es
	END
	TEST	"after #NP in int, #GP is #GP", "0b:019a 0d:07f8"
	GO_ON	11
	movl	$2, test_skip
	int	$0x33
	movl	$0x7f8, %eax
	movl	%eax, %es
	END

/* --- iret --- */
	.macro	RETURN name, cs, flags, want
	TEST	"iret \name", "\want"
	pushl	$\flags
	pushl	$\cs
	pushl	$1f
	iret
1:	pushfl
	popl	%eax
	NOTE	%eax
	END
	.endm
	RETURN	"same ring", CODE0, 0x2, ""
	RETURN	"with flags", CODE0, 0x240cd7, ""
	RETURN	"with iopl", CODE0, 0x3002, ""
	RETURN	"to null", 0, 0x2, "0d:0000"
	RETURN	"to data", DATA0, 0x2, "0d:0010"
	RETURN	"to not present", 0x48, 0x2, "0b:0048"
	RETURN	"beyond the gdt", 0x7f8, 0x2, "0d:07f8"
	RETURN	"with nt, no back link", CODE0, 0x4002, ""
	TEST	"iret with nt set", "0a:0000"
	movl	$0, tss
	pushl	$0x4002
	popfl
	iret
	END
	TEST	"iret to ring 3, null ss", "0d:0000"
	pushl	$0
	pushl	$ring3_stack
	pushl	$2
	pushl	$CODE3
	pushl	$far_target
	iret
	END
	TEST	"iret to ring 3, ss not present", "0c:0120"
	pushl	$0x123
	pushl	$ring3_stack
	pushl	$2
	pushl	$CODE3
	pushl	$far_target
	iret
	END
	TEST	"iret with rf runs over a code breakpoint", ""
	movl	$1f, %eax
	movl	%eax, %dr0
	movl	$0x402, %eax
	movl	%eax, %dr7
	pushl	$0x10002
	pushl	$CODE0
	pushl	$1f
	iret
1:	nop
	END

/* --- shadows, trap flag, breakpoints --- */
	.macro	STEPPED name, want, code
	TEST	"step: \name", "\want"
	GO_ON	1
	pushfl
	orl	$0x100, (%esp)
	popfl
	\code
	pushfl
	andl	$~0x100, (%esp)
	popfl
	END
	.endm
	STEPPED	"nop", "01 01 01 01", "nop"
	STEPPED	"mov ss", "01 01 01 01 01 01", "movl %ss, %eax; movl %eax, %ss; nop; nop"
	STEPPED	"pop ss", "01 01 01 01 01 01", "pushl %ss; popl %ss; nop; nop"
	STEPPED	"sti", "01 01 01 01 01 01", "sti; nop; cli"
	STEPPED	"int n", "01 01 01", "int $0x3f"
	STEPPED	"rep movsb", "01 01 01 01 01 01 01 01 01", "movl $area, %esi; movl $area + 16, %edi; movl $3, %ecx; rep movsb"
	STEPPED	"into not taken", "01 01 01 01 01", "clc; into"
	STEPPED	"cpuid", "01 01 01 01", "cpuid"
	STEPPED	"in", "01 01 01 01", "inb $0x61, %al"
	STEPPED	"jump", "01 01 01 01 01", "jmp 1f; nop; 1: nop"
	TEST	"step: fault comes first", "06"
	pushfl
	orl	$0x100, (%esp)
	popfl
	ud2
	END
	TEST	"step: popf that sets tf traps after the next", "01"
	pushl	$0x102
	popfl
	nop
	nop
	END
	TEST	"step: iret that sets tf traps after the next", "01"
	pushl	$0x102
	pushl	$CODE0
	pushl	$1f
	iret
1:	nop
	nop
	END
	.macro	WATCH name, dr7, want, code
	TEST	"dr: \name", "\want"
	GO_ON	1
	movl	$area, %eax
	movl	%eax, %dr0
	movl	$\dr7, %eax
	movl	%eax, %dr7
	\code
	END
	.endm
	TEST	"dr: code breakpoint", "01"
	movl	$1f, %eax
	movl	%eax, %dr3
	movl	$0x480, %eax
	movl	%eax, %dr7
	nop
1:	nop
	END
	TEST	"dr: local code breakpoint", "01"
	movl	$1f, %eax
	movl	%eax, %dr1
	movl	$0x404, %eax
	movl	%eax, %dr7
	nop
1:	nop
	END
	TEST	"dr: two at one address", "01"
	movl	$1f, %eax
	movl	%eax, %dr1
	movl	%eax, %dr2
	movl	$0x428, %eax
	movl	%eax, %dr7
	nop
1:	nop
	END
	TEST	"dr: breakpoint after mov ss is held off", ""
	movl	$1f, %eax
	movl	%eax, %dr0
	movl	$0x402, %eax
	movl	%eax, %dr7
	movl	%ss, %eax
	movl	%eax, %ss
1:	nop
	END
	WATCH	"write, by a write", 0x000d0402, "01", "movl %ebx, area; nop"
	WATCH	"write, by a read", 0x000d0402, "", "movl area, %ebx; nop"
	WATCH	"access, by a read", 0x000f0402, "01", "movl area, %ebx; nop"
	WATCH	"access, by a write", 0x000f0402, "01", "movl %ebx, area; nop"
	WATCH	"byte, its neighbour", 0x00010402, "", "movb %bl, area + 1; nop"
	WATCH	"byte, by a word before", 0x00010402, "01", "movw %bx, area - 1; nop"
	WATCH	"four bytes, the last", 0x000d0402, "01", "movb %bl, area + 3; nop"
	WATCH	"write, by push", 0x000d0402, "01", "movl %esp, %edi; movl $area + 4, %esp; pushl %ebx; movl %edi, %esp"
	WATCH	"write, by add to memory", 0x000d0402, "01", "addl %ebx, area; nop"
	WATCH	"write, by movs", 0x000d0402, "01", "movl $area + 64, %esi; movl $area, %edi; movsl; nop"
	WATCH	"write, by rep stos", 0x000d0402, "01", "movl $area - 8, %edi; movl $5, %ecx; rep stosl; nop"
	WATCH	"write, by xchg", 0x000d0402, "01", "xchgl %ebx, area; nop"
	WATCH	"write, by cmpxchg that fails", 0x000d0402, "01", "movl $0x12345, %eax; lock cmpxchgl %ebx, area; nop"
	WATCH	"disabled", 0x000d0400, "", "movl %ebx, area; nop"
	TEST	"dr: two watchpoints", "01"
	movl	$area, %eax
	movl	%eax, %dr0
	addl	$4, %eax
	movl	%eax, %dr1
	movl	$0x00dd040a, %eax
	movl	%eax, %dr7
	movl	$2, area + 2
	END
	movl	$DATA0, area
	TEST	"dr: after mov ss, when the next has run", "01"
	GO_ON	1
	movl	$area, %eax
	movl	%eax, %dr0
	movl	$0x000f0402, %eax
	movl	%eax, %dr7
	movw	area, %ss
	nop
	nop
	END
	TEST	"dr: general detect", "01"
	movl	$0x2400, %eax
	movl	%eax, %dr7
	movl	%db0, %eax
	END
	TEST	"dr4 and dr5 are 6 and 7", ""
	movl	$0x402, %eax
	movl	%eax, %dr7
	.byte	0x0f, 0x21, 0xeb
	NOTE	%ebx
	.byte	0x0f, 0x21, 0xe3
	NOTE	%ebx
	END
	TEST	"dr4 with cr4.de", "06"
	movl	$8, %eax
	movl	%eax, %cr4
	.byte	0x0f, 0x21, 0xe3
	END
	TEST	"io breakpoint", "01"
	movl	$0x61, %eax
	movl	%eax, %dr0
	movl	$0x00020402, %eax
	movl	%eax, %dr7
	inb	$0x61, %al
	nop
	END
	xorl	%eax, %eax
	movl	%eax, %cr4
	TEST	"dr7 reads", ""
	movl	$0xffffdfff, %eax
	movl	$0, %ebx
	movl	%eax, %dr7
	movl	%db7, %ebx
	xorl	%eax, %eax
	movl	%eax, %dr7
	NOTE	%ebx
	movl	%db7, %ebx
	NOTE	%ebx
	movl	%db6, %ebx
	NOTE	%ebx
	END
	TEST	"ring 3: trap flag", "01"
	movl	$0x100, ring_flags
	RING	3
	nop
	END
	movl	$0, ring_flags

/* --- control registers, msrs --- */
	TEST	"cr0 reads", ""
	movl	%cr0, %eax
	orl	$0x1ffaff00, %eax
	movl	%eax, %cr0
	movl	%cr0, %eax
	NOTE	%eax
	END
	call	cr0_back
	TEST	"lmsw cannot clear pe", ""
	xorl	%eax, %eax
	lmsw	%ax
	movl	%cr0, %eax
	NOTE	%eax
	END
	call	cr0_back
	.macro	MSR name, number, low, high, want
	TEST	"wrmsr \name", "\want"
	movl	$\number, %ecx
	movl	$\low, %eax
	movl	$\high, %edx
	wrmsr
	END
	.endm
	MSR	"unknown", 0x12345, 0, 0, "0d:0000"
	MSR	"efer, reserved bit", 0xc0000080, 0x2, 0, "0d:0000"
	MSR	"efer, upper half", 0xc0000080, 0, 1, "0d:0000"
	MSR	"pat, reserved type", 0x277, 2, 0, "0d:0000"
	MSR	"apic base, reserved bit", 0x1b, 0xfee00801, 0, "0d:0000"
	MSR	"apic base, x2apic without enable", 0x1b, 0xfee00400, 0, "0d:0000"
	MSR	"x2apic register in xapic mode", 0x808, 0, 0, "0d:0000"
	TEST	"rdmsr unknown", "0d:0000"
	movl	$0x12345, %ecx
	rdmsr
	END

/* --- sysenter --- */
	TEST	"sysenter with cs 0", "0d:0000"
	sysenter
	END
	movl	$0x174, %ecx
	movl	$0xe8, %eax
	xorl	%edx, %edx
	wrmsr
	incl	%ecx
	movl	$stack_other, %eax
	wrmsr
	incl	%ecx
	movl	$on_sysenter, %eax
	wrmsr
	TEST	"sysenter and sysexit", "80"
	RING	3
	movl	%esp, %ecx
	movl	$1f, %edx
	sysenter
1:	movl	%ss, %esi
	int	$0x80
	END
	TEST	"sysenter: what came", "30"
	RING	3
	movl	$on_sysenter_end, %edx
	movl	$0x77, %ebp
	sysenter
	END
	movl	$0x174, %ecx
	xorl	%eax, %eax
	xorl	%edx, %edx
	wrmsr
	TEST	"sysexit with cs 0", "0d:0000"
	sysexit
	END
	TEST	"syscall without efer.sce", "06"
	syscall
	END

/* --- ldt --- */
	TEST	"lldt of data", "0d:0010"
	movl	$DATA0, %eax
	lldt	%ax
	END
	TEST	"lldt not present", "0b:0130"
	movl	$0x130, %eax
	lldt	%ax
	END
	TEST	"lldt, a segment from it", ""
	movl	$0x78, %eax
	lldt	%ax
	movl	$0x0c, %eax
	movl	%eax, %es
	movb	%es:area, %al
	sldt	%eax
	NOTE	%eax
	END
	TEST	"ldt: past its limit", "0d:0014"
	movl	$0x14, %eax
	movl	%eax, %es
	END
	TEST	"lldt null", "0d:000c"
	xorl	%eax, %eax
	lldt	%ax
	movl	$0x0c, %eax
	movl	%eax, %es
	END
	TEST	"ltr of a busy tss", "0d:0018"
	movl	$TSS0, %eax
	ltr	%ax
	END
	TEST	"ltr null", "0d:0000"
	xorl	%eax, %eax
	ltr	%ax
	END
	call	first_task
	TEST	"lar, lsl, verr, verw", ""
	movl	$0x70, %ecx
	larl	%ecx, %eax
	NOTE	%eax
	lsll	%ecx, %eax
	NOTE	%eax
	xorl	%ebx, %ebx
	verr	%cx
	setz	%bl
	verw	%cx
	setz	%bh
	movl	$0x60, %ecx
	verr	%cx
	setz	%al
	movl	$0x58, %ecx
	verw	%cx
	setz	%ah
	NOTE	%ebx
	movzwl	%ax, %eax
	NOTE	%eax
	movl	$0x7f8, %ecx
	larl	%ecx, %eax
	pushfl
	popl	%eax
	NOTE	%eax
	END

	call	tasks
	call	v86
	ret

cr0_back:
	movl	$0x11, %eax
	movl	%eax, %cr0
	ret

far_target:
	int	$0x30

on_sysenter:
	movl	%cs, %esi
	sysexit
on_sysenter_end:
	int	$0x30

/* Called by a gate with two parameters. */
gate_return:
	movl	8(%esp), %eax
	movl	12(%esp), %ebx
	lret	$8
note_flags:
	pushfl
	popl	area
	iret

#include "tasks.inc"
#include "v86.inc"

	.data
	.balign	8
gdt:	.quad	0
	SEGMENT	0, 0xfffff, 0x9b, 0xc0		/* 08 code, ring 0 */
	SEGMENT	0, 0xfffff, 0x93, 0xc0		/* 10 data, ring 0 */
	SEGMENT_AT tss, 0x874, 0x89, 0		/* 18 */
	SEGMENT	0, 0xfffff, 0xfb, 0xc0		/* 20 code, ring 3 */
	SEGMENT	0, 0xfffff, 0xf3, 0xc0		/* 28 data, ring 3 */
	SEGMENT	0, 0xffff, 0x9b, 0		/* 30 code, 16 bits */
	SEGMENT	0, 0xffff, 0x93, 0		/* 38 data, 16 bits */
	SEGMENT	0, 0xfffff, 0x13, 0xc0		/* 40 data, not present */
	SEGMENT	0, 0xfffff, 0x1b, 0xc0		/* 48 code, not present */
	SEGMENT	0, 0xfffff, 0x9f, 0xc0		/* 50 conforming */
	SEGMENT	0, 0xfffff, 0x91, 0xc0		/* 58 data, read-only */
	SEGMENT	0, 0xfffff, 0x99, 0xc0		/* 60 code, execute only */
	SEGMENT	0, 0x10f, 0x97, 0xc0		/* 68 expand-down */
	SEGMENT_AT area, 0xff, 0x93, 0x40	/* 70 256 bytes */
	SEGMENT_AT ldt, 15, 0x82, 0		/* 78 ldt */
	SEGMENT_AT tss2, 0x67, 0x89, 0		/* 80 another task */
	GATE	CODE0, far_target, 0xec, 2	/* 88 call gate, dpl 3 */
	GATE	CODE0, far_target, 0x8c		/* 90 call gate, dpl 0 */
	GATE	0x80, 0, 0xe5			/* 98 task gate */
	SEGMENT_AT tss2, 0x67, 0x09, 0		/* a0 tss not present */
	GATE	CODE0, far_target, 0x6c		/* a8 not present */
	SEGMENT	0, 0xfffff, 0xbb, 0xc0		/* b0 code, ring 1 */
	SEGMENT	0, 0xfffff, 0xb3, 0xc0		/* b8 data, ring 1 */
	SEGMENT	0, 0xfffff, 0xdb, 0xc0		/* c0 code, ring 2 */
	SEGMENT	0, 0xfffff, 0xd3, 0xc0		/* c8 data, ring 2 */
	GATE	0, far_target, 0xec		/* d0 gate to null */
	GATE	DATA0, far_target, 0xec		/* d8 gate to data */
	SEGMENT_AT tss2, 0x66, 0x89, 0		/* e0 tss too short */
	SEGMENT	0, 0xfffff, 0x9b, 0xc0		/* e8 sysenter's four */
	SEGMENT	0, 0xfffff, 0x93, 0xc0		/* f0 */
	SEGMENT	0, 0xfffff, 0xfb, 0xc0		/* f8 */
	SEGMENT	0, 0xfffff, 0xf3, 0xc0		/* 100 */
	SEGMENT	0, 0xff, 0x9b, 0x40		/* 108 code, 256 bytes */
	GATE	CODE0, far_target, 0x8e		/* 110 interrupt gate */
	GATE	CODE0, gate_return, 0xec, 2	/* 118 call gate, dpl 3 */
	SEGMENT	0, 0xfffff, 0x73, 0xc0		/* 120 data, ring 3, absent */
	SEGMENT_AT tss2, 0x67, 0xe9, 0		/* 128 another task, dpl 3 */
	SEGMENT_AT ldt, 15, 0x02, 0		/* 130 ldt not present */
	SEGMENT_AT tss2, 0x67, 0x8b, 0		/* 138 a busy task */
	.fill	23, 8, 0
	SEGMENT	0, 0xfffff, 0x92, 0xc0		/* 1f8 not yet accessed */
gdt_end:

	.balign	8
idt:	.set	v, 0
	.rept	256
	.if	v == 3 || v == 4 || v == 5 || v == 0x30 || v == 0x80
	GATE	CODE0, stubs+8*v, 0xee
	.elseif	v == 0x31
	GATE	CODE0, stubs+8*v, 0xef
	.elseif	v == 0x33
	GATE	CODE0, stubs+8*v, 0x6e
	.elseif	v == 0x34
	GATE	0, stubs+8*v, 0xee
	.elseif	v == 0x35
	GATE	DATA0, stubs+8*v, 0xee
	.elseif	v == 0x36
	GATE	0x80, 0, 0xe5
	.elseif	v == 0x37
	.quad	0
	.elseif	v == 0x39
	GATE	0x48, stubs+8*v, 0xee
	.elseif	v == 0x3a
	GATE	0xb0, ring1_vector, 0xee
	.elseif	v == 0x3b
	GATE	CODE3, stubs+8*v, 0xee
	.elseif	v == 0x3c
	GATE	CODE0, stubs+8*v, 0xec
	.elseif	v == 0x3d
	GATE	0x7f8, stubs+8*v, 0xee
	.elseif	v == 0x3e
	GATE	CODE0, note_flags, 0xee
	.elseif	v == 0x3f
	GATE	CODE0, note_flags, 0xef
	.else
	GATE	CODE0, stubs+8*v, 0x8e
	.endif
	.set	v, v + 1
	.endr
idt_short:
	.word	0x30 * 8 - 1
	.long	idt

	.balign	8
ldt:	.quad	0
	SEGMENT	0, 0xfffff, 0x93, 0xc0
bounds:	.long	0, 9, 0, 0, 0, 0
cw_zero:
	.long	0x37b
mxcsr_zero:
	.long	0x1d80
mxcsr_start:
	.long	0x1f80
mxcsr_reserved:
	.long	0x10000
	.balign	128
tss:	.long	0
	.long	ring0_stack, DATA0, ring1_stack, 0xb8 | 1, ring2_stack, 0xc8 | 2
	.fill	18, 4, 0
	.word	0, 0x68			/* debug trap; where the map starts */
	.fill	12, 1, 0xff
	.byte	0xfd			/* port 61h alone */
	.fill	0x800, 1, 0xff
	.text
/* In ring 1: the frame is on its stack. */
ring1_vector:
	movl	%cs, %esi
	hlt

	.bss
	.balign	4096
	.skip	64
area:	.skip	4096
