/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/process/main.c - the guest's programs, all in one image: which one a
 * process is, its command says. */
#include "guest/process/process.h"
#include "lib/format.h"
#include "lib/string.h"

int process_main(const struct process_args *args);

uint8_t block_page[4096] __attribute__((aligned(4096)));

void print(const char *text, ...)
{
	char line[120];
	va_list list;
	int n;

	va_start(list, text);
	n = vformat(line, sizeof(line), text, list);
	va_end(list);
	if (n >= (int)sizeof(line))
		n = sizeof(line) - 1;
	(void)call(PROC_PRINT, (uintptr_t)line, (uint64_t)n);
}

void words_split(struct words *w, const char *line)
{
	char *at = w->text;

	str_field(w->text, line, sizeof(w->text));
	w->count = 0;
	while (w->count < WORDS_MAX) {
		while (*at == ' ')
			*at++ = '\0';
		if (*at == '\0')
			break;
		w->word[w->count++] = at;
		while (*at != ' ' && *at != '\0')
			at++;
	}
	if (*at != '\0')
		*at = '\0'; /* the rest has no place */
}

uint64_t words_number(const struct words *w, unsigned n, uint64_t otherwise)
{
	uint64_t value = 0;

	if (n >= w->count)
		return otherwise;
	for (const char *at = w->word[n]; *at != '\0'; at++) {
		if (*at < '0' || *at > '9')
			return otherwise;
		value = value * 10 + (uint64_t)(*at - '0');
	}
	return value;
}

/* ---- small programs ----------------------------------------------------- */

static int program_spin(const struct words *w, const struct process_args *args)
{
	uint64_t turns = words_number(w, 1, 0);

	(void)args;
	for (uint64_t i = 0; turns == 0 || i < turns; i++)
		__asm__ volatile("");
	return 0;
}

static int program_sleep(const struct words *w, const struct process_args *args)
{
	(void)args;
	(void)call(PROC_SLEEP, words_number(w, 1, 1) * 1000000, 0);
	return 0;
}

/* Touches that many pages of heap, each zero before it. */
static int program_hog(const struct words *w, const struct process_args *args)
{
	uint64_t pages = words_number(w, 1, PROC_HEAP_PAGES);

	(void)args;
	if (call(PROC_HEAP, pages, 0) < 0) {
		print("hog: at most %u pages", PROC_HEAP_PAGES);
		return 1;
	}
	for (uint64_t i = 0; i < pages; i++) {
		volatile uint64_t *at =
			(volatile uint64_t *)(PROC_HEAP_VA + i * 4096);

		if (*at != 0)
			return 2;
		*at = i + 1;
	}
	for (uint64_t i = 0; i < pages; i++) {
		if (*(volatile uint64_t *)(PROC_HEAP_VA + i * 4096) != i + 1)
			return 3;
	}
	print("hog: %lu pages, each its own", pages);
	return 0;
}

/* An address that the compiler does not know. */
static volatile uint8_t *at_address(uint64_t va)
{
	__asm__("" : "+r"(va));
	return (volatile uint8_t *)va;
}

/* Does what a process must not. */
static int program_fault(const struct words *w, const struct process_args *args)
{
	const char *what = w->count > 1 ? w->word[1] : "read";

	(void)args;
	if (strcmp(what, "write") == 0)
		*at_address(PROC_IMAGE_VA) = 0; /* its header */
	else if (strcmp(what, "kernel") == 0)
		(void)*at_address(0xffffffff80000000);
	else if (strcmp(what, "jump") == 0)
		__asm__ volatile("jmp *%0" : : "r"(at_address(PROC_IMAGE_VA)));
	else if (strcmp(what, "divide") == 0)
		__asm__ volatile("xorl %%ecx, %%ecx; divl %%ecx"
				 :
				 :
				 : "eax", "ecx", "edx", "cc");
	else if (strcmp(what, "undefined") == 0)
		__asm__ volatile("ud2");
	else
		(void)*at_address(8);
	print("fault: still here");
	return 0;
}

/* Blocks FROM.. to TO..: what was there is checked after it was made durable.
 */
static int copy_blocks(uint64_t from, uint64_t to, uint64_t blocks)
{
	uint64_t sum = 0, again = 0;

	for (uint64_t i = 0; i < blocks; i++) {
		if (call(PROC_READ, from + i, (uintptr_t)block_page) < 0 ||
		    call(PROC_PUT, to + i, (uintptr_t)block_page) < 0) {
			print("copy: block %lu failed", from + i);
			return 1;
		}
		for (unsigned n = 0; n < sizeof(block_page); n++)
			sum += block_page[n] * (n + 1);
	}
	if (call(PROC_FLUSH, 0, 0) < 0) {
		print("copy: the flush failed");
		return 1;
	}
	for (uint64_t i = 0; i < blocks; i++) {
		if (call(PROC_READ, to + i, (uintptr_t)block_page) < 0)
			return 1;
		for (unsigned n = 0; n < sizeof(block_page); n++)
			again += block_page[n] * (n + 1);
	}
	print("copy: %lu blocks, sum %lx, %s", blocks, sum,
	      sum == again ? "the same" : "DIFFERENT");
	return sum != again;
}

