/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/process.h - processes of a probe: an address space with one
 * page of code and one of data. */
#ifndef PARTERRE_ROWS_PROCESS_H
#define PARTERRE_ROWS_PROCESS_H

#include "probe.h"

#define PROCESS_CODE 0x10000
#define PROCESS_DATA 0x11000

/* Pages that space `as` uses, from free_page(16 * as) on. */
#define PAGE_ROOT 0
#define PAGE_PDPT 1
#define PAGE_PD   2
#define PAGE_PT   3
#define PAGE_CODE 4
#define PAGE_DATA 5
uint64_t process_page(unsigned as, unsigned n);

/* Programs: at most a page, position-independent, ended by SYSCALL.
 * process_bases: RCX turns; RAX and RBX are the words at FS:0 and GS:0.
 * process_touch: reads the word at RDI into RAX. */
typedef const uint8_t process_program[];
extern process_program process_bases, process_touch;

/* Makes the address space; returns its page of data. */
uint64_t process_make(unsigned as, process_program program);
struct user_frame *process_frame(void);
/* Until it calls (0) or faults (its vector); anything else is a failure. */
unsigned process_run(unsigned as);

#endif
