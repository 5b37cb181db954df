/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/conformance/long.S - long mode: exceptions and their frames,
 * opcodes that are not there, operand sizes, segments, addresses that are not
 * canonical, rings (SDM 1, 3.4; SDM 3A, chapters 5 and 6).
 *
 * The first GiB is mapped one to one for all rings.
 */
	.set	TSS_LIMIT, 0x8ff
#include "kernel64.inc"

	.set	BAD, 0x800000000000		/* not canonical */

	.macro	CASE name, want, code
	TEST	"\name", "\want"
	\code
	END
	.endm
	.macro	USER name, want, code
	TEST	"ring 3: \name", "\want"
	RING	3
	\code
	int	$0x80
	END
	.endm
	.macro	VALUE name, want, code
	TEST	"\name", "\want"
	movq	$-1, %rax
	movq	$0x1122334455667788, %rbx
	movl	$3, %ecx
	\code
	NOTE	%rax
	END
	.endm

main:
/* --- exceptions at CPL 0 --- */
	CASE	"div by zero", "00+2", "movl %ecx, %eax; divq %rcx"
	CASE	"div overflow", "00", "movl $1, %edx; movl $1, %ecx; divq %rcx"
	CASE	"idiv overflow", "00", "movabsq $0x8000000000000000, %rax; cqto; decq %rcx; idivq %rcx"
	CASE	"idiv of 32 bits, minimum by -1", "00", "movl $0x80000000, %eax; cltd; decl %ecx; idivl %ecx"
	CASE	"int1", "01+1", ".byte 0xf1"
	CASE	"int3", "03+1", "int3"
	CASE	"int 3 as two bytes", "03+2", ".byte 0xcd, 3"
	CASE	"ud2", "06+0", "ud2"
	CASE	"ud1", "06+0", ".byte 0x0f, 0xb9, 0xc0"
	CASE	"lock on a register", "06+0", ".byte 0xf0, 0x48, 0x01, 0xc0"
	CASE	"instruction of 16 bytes", "0d:0000+0", ".fill 14, 1, 0x66; .byte 0x48, 0x90"
	CASE	"instruction of 15 bytes", "", ".fill 13, 1, 0x66; .byte 0x48, 0x90"
	CASE	"mov to cs", "06", ".byte 0x8e, 0xc8"
	CASE	"mov to no segment register", "06", ".byte 0x8e, 0xf0"
	CASE	"mov cr1", "06", ".byte 0x0f, 0x20, 0xc8"
	CASE	"mov cr9", "06", ".byte 0x44, 0x0f, 0x20, 0xc8"
	CASE	"lea with a register", "06", ".byte 0x8d, 0xc0"
	CASE	"far call with a register", "06", ".byte 0xff, 0xd8"
	CASE	"far jump with a register", "06", ".byte 0xff, 0xe8"
	CASE	"cmpxchg16b, unaligned", "0d:0000+0", "cmpxchg16b area + 8"
	CASE	"cmpxchg16b, aligned", "", "cmpxchg16b area"
	CASE	"cmpxchg8b with a register", "06", ".byte 0x0f, 0xc7, 0xc8"
	CASE	"movnti with a register", "06", ".byte 0x0f, 0xc3, 0xc0"
	TEST	"x87 with cr0.ts", "07"
	movq	%cr0, %rax
	orq	$8, %rax
	movq	%rax, %cr0
	fnop
	END
	call	cr0_back
	CASE	"sse with cr4.osfxsr clear", "06", "xorps %xmm0, %xmm0"
	movl	$0x620, %eax
	movq	%rax, %cr4
	CASE	"movaps, unaligned", "0d:0000", "movaps area + 1, %xmm0"
	CASE	"movups, unaligned", "", "movups area + 1, %xmm0"
	CASE	"fxsave, unaligned", "0d:0000", "fxsave64 area + 8"
	CASE	"movdqu through ss, not canonical", "0c:0000", "movabsq $BAD, %rbp; movdqu (%rbp), %xmm0"
	movl	$0x20, %eax
	movq	%rax, %cr4

/* --- opcodes that 64-bit mode does not have (SDM 2, appendix A) --- */
	.macro	GONE name, bytes:vararg
	TEST	"not in 64-bit mode: \name", "06+0"
	.byte	\bytes
	.byte	0, 0, 0, 0, 0, 0, 0, 0
	END
	.endm
	GONE	"push es", 0x06
	GONE	"pop es", 0x07
	GONE	"push cs", 0x0e
	GONE	"push ss", 0x16
	GONE	"pop ss", 0x17
	GONE	"push ds", 0x1e
	GONE	"pop ds", 0x1f
	GONE	"daa", 0x27
	GONE	"das", 0x2f
	GONE	"aaa", 0x37
	GONE	"aas", 0x3f
	GONE	"pusha", 0x60
	GONE	"popa", 0x61
	GONE	"bound", 0x62, 0x00
	GONE	"82h", 0x82, 0xc0
	GONE	"far call", 0x9a
	GONE	"les", 0xc4, 0x00
	GONE	"lds", 0xc5, 0x00
	GONE	"into", 0xce
	GONE	"aam", 0xd4, 10
	GONE	"aad", 0xd5, 10
	GONE	"salc", 0xd6
	GONE	"far jump", 0xea

