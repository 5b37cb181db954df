/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/boot/stage/entry.S - from the boot loader to 64-bit C.
 *
 * Multiboot 1 with address fields: a loader that reads them needs no ELF, and
 * the ELF may be 64-bit, with symbols at the addresses where things run.
 *
 * Entered in 32-bit protected mode without paging, EAX the magic number, EBX
 * the information.  Makes tables that show 4 GiB at their physical addresses
 * and the image at MONITOR_VA, turns paging and long mode on, and calls
 * init_main(magic, information) on a stack of its own.  These tables are used
 * until the first partition runs.
 *
 * Multiboot Specification 0.6.96, 3.1-3.2; SDM 3A 9.8.5 (going to long mode).
 */
#include "boot/stage/stage.h"

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00010003 /* page-aligned modules, memory, addresses */

#define PA(symbol) (symbol - MONITOR_VA + IMAGE_PA)

#define TABLE 0x03
#define LARGE 0x83

	.section .multiboot, "a", @progbits
	.balign	4
multiboot_header:
	.long	MULTIBOOT_MAGIC
	.long	MULTIBOOT_FLAGS
	.long	-(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
	.long	multiboot_header
	.long	IMAGE_PA
	.long	image_load_end_pa
	.long	image_end_pa
	.long	boot_entry

	.section .entry, "ax", @progbits
	.code32
	.globl	boot_entry
boot_entry:
	cli
	cld
	mov	%eax, %ebp	/* the two survive in EBP and EBX... */
	mov	%ebx, %esi	/* ... CPUID takes EBX, so in ESI */

	/* Long mode, no-execute pages, SYSCALL: without them no further. */
	mov	$0x80000000, %eax
	cpuid
	cmp	$0x80000001, %eax
	jb	.Ltoo_old
	mov	$0x80000001, %eax
	cpuid
	and	$0x20100800, %edx
	cmp	$0x20100800, %edx
	jne	.Ltoo_old

	/* 4 GiB where they are, in pages of 2 MiB. */
	mov	$PA(boot_pd_low), %edi
	mov	$LARGE, %eax
	mov	$2048, %ecx
1:	mov	%eax, (%edi)
	add	$0x200000, %eax
	add	$8, %edi
	loop	1b
	mov	$PA(boot_pdpt_low), %edi
	mov	$PA(boot_pd_low) + TABLE, %eax
	mov	$4, %ecx
2:	mov	%eax, (%edi)
	add	$0x1000, %eax
	add	$8, %edi
	loop	2b
	/* The image at MONITOR_VA. */
	mov	$PA(boot_pt), %edi
	mov	$IMAGE_PA + TABLE, %eax
	mov	$512, %ecx
3:	mov	%eax, (%edi)
	add	$0x1000, %eax
	add	$8, %edi
	loop	3b
	movl	$PA(boot_pdpt_low) + TABLE, PA(boot_pml4)
	movl	$PA(boot_pdpt_high) + TABLE, PA(boot_pml4) + 511 * 8
	movl	$PA(boot_pd_high) + TABLE, PA(boot_pdpt_high) + 510 * 8
	movl	$PA(boot_pt) + TABLE, PA(boot_pd_high)
	/* A window page table at the place where instances have theirs. */
	movl	$PA(boot_window_pt) + TABLE, PA(boot_pd_high) + 8
	movl	$PA(boot_window_pt) + TABLE, PA(boot_window_pt) + INST_PT * 8

	/* CR4: PAE, machine check, global pages, FXSAVE, SIMD exceptions. */
	mov	$0x6e0, %eax
	mov	%eax, %cr4
	mov	$PA(boot_pml4), %eax
	mov	%eax, %cr3
	/* EFER: SYSCALL, long mode, no-execute. */
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x901, %eax
	wrmsr
	/* CR0: paging, write protection in ring 0, native FPU errors, MP. */
	mov	$0x80010033, %eax
	mov	%eax, %cr0
	lgdt	.Lgdt_pointer
	ljmp	$SEL_CODE, $.Llong

.Ltoo_old:
	mov	$.Ltoo_old_text, %esi
4:	lodsb
	test	%al, %al
	jz	6f
	mov	%al, %cl
	mov	$0x3fd, %dx
5:	in	%dx, %al
	test	$0x20, %al
	jz	5b
	mov	$0x3f8, %dx
	mov	%cl, %al
	out	%al, %dx
	jmp	4b
6:	mov	$0x3fd, %dx	/* let the last byte leave */
	in	%dx, %al
	test	$0x40, %al
	jz	6b
	mov	$0x7e, %eax
	mov	$0xf4, %dx
	out	%eax, %dx
7:	hlt
	jmp	7b
.Ltoo_old_text:
	.asciz	"[monitor] this CPU lacks long mode, NX or SYSCALL\n"

	.code64
.Llong:
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	$SEL_DATA, %eax
	mov	%eax, %ss
	mov	$boot_stack_top, %rsp
	mov	%ebp, %edi
	mov	%esi, %esi
	xor	%ebp, %ebp
	mov	$init_main, %rax
	call	*%rax
8:	hlt
	jmp	8b

	.balign	8
.Lgdt:	.quad	0, 0x00af9b000000ffff, 0x00cf93000000ffff
	.quad	0x00cf9b000000ffff	/* 32-bit code */
.Lgdt_pointer:
	.word	. - .Lgdt - 1
	.long	.Lgdt

/* Where another CPU starts, in real mode, copied to AP_START_PA; then on the
 * same tables as the first one, to ap_main() on the stack in ap_stack. */
#define SEL_CODE_32 0x18

	.code16
	.globl	ap_start, ap_start_end
ap_start:
	cli
	cld
	xor	%ax, %ax
	mov	%ax, %ds
	lgdtl	AP_START_PA + .Lap_gdt_pointer - ap_start
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$SEL_CODE_32, $.Lap_protected
.Lap_gdt_pointer:
	.word	4 * 8 - 1
	.long	.Lgdt
ap_start_end:

	.code32
.Lap_protected:
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %ss
	mov	$0x6e0, %eax	/* as above */
	mov	%eax, %cr4
	mov	$PA(boot_pml4), %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x901, %eax
	wrmsr
	mov	$0x80010033, %eax
	mov	%eax, %cr0
	ljmp	$SEL_CODE, $.Lap_long
	.code64
.Lap_long:
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	ap_stack, %rsp
	xor	%ebp, %ebp
	mov	$ap_main, %rax
	call	*%rax
9:	hlt
	jmp	9b

	.section .bss.boot, "aw", @nobits
	.balign	4096
boot_pml4:	.skip	4096
boot_pdpt_low:	.skip	4096
boot_pd_low:	.skip	4 * 4096
boot_pdpt_high:	.skip	4096
boot_pd_high:	.skip	4096
	.globl	boot_pt
boot_pt:	.skip	4096
boot_window_pt:	.skip	4096
	.skip	8192
boot_stack_top:
	.section .note.GNU-stack, "", @progbits