static int program_copy(const struct words *w, const struct process_args *args)
{
	uint64_t from = words_number(w, 1, 0), to = words_number(w, 2, 0);
	uint64_t blocks = words_number(w, 3, 1), times = words_number(w, 4, 1);
	int code = 0;

	(void)args;
	while (times-- > 0 && code == 0)
		code = copy_blocks(from, to, blocks);
	return code;
}

/* Each block its own words, so that a copy of them says whether it is one. */
static int program_fill(const struct words *w, const struct process_args *args)
{
	uint64_t first = words_number(w, 1, 0), blocks = words_number(w, 2, 1);

	(void)args;
	for (uint64_t i = 0; i < blocks; i++) {
		for (unsigned n = 0; n < sizeof(block_page); n++)
			block_page[n] = (uint8_t)((first + i) * 31 + n * 7);
		if (call(PROC_PUT, first + i, (uintptr_t)block_page) < 0) {
			print("fill: block %lu failed", first + i);
			return 1;
		}
	}
	if (call(PROC_FLUSH, 0, 0) < 0)
		return 1;
	print("fill: %lu blocks from %lu", blocks, first);
	return 0;
}

/* Children that do nothing but end, one after the other. */
static int program_churn(const struct words *w, const struct process_args *args)
{
	static const char child[] = "sleep 0";
	uint64_t times = words_number(w, 1, 10);

	(void)args;
	for (uint64_t i = 0; i < times; i++) {
		int64_t id =
			call(PROC_SPAWN, (uintptr_t)child, sizeof(child) - 1);

		if (id < 0 || call(PROC_WAIT, (uint64_t)id, 0) != 0) {
			print("churn: child %lu failed", i);
			return 1;
		}
	}
	print("churn: %lu children came and went", times);
	return 0;
}

const struct program_row programs[] = {
	{"writer", program_writer, NULL, false},
	{"reader", program_reader, NULL, false},
	{"shell", program_shell, NULL, false},
	{"spin", program_spin, "spin [TURNS]: uses the CPU; without, for ever",
	 false},
	{"sleep", program_sleep, "sleep MS", false},
	{"hog", program_hog, "hog [PAGES]: touches so many pages of heap",
	 false},
	{"fault", program_fault,
	 "fault [read|write|kernel|jump|divide|undefined]: is killed for it",
	 false},
	{"copy", program_copy, "copy FROM TO N [TIMES]: blocks of the disk",
	 false},
	{"fill", program_fill, "fill FROM N: blocks of the disk, not zero",
	 false},
	{"churn", program_churn, "churn N: so many children, one by one",
	 false},
	{"ifconfig", program_ifconfig, "ifconfig: the network card", false},
	{"ping", program_ping, "ping ADDRESS [TIMES [MS]]", false},
	{"tcp", program_tcp,
	 "tcp send ADDRESS PORT BYTES, tcp receive PORT [CONNECTIONS]", false},
	{"udp", program_udp,
	 "udp send ADDRESS PORT TIMES, udp receive PORT TIMES", false},
	{"ls", program_ls, "ls [DIR]", true},
	{"cat", program_cat, "cat FILE; cat BLOCK: its first bytes", true},
	{"write", program_write, "write FILE WORD...: a line is all of it",
	 true},
	{"append", program_append, "append FILE WORD...: one more line", true},
	{"cp", program_cp, "cp FROM TO", true},
	{"mv", program_mv, "mv FROM TO", true},
	{"rm", program_rm, "rm FILE, rm DIR: if it is empty", true},
	{"mkdir", program_mkdir, "mkdir DIR", true},
	{"df", program_df, "df: how full the volume is", true},
	{"sync", program_sync, "sync: all files are durable", true},
	{"files", program_files,
	 "files [N [BYTES [DIR]]]: makes, copies, compares so many files",
	 false},
	{NULL, NULL, NULL, false},
};

const struct program_row *program_find(const char *name)
{
	for (const struct program_row *p = programs; p->name != NULL; p++) {
		if (strcmp(p->name, name) == 0)
			return p;
	}
	return NULL;
}

int process_main(const struct process_args *args)
{
	struct words w;
	const struct program_row *p;

	words_split(&w, args->command);
	p = w.count > 0 ? program_find(w.word[0]) : NULL;
	if (p == NULL) {
		print("no program of that name: %s", args->command);
		return 127;
	}
	return p->run(&w, args);
}
