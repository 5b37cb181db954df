/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/bench/guest/start.S - from Multiboot to long mode, and what the kernels
 * of bench.c need of the assembler: a page fault's way in, a system call's,
 * ring 3.
 *
 * The first GiB is mapped onto itself by pages of 2 MiB, open to ring 3.
 */
	.set	EXIT, 0xF4
	.set	EFER, 0xC0000080

	.section .multiboot, "a"
	.balign	4
	.long	0x1BADB002
	.long	0x00000003
	.long	-(0x1BADB002 + 0x00000003)

	.text
	.code32
	.globl	start
start:	movl	$stack_top, %esp
	movl	%ebx, %esi			/* to main() in RDI */
	movl	$directory, %edi
	movl	$0x87, %eax			/* present, write, user, 2 MiB */
	movl	$512, %ecx
1:	movl	%eax, (%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	decl	%ecx
	jnz	1b
	movl	$(directory + 7), pointers
	movl	$(pointers + 7), top
	movl	%cr4, %eax
	orl	$0x220, %eax			/* PAE, OSFXSR */
	movl	%eax, %cr4
	movl	$top, %eax
	movl	%eax, %cr3
	movl	$EFER, %ecx
	rdmsr
	orl	$0x101, %eax			/* LME, SCE */
	wrmsr
	movl	%cr0, %eax
	andl	$~4, %eax			/* no emulation: SSE works */
	orl	$0x80010002, %eax
	movl	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$0x08, $2f
	.code64
2:	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movl	$0x10, %eax
	movl	%eax, %ss
	movl	$0x28, %eax
	ltr	%ax
	leaq	on_page_fault(%rip), %rax
	leaq	idt + 14 * 16(%rip), %rdi
	movw	%ax, (%rdi)
	movl	$0x8E000008, 2(%rdi)
	shrq	$16, %rax
	movw	%ax, 6(%rdi)
	shrq	$16, %rax
	movl	%eax, 8(%rdi)
	lidt	idt_pointer
	movl	$0xC0000081, %ecx		/* STAR */
	xorl	%eax, %eax
	movl	$0x00100008, %edx
	wrmsr
	incl	%ecx				/* LSTAR */
	leaq	on_syscall(%rip), %rax
	xorl	%edx, %edx
	wrmsr
	movl	$0xC0000084, %ecx		/* SFMASK */
	movl	$0x200, %eax
	xorl	%edx, %edx
	wrmsr
	movl	%esi, %edi
	call	main
	movl	%eax, %ebx
	movw	$0x3FD, %dx
3:	inb	%dx, %al
	testb	$0x40, %al
	jz	3b
	movl	%ebx, %eax
	outl	%eax, $EXIT
4:	cli
	hlt
	jmp	4b

/* A missing page: give it a frame, as map_page() in bench.c says. */
on_page_fault:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	movq	%cr2, %rdi
	call	map_page
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$8, %rsp
	iretq

/* RAX 0: count and return; 1: the end of user(). */
on_syscall:
	movq	%rsp, user_stack(%rip)
	movq	kernel_stack(%rip), %rsp
	pushq	%rcx
	pushq	%r11
	testl	%eax, %eax
	jnz	1f
	incq	system_calls(%rip)
	popq	%r11
	popq	%rcx
	movq	user_stack(%rip), %rsp
	sysretq
1:	addq	$16, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

/* void user_loop(uint64_t n): n system calls from ring 3. */
	.globl	user_loop
user_loop:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, kernel_stack(%rip)
	movq	%rdi, %rbx
	leaq	in_user(%rip), %rcx
	movl	$2, %r11d
	leaq	user_stack_top(%rip), %rsp
	sysretq

	.section .user, "awx"
in_user:
1:	xorl	%eax, %eax
	syscall
	decq	%rbx
	jnz	1b
	movl	$1, %eax
	syscall

	.data
	.balign	8
gdt:	.quad	0
	.quad	0x00AF9A000000FFFF		/* 08 code, 64 bits */
	.quad	0x00CF92000000FFFF		/* 10 data */
	.quad	0x00CFF2000000FFFF		/* 18 user data */
	.quad	0x00AFFA000000FFFF		/* 20 user code, 64 bits */
	.quad	0x0000890000000067		/* 28 TSS at 0: never used */
	.quad	0
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt
idt_pointer:
	.word	256 * 16 - 1
	.quad	idt
	.globl	system_calls
system_calls:
	.quad	0
user_stack:
	.quad	0
kernel_stack:
	.quad	0

	.bss
	.balign	4096
	.globl	top, pointers
top:	.skip	4096
pointers:
	.skip	4096
directory:
	.skip	4096
idt:	.skip	4096
	.skip	16384
stack_top:
	.skip	4096
user_stack_top:
