/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/conformance/real.S - real-address mode (SDM 3B, chapter 20), and
 * 16-bit protected mode (protected16.inc).
 *
 * A test's 16-bit code runs at 0800:0000 with DS 2000h, ES 3000h and SS:SP
 * 4000h:8000h, all memory there its own.  Vectors lead to stubs in low memory
 * that save the registers beside them, go to protected mode, tell report.c, and
 * go back.
 */
#include "kernel32.inc"

	.set	LOW_AT, 0x1000
	.set	TEST_AT, 0x8000
	.set	NOTE_VECTOR, 0xfd
	.set	END_VECTOR, 0xfe

/* In 16-bit code of real mode. */
	.macro	NOTE16 value
	pushl	\value
	int	$NOTE_VECTOR
	leal	4(%esp), %esp
	.endm
	.macro	COPY_TEST
	movl	$7744f, %esi
	movl	$TEST_AT, %edi
	movl	$(7755f - 7744f), %ecx
	rep movsb
	movl	%ecx, %esi
	movl	%ecx, %edi
	.endm
/* After vectors of `go` it goes on, `skip` bytes later. */
	.macro	REAL name, want, code, go=0, skip=0
	TEST	"real: \name", "\want"
	movl	$\go, test_go_on
	movl	$\skip, test_skip
	COPY_TEST
	jmp	to_real
	.pushsection .rodata
	.code16
7744:	\code
	int	$END_VECTOR
7755:	.code32
	.popsection
	END
	.endm
	.macro	VALUE name, want, code, result=%eax
	REAL	"\name", "\want", "\code; NOTE16 \result"
	.endm
	.set	STEP, 1 << 1

main:
	movl	$low, %esi
	movl	$LOW_AT, %edi
	movl	$(low_end - low), %ecx
	rep movsb

/* --- exceptions --- */
	REAL	"int", "80+2", "int $0x80"
	REAL	"int3", "03+1", "int3"
	REAL	"int 3 as two bytes", "03+2", ".byte 0xcd, 3"
	REAL	"int1", "01+1", ".byte 0xf1"
	REAL	"into, clear", "", "into"
	REAL	"into, set", "04+5", "movb $0x7f, %al; incb %al; into"
	REAL	"bound, inside", "", "movl $0x90000, 0; movw $5, %ax; boundw %ax, 0"
	REAL	"bound, outside", "05+c", "movl $0x90000, 0; movw $10, %ax; boundw %ax, 0"
	REAL	"ud2", "06+0", "ud2"
	REAL	"lock on a register", "06+0", ".byte 0xf0, 0x01, 0xc0"
	REAL	"mov to cs", "06", ".byte 0x8e, 0xc8"
	REAL	"les with a register", "06", ".byte 0xc4, 0xc0"
	REAL	"far call with a register", "06", ".byte 0xff, 0xd8"
	REAL	"div by zero", "00+2", "xorw %bx, %bx; divw %bx"
	REAL	"div overflow", "00", "movw $1, %dx; movw $1, %bx; divw %bx"
	REAL	"idiv overflow", "00", "movw $0x8000, %ax; cwd; movw $-1, %bx; idivw %bx"
	REAL	"aam 0", "00+0", ".byte 0xd4, 0"
	REAL	"instruction of 16 bytes", "0d+0", ".fill 15, 1, 0x3e; nop"
	REAL	"fault, then on", "06+0 80+4", "ud2; int $0x80", 1 << 6, 2
	REAL	"int beyond the idt", "0d+15", "movw $0x1ff, 0; movl $0, 2; lidtl 0; int $0x80"
	REAL	"lldt", "06", "lldt %ax"
	REAL	"ltr", "06", "ltr %ax"
	REAL	"str", "06", "str %ax"
	REAL	"sldt", "06", "sldt %ax"
	REAL	"lar", "06", "lar %ax, %ax"
	REAL	"lsl", "06", "lsl %ax, %ax"
	REAL	"verr", "06", "verr %ax"
	REAL	"arpl", "06", "arpl %ax, %ax"
	REAL	"sysenter", "0d", "sysenter"
	REAL	"sysexit", "0d", ".byte 0x0f, 0x35"
	REAL	"syscall", "06", "syscall"
	REAL	"x87 with cr0.ts", "07", "movl %cr0, %eax; orb $8, %al; movl %eax, %cr0; fnop"
	REAL	"clts, lmsw, smsw", "=18", "clts; movw $0x18, %ax; lmsw %ax; smsw %ax; andw $0xfffe, %ax; movzwl %ax, %eax; clts; NOTE16 %eax"
	REAL	"rdmsr and cpuid", "", "movl $0xc0000080, %ecx; rdmsr; xorl %eax, %eax; cpuid"

