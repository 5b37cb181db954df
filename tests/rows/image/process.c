/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/process.c - see process.h. */
#include "process.h"

__asm__("	.section .rodata\n"
	"	.globl process_bases, process_touch\n"
	"process_bases:\n"
	"1:	mov %fs:0, %rax\n"
	"	mov %gs:0, %rbx\n"
	"	dec %rcx\n"
	"	jnz 1b\n"
	"	syscall\n"
	"	ud2\n"
	"process_touch:\n"
	"	mov (%rdi), %rax\n"
	"	syscall\n"
	"	ud2\n"
	"	.skip 64, 0x0f\n"
	"	.text\n");

uint64_t process_page(unsigned as, unsigned n)
{
	return free_page(16 * as + n);
}

struct user_frame *process_frame(void)
{
	return (struct user_frame *)PART_FRAME_VA;
}

uint64_t process_make(unsigned as, process_program program)
{
	struct as_map map[2] = {
		{PROCESS_CODE, process_page(as, PAGE_CODE), PROT_R | PROT_X},
		{PROCESS_DATA, process_page(as, PAGE_DATA), PROT_R | PROT_W},
	};

	memcpy(page_at(process_page(as, PAGE_CODE)), program, 64);
	want_result(sys_as_create(as, process_page(as, PAGE_ROOT)), 0,
		    "SYS_AS_CREATE");
	for (unsigned level = 3; level; level--)
		want_result(sys_as_table(as, PROCESS_CODE, level,
					 process_page(as, 4 - level)),
			    0, "SYS_AS_TABLE");
	want_result(sys_as_map(as, map, 2), 0, "SYS_AS_MAP");
	process_frame()->rip = PROCESS_CODE;
	process_frame()->rflags = 2;
	process_frame()->rsp = PROCESS_DATA + 4096;
	return process_page(as, PAGE_DATA);
}

unsigned process_run(unsigned as)
{
	for (;;) {
		int64_t why = sys_user_run(as, TIME_NEVER, ~0ull);

		if (why == USER_EXIT_SYSCALL)
			return 0;
		if (why == USER_EXIT_FAULT)
			return (unsigned)process_frame()->vector;
		if (why != USER_EXIT_EVENT)
			want_result(why, USER_EXIT_SYSCALL, "SYS_USER_RUN");
		(void)sys_wait(~0ull, 0);
	}
}