/* --- operand and address sizes --- */
	VALUE	"mov of 32 bits clears above", "=55667788", "movl %ebx, %eax"
	VALUE	"mov of 16 bits keeps", "=ffffffffffff7788", "movw %bx, %ax"
	VALUE	"mov of 8 bits keeps", "=ffffffffffffff88", "movb %bl, %al"
	VALUE	"ah without rex", "=ffffffffffff88ff", "movb %bl, %ah"
	VALUE	"spl with rex", "=ffffffffffffff21", "movq %rsp, %rdx; movw $0x4321, %sp; .byte 0x40; movb %ah, %al; movq %rdx, %rsp"
	VALUE	"xchg eax, eax as 87 clears above", "=ffffffff", ".byte 0x87, 0xc0"
	VALUE	"nop does not", "=ffffffffffffffff", ".byte 0x90"
	VALUE	"xchg r8d, eax", "=0", ".byte 0x41, 0x90"
	VALUE	"cmov of 32 bits, not taken, clears above", "=ffffffff", "cmpl %ecx, %ecx; cmovnel %ebx, %eax"
	VALUE	"inc of 32 bits", "=0", "incl %eax"
	VALUE	"shift of 32 bits by 0 clears above", "=ffffffff", "xorl %ecx, %ecx; shll %cl, %eax"
	VALUE	"shift of 64 bits by 67", "=fffffffffffffff8", "movb $67, %cl; shlq %cl, %rax"
	VALUE	"shift of 32 bits by 35", "=fffffff8", "movb $35, %cl; shll %cl, %eax"
	VALUE	"rotate through carry by 65", "=ffffffffffffffff", "stc; movb $65, %cl; rclq %cl, %rax"
	VALUE	"rex.w before 66", "=7788", "xorl %eax, %eax; .byte 0x48, 0x66, 0x89, 0xd8"
	VALUE	"66 before rex.w", "=1122334455667788", "xorl %eax, %eax; .byte 0x66, 0x48, 0x89, 0xd8"
	VALUE	"movsxd", "=ffffffff80000000", "movl $0x80000000, %edx; movslq %edx, %rax"
	VALUE	"63 without rex.w", "=80000000", "movl $0x80000000, %edx; .byte 0x63, 0xc2"
	VALUE	"immediate of 32 bits is extended", "=fffffffffffffffe", "addq $-1, %rax"
	VALUE	"bswap of 64 bits", "=8877665544332211", "movq %rbx, %rax; bswapq %rax"
	VALUE	"push of 16 bits", "=7788", "movq %rsp, %rdx; xorl %eax, %eax; pushq %rax; movq %rsp, %rsi; pushw %bx; subq %rsp, %rsi; popw %ax; addq $8, %rsp; movzwl %ax, %eax; cmpl $2, %esi; je 1f; ud2; 1:"
	VALUE	"push of an immediate is extended", "=ffffffff80000000", "pushq $-0x80000000; popq %rax"
	VALUE	"push fs takes eight bytes", "=10", "pushq %fs; popq %rax"
	VALUE	"lea with 67 cuts the address", "=1", "leal 2(%eax), %edx; .byte 0x67; leaq 2(%rax), %rax"
	VALUE	"load with 67 cuts the address", "=12345678", "movl $0x12345678, area + 32; movabsq $0x500000000 + area, %rdx; xorl %eax, %eax; movl 32(%edx), %eax"
	VALUE	"rip-relative, with an immediate after", "=1", "movl $0x55, area; xorl %eax, %eax; cmpl $0x55, area(%rip); sete %al"
	VALUE	"rip-relative, with 67", "=1", "movl $0x55, area; xorl %eax, %eax; cmpl $0x55, area(%eip); sete %al"
	VALUE	"moffs of 64 bits", "=55", "movl $0x55, area; movabsl area, %eax"
	VALUE	"moffs with 67", "=55", "movl $0x55, area; .byte 0x67, 0xa1; .long area"
	VALUE	"loop with 67 counts ecx", "=0", "movabsq $0xffffffff00000001, %rcx; movl $0, %eax; 1: .byte 0x67; loop 1b; movq %rcx, %rax"
	VALUE	"jrcxz looks at 64 bits", "=1", "movabsq $0x100000000, %rcx; xorl %eax, %eax; jrcxz 1f; incl %eax; 1:"
	VALUE	"jecxz looks at 32 bits", "=0", "movabsq $0x100000000, %rcx; xorl %eax, %eax; jecxz 1f; incl %eax; 1:"
	VALUE	"rep stosb with 67", "=3", "movabsq $0x700000003, %rcx; movabsq $0x700000000 + area, %rdi; .byte 0x67; rep stosb; movq %rdi, %rax; subq $area, %rax"
	VALUE	"rep stosb with 67: rcx", "?", "movabsq $0x700000003, %rcx; movl $area, %edi; .byte 0x67; rep stosb; movq %rcx, %rax"
	VALUE	"rep with 67 and ecx 0", "?", "movabsq $0x700000000, %rcx; movl $area, %edi; .byte 0x67; rep stosb; movq %rcx, %rax"
	VALUE	"bt reaches far below", "=1", "movb $0x80, area; movq $-1, %rdx; xorl %eax, %eax; btq %rdx, area + 1; setc %al"
	VALUE	"enter and leave", "=0", "movq %rsp, %rsi; xorl %ebp, %ebp; enter $32, $0; leave; movq %rsp, %rax; subq %rsi, %rax"
	VALUE	"enter, level 2", "=28", "movq %rsp, %rsi; movl $area + 64, %ebp; enter $16, $2; movq %rsi, %rax; subq %rsp, %rax; movq %rsi, %rsp"
	VALUE	"call with 66 is of 64 bits", "=8", "movq %rsp, %rsi; .byte 0x66, 0xe8; .long 0; movq %rsi, %rax; subq %rsp, %rax; movq %rsi, %rsp"
	VALUE	"popf of 16 bits", "=202", "pushq $0; popfq; pushw $0x202; popfw; pushfq; popq %rax; cli"
	VALUE	"cqo", "=ffffffffffffffff", "cqto; movq %rdx, %rax"
	VALUE	"imul of three", "=fffffffffffffffd", "imulq $3, %rax, %rax"
	VALUE	"smsw of 64 bits", "=80000011", "smsw %rax"
	VALUE	"smsw of 16 bits keeps", "=ffffffffffff0011", "smsw %ax"
	VALUE	"sldt clears above", "=0", "sldt %eax"
	VALUE	"str of 16 bits keeps", "=ffffffffffff0018", "str %ax"
	VALUE	"mov from a segment register clears above", "=10", "movl %ss, %eax"
	VALUE	"xadd of 32 bits", "=3", "movl %ecx, %edx; xaddl %eax, %edx"
	VALUE	"lahf and sahf", "=ffffffffffffd7ff", "sahf; lahf"

