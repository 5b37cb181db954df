/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/process/process.h - what the guest's programs share.  All are in one
 * image; the first word of its command says which one a process is (main.c). */
#ifndef PARTERRE_GUEST_PROCESS_H
#define PARTERRE_GUEST_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/process_abi.h"

static inline int64_t call(uint64_t number, uint64_t a, uint64_t b)
{
	int64_t result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b)
			 : "rcx", "r11", "memory", "cc");
	return result;
}

static inline __attribute__((noreturn)) void leave(int code, uint64_t count)
{
	for (;;)
		(void)call(PROC_EXIT, (uint64_t)code, count);
}

/* A line; longer ones are cut. */
void print(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* The command's words: NUL-terminated, `count` of them, name first. */
#define WORDS_MAX 10
struct words {
	char text[128];
	char *word[WORDS_MAX];
	unsigned count;
};
void words_split(struct words *w, const char *line);
/* Word n as a number; without one, or if it is none, `otherwise`. */
uint64_t words_number(const struct words *w, unsigned n, uint64_t otherwise);

/* A page of the block programs. */
extern uint8_t block_page[4096];

typedef int program(const struct words *w, const struct process_args *args);
struct program_row {
	const char *name;
	program *run;
	const char *help; /* NULL: not for people */
	bool inside;      /* the shell does it itself */
};
extern const struct program_row programs[];
const struct program_row *program_find(const char *name); /* NULL: none */

program program_writer, program_reader, program_shell;
program program_ls, program_df, program_sync, program_mkdir, program_rm,
	program_mv, program_cat, program_write, program_append, program_cp,
	program_files;
program program_ifconfig, program_ping, program_tcp, program_udp;

#endif