/* --- frames and flags --- */
	.macro	HANDLER
	xorw	%ax, %ax
	movw	%ax, %es
	movw	$(7733f - 7744b), %es:0x81 * 4
	movw	$(TEST_AT >> 4), %es:0x81 * 4 + 2
	.endm
	REAL	"int clears if and tf, iret brings back", "=2 =202", "HANDLER; sti; int $0x81; jmp 1f; 7733: pushfw; popw %cx; andw $0x202, %cx; NOTE16 %ecx; iretw; 1: pushfw; cli; popw %cx; andw $0x202, %cx; NOTE16 %ecx"
	REAL	"its frame", "=f246 =800 =14", "HANDLER; int $0x81; 7733: popw %bx; popw %cx; popw %dx; orw $0xf000, %dx; orw $0x200, %dx; NOTE16 %edx; NOTE16 %ecx; NOTE16 %ebx"
	VALUE	"popf and pushf", "=7cd7", "pushw $0x7cd7; popfw; pushfw; popw %ax; movzwl %ax, %eax"
	VALUE	"popf of 32 bits", "=243002", "pushl $0x243002; popfl; pushfl; popl %eax; pushl $2; popfl"
	VALUE	"popf of 32 bits cannot set vm and rf", "=2", "pushl $0x30002; popfl; pushfl; popl %eax"
	VALUE	"popf of 16 bits keeps the upper half", "=200002", "pushl $0x200002; popfl; pushw $2; popfw; pushfl; popl %eax; pushl $2; popfl"
	REAL	"iretw", "80", "pushw $0x0cd7; pushw %cs; pushw $(1f - 7744b); iretw; nop; 1: int $0x80"
	REAL	"iretl", "80", "pushl $0x200cd7; pushl $0x800; pushl $(1f - 7744b); iretl; nop; 1: int $0x80"
	/* INT 80h where those come that look at no limit, or at 16 bits. */
	.macro	LANDING
	movw	$0x1700, %ax
	movw	%ax, %es
	movw	$0x80cd, %es:0
	movw	$0x80cd, 0x7000
	.endm
	REAL	"iretl beyond 64 KiB", "0d", "LANDING; pushl $2; pushl $0x800; pushl $0x1f000; iretl"
	VALUE	"push sp", "=8000", "xorl %eax, %eax; pushw %sp; popw %ax"
	VALUE	"pop sp", "=1234", "xorl %eax, %eax; movw %sp, %cx; pushw $0x1234; popw %sp; movw %sp, %ax; movw %cx, %sp"
	REAL	"pusha and popa", "=20 =10", "movw %sp, %bx; pushal; movw %bx, %cx; subw %sp, %cx; movw %bx, %sp; NOTE16 %ecx; movw %sp, %bx; pushaw; movw %bx, %cx; subw %sp, %cx; movw %bx, %sp; NOTE16 %ecx"
	REAL	"enter and leave", "=6 =0", "movw %sp, %bx; enterw $4, $0; movw %bx, %cx; subw %sp, %cx; leavew; subw %sp, %bx; movw %bx, %si; NOTE16 %ecx; NOTE16 %esi"
	VALUE	"upper half of esp stays", "=12348000", "movl $0x12348000, %esp; pushw %ax; popw %ax; movl %esp, %eax; movl $0x8000, %esp"