/* --- segments --- */
	.macro	LOAD name, selector, want, reg=es
	TEST	"\name", "\want"
	movl	$\selector, %eax
	movl	%eax, %\reg
	movl	%\reg, %eax
	NOTE	%rax
	END
	.endm
	LOAD	"ss null", 0, "=0", ss
	LOAD	"ss null, rpl 3", 3, "0d:0000", ss
	LOAD	"ss beyond the gdt", 0x7f8, "0d:07f8", ss
	LOAD	"ss with code", CODE0, "0d:0008", ss
	LOAD	"ss read-only", 0x98, "0d:0098", ss
	LOAD	"ss not present", 0x78, "0c:0078", ss
	LOAD	"es null", 0, "=0"
	LOAD	"es null, rpl 3", 3, "=3"
	LOAD	"es not present", 0x78, "0b:0078"
	LOAD	"es with a tss", TSS0, "0d:0018"
	LOAD	"es with its upper half", TSS0 + 8, "0d:0020"
	LOAD	"fs beyond the gdt", 0x7f8, "0d:07f8", fs
	LOAD	"gs execute-only", 0x88, "0d:0088", gs
	USER	"ss null", "0d:0000", "xorl %eax, %eax; movl %eax, %ss"
	USER	"ss null, rpl 3", "0d:0000", "movl $3, %eax; movl %eax, %ss"
	TEST	"ring 1: ss null, rpl 1", "80"
	RING	1
	movl	$1, %eax
	movl	%eax, %ss
	int	$0x80
	END
	TEST	"ring 1: ss null, rpl 0", "0d:0000"
	RING	1
	xorl	%eax, %eax
	movl	%eax, %ss
	int	$0x80
	END
	CASE	"read past the limit of ds", "", "movl $0x90, %eax; movl %eax, %ds; movb area + 0x100, %al"
	CASE	"write, read-only", "", "movl $0x98, %eax; movl %eax, %ds; movb %al, area"
	CASE	"base of es is not used", "=77", "movb $0x77, area; movl $0x90, %eax; movl %eax, %es; movzbl %es:area, %ebx; NOTE %rbx"
	CASE	"read with ds null", "", "xorl %eax, %eax; movl %eax, %ds; movb area, %al"
	CASE	"stack with ss null", "30", "xorl %eax, %eax; movl %eax, %ss; pushq %rax; int $0x30"
	CASE	"base of fs is used", "=77", "movb $0x77, area + 5; movl $0x90, %eax; movl %eax, %fs; movzbl %fs:5, %ebx; NOTE %rbx"
	CASE	"limit of fs is not checked", "", "movl $0x90, %eax; movl %eax, %fs; movb %fs:0x100, %al"
	CASE	"write through gs, execute-only is not loaded", "0d:0088", "movl $0x88, %eax; movl %eax, %gs"
	.macro	MSR number, value
	movl	$\number, %ecx
	movabsq	$\value, %rax
	movq	%rax, %rdx
	shrq	$32, %rdx
	wrmsr
	.endm
	.macro	READ_MSR number
	movl	$\number, %ecx
	rdmsr
	shlq	$32, %rdx
	orq	%rdx, %rax
	.endm
	.set	FS_BASE, 0xc0000100
	.set	GS_BASE, 0xc0000101
	.set	KERNEL_GS_BASE, 0xc0000102
	CASE	"fs base of 64 bits by wrmsr", "=77", "MSR FS_BASE, area + 0xffffffff00000000; movabsq $0x100000000, %rdi; movb $0x77, area + 9; movzbl %fs:9(%rdi), %ebx; NOTE %rbx"
	CASE	"fs base wraps", "=77", "MSR FS_BASE, 0xfffffffffffff000; movb $0x77, area; movzbl %fs:area + 0x1000, %ebx; NOTE %rbx"
	CASE	"address with 67 is cut before the base", "=77", "MSR FS_BASE, area+0x1000-0x100000000; movb $0x77, area; xorl %edi, %edi; movzbl %fs:-0x1000(%edi), %ebx; NOTE %rbx"
	CASE	"fs base and address not canonical", "0d:0000", "MSR FS_BASE, 0x7ffffffff000; movb %fs:0x1000, %al"
	CASE	"load of fs changes its base", "=0", "MSR FS_BASE, 0x123456789000; movl $DATA0, %eax; movl %eax, %fs; READ_MSR FS_BASE; NOTE %rax"
	CASE	"load of fs, its base by rdmsr", "", "movl $0x90, %eax; movl %eax, %fs; READ_MSR FS_BASE; subq $area, %rax; NOTE %rax"
	CASE	"null in fs clears its base", "=0", "MSR FS_BASE, 0x123456789000; xorl %eax, %eax; movl %eax, %fs; READ_MSR FS_BASE; NOTE %rax"
	CASE	"swapgs", "=2000 =1000", "MSR GS_BASE, 0x1000; MSR KERNEL_GS_BASE, 0x2000; swapgs; READ_MSR GS_BASE; NOTE %rax; READ_MSR KERNEL_GS_BASE; NOTE %rax"
	CASE	"rdfsbase without cr4.fsgsbase", "06", "rdfsbase %rax"
	USER	"swapgs", "0d:0000", "swapgs"
	.macro	BAD_MSR name, number, value
	CASE	"wrmsr \name", "0d:0000", "MSR \number, \value"
	.endm
	BAD_MSR	"fs base, not canonical", FS_BASE, BAD
	BAD_MSR	"gs base, not canonical", GS_BASE, BAD
	BAD_MSR	"kernel gs base, not canonical", KERNEL_GS_BASE, 0xffff7fffffffffff
	BAD_MSR	"lstar, not canonical", 0xc0000082, BAD
	BAD_MSR	"cstar, not canonical", 0xc0000083, BAD
	BAD_MSR	"sysenter_esp, not canonical", 0x175, BAD
	BAD_MSR	"sysenter_eip, not canonical", 0x176, BAD
	BAD_MSR	"fmask, upper half", 0xc0000084, 0x100000000
	BAD_MSR	"efer without lme", 0xc0000080, 0x800
	BAD_MSR	"efer, reserved bit", 0xc0000080, 0x902
	CASE	"wrmsr efer, lma as it is", "", "MSR 0xc0000080, 0xd00"
	CASE	"wrmsr efer, lma clear is ignored", "", "MSR 0xc0000080, 0x900"
	CASE	"efer reads", "=d00", "READ_MSR 0xc0000080; NOTE %rax"

