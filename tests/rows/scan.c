/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S50, statically: no program of ring 3 holds an instruction that does not
 * virtualize or is privileged; and the scan that the build makes of them sees
 * each. */
#include "rows.h"

#include <stdio.h>

#define SCAN BUILD_DIR "/tools/ring3_scan"

static const char *const reveals[] = {
	"sgdt (%rsp)",     "sidt (%rsp)",
	"sldt %eax",       "str %eax",
	"smsw %eax",       "pushfq",
	"popfq",           "lar %eax, %eax",
	"lsl %eax, %eax",  "verr %ax",
	"verw %ax",        "lcall *(%rsp)",
	"ljmp *(%rsp)",    "lret",
	"lretq",           "int $3",
	"int $0x80",       "int1",
	"iretq",           "mov %cs, %eax",
	"mov %ss, %eax",   "mov %eax, %ds",
	"mov %fs, (%rsp)", "push %fs",
	"pop %gs",         "lss (%rsp), %esp",
};
static const char *const privileged[] = {
	"cli",
	"sti",
	"hlt",
	"in $1, %al",
	"out %al, %dx",
	"insb",
	"rep outsl",
	"rdmsr",
	"wrmsr",
	"mov %cr0, %rax",
	"mov %rax, %cr3",
	"mov %dr6, %rax",
	"mov %rax, %dr7",
	"lgdt (%rsp)",
	"lidt (%rsp)",
	"lldt %ax",
	"ltr %ax",
	"lmsw %ax",
	"clts",
	"invd",
	"wbinvd",
	"invlpg (%rsp)",
	"swapgs",
	"sysretq",
	"sysexit",
	"rdpmc",
};
static const char *const fine[] = {
	"syscall",
	"rdtsc",
	"cpuid",
	"pause",
	"ud2",
	"fxsave64 (%rsp)",
	"mov %fs:(%rax), %rbx",
	"lock cmpxchg %rax, (%rbx)",
	"call 1f; 1: ret",
	"movdqa %xmm0, %xmm1",
	"std; rep movsq; cld",
};

/* A program of this one instruction, looked through. */
static struct output *scan(const char *instruction)
{
	return shell("printf '.globl _start\\n_start: nop\\n%%s\\nnop\\n' '%s' "
		     "| cc -x assembler -nostdlib -static -o %s/one - "
		     "&& " SCAN " %s/one",
		     instruction, scratch(), scratch());
}

Test(rows, s50_static_scan, .timeout = 300)
{
	struct output *o = shell("cd " BUILD_DIR "/hv && " SCAN
				 " uv.elf boot.elf idle.elf io.elf command.elf "
				 "operations.elf guest.elf process.elf");

	wants(o, 0);
	o = shell(SCAN " " BUILD_DIR "/hv/ultravisor.elf");
	wants(o, 1);
	says(o, " in syscall_entry");
	for (size_t i = 0; i < sizeof(reveals) / sizeof(reveals[0]); i++) {
		o = scan(reveals[i]);
		cr_assert_eq(o->status, 1, "%s: %s", reveals[i], o->text);
		says(o, " in _start+0x1: ");
		says(o, "does not virtualize");
	}
	for (size_t i = 0; i < sizeof(privileged) / sizeof(privileged[0]);
	     i++) {
		o = scan(privileged[i]);
		cr_assert_eq(o->status, 1, "%s: %s", privileged[i], o->text);
		says(o, "is privileged");
	}
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		o = scan(fine[i]);
		cr_assert_eq(o->status, 0, "%s: %s", fine[i], o->text);
	}
}

/* A bad file is named, and is no pass. */
Test(rows, s50_no_image_is_no_pass)
{
	struct output *o = shell(SCAN " /nonexistent");

	wants(o, 2);
	says(o, "/nonexistent");
	o = shell(SCAN " " ROWS "scan.c");
	wants(o, 2);
	says(o, "no x86-64 ELF image");
	o = shell("head -c 5000 " BUILD_DIR "/hv/guest.elf > %s/cut; " SCAN
		  " %s/cut",
		  scratch(), scratch());
	wants(o, 2);
	says(o, "cut short");
}