/* --- segments --- */
	REAL	"byte at ffff", "", "movb 0xffff, %al"
	REAL	"word at ffff", "0d+0", "movw 0xffff, %ax"
	REAL	"dword at fffd", "0d+0", "movl 0xfffd, %eax"
	REAL	"write of a word at ffff", "0d+0", "movw %ax, 0xffff"
	REAL	"beyond 64 KiB with 67", "0d+6", "movl $0x10000, %ebx; movb (%ebx), %al"
	REAL	"stack word at ffff", "0c+3", "movw $0xffff, %bp; movw (%bp), %ax"
	VALUE	"address wraps at 64 KiB", "=77", "movb $0x77, 1; movw $0xffff, %bx; movw $2, %si; movzbl (%bx,%si), %eax"
	VALUE	"lea wraps at 64 KiB", "=1", "xorl %eax, %eax; movw $0xffff, %bx; leaw 2(%bx), %ax"
	VALUE	"lea of 32 bits", "=1", "movw $0xffff, %bx; leal 2(%bx), %eax"
	VALUE	"lea with 67", "=10001", "movl $0xffff, %ebx; leal 2(%ebx), %eax"
	VALUE	"stack wraps", "=fffe", "xorl %esp, %esp; pushw $0x1234; xorl %eax, %eax; movw %sp, %ax; movl $0x8000, %esp"
	VALUE	"what was pushed there", "=1234", "xorl %eax, %eax; movw %ss, %ax; movw %ax, %ds; movzwl 0xfffe, %eax"
	VALUE	"pop wraps", "=2", "movw $0xfffe, %sp; popw %ax; popw %ax; xorl %eax, %eax; movw %sp, %ax; movl $0x8000, %esp"
	REAL	"int on a stack that wraps", "80+5", "movw $2, %sp; int $0x80"
	VALUE	"linear addresses end above 1 MiB", "=1badb002", "movw $0xffff, %ax; movw %ax, %es; movl %es:0x10, %eax"
	VALUE	"a segment's base", "=1badb002", "movw $0xfff0, %ax; movw %ax, %ds; movl 0x100, %eax"
	VALUE	"les", "=1234", "movl $0x12345678, 0; les 0, %bx; movl %es, %eax"
	VALUE	"segment overrides", "=55", "movw $0x3000, %ax; movw %ax, %fs; movb $0x55, %es:7; movzbl %fs:7, %eax"
	VALUE	"bp is of ss, bx of ds", "=1", "movw $0x100, %bp; movw $0x100, %bx; movb $1, (%bp); movb $2, (%bx); movzbl %ss:(%bx), %eax"
	.macro	UNREAL
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	movw	$DATA0, %bx
	movw	%bx, %ds
	andb	$0xfe, %al
	movl	%eax, %cr0
	.endm
	VALUE	"limit of protected mode stays", "=1badb002", "UNREAL; movl $0x100000, %ebx; movl (%ebx), %eax"
	VALUE	"limit stays with another base", "=1badb002", "UNREAL; movw $0x1000, %ax; movw %ax, %ds; movl $0xf0000, %ebx; movl (%ebx), %eax"