/* --- control registers --- */
	.macro	CONTROL name, reg, value
	TEST	"\name", "0d:0000"
	movabsq	$\value, %rax
	movq	%rax, %\reg
	END
	call	cr0_back
	.endm
	CONTROL	"cr0, upper half", cr0, 0x180000011
	CONTROL	"cr0, nw without cd", cr0, 0xa0000011
	CONTROL	"cr8, reserved bit", cr8, 0x10
	CONTROL	"dr6, upper half", dr6, 0x100000000
	CONTROL	"dr7, upper half", dr7, 0x100000000
	CASE	"dr0, not canonical", "", "movabsq $BAD, %rax; movq %rax, %dr0; xorl %eax, %eax; movq %rax, %dr0"
	CASE	"cr8", "=5 =0", "movl $5, %eax; movq %rax, %cr8; xorl %eax, %eax; movq %cr8, %rax; NOTE %rax; xorl %eax, %eax; movq %rax, %cr8; movq %cr8, %rbx; NOTE %rbx"
	CASE	"cr8 by lock mov cr0", "06", ".byte 0xf0, 0x0f, 0x20, 0xc0"
	CASE	"cr2 keeps what it gets", "=800000001234", "movabsq $BAD + 0x1234, %rax; movq %rax, %cr2; movq %cr2, %rbx; NOTE %rbx"
	CASE	"mov cr with 66 and without rex.w is of 64 bits", "=1234567890", "movabsq $0x1234567890, %rax; movq %rax, %cr2; .byte 0x66, 0x0f, 0x20, 0xd3; NOTE %rbx"
	CASE	"clts", "=80000011", "movq %cr0, %rax; orq $8, %rax; movq %rax, %cr0; clts; movq %cr0, %rax; NOTE %rax"