/* --- transfers --- */
	REAL	"jump wraps at 64 KiB", "80+fff2", "movw $0x17ff, %ax; movw %ax, %ds; movw $0x80cd, 0; .byte 0xe9; .word 0xfff0 - (7766f - 7744b); 7766:"
	REAL	"jump of 32 bits beyond 64 KiB", "0d+11", "LANDING; .byte 0x66, 0xe9; .long 0x1f000 - (7766f - 7744b); 7766:"
	REAL	"far jump", "80", "ljmpw $0x801, $0; .fill 11, 1, 0x90; int $0x80"
	REAL	"far jump of 32 bits", "80", "ljmpl $0x801, $0; .fill 8, 1, 0x90; int $0x80"
	REAL	"far jump beyond 64 KiB", "0d+11", "LANDING; ljmpl $0x800, $0x1f000"
	REAL	"far jump through memory", "80", "movl $0x8010000, 0; ljmpw *0; .fill 3, 1, 0x90; int $0x80"
	REAL	"far call", "=800 =5", "lcallw $0x801, $0; .fill 11, 1, 0x90; popw %bx; popw %cx; NOTE16 %ecx; NOTE16 %ebx"
	VALUE	"far call and return", "=0", "movw %sp, %si; lcallw $0x800, $8f - 7744b; jmp 9f; 8: lretw; 9: movw %sp, %ax; subw %si, %ax; movzwl %ax, %eax"
	VALUE	"far call of 32 bits and return", "=8", "movw %sp, %si; lcalll $0x800, $8f - 7744b; jmp 9f; 8: movw %sp, %di; lretl; 9: movw %si, %ax; subw %di, %ax; movzwl %ax, %eax"
	VALUE	"far return with an immediate", "=6", "movw %sp, %si; lcallw $0x800, $8f - 7744b; jmp 9f; 8: lretw $6; 9: movw %sp, %ax; subw %si, %ax; movw %si, %sp; movzwl %ax, %eax"
	VALUE	"near call of 32 bits", "=4", "movw %sp, %si; calll 8f; jmp 9f; 8: movw %sp, %di; retl; 9: movw %si, %ax; subw %di, %ax; movzwl %ax, %eax"
	REAL	"near return of 32 bits beyond 64 KiB", "0d+17", "LANDING; pushl $0x1f000; retl"
	VALUE	"loop counts cx", "=50000", "movl $0x50003, %ecx; 1: loopw 1b; movl %ecx, %eax"
	VALUE	"loop with 67 counts ecx", "=2", "movl $1, %ecx; movl $3, %eax; 1: decl %eax; addr32 loop 1b"
	VALUE	"jcxz looks at cx", "=1", "movl $0x10000, %ecx; movl $1, %eax; jcxz 1f; xorl %eax, %eax; 1:"
	VALUE	"jecxz looks at ecx", "=0", "movl $0x10000, %ecx; movl $1, %eax; jecxz 1f; xorl %eax, %eax; 1:"

/* --- strings --- */
	REAL	"rep counts cx", "=10000 =3", "movl $0x10003, %ecx; xorl %edi, %edi; rep stosb; NOTE16 %ecx; NOTE16 %edi"
	REAL	"di wraps, edi's upper half stays", "=50001 =77", "movl $0x5ffff, %edi; movb $0x77, %al; movw $2, %cx; rep stosb; movzbl %es:0, %ebx; NOTE16 %edi; NOTE16 %ebx"
	REAL	"si and di go down and wrap", "=50000 =7fffe", "std; movl $0x70000, %esi; movl $0x50002, %edi; movw $2, %cx; rep movsb; cld; NOTE16 %edi; NOTE16 %esi"
	REAL	"rep with 67 counts ecx", "=0 =3", "movl $3, %ecx; xorl %edi, %edi; addr32 rep stosb; NOTE16 %ecx; NOTE16 %edi"
	REAL	"rep with 67 beyond 64 KiB", "0d", "movl $3, %ecx; movl $0xffff, %edi; addr32 rep stosb"
	REAL	"movsw across ffff", "0d", "movw $0xffff, %si; movsw"
	REAL	"rep of count 0", "=0", "rep lodsb; NOTE16 %esi"
	REAL	"repne scasb", "=2", "movl $0x44332211, %es:0; movb $0x33, %al; movw $5, %cx; repne scasb; movzwl %cx, %ecx; NOTE16 %ecx"
	REAL	"repe cmpsw", "=1", "movl $0, %es:0; movl $0x10000, 0; movw $3, %cx; repe cmpsw; movzwl %cx, %ecx; NOTE16 %ecx"
	REAL	"movs with an override", "=66", "movb $0x66, %ss:0; xorw %si, %si; xorw %di, %di; movsb %ss:(%si), %es:(%di); movzbl %es:0, %eax; NOTE16 %eax"
	VALUE	"lodsl", "=12345678", "movl $0x12345678, 0; xorw %si, %si; lodsl"
	VALUE	"xlat", "=99", "movb $0x99, 5; movw $1, %bx; movl $4, %eax; xlat"

/* --- arithmetic that only old code does --- */
	VALUE	"daa", "=12", "movl $0x0c, %eax; daa"
	VALUE	"das", "=6", "movl $0x0c, %eax; das"
	VALUE	"aaa", "=102", "movl $0x0c, %eax; aaa"
	VALUE	"aas", "=ff06", "movl $0x0c, %eax; aas"
	VALUE	"aam", "=102", "movl $0x0c, %eax; aam"
	VALUE	"aad", "=c", "movl $0x102, %eax; aad"
	VALUE	"salc", "=ff", "stc; .byte 0xd6"
	VALUE	"results of 16 bits keep the upper half", "=12340000", "movl $0x1234ffff, %eax; incw %ax"
	VALUE	"results of 32 bits", "=12350000", "movl $0x1234ffff, %eax; incl %eax"
	VALUE	"cwde and cwd", "=ffff8000", "movw $0x8000, %ax; cwd; cwde"
	VALUE	"mul of 32 bits", "=fffffffe", "movl $-1, %eax; movl %eax, %ebx; mull %ebx; movl %edx, %eax"

/* --- single step and breakpoints --- */
	.macro	STEPPED name, want, code
	REAL	"step: \name", "\want", "pushw $0x102; popfw; \code; pushw $2; popfw", STEP
	.endm
	STEPPED	"nop", "01 01 01", "nop"
	STEPPED	"mov ss", "01 01 01 01 01", "movw %ss, %ax; movw %ax, %ss; nop; nop"
	STEPPED	"rep stosb", "01 01 01 01 01", "movw $2, %cx; rep stosb"
	STEPPED	"int", "01 01 01 01 01 01 01 01", "HANDLER; int $0x81; nop; jmp 1f; 7733: iretw; 1:"
	REAL	"step: fault comes first", "06", "pushw $0x102; popfw; ud2"
	REAL	"dr: write", "01", "movl $0x20004, %eax; movl %eax, %dr0; movl $0x000d0402, %eax; movl %eax, %dr7; movb %al, 6; nop"

	call	protected16
	ret

/* --- between the modes --- */
to_real:
	xorl	%edx, %edx			/* the vectors */
1:	movl	%edx, %eax
	shll	$4, %eax
	orl	$(LOW_AT << 12), %eax
	movl	%eax, (, %edx, 4)
	incl	%edx
	cmpl	$256, %edx
	jb	1b
	lidt	real_idt
	ljmp	$0x30, $(low_to_real - low)

from_real:
	movl	$DATA0, %eax
	movl	%eax, %ss
	movl	$stack_other, %esp
	call	flat
	lidt	idt_pointer
	movzwl	LOW_AT + low_ss - low, %ecx
	movzwl	LOW_AT + low_sp - low, %edx
	movl	%ecx, %ebx
	shll	$4, %ebx
	addl	%edx, %ebx
	movzbl	LOW_AT + low_vector - low, %eax
	cmpl	$END_VECTOR, %eax
	je	escape
	cmpl	$NOTE_VECTOR, %eax
	je	1f
	movl	$0, test_from
	pushl	$0
	pushl	%ecx
	pushl	%edx
	pushl	%ebx
	pushl	%eax
	call	report_event16
	testl	%eax, %eax
	jz	escape
	jmp	2f
1:	pushl	6(%ebx)
	call	report_note
2:	lidt	real_idt
	ljmp	$0x30, $(low_back - low)

#include "protected16.inc"

/* Runs at LOW_AT: the stubs, and the ways between the modes.  Addresses are
 * from its start, which is that of its code segment. */
	.section .rodata
	.balign	16
	.code16
low:	.set	v, 0
	.rept	256
	.balign	16
	movb	$v, %cs:low_vector - low
	jmp	low_vectors
	.set	v, v + 1
	.endr
	.balign	16
low_registers:
	.fill	8, 4, 0
low_ds:	.word	0
low_es:	.word	0
low_fs:	.word	0
low_gs:	.word	0
low_sp:	.word	0
low_ss:	.word	0
low_vector:
	.byte	0
	.balign	4
low_gdt:
	.word	gdt_end - gdt - 1
	.long	gdt

low_vectors:
	movl	%eax, %cs:low_registers - low
	movl	%ecx, %cs:low_registers - low + 4
	movl	%edx, %cs:low_registers - low + 8
	movl	%ebx, %cs:low_registers - low + 12
	movl	%ebp, %cs:low_registers - low + 16
	movl	%esi, %cs:low_registers - low + 20
	movl	%edi, %cs:low_registers - low + 24
	movl	%esp, %cs:low_registers - low + 28
	movw	%ds, %cs:low_ds - low
	movw	%es, %cs:low_es - low
	movw	%fs, %cs:low_fs - low
	movw	%gs, %cs:low_gs - low
	movw	%sp, %cs:low_sp - low
	movw	%ss, %cs:low_ss - low
	cld
	lgdtl	%cs:low_gdt - low
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$CODE0, $from_real

	.macro	LEAVE_PROTECTED
	movw	$0x38, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss
	movl	%cr0, %eax
	andb	$0xfe, %al
	movl	%eax, %cr0
	ljmpw	$(LOW_AT >> 4), $(7766f - low)