/* --- addresses that are not canonical --- */
	.macro	FAR_OUT name, want, code
	TEST	"not canonical: \name", "\want"
	movabsq	$BAD, %rdi
	\code
	END
	.endm
	FAR_OUT	"read", "0d:0000+a", "movb (%rdi), %al"
	FAR_OUT	"write", "0d:0000+a", "movb %al, (%rdi)"
	FAR_OUT	"add to memory", "0d:0000", "addl %eax, (%rdi)"
	FAR_OUT	"the last such", "0d:0000", "movabsq $0xffff7fffffffffff, %rdi; movb (%rdi), %al"
	FAR_OUT	"the first canonical above is only absent", "0e:0000", "movabsq $0xffff800000000000, %rdi; movb (%rdi), %al"
	FAR_OUT	"the last canonical below is only absent", "0e:0000", "movb -1(%rdi), %al"
	FAR_OUT	"through ss by rbp", "0c:0000", "movq %rdi, %rbp; movb (%rbp), %al"
	FAR_OUT	"r13 is not rbp", "0d:0000", "movq %rdi, %r13; movb (%r13), %al"
	FAR_OUT	"rbp as an index", "0d:0000", "movq %rdi, %rbp; movb (,%rbp,1), %al"
	FAR_OUT	"rbp with fs", "0d:0000", "movq %rdi, %rbp; movb %fs:(%rbp), %al"
	/* At CPL 0 there is no stack for the exception either. */
	FAR_OUT	"push at cpl 0", "08:0000", "leaq 64(%rdi), %rsp; pushq %rax"
	.macro	FAR_STACK name, want, code
	TEST	"ring 3: not canonical: \name", "\want"
	RING	3
	movabsq	$BAD + 64, %rdi
	\code
	int	$0x80
	END
	.endm
	FAR_STACK "through ss by rbp", "0c:0000", "movq %rdi, %rbp; movb (%rbp), %al"
	FAR_STACK "through ss by rbp and an index", "0c:0000", "movq %rdi, %rbp; movb %al, 8(%rbp,%rax,4)"
	FAR_STACK "through ss by rsp", "0c:0000", "movq %rdi, %rsp; addl $1, (%rsp)"
	FAR_STACK "push", "0c:0000+17", "movq %rdi, %rsp; pushq %rax"
	FAR_STACK "push of an immediate", "0c:0000", "movq %rdi, %rsp; pushq $1"
	FAR_STACK "push of memory", "0c:0000", "movq %rdi, %rsp; pushq area"
	FAR_STACK "push of memory that is not canonical itself", "0d:0000", "pushq (%rdi)"
	FAR_STACK "pushf", "0c:0000", "movq %rdi, %rsp; pushfq"
	FAR_STACK "push fs", "0c:0000", "movq %rdi, %rsp; pushq %fs"
	FAR_STACK "pop", "0c:0000+17", "movq %rdi, %rsp; popq %rax"
	FAR_STACK "pop to memory", "0c:0000", "movq %rdi, %rsp; popq area"
	FAR_STACK "popf", "0c:0000", "movq %rdi, %rsp; popfq"
	FAR_STACK "call", "0c:0000", "movq %rdi, %rsp; call 1f; 1:"
	FAR_STACK "call through memory", "0c:0000", "movq %rdi, %rsp; movq $1f, area; call *area; 1:"
	FAR_STACK "call through memory that is not canonical", "0d:0000", "call *(%rdi)"
	FAR_STACK "ret", "0c:0000", "movq %rdi, %rsp; ret"
	FAR_STACK "iretq", "0c:0000", "movq %rdi, %rsp; iretq"
	FAR_STACK "lretq", "0c:0000", "movq %rdi, %rsp; lretq"
	FAR_STACK "enter", "0c:0000", "movq %rdi, %rsp; enter $0, $0"
	FAR_STACK "leave", "0c:0000", "movq %rdi, %rbp; leave"
	FAR_OUT	"movs, source", "0d:0000", "movq %rdi, %rsi; movl $area, %edi; movsb"
	FAR_OUT	"stos", "0d:0000", "stosb"
	FAR_OUT	"jmp", "0d:0000+a", "jmp *%rdi"
	FAR_OUT	"call", "0d:0000+a", "call *%rdi"
	FAR_OUT	"ret", "0d:0000+b", "pushq %rdi; ret"
	FAR_OUT	"ret with an immediate", "0d:0000+c", "pushq %rdi; pushq %rdi; ret $8"
	FAR_OUT	"invlpg does nothing", "", "invlpg (%rdi)"
	FAR_OUT	"prefetch does nothing", "", "prefetcht0 (%rdi)"
	FAR_OUT	"lea is only arithmetic", "", "leaq (%rdi), %rax"
	FAR_OUT	"clflush", "0d:0000", "clflush (%rdi)"
	FAR_OUT	"nop with an operand", "", "nopl (%rdi)"
	FAR_OUT	"fxsave", "0d:0000", "fxsave64 (%rdi)"
	FAR_OUT	"lldt's operand", "0d:0000", "lldt (%rdi)"

/* --- privilege --- */
	USER	"hlt", "0d:0000", "hlt"
	USER	"cli", "0d:0000", "cli"
	USER	"sti", "0d:0000", "sti"
	USER	"in", "0d:0000", "inb $0x70, %al"
	USER	"in, allowed by the map", "80", "inb $0x61, %al"
	USER	"in of two bytes across", "0d:0000", "inw $0x61, %ax"
	USER	"in beyond the map", "0d:0000", "movw $0xeff0, %dx; inb %dx, %al"
	USER	"outs", "0d:0000", "movw $0x70, %dx; movl $area, %esi; outsb"
	USER	"mov cr0", "0d:0000", "movq %cr0, %rax"
	USER	"mov to cr3", "0d:0000", "movq %rax, %cr3"
	USER	"mov cr8", "0d:0000", "movq %cr8, %rax"
	USER	"mov dr7", "0d:0000", "movq %dr7, %rax"
	USER	"clts", "0d:0000", "clts"
	USER	"lgdt", "0d:0000", "lgdt gdt_pointer"
	USER	"lldt", "0d:0000", "lldt %ax"
	USER	"ltr", "0d:0000", "ltr %ax"
	USER	"lmsw", "0d:0000", "lmsw %ax"
	USER	"invlpg", "0d:0000", "invlpg area"
	USER	"invd", "0d:0000", "invd"
	USER	"wbinvd", "0d:0000", "wbinvd"
	USER	"rdmsr", "0d:0000", "rdmsr"
	USER	"wrmsr", "0d:0000", "wrmsr"
	USER	"rdpmc", "0d:0000", "rdpmc"
	USER	"sysexit", "0d:0000", "sysexitl"
	USER	"sgdt", "80", "sgdt area"
	USER	"smsw", "80", "smsw %rax"
	USER	"rdtsc", "80", "rdtsc; xorl %eax, %eax; xorl %edx, %edx"
	USER	"ds of dpl 0", "0d:0010", "movl $DATA0, %eax; movl %eax, %ds"
	USER	"int of dpl 0", "0d:0322", "int $0x32"
	USER	"int3", "03", "int3"
	USER	"int1", "01", ".byte 0xf1"
	USER	"int 1 as two bytes", "0d:0012", "int $1"
	USER	"int 0d", "0d:00d2", "int $13"
	USER	"ud2", "06", "ud2"
	USER	"division", "00", "divl %ecx"
	USER	"read, not canonical", "0d:0000", "movabsq $BAD, %rdi; movb (%rdi), %al"
	USER	"odd stack", "80", "subq $3, %rsp; pushq %rax"
	USER	"popf leaves if and iopl", "80", "pushq $0x3202; popfq"
	USER	"popf of nt and id", "80", "pushq $0x204002; popfq"
	TEST	"ring 3, iopl 3: cli, sti, popf", "80"
	movl	$0x3002, ring_flags
	RING	3
	sti
	cli
	pushq	$2
	popfq
	int	$0x80
	END
	movl	$2, ring_flags
	TEST	"ring 1: hlt", "0d:0000"
	RING	1
	hlt
	END
	TEST	"ring 2: swapgs", "0d:0000"
	RING	2
	swapgs
	END
	TEST	"ring 2: int to ring 0", "80"
	RING	2
	int	$0x80
	END

/* --- single step and breakpoints --- */
	.macro	STEPPED name, want, code
	TEST	"step: \name", "\want"
	GO_ON	1
	pushfq
	orl	$0x100, (%rsp)
	popfq
	\code
	pushfq
	andl	$~0x100, (%rsp)
	popfq
	END
	.endm
	STEPPED	"nop", "01 01 01 01", "nop"
	STEPPED	"mov ss", "01 01 01 01 01 01", "movl %ss, %eax; movl %eax, %ss; nop; nop"
	STEPPED	"rep stosb", "01 01 01 01 01 01 01", "movl $area, %edi; movl $2, %ecx; rep stosb"
	STEPPED	"swapgs", "01 01 01 01 01", "swapgs; swapgs"
	STEPPED	"iretq", "01 01 01 01 01 01 01 01 01 01 01", "movq %rsp, %rax; pushq $DATA0; pushq %rax; pushfq; pushq $CODE0; pushq $1f; iretq; 1: nop"
	.macro	WATCH name, dr7, want, code
	TEST	"dr: \name", "\want"
	GO_ON	1
	movl	$area, %eax
	movq	%rax, %dr0
	movl	$\dr7, %eax
	movq	%rax, %dr7
	\code
	END
	.endm
	TEST	"dr: code breakpoint", "01"
	movl	$1f, %eax
	movq	%rax, %dr3
	movl	$0x480, %eax
	movq	%rax, %dr7
	nop