7766:
	.endm
low_to_real:
	LEAVE_PROTECTED
	movw	$0x2000, %ax
	movw	%ax, %ds
	movw	$0x3000, %ax
	movw	%ax, %es
	movw	$0x4000, %ax
	movw	%ax, %ss
	movl	$0x8000, %esp
	xorl	%eax, %eax
	movw	%ax, %fs
	movw	%ax, %gs
	xorl	%ebx, %ebx
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	pushl	$2
	popfl
	movl	%ebx, %eax
	ljmpw	$(TEST_AT >> 4), $0
low_back:
	LEAVE_PROTECTED
	movw	%cs:low_ds - low, %ds
	movw	%cs:low_es - low, %es
	movw	%cs:low_fs - low, %fs
	movw	%cs:low_gs - low, %gs
	movw	%cs:low_ss - low, %ss
	movl	%cs:low_registers - low, %eax
	movl	%cs:low_registers - low + 4, %ecx
	movl	%cs:low_registers - low + 8, %edx
	movl	%cs:low_registers - low + 12, %ebx
	movl	%cs:low_registers - low + 16, %ebp
	movl	%cs:low_registers - low + 20, %esi
	movl	%cs:low_registers - low + 24, %edi
	movl	%cs:low_registers - low + 28, %esp
	iretw
	.code32
/* Where gates of 16 bits lead, with code of 32 bits. */
	.macro	LOW_JUMP to
	.byte	0xe9
	.long	\to - LOW_AT - (7722f - low)
7722:
	.endm
low_gate16:
	LOW_JUMP on_gate16
low_error16:
	LOW_JUMP on_error16
low_iret16:
	iretw
low_return16:
	lretw	$4
low_flags16:
	pushfl
	popl	%eax
	iretw
	.code16
low_stop16:
	int	$0x80
	.code32
low_end:

	.data
	.balign	8
gdt:	.quad	0
	SEGMENT	0, 0xfffff, 0x9b, 0xc0		/* 08 code, ring 0 */
	SEGMENT	0, 0xfffff, 0x93, 0xc0		/* 10 data, ring 0 */
	SEGMENT_AT tss, 0x67, 0x89, 0		/* 18 */
	SEGMENT	0, 0xfffff, 0xfb, 0xc0		/* 20 code, ring 3 */
	SEGMENT	0, 0xfffff, 0xf3, 0xc0		/* 28 data, ring 3 */
	SEGMENT	LOW_AT, 0xffff, 0x9b, 0		/* 30 16-bit code at LOW_AT */
	SEGMENT	0, 0xffff, 0x93, 0		/* 38 16-bit data */
	GDT16
gdt_end:
	.balign	8
idt:	.set	v, 0
	.rept	256
	.if	v == 0x80 || v == 0x30
	GATE	CODE0, stubs+8*v, 0xee
	.elseif	v == 0x90
	GATE	CODE0, LOW_AT+low_gate16-low, 0xe6
	.elseif	v == 0x92
	GATE	CODE0, LOW_AT+low_iret16-low, 0xe6
	.elseif	v == 0x93
	GATE	CODE0, LOW_AT+low_flags16-low, 0xe6
	.elseif	v == 0x94
	GATE	CODE0, LOW_AT+low_flags16-low, 0xe7
	.elseif	v == NOTE_VECTOR
	GATE	CODE0, on_note, 0x8e
	.else
	GATE	CODE0, stubs+8*v, 0x8e
	.endif
	.set	v, v + 1
	.endr
real_idt:
	.word	256 * 4 - 1
	.long	0
	.balign	128
tss:	.long	0, ring0_stack, DATA0
	.fill	22, 4, 0
	.word	0, 0x68
	.bss
	.balign	4096
area:	.skip	4096