1:	nop
	END
	WATCH	"eight bytes, the last", 0x00090402, "01", "movb %bl, area + 7; nop"
	WATCH	"eight bytes, the next", 0x00090402, "", "movb %bl, area + 8; nop"
	WATCH	"eight bytes, by a write of 16", 0x00090402, "01", "movl $0x620, %eax; movq %rax, %cr4; movups %xmm0, area; nop"
	WATCH	"write, by push", 0x00090402, "01", "movq %rsp, %rsi; movl $area + 8, %esp; pushq %rbx; movq %rsi, %rsp"
	WATCH	"write, by cmpxchg16b", 0x00090402, "01", "cmpxchg16b area; nop"
	movl	$0x20, %eax
	movq	%rax, %cr4
	TEST	"dr: all bits of an address count", ""
	movabsq	$0x100000000 + area, %rax
	movq	%rax, %dr0
	movl	$0x000d0402, %eax
	movq	%rax, %dr7
	movl	%ebx, area
	nop
	END
	CASE	"dr: reads back 64 bits", "=ffff8000deadbeef", "movabsq $0xffff8000deadbeef, %rax; movq %rax, %dr1; movq %dr1, %rbx; NOTE %rbx"

	call	transfers
	call	system_calls
	call	compatibility
	ret

cr0_back:
	movl	$0x80000011, %eax
	movq	%rax, %cr0
	ret

far_target:
	int	$0x30
far_target_end:

/* The flags that a handler starts with. */
note_flags:
	pushfq
	popq	area
	iretq
/* In ring 1: CLI shows its CS, SS and RSP. */
ring1_vector:
	cli
	int	$0x80

#include "transfers64.inc"
#include "syscall64.inc"
#include "compat.inc"

	.data
	.balign	16
gdt:	GDT64
	SEGMENT_AT ldt, 15, 0x82, 0		/* 70 ldt, of 8 bytes */
	SEGMENT	0, 0xfffff, 0x13, 0xc0		/* 78 data, not present */
	SEGMENT	0, 0xfffff, 0x1b, 0xa0		/* 80 64-bit code, not present */
	SEGMENT	0, 0xfffff, 0x99, 0xa0		/* 88 64-bit code, execute only */
	SEGMENT_AT area, 0xff, 0x93, 0x40	/* 90 256 bytes */
	SEGMENT	0, 0xfffff, 0x91, 0xc0		/* 98 data, read-only */
	SEGMENT	0, 0xfffff, 0x9f, 0xa0		/* a0 64-bit code, conforming */
	SEGMENT	0, 0xfffff, 0x9b, 0xe0		/* a8 L and D */
	SEGMENT	0, 0xfffff, 0x73, 0xc0		/* b0 data, ring 3, absent */
	.quad	0
	GATE64	CODE0, far_target, 0xec		/* c0 call gate, dpl 3 */
	GATE64	CODE0, far_target, 0x8c		/* d0 call gate, dpl 0 */
	GATE64	CODE0, far_target, 0x6c		/* e0 not present */
	GATE64	0, far_target, 0xec		/* f0 to null */
	GATE64	DATA0, far_target, 0xec		/* 100 to data */
	GATE64	COMPAT0, far_target, 0xec	/* 110 to 32-bit code */
	GATE	CODE0, far_target, 0xec		/* 120 its upper type not 0 */
	.long	0, 0x500
	GATE	CODE0, far_target, 0xec		/* 130 its offset not canonical */
	.long	0x8000, 0
	GATE64	CODE0, gate_return, 0xec	/* 140 returns */
	GATE64	CODE1, ring1_vector, 0xec	/* 150 to ring 1 */
	GATE64	0xa0, far_target, 0xec		/* 160 to conforming code */
	SEGMENT_AT tss, 0x67, 0x89, 0		/* 170 a tss */
	.quad	0
	SEGMENT_AT tss, 0x67, 0x09, 0		/* 180 a tss, absent */
	.quad	0
	SEGMENT_AT tss, 0x67, 0x81, 0		/* 190 a tss of 16 bits */
	.quad	0
	SEGMENT_AT tss, 0x67, 0x89, 0		/* 1a0 its base not canonical */
	.quad	0x8000
	SEGMENT_AT ldt, 15, 0x82, 0		/* 1b0 ldt, above 4 GiB */
	.quad	0x7f
	SEGMENT_AT ldt, 15, 0x82, 0		/* 1c0 ldt, not canonical */
	.quad	0x8000
	SEGMENT_AT ldt, 31, 0x82, 0		/* 1d0 ldt */
	.quad	0
	SEGMENT_AT ldt, 31, 0x02, 0		/* 1e0 ldt, absent */
	.quad	0
	SEGMENT	0, 0xfffff, 0x92, 0xc0		/* 1f0 not yet accessed */
	SEGMENT	0, 0xfffff, 0xfa, 0xe0		/* 1f8 L and D, ring 3 */
	SEGMENT	0, 0xfffff, 0x9b, 0xa0		/* 200 sysenter's six */
	SEGMENT	0, 0xfffff, 0x93, 0xc0		/* 208 */
	SEGMENT	0, 0xfffff, 0xfb, 0xc0		/* 210 */
	SEGMENT	0, 0xfffff, 0xf3, 0xc0		/* 218 */
	SEGMENT	0, 0xfffff, 0xfb, 0xa0		/* 220 */
	SEGMENT	0, 0xfffff, 0xf3, 0xc0		/* 228 */
	SEGMENT	0, 0xfffff, 0x85, 0		/* 230 task gate */
	.quad	0
	SEGMENT	0, 0xff, 0xfb, 0x40		/* 240 32-bit code, 256 bytes */
	SEGMENT_AT area, 0xff, 0xf3, 0x40	/* 248 256 bytes, ring 3 */
	SEGMENT	0, 0xfffff, 0xff, 0xa0		/* 250 64-bit code, conforming, dpl 3 */
gdt_end:

	.balign	16
idt:	.set	v, 0
	.rept	256
	.if	v == 3 || v == 4 || v == 0x30 || v == 0x80
	GATE64	CODE0, stubs+16*v, 0xee
	.elseif	v == 8
	GATE64	CODE0, stubs+16*v, 0x8e, 2
	.elseif	v == 0x31
	GATE64	CODE0, stubs+16*v, 0xef
	.elseif	v == 0x33
	GATE64	CODE0, stubs+16*v, 0x6e
	.elseif	v == 0x34
	GATE64	0, stubs+16*v, 0xee
	.elseif	v == 0x35
	GATE64	DATA0, stubs+16*v, 0xee
	.elseif	v == 0x36
	GATE64	TSS0, 0, 0xe5
	.elseif	v == 0x37
	.quad	0, 0
	.elseif	v == 0x38
	GATE64	CODE0, stubs+16*v, 0xee, 1
	.elseif	v == 0x39
	GATE64	0x80, stubs+16*v, 0xee
	.elseif	v == 0x3a
	GATE64	CODE1, ring1_vector, 0xee
	.elseif	v == 0x3b
	GATE64	CODE3, stubs+16*v, 0xee
	.elseif	v == 0x3c
	GATE64	CODE0, stubs+16*v, 0xec
	.elseif	v == 0x3d
	GATE64	0x7f8, stubs+16*v, 0xee
	.elseif	v == 0x3e
	GATE64	CODE0, note_flags, 0xee
	.elseif	v == 0x3f
	GATE64	CODE0, note_flags, 0xef
	.elseif	v == 0x40
	GATE64	COMPAT0, stubs+16*v, 0xee
	.elseif	v == 0x41
	GATE64	CODE0, stubs+16*v, 0xe6
	.elseif	v == 0x42
	GATE64	0xa8, stubs+16*v, 0xee
	.elseif	v == 0x43
	GATE	CODE0, stubs+16*v, 0xee
	.long	0x8000, 0
	.elseif	v == 0x44
	GATE64	CODE0, stubs+16*v, 0xee, 2
	.elseif	v == 0x45
	GATE64	CODE0, stubs+16*v, 0xee, 3
	.elseif	v == 0x46
	GATE64	0xa0, stubs+16*v, 0xee
	.elseif	v == 0x47
	GATE64	CODE0, stubs+16*v, 0xee, 4
	.elseif	v == 0x48
	GATE64	CODE1, ring1_vector, 0xee, 1
	.else
	GATE64	CODE0, stubs+16*v, 0x8e
	.endif
	.set	v, v + 1
	.endr
idt_short:
	.word	0x30 * 16 - 1
	.quad	idt

	.balign	16
ldt:	.quad	0
	SEGMENT	0, 0xfffff, 0x93, 0xc0
	.quad	0
	SEGMENT	0, 0xfffff, 0x9b, 0xa0

	.balign	128
tss:	.long	0
	.quad	ring0_stack, ring1_stack, ring2_stack, 0
	.quad	ist1_stack, ist2_stack
	.quad	BAD + 64, ist1_stack - 3	/* IST 3 and 4 */
	.fill	3, 8, 0
	.quad	0
	.word	0, 0x68
	.fill	12, 1, 0xff
	.byte	0xfd				/* port 61h alone */
	.fill	0x8ff - 0x74, 1, 0xff

	boot_tables

	.bss
	.balign	4096
	.skip	64
area:	.skip	8192
